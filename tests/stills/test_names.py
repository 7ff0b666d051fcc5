from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapupscale.errors import SettingError
from snapupscale.stills.names import still_name

SHAPE = re.compile(r"(.+)_s\d{3,}_f\d{5,}_x[0-9.-]+_still\.png", re.DOTALL)


@pytest.mark.parametrize(
    ("clip", "shot", "frame", "scale", "expected"),
    [
        ("CLIP", 12, 345, 4, "CLIP_s012_f00345_x4_still.png"),
        ("CLIP", 1, 0, 4.0, "CLIP_s001_f00000_x4_still.png"),
        ("CLIP", 1234, 1234567, Fraction(3, 2), "CLIP_s1234_f1234567_x1.5_still.png"),
        ("CLIP", 1, 1, Fraction(4, 3), "CLIP_s001_f00001_x4-3_still.png"),
        ("CLIP", 1, 1, 0.1, "CLIP_s001_f00001_x0.1_still.png"),
        ("A001_C002 take 3.final", 1, 1, 2, "A001_C002 take 3.final_s001_f00001_x2_still.png"),
        ("Überfahrt 東京 فيلم", 1, 1, 2, "Überfahrt 東京 فيلم_s001_f00001_x2_still.png"),
        ("double__underscore", 1, 1, 2, "double__underscore_s001_f00001_x2_still.png"),
    ],
)
def test_names_say_where_a_still_comes_from(
    clip: str, shot: int, frame: int, scale: Fraction | float, expected: str
) -> None:
    assert still_name(clip, shot, frame, scale, ".png") == expected


def test_label_and_suffix_are_the_last_parts() -> None:
    assert still_name("CLIP", 1, 2, 4, ".exr", label="before") == "CLIP_s001_f00002_x4_before.exr"


@pytest.mark.parametrize(
    ("clip", "start"),
    [
        ("a/b", "a_b-"),
        ("a\\b", "a_b-"),
        ('x<>:"|?*', "x_______-"),
        ("shot.%04d", "shot._04d-"),
        ("shot_[0001-0100]", "shot__0001-0100_-"),
        ("plate.####", "plate.____-"),
        ("..", "clip-"),
        ("", "clip-"),
        (".hidden", "hidden-"),
        ("-rf", "rf-"),
        ("trailing. . ", "trailing-"),
        ("CON", "_CON-"),
        ("nul.take2", "_nul.take2-"),
        ("COM¹", "_COM¹-"),
        ("line\nbreak\x07", "line_break_-"),
        ("\u202egnp.exe", "_gnp.exe-"),
        ("undecodable\udcff", "undecodable_-"),
    ],
)
def test_unsafe_names_are_changed_and_marked(clip: str, start: str) -> None:
    name = still_name(clip, 1, 1, 4, ".png")

    assert re.fullmatch(re.escape(start) + r"[0-9a-f]{8}_s001_f00001_x4_still\.png", name)


@pytest.mark.parametrize("clip", ["x" * 200, "長" * 200, "🎬" * 200, "e" + "\u0301" * 300])
def test_long_names_are_shortened_within_both_limits(clip: str) -> None:
    name = still_name(clip, 999, 99999, 4, ".png")

    assert len(name) <= 150
    assert len(name.encode("utf-8")) <= 240
    assert len(name.encode("utf-8")) > 200 or len(name) > 140
    assert name != still_name(clip + "!", 999, 99999, 4, ".png")


def test_different_clips_keep_different_names() -> None:
    clips = ["a:b", "a?b", "a_b", "a*b", "a_b ", "x" * 200, "x" * 201, "CON", "_CON", "", "clip"]

    assert len({still_name(clip, 1, 1, 4, ".png") for clip in clips}) == len(clips)


def test_both_normal_forms_of_a_name_give_one_file() -> None:
    composed = unicodedata.normalize("NFC", "Café")

    assert still_name(unicodedata.normalize("NFD", "Café"), 1, 1, 4, ".png") == f"{composed}_s001_f00001_x4_still.png"


@given(clip=st.text(max_size=300), shot=st.integers(1, 10**9 - 1), frame=st.integers(0, 10**9 - 1))
def test_every_name_is_safe_everywhere(clip: str, shot: int, frame: int) -> None:
    name = still_name(clip, shot, frame, Fraction(5, 3), ".png")

    assert SHAPE.fullmatch(name)
    assert len(name) <= 150
    assert len(name.encode("utf-8")) <= 240
    assert not set(name) & set('<>:"/\\|?*%#[]\0\n\r')
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in name)
    assert name[0] not in ". -"
    assert name.split(".", maxsplit=1)[0].rstrip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert not name.removesuffix(".png")[-1].isdigit()


@pytest.mark.parametrize(
    ("shot", "frame", "scale", "suffix", "label"),
    [
        (0, 0, 4, ".png", "still"),
        (1, -1, 4, ".png", "still"),
        (1, 1, 0, ".png", "still"),
        (1, 1, float("nan"), ".png", "still"),
        (1, 1, float("inf"), ".png", "still"),
        (1, 1, 4, "png", "still"),
        (1, 1, 4, ".png", "take2"),
        (1, 1, 4, ".png", ""),
        (1, 1, 4, ".png", "../x"),
    ],
)
def test_impossible_parts_are_refused(shot: int, frame: int, scale: float, suffix: str, label: str) -> None:
    with pytest.raises(SettingError):
        still_name("CLIP", shot, frame, scale, suffix, label=label)

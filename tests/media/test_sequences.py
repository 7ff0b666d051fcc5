from __future__ import annotations

from pathlib import Path

import pytest

from snapupscale.media.sequences import Sequence, parse_sequence


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.%04d.png", ("a.", 4, ".png", None, None)),
        ("a%d.exr", ("a", 1, ".exr", None, None)),
        ("shot_[0001-0100].png", ("shot_", 4, ".png", 1, 100)),
        ("[12-14].dpx", ("", 2, ".dpx", 12, 14)),
    ],
)
def test_patterns(name: str, expected: tuple[str, int, str, int | None, int | None]) -> None:
    sequence = parse_sequence(Path("/f") / name)
    assert sequence is not None
    assert (sequence.prefix, sequence.digits, sequence.suffix, sequence.first, sequence.last) == expected


@pytest.mark.parametrize("name", ["a.mp4", "100%.mp4", "a[1].mp4", "a_0001.png"])
def test_single_files(name: str) -> None:
    assert parse_sequence(Path(name)) is None


def test_only_names_of_the_right_width_belong_to_it(tmp_path: Path) -> None:
    for name in ("a_0001.png", "a_0002.png", "a_10000.png", "a_3.png", "a_00x1.png", "b_0001.png", "a_0001.png.bak"):
        (tmp_path / name).touch()
    sequence = Sequence(folder=tmp_path, prefix="a_", digits=4, suffix=".png")
    assert list(sequence.files()) == [1, 2, 10000]

"""Chapters, read back by an XML parser and by FFmpeg."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapupscale.timeline.chapters import to_ffmetadata, to_matroska_chapters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snapupscale.timeline.editlist import EditList

# https://www.matroska.org/technical/chapters.html and the document type definition of MKVToolNix.
ATOM = ["ChapterUID", "ChapterTimeStart", "ChapterTimeEnd", "ChapterDisplay"]
CLOCK = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{9})")


def nanoseconds(text: str | None) -> int:
    match = CLOCK.fullmatch(text or "")
    assert match is not None
    hours, minutes, seconds, rest = map(int, match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + rest


def read_matroska(text: str) -> list[tuple[int, int, str]]:
    root = ET.fromstring(text.encode())
    (edition,) = root
    assert (root.tag, edition.tag, edition[0].tag) == ("Chapters", "EditionEntry", "EditionUID")
    found = []
    for atom in edition[1:]:
        assert (atom.tag, [child.tag for child in atom]) == ("ChapterAtom", ATOM)
        assert [child.tag for child in atom[3]] == ["ChapterString", "ChapterLanguage"]
        found.append((nanoseconds(atom[1].text), nanoseconds(atom[2].text), str(atom[3][0].text)))
    uids = [atom[0].text for atom in edition[1:]]
    assert len(set(uids)) == len(uids)
    assert "0" not in uids
    return found


def read_with_ffmpeg(path: Path, **options: str) -> list[tuple[Fraction, Fraction, str]]:
    with av.open(str(path), **options) as container:
        return [
            (each["start"] * each["time_base"], each["end"] * each["time_base"], each["metadata"]["title"])
            for each in container.chapters()
        ]


def test_matroska_chapters_are_the_shots(edit: EditList) -> None:
    found = read_matroska(to_matroska_chapters(edit))

    assert [title for *_, title in found] == [f"Shot {shot.number}" for shot in edit.shots]
    for (start, end, _), exact in zip(found, pairwise(edit.edges), strict=True):
        assert (start, end) == tuple(math.ceil(time * 1_000_000_000) for time in exact)


def test_ffmpeg_reads_exact_times(edit: EditList, tmp_path: Path) -> None:
    path = tmp_path / "chapters.ffmeta"
    path.write_text(to_ffmetadata(edit), encoding="utf-8")

    found = read_with_ffmpeg(path, format="ffmetadata")

    assert [(start, end) for start, end, _ in found] == list(pairwise(edit.edges))
    assert [title for *_, title in found] == [f"Shot {shot.number}" for shot in edit.shots]


def test_times_of_a_variable_rate_are_those_of_the_frames(
    edit_with: Callable[..., EditList], tmp_path: Path
) -> None:
    times = (Fraction(0), Fraction(42, 1000), Fraction(5005, 90_000), Fraction(7, 3))
    edit = edit_with(cuts=(30, 31), times=times, stills=())
    path = tmp_path / "chapters.ffmeta"
    path.write_text(to_ffmetadata(edit), encoding="utf-8")

    assert [(start, end) for start, end, _ in read_with_ffmpeg(path, format="ffmetadata")] == list(pairwise(times))
    starts = [start for start, *_ in read_matroska(to_matroska_chapters(edit))]
    assert starts == [0, 42_000_000, 55_611_112]


def test_times_that_no_time_base_holds_are_rounded_up(edit_with: Callable[..., EditList], tmp_path: Path) -> None:
    times = (Fraction(0), Fraction(1, 65_537), Fraction(1, 65_521), Fraction(3))
    path = tmp_path / "chapters.ffmeta"
    path.write_text(to_ffmetadata(edit_with(cuts=(30, 31), times=times, stills=())), encoding="utf-8")

    starts = [start for start, *_ in read_with_ffmpeg(path, format="ffmetadata")]

    assert starts == [Fraction(math.ceil(time * 1_000_000_000), 1_000_000_000) for time in times[:-1]]


def test_chapters_go_into_a_matroska_file(
    clip: Callable[..., Path], edit_with: Callable[..., EditList], tmp_path: Path
) -> None:
    edit = edit_with(cuts=(3, 7), frames=10, rate=Fraction(24), transitions=())
    path, target = tmp_path / "chapters.ffmeta", tmp_path / "with.mkv"
    path.write_text(to_ffmetadata(edit), encoding="utf-8")
    with (
        av.open(str(path), format="ffmetadata") as chapters,
        av.open(str(clip("chaptered.mkv", frames=10))) as source,
        av.open(str(target), "w") as out,
    ):
        stream = out.add_stream_from_template(source.streams.video[0])
        out.set_chapters(chapters.chapters())
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)

    found = read_with_ffmpeg(target)

    assert [title for *_, title in found] == ["Shot 1", "Shot 2", "Shot 3"]
    for (start, *_), exact in zip(found, edit.edges, strict=False):
        assert abs(start - exact) < Fraction(1, 1_000_000)


@given(st.lists(st.fractions(0, 10_000, max_denominator=90_000), min_size=4, max_size=4))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_chapter_starts_before_its_frame(edit_with: Callable[..., EditList], times: list[Fraction]) -> None:
    edit = edit_with(cuts=(30, 31), stills=(), times=(Fraction(0), *sorted(times)[1:]))

    for (start, end, _), time in zip(read_matroska(to_matroska_chapters(edit)), edit.edges, strict=False):
        assert 0 <= start - time * 1_000_000_000 < 1
        assert start <= end


@pytest.mark.parametrize("write", [to_matroska_chapters, to_ffmetadata])
def test_no_name_gets_into_chapters(hostile: EditList, write: Callable[[EditList], str]) -> None:
    assert write(hostile).isascii()

"""Timelines of other programs, and such as are made to do harm."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import opentimelineio as otio
import pytest
from opentimelineio.opentime import RationalTime, TimeRange

from edits import make_edit
from snapupscale.errors import ListUnreadable
from snapupscale.timeline.fitting import fit
from snapupscale.timeline.listing import Frames
from snapupscale.timeline.otio import to_otio
from snapupscale.timeline.reading_otio import read_otio

if TYPE_CHECKING:
    from pathlib import Path

URL = "file:///footage/A001%20C002.mov"


def span(start: float, length: float, rate: float = 24) -> TimeRange:
    return TimeRange(RationalTime(start, rate), RationalTime(length, rate))


def clip(start: float, length: float, *, first: float | None = 86_400, url: str = URL, rate: float = 24) -> Any:
    available = None if first is None else span(first, 240, rate)
    reference = otio.schema.ExternalReference(target_url=url, available_range=available)
    return otio.schema.Clip(name="", media_reference=reference, source_range=span(start, length, rate))


def text_of(*items: Any, name: str = "V1", start: float | None = None) -> str:
    timeline = otio.schema.Timeline(global_start_time=None if start is None else RationalTime(start, 24))
    timeline.tracks.append(otio.schema.Track(name=name, kind="Video", children=list(items)))
    timeline.tracks.append(otio.schema.Track(name="A1", kind="Audio", children=[clip(86_400, 240)]))
    text: str = timeline.to_json_string()
    return text


def cuts(text: str) -> tuple[int, ...]:
    whole = make_edit(cuts=(), stills=(), transitions=(), frames=240, rate=24, start="01:00:00:00")
    return fit(read_otio(text), whole).cuts


def test_clips_count_from_the_first_frame_of_their_media() -> None:
    assert cuts(text_of(clip(86_400, 48), clip(86_448, 192))) == (48,)
    assert cuts(text_of(clip(0, 48, first=0), clip(48, 192, first=0))) == (48,)
    assert cuts(text_of(clip(86_400, 48, first=None), clip(86_448, 192, first=None))) == (48,)


def test_a_clip_without_a_range_shows_all_of_its_media() -> None:
    reference = otio.schema.ExternalReference(target_url=URL, available_range=span(86_400, 240))
    assert cuts(text_of(otio.schema.Clip(media_reference=reference))) == ()


def test_gaps_transitions_and_other_clips_are_left_out() -> None:
    gap, fade = otio.schema.Gap(source_range=span(0, 10)), otio.schema.Transition("SMPTE_Dissolve")
    fade.in_offset = fade.out_offset = RationalTime(4, 24)
    other = clip(86_420, 9, url="file:///footage/other.mov")

    text = text_of(clip(86_400, 48), fade, clip(86_448, 100), gap, other, clip(86_548, 92))

    assert cuts(text) == (48, 148)


def test_the_finished_edit_counts_by_its_track() -> None:
    items = [clip(1000, 48, url="file:///x.mov", first=0), clip(5, 192, url="file:///y.mov", first=0)]
    assert cuts(text_of(*items, start=86_400)) == cuts(text_of(*items)) == (48,)


def test_a_collection_of_one_timeline() -> None:
    timeline = otio.adapters.read_from_string(text_of(clip(86_400, 240)), "otio_json")
    collection = otio.schema.SerializableCollection(children=[timeline])
    assert len(read_otio(collection.to_json_string()).events) == 1
    collection.append(timeline.deepcopy())
    with pytest.raises(ListUnreadable, match="holds 2 timelines"):
        read_otio(collection.to_json_string())


def test_rates_are_exact_and_times_may_be_off_by_little() -> None:
    (event,) = read_otio(text_of(clip(100.001, 48, rate=23.976, first=0))).events

    assert event.source is not None
    begin, end = event.source
    assert isinstance(begin, Frames)
    assert isinstance(end, Frames)
    assert (begin.number, end.number, str(begin.rate)) == (100, 148, "24000/1001")


@pytest.mark.parametrize(
    "bad",
    [clip(0.5, 10), clip(float("nan"), 10), clip(0, float("inf")), clip(0, 10, rate=float("nan")), clip(0, 10, rate=0)],
)
def test_times_that_are_no_frames_are_refused(bad: Any) -> None:
    with pytest.raises(ListUnreadable):
        read_otio(text_of(bad))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "null",
        "5",
        '"x"',
        '{"OTIO_SCHEMA":"Timeline.99"}',
        '{"OTIO_SCHEMA":"Foo.1"}',
        '{"OTIO_SCHEMA":"Timeline.1"}',
        '{"OTIO_SCHEMA":"Timeline.1","tracks":5}',
        '{"OTIO_SCHEMA":"Timeline.1","tracks":null}',
        '{"OTIO_SCHEMA":"Timeline.1","tracks":{"OTIO_SCHEMA":"Stack.1","children":[null]}}',
        '{"OTIO_SCHEMA":"Clip.1"}',
    ],
)
def test_what_is_no_timeline_is_refused(text: str) -> None:
    with pytest.raises(ListUnreadable):
        read_otio(text)


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"a":' * 200_000, '{"OTIO_SCHEMA":"Timeline.1","metadata":{"a\\"[":' + "[" * 200_000],
)
def test_a_deeply_nested_text_is_refused_and_kills_nothing(text: str) -> None:
    with pytest.raises(ListUnreadable, match="nested too deeply"):
        read_otio(text)


def test_brackets_in_names_are_no_nesting() -> None:
    text = text_of(clip(86_400, 240, url="file:///footage/A001 C002.mov"), name='[{"' * 1000)

    assert cuts(text) == ()


def test_nothing_outside_the_text_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "list.otio"
    path.write_text(to_otio(make_edit(source=tmp_path / "canary.mov")), encoding="utf-8")
    program = """if True:
        import sys
        from snapupscale.timeline.reading import read_list
        from snapupscale.timeline import reading_otio
        from pathlib import Path
        import encodings.utf_8_sig
        seen = []
        sys.addaudithook(lambda event, args: seen.append(args[0]) if event in ("open", "socket.connect") else None)
        assert read_list(Path(sys.argv[1])).events
        print(*seen)
    """

    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(path)]


def test_our_own_stills_are_no_shots() -> None:
    edit = make_edit()
    assert len(json.loads(to_otio(edit))["tracks"]["children"]) == 2
    assert len(read_otio(to_otio(edit)).events) == len(edit.shots)

"""From lists made elsewhere to the cuts of a source: what is exported comes back, and what doesn't fit is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edits import make_edit
from snapupscale.errors import ListMismatch, SettingError
from snapupscale.scenes.shots import to_shots
from snapupscale.timecode import RATES, Timecode, can_drop
from snapupscale.timeline.exports import export
from snapupscale.timeline.fitting import fit
from snapupscale.timeline.reading import READERS

if TYPE_CHECKING:
    from fractions import Fraction

    from snapupscale.timeline.editlist import EditList
    from snapupscale.timeline.fitting import Fit

OWN = {"edl": "edl", "otio": "otio", "csv": "csv", "pyscenedetect-csv": "csv"}
"""Of each format that is read back the reader."""


def whole(**changes: Any) -> EditList:
    """The clip A001 C002.mov, 240 frames at 24 per second from 01:00:00:00; `changes` are fields."""
    fields: dict[str, Any] = {"rate": RATES[6], "frames": 240, "start": "01:00:00:00"}
    return make_edit(cuts=(), stills=(), transitions=(), **(fields | changes))


def edl(*events: str, mode: str = "NON-DROP FRAME", reel: str = "AX", name: str = "") -> str:
    """Each event is `source in, source out, record in, record out`, or the first two alone, without the hours."""
    lines = [f"FCM: {mode}"]
    for number, event in enumerate(events, start=1):
        times = event.split() if len(event.split()) == 4 else event.split() * 2
        lines.append(f"{number:03}  {reel}  V  C  {' '.join(times)}")
        lines += [f"* FROM CLIP NAME: {name}"] if name else []
    return "\n".join(lines)


def cuts(text: str, clip: EditList, kind: str = "edl") -> tuple[int, ...]:
    return read(text, clip, kind).cuts


def read(text: str, clip: EditList, kind: str = "edl") -> Fit:
    return fit(READERS[kind](text), clip)


@pytest.mark.parametrize("format", OWN)
def test_what_is_exported_comes_back(edit: EditList, format: str) -> None:
    clip = make_edit(
        cuts=(),
        stills=(),
        transitions=(),
        **{name: getattr(edit, name) for name in ("rate", "frames", "start", "source", "first_number")},
    )

    found = read(export(edit, format), clip, OWN[format])

    assert (found.cuts, found.notes) == (edit.cuts, ())


@pytest.mark.parametrize("format", OWN)
@given(data=st.data())
@settings(max_examples=80)
def test_what_is_exported_comes_back_at_every_rate_and_start(format: str, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from(RATES))
    frames = data.draw(st.integers(1, 5000))
    drop = data.draw(st.booleans()) and can_drop(rate)
    start = Timecode(frame=data.draw(st.integers(0, int(rate * 86_000))), rate=rate, drop=drop)
    inner = data.draw(st.sets(st.integers(1, max(1, frames - 1)), max_size=12))
    clip = whole(rate=rate, frames=frames, start=start)
    listed = whole(rate=rate, frames=frames, start=start, shots=to_shots(inner, frames))
    try:
        text = export(listed, format)
    except SettingError:
        assume(False)

    assert cuts(text, clip, OWN[format]) == listed.cuts


@pytest.mark.parametrize("format", OWN)
def test_hostile_names_come_back(hostile: EditList, format: str) -> None:
    clip = make_edit(cuts=(), stills=(), transitions=(), name=hostile.name, source=hostile.source)

    assert cuts(export(hostile, format), clip, OWN[format]) == hostile.cuts


@pytest.mark.parametrize("format", ["edl", "otio", "csv"])
def test_the_list_of_another_clip_is_refused(format: str) -> None:
    other = whole(source=Path("/footage/B009.mov"), frames=90, shots=to_shots([30], 90))

    with pytest.raises(ListMismatch, match=r"of other footage: B009\.mov, and not A001 C002\.mov"):
        read(export(other, format), whole(), OWN[format])


@pytest.mark.parametrize("format", OWN)
@pytest.mark.parametrize(("listed", "clip"), [(RATES[7], RATES[6]), (RATES[5], RATES[6]), (RATES[9], RATES[8])])
def test_the_list_of_another_rate_is_refused(format: str, listed: Fraction, clip: Fraction) -> None:
    other = whole(rate=listed, frames=9000, shots=to_shots([8000], 9000))

    with pytest.raises(ListMismatch, match="frames per second") as caught:
        read(export(other, format), whole(rate=clip, frames=9000), OWN[format])
    assert "--rate" in caught.value.hint


def test_source_timecodes_count_from_that_of_the_clip_or_from_zero() -> None:
    for hour in ("01", "00"):
        text = edl(f"{hour}:00:00:00 {hour}:00:02:00", f"{hour}:00:02:00 {hour}:00:10:00")
        assert cuts(text, whole()) == (48,)


def test_the_record_side_counts_where_the_clip_is_the_finished_edit() -> None:
    text = edl(
        "07:00:00:00 07:00:02:00 10:00:00:00 10:00:02:00", "03:00:00:00 03:00:08:00 10:00:02:00 10:00:10:00"
    )
    assert cuts(text, whole()) == (48,)
    of_other_clips = text.replace("FCM:", "TITLE: x\nFCM:") + "\n* FROM CLIP NAME: other.mov"
    assert cuts(of_other_clips, whole()) == (48,)
    with pytest.raises(ListMismatch, match="outside"):
        cuts(text, whole(frames=480))


def test_of_an_edit_the_events_of_the_clip_count() -> None:
    text = "\n".join(
        [
            "001  X1 V C 01:00:01:00 01:00:03:00 10:00:00:00 10:00:02:00",
            "* FROM CLIP NAME: a001 c002.MOV",
            "002  X2 V C 01:00:02:00 01:00:05:00 10:00:02:00 10:00:05:00",
            "* FROM CLIP NAME: B009.mov",
            "003  BL V C 00:00:00:00 00:00:01:00 10:00:05:00 10:00:06:00",
            "004  X1 V C 01:00:05:00 01:00:07:00 10:00:06:00 10:00:08:00",
            "* FROM FILE: D:\\rushes\\A001 C002.mxf",
        ]
    )
    found = read(text, whole())
    assert found.cuts == (24, 72, 120, 168)
    assert len(found.notes) == 2
    by_reel = "\n".join(line for line in text.split("\n") if "FROM" not in line).replace("X1", "A001C002")
    assert cuts(by_reel, whole()) == found.cuts


def test_drop_frame_is_told_by_the_mode_or_by_the_timecode() -> None:
    clip = whole(rate=RATES[8], frames=3998, start="00:00:00;00")
    times = "00:00:00:00 00:01:00:02", "00:01:00:02 00:02:13:12"
    assert cuts(edl(*times, mode="DROP FRAME"), clip) == (1800,)
    assert cuts(edl(*(time.replace(":02", ";02").replace(":12", ";12") for time in times)), clip) == (1800,)
    assert cuts(edl(*times), clip) == (1802,)


def test_drop_frame_on_one_side_alone_is_refused() -> None:
    clip = whole(rate=RATES[8], frames=300, start="01:00:00;00")
    text = edl("01:00:00:00 01:00:02:00", "01:00:02:00 01:00:10:00")
    assert cuts(text.replace("NON-DROP", "DROP"), clip) == (60,)
    with pytest.raises(ListMismatch, match="drop-frame"):
        cuts(text, clip)


def test_the_order_repetitions_and_empty_events_do_not_matter() -> None:
    spans = ["00:00:04:00 00:00:10:00", "00:00:00:00 00:00:02:00", "00:00:02:00 00:00:04:00"]
    assert cuts(edl(*spans, *spans, "00:00:03:00 00:00:03:00"), whole()) == (48, 96)


def test_what_is_left_out_makes_shots_and_is_said() -> None:
    found = read(edl("00:00:01:00 00:00:02:00", "00:00:02:00 00:00:04:00"), whole())
    assert found.cuts == (24, 48, 96)
    assert "leaves out a part" in found.notes[0]


def test_last_frames_in_place_of_ends() -> None:
    found = read(edl("00:00:00:00 00:00:01:23", "00:00:02:00 00:00:03:23", "00:00:04:00 00:00:09:23"), whole())
    assert (found.cuts, found.notes) == ((48, 96), ())


def test_an_end_of_up_to_a_second_past_the_clip_is_its_end() -> None:
    assert cuts(edl("00:00:00:00 00:00:02:00", "00:00:02:00 00:00:11:00"), whole()) == (48,)
    with pytest.raises(ListMismatch, match="line 3: frames 48 to 265 are outside the clip, which has 240"):
        cuts(edl("00:00:00:00 00:00:02:00", "00:00:02:00 00:00:11:01"), whole(start="00:00:00:00"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (edl("00:00:00:00 00:00:02:00", "00:00:01:12 00:00:10:00"), "line 2 and line 3 overlap: frame 36"),
        (edl("00:00:02:00 00:00:01:00"), "line 2: the shot ends before it begins"),
        (edl("00:00:10:00 00:00:11:00"), "outside the clip"),
        (edl("00:00:01:00 00:00:01:00"), "every shot of the list is empty"),
        (edl("00:00:00:24 00:00:02:00"), "a field is too large, and the clip has 24 frames"),
        (edl("00:00:00:00 00:00:02:00", mode="DROP FRAME"), "counts drop-frame, and the clip has 24 frames"),
        (edl("00:00:61:00 00:01:02:00"), "a field is too large"),
        (edl("00:00:00:00 00:00:02:00", reel="BL"), "of other footage"),
        (edl("00:00:00:00 00:00:02:00", name="b.mov"), "of other footage: b.mov"),
        (edl("00:00:00:00 00:00:02:00") + "\n* FRAME RATE: 25", "the list counts 25 frames per second, the clip 24"),
    ],
)
def test_what_does_not_fit_says_where(text: str, words: str) -> None:
    with pytest.raises(ListMismatch, match=words) as caught:
        cuts(text, whole(start="00:00:00:00"))
    assert caught.value.code == "list-mismatch"
    assert caught.value.hint


def test_tables_of_pyscenedetect_go_by_their_starts() -> None:
    text = "Scene Number,Start Frame\n1,1\n3,101\n2,49\n"
    assert cuts(text, whole(), "csv") == (48, 100)
    with pytest.raises(ListMismatch, match="line 3: frames 240 to 241 are outside"):
        cuts("Start Frame\n1\n241\n", whole(), "csv")

"""Markers at cuts: where they land, what they say, and that a second run updates them."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshots import Editor, make_item, make_marker, make_media, make_snapshot
from snapupscale.scenes.shots import Transition
from snapupscale.timeline.actions import make_plan
from snapupscale.timeline.found import Found
from snapupscale.timeline.operations import AddMarker, RemoveMarker, Require, RequiredItem
from snapupscale.timeline.options import Options

if TYPE_CHECKING:
    from snapupscale.timeline.plan import Plan

MINE = "snapupscale:mark:"


def found(*cuts: int, frames: int = 1000, **changes: Any) -> Found:
    return Found(rate=Fraction(24), frames=frames, cuts=cuts, **changes)


def marks(plan: Plan) -> list[AddMarker]:
    return [operation for operation in plan.operations if isinstance(operation, AddMarker)]


def frames(plan: Plan) -> list[int]:
    return [marker.frame for marker in marks(plan)]


def removed(plan: Plan) -> list[str]:
    return [operation.custom for operation in plan.operations if isinstance(operation, RemoveMarker)]


def test_a_marker_says_which_shot_begins() -> None:
    snapshot = make_snapshot(
        make_item("a", 86400, 86500, source_start=48), media=[make_media(start_timecode="10:00:00:00")]
    )

    plan = make_plan("mark", snapshot, "s1", findings={"m1": found(20, 72, confidences=(0.2, 0.876))})

    assert plan.operations == (
        Require(
            id="o1", project="pr", timeline="tl", items=(RequiredItem(id="id-a", start=86400, end=86500),)
        ),
        AddMarker(
            id="o2",
            frame=24,
            color="Sky",
            name="Shot 3",
            note="m1.mov 10:00:03:00, confidence 0.88",
            duration=1,
            custom="snapupscale:mark:s1:1",
        ),
    )
    assert (plan.summary.markers, plan.summary.shots, plan.summary.skipped) == (1, 2, ())


def test_23976_at_one_hour() -> None:
    snapshot = make_snapshot(
        make_item("a", 86500, 86600, source_start=1000), rate="23.976", media=[make_media(rate="23.976", frames="2000")]
    )

    assert frames(make_plan("mark", snapshot, "s", findings={"m1": found(1040, frames=2000)})) == [140]


def test_2997_drop_frame_at_one_hour() -> None:
    timeline = {"rate": "29.97 DF", "start_frame": 107892, "start_timecode": "01:00:00;00"}
    snapshot = make_snapshot(make_item("a", 107892, 107992), media=[make_media(rate="29.97")], **timeline)

    assert frames(make_plan("mark", snapshot, "s", findings={"m1": found(50)})) == [50]


def test_25_in_24() -> None:
    item = make_item("a", 86424, 86520, source_start=100, source_end=199)
    snapshot = make_snapshot(item, media=[make_media(rate="25")])

    assert frames(make_plan("mark", snapshot, "s", findings={"m1": found(125, 150)})) == [48, 72]


@pytest.mark.parametrize(
    ("speed", "source", "expected"), [(50, (0, 50), [40]), (200, (0, 200), [10, 50]), (-100, (99, -1), [80])]
)
def test_retimed_clips(speed: int, source: tuple[int, int], expected: list[int]) -> None:
    item = make_item("a", 86400, 86500, source_start=source[0], source_end=source[1], speed=speed)

    assert frames(make_plan("mark", make_snapshot(item), "s", findings={"m1": found(20, 100)})) == expected


def test_cuts_at_edit_points_and_outside_give_none() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500, source_start=100))

    plan = make_plan("mark", snapshot, "s", findings={"m1": found(50, 99, 100, 101, 102, 198, 199, 200, 201)})

    assert frames(plan) == [2, 98]


def test_several_items_of_one_source() -> None:
    snapshot = make_snapshot(
        make_item("a", 86400, 86450, source_start=100),
        make_item("b", 86500, 86550, source_start=120),
        make_item("c", 86550, 86551, source_start=140),
    )

    assert frames(make_plan("mark", snapshot, "s", findings={"m1": found(130)})) == [30, 110]


def test_two_tracks_with_a_cut_on_one_frame_give_one_marker_of_the_upper() -> None:
    snapshot = make_snapshot(
        make_item("low", 86400, 86500), make_item("high", 86400, 86500, track=2, source_start=200)
    )

    plan = make_plan("mark", snapshot, "s", findings={"m1": found(50, 250)})

    assert [(marker.frame, marker.name) for marker in marks(plan)] == [(50, "Shot 3")]


def test_a_dissolve_is_one_marker_with_its_duration() -> None:
    transitions = (Transition(start=40, end=60, kind="dissolve"), Transition(start=90, end=140, kind="fade"))
    snapshot = make_snapshot(make_item("a", 86400, 86500))

    plan = make_plan("mark", snapshot, "s", findings={"m1": found(50, 80, 120, transitions=transitions)})

    assert [(m.frame, m.duration, m.name, m.note.split(",")[0]) for m in marks(plan)] == [
        (40, 20, "Shot 2", "dissolve"),
        (80, 1, "Shot 3", "m1.mov 00:00:03:08"),
        (90, 10, "Shot 3", "fade"),
    ]


def test_the_colour_is_the_editors_choice() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500))
    plan = make_plan("mark", snapshot, "s", findings={"m1": found(50)}, options=Options(color="Red"))

    assert [marker.color for marker in marks(plan)] == ["Red"]


def test_a_frame_with_a_marker_of_the_editors_own_is_left_alone() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500), markers=[make_marker(50), make_marker(9, "other:thing")])

    plan = make_plan("mark", snapshot, "s", findings={"m1": found(9, 50, 70)})

    assert frames(plan) == [70]
    assert removed(plan) == []
    assert [(skip.at, skip.item) for skip in plan.summary.skipped] == [("01:00:00:09", "a"), ("01:00:02:02", "a")]


def test_a_second_run_keeps_moves_and_removes() -> None:
    editor = Editor(make_snapshot(make_item("a", 86400, 86500), markers=[make_marker(5)]))
    editor.apply(make_plan("mark", editor.snapshot, "s1", findings={"m1": found(20, 40, 60)}))

    plan = make_plan("mark", editor.snapshot, "s2", findings={"m1": found(20, 41)})

    assert removed(plan) == [f"{MINE}s1:2", f"{MINE}s1:3"]
    assert [(marker.frame, marker.custom) for marker in marks(plan)] == [(41, f"{MINE}s2:1")]
    assert plan.summary.markers == 2
    editor.apply(plan)
    assert sorted(marker.frame for marker in editor.snapshot.markers) == [5, 20, 41]


def test_a_session_that_is_planned_again_gives_no_name_twice() -> None:
    editor = Editor(make_snapshot(make_item("a", 86400, 86500)))
    editor.apply(make_plan("mark", editor.snapshot, "s", findings={"m1": found(20, 40)}), until=2)
    editor.apply(make_plan("mark", editor.snapshot, "s", findings={"m1": found(20, 40)}))

    assert [marker.custom for marker in editor.snapshot.markers] == [f"{MINE}s:1", f"{MINE}s:2"]


def test_markers_outside_the_scope_stay() -> None:
    items = [make_item("a", 86400, 86500), make_item("b", 86500, 86600, in_scope=False)]
    markers = [make_marker(50, f"{MINE}old:1"), make_marker(150, f"{MINE}old:2"), make_marker(250, f"{MINE}old:3")]

    plan = make_plan("mark", make_snapshot(*items, markers=markers, scope="selection"), "s", findings={"m1": found()})

    assert removed(plan) == [f"{MINE}old:1"]


def test_with_the_whole_timeline_in_scope_markers_of_clips_that_are_gone_go_too() -> None:
    items = [make_item("a", 86400, 86500), make_item("offline", 86600, 86700, media="m2")]
    markers = [make_marker(50, f"{MINE}old:1"), make_marker(150, f"{MINE}old:2"), make_marker(250, f"{MINE}old:3")]
    snapshot = make_snapshot(*items, markers=markers, media=[make_media(), make_media("m2", online="Offline")])

    assert removed(make_plan("mark", snapshot, "s", findings={"m1": found()})) == [f"{MINE}old:1", f"{MINE}old:2"]


def test_a_source_that_failed_keeps_its_markers_and_says_why() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500), markers=[make_marker(50, f"{MINE}old:1")])

    plan = make_plan("mark", snapshot, "s", findings={"m1": "The file ends too early."})

    assert removed(plan) == []
    assert [skip.reason for skip in plan.summary.skipped] == ["The file ends too early."]


def test_a_variable_rate_is_counted_in_time_with_a_warning() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500), media=[make_media(rate="24")])
    variable = Found(rate=Fraction(48), frames=2000, cuts=(100,), variable=True)

    plan = make_plan("mark", snapshot, "s", findings={"m1": variable})

    assert frames(plan) == [50]
    assert "no constant frame rate" in plan.summary.warnings[0]


def test_names_that_break_lines_are_made_safe() -> None:
    snapshot = make_snapshot(make_item("a\nb", 86400, 86500), media=[make_media(path="/x/a\nb.mov")])

    plan = make_plan("mark", snapshot, "s", findings={"m1": found(50)})

    assert marks(plan)[0].note.startswith("a_b.mov ")


def test_all_our_markers_are_removed_and_no_others() -> None:
    customs = ["", f"{MINE}a:1", "snapupscale:other", "mine"]
    markers = [make_marker(frame, custom) for frame, custom in enumerate(customs)]

    plan = make_plan("remove_markers", make_snapshot(markers=markers), "s")

    assert removed(plan) == [f"{MINE}a:1", "snapupscale:other"]


@pytest.mark.parametrize("change", [{"note": "check this"}, {"name": "Anna"}, {"color": "Red"}])
def test_a_marker_that_the_editor_wrote_on_stays(change: dict[str, Any]) -> None:
    editor = Editor(make_snapshot(make_item("a", 86400, 86500)))
    first = editor.apply(make_plan("mark", editor.snapshot, "s1", findings={"m1": found(20, 40, 60)}))
    markers = tuple(replace(m, **change) if m.frame in {20, 40} else m for m in editor.snapshot.markers)

    plan = make_plan(
        "mark", replace(editor.snapshot, markers=markers), "s2", findings={"m1": found(20)}, memory=[first]
    )

    assert removed(plan) == [f"{MINE}s1:3"]
    assert marks(plan) == []
    assert [skip.at for skip in plan.summary.skipped] == ["01:00:00:20"]


def test_a_marker_is_changed_only_if_it_is_not_what_was_read_back() -> None:
    editor = Editor(make_snapshot(make_item("a", 86400, 86500)))
    first = editor.apply(make_plan("mark", editor.snapshot, "s1", findings={"m1": found(20)}))
    found_so = [replace(each, found=each.found | {"note": "cut"}) for each in first.results]
    markers = tuple(replace(marker, note="cut") for marker in editor.snapshot.markers)

    memory = [replace(first, results=tuple(found_so))]
    plan = make_plan("mark", replace(editor.snapshot, markers=markers), "s2", findings={"m1": found(30)}, memory=memory)

    assert removed(plan) == [f"{MINE}s1:1"]


@pytest.mark.parametrize(("scope", "failed"), [("selection", False), ("timeline", True)])
def test_markers_of_another_clip_on_the_same_frames_stay(scope: str, failed: bool) -> None:
    items = [make_item("low", 86400, 86500), make_item("high", 86450, 86500, track=2, media="m2")]
    editor = Editor(make_snapshot(*items, media=[make_media(), make_media("m2")]))
    editor.apply(make_plan("mark", editor.snapshot, "s1", findings={"m1": found(60), "m2": found(20)}))
    now = [replace(item, in_scope=failed or item.name == "high") for item in editor.snapshot.items]
    snapshot = replace(editor.snapshot, items=tuple(now), scope=scope)

    findings = {"m2": found(30)} | ({"m1": "It failed."} if failed else {})
    plan = make_plan("mark", snapshot, "s2", findings=findings)

    assert removed(plan) == [f"{MINE}s1:2"]
    assert frames(plan) == [80]


def test_two_markers_of_one_hidden_name_are_left_alone() -> None:
    markers = [make_marker(50, f"{MINE}s:1", name="Shot 2", note="m1.mov 00:00:02:02", color="Sky")]
    markers.append(make_marker(300, f"{MINE}s:1"))
    snapshot = make_snapshot(make_item("a", 86400, 86500), markers=markers)

    plan = make_plan("mark", snapshot, "s2", findings={"m1": found(50)})

    assert removed(plan) == []


cut_sets = st.sets(st.integers(1, 299), max_size=30)


@settings(deadline=None)
@given(first=cut_sets, second=cut_sets, taken=st.sets(st.integers(0, 399), max_size=20))
def test_runs_leave_what_the_last_one_wants_and_the_editors_markers(
    first: set[int], second: set[int], taken: set[int]
) -> None:
    items = [make_item("a", 86400, 86600), make_item("b", 86700, 86800, source_start=200)]
    editor = Editor(make_snapshot(*items, markers=[make_marker(frame) for frame in sorted(taken)]))

    for session, cuts in (("s1", first), ("s2", second)):
        editor.apply(make_plan("mark", editor.snapshot, session, findings={"m1": found(*sorted(cuts))}))

    expected = {cut for cut in second if 2 <= cut <= 198} | {cut + 100 for cut in second if 202 <= cut <= 298}
    own = {marker.frame for marker in editor.snapshot.markers if marker.custom.startswith(MINE)}
    assert own == expected - taken
    assert {marker.frame for marker in editor.snapshot.markers} - own == taken
    again = make_plan("mark", editor.snapshot, "s3", findings={"m1": found(*sorted(second))})
    assert len(again.operations) == 1


def test_500_cuts_on_a_two_hour_timeline_are_planned_in_a_second() -> None:
    length = 2 * 3600 * 24
    cuts = tuple(range(300, length, length // 500))
    items = [
        make_item(f"{number}", 86400 + start, 86400 + min(start + 240, length), source_start=start)
        for number, start in enumerate(range(0, length, 240))
    ]
    snapshot = make_snapshot(*items, media=[make_media(frames=str(length))])
    before = time.perf_counter()

    plan = make_plan("mark", snapshot, "s", findings={"m1": found(*cuts, frames=length)})

    assert time.perf_counter() - before < 1
    assert len(marks(plan)) > 450

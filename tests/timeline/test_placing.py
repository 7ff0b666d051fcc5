"""Stills in the place of what they were made of."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshots import Editor, make_item, make_media, make_snapshot
from snapupscale.timeline import operations as edits
from snapupscale.timeline.actions import make_plan
from snapupscale.timeline.found import Found
from snapupscale.timeline.memory import is_own_overlay
from snapupscale.timeline.options import Options
from snapupscale.timeline.pieces import Held, Piece, pieces
from snapupscale.timeline.placing import COPIED
from snapupscale.timeline.plan import plan_to_json, read_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snapupscale.timeline.memory import Remembered
    from snapupscale.timeline.plan import Plan
    from snapupscale.timeline.snapshot import Snapshot


def found(*cuts: int) -> dict[str, Found | str]:
    return {"m1": Found(rate=Fraction(24), frames=1000, cuts=cuts)}


def plan_stills(
    snapshot: Snapshot,
    findings: dict[str, Found | str],
    session: str = "s1",
    memory: Sequence[Remembered] = (),
    **options: Any,
) -> Plan:
    """The plan with a still for every piece."""
    held = {
        piece: Held(path=f"/stills/{session}_{number}.snapupscale.mov", frames=piece.frames)
        for number, piece in enumerate(pieces(snapshot, findings, memory))
    }
    chosen = Options(**options)
    return make_plan("stills", snapshot, session, findings=findings, held=held, options=chosen, memory=memory)


def names(plan: Plan) -> list[str]:
    return [operation.op for operation in plan.operations]


def overlays(snapshot: Snapshot) -> list[tuple[str, int, int]]:
    return sorted(
        (snapshot.track_by_index[item.track].name, item.start, item.end)
        for item in snapshot.items
        if is_own_overlay(item, snapshot, frozenset())
    )


def foreign(snapshot: Snapshot) -> list[Any]:
    return [item for item in snapshot.items if not is_own_overlay(item, snapshot, frozenset())]


def tracks(*names: str, locked: str = "") -> list[dict[str, Any]]:
    return [
        {"index": index, "name": name, "locked": name == locked, "enabled": True}
        for index, name in enumerate(names, start=1)
    ]


NOTE = "SnapUpscale: a still of shot {} of m1.mov, 00:00:{} to 00:00:{}"


@pytest.mark.parametrize(
    ("told", "set_to"),
    [("Rec.709 Gamma 2.4", "Rec.709 Gamma 2.4"), ("Project", ""), ("Project - Rec.709 (Scene)", ""), ("", "")],
)
def test_the_movie_of_a_still_is_taken_in_the_colour_space_of_its_source(told: str, set_to: str) -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500), media=[make_media(colour_space=told)])
    told_of = [each for each in plan_stills(snapshot, found()).operations if isinstance(each, edits.Describe)]
    assert [each.colour_space for each in told_of] == [set_to]


def test_part_of_a_clip_is_laid_over_it() -> None:
    plan = plan_stills(make_snapshot(make_item("a", 86400, 86500)), found(40))

    assert plan.operations[1:] == (
        edits.Checkpoint(id="o2", name="Edit before SnapUpscale s1"),
        edits.Bin(id="o3", name="SnapUpscale"),
        edits.ImportMedia(id="o4", path="/stills/s1_0.snapupscale.mov", frames=40, ref="m1"),
        edits.Describe(id="o5", media="m1", note=NOTE.format(1, "00:00", "01:15"), colour_space=""),
        edits.ImportMedia(id="o6", path="/stills/s1_1.snapupscale.mov", frames=60, ref="m2"),
        edits.Describe(id="o7", media="m2", note=NOTE.format(2, "01:16", "04:03"), colour_space=""),
        edits.OwnTrack(id="o8", name="SnapUpscale", ref="t0"),
        edits.Place(id="o9", media="m1", track="t0", record=86400, start=0, end=40, frames=40, ref="pm1"),
        edits.CopyProperties(id="o10", copy_from="id-a", to="pm1", names=COPIED, values={"Scaling": 2}),
        edits.CopyGrade(id="o11", copy_from="id-a", to="pm1"),
        edits.ClipColour(id="o12", to="pm1", colour="Teal"),
        edits.Place(id="o13", media="m2", track="t0", record=86440, start=0, end=60, frames=60, ref="pm2"),
        edits.CopyProperties(id="o14", copy_from="id-a", to="pm2", names=COPIED, values={"Scaling": 2}),
        edits.CopyGrade(id="o15", copy_from="id-a", to="pm2"),
        edits.ClipColour(id="o16", to="pm2", colour="Teal"),
    )
    assert (plan.summary.stills, plan.summary.shots) == (2, 2)


def test_a_whole_clip_gets_a_take_or_else_an_overlay() -> None:
    plan = plan_stills(make_snapshot(make_item("a", 86400, 86500)), found(), checkpoint=False)

    assert names(plan) == ["require", "bin", "import_media", "describe", "take"]
    take = plan.operations[-1]
    assert isinstance(take, edits.Take)
    assert (take.item, take.media, take.start, take.end) == ("id-a", "m1", 0, 100)
    assert [inner.op for inner in take.otherwise] == ["track", "place", "copy_properties", "copy_grade", "clip_colour"]
    assert [inner.id for inner in take.otherwise] == ["o6", "o7", "o8", "o9", "o10"]


@pytest.mark.parametrize("refuses", [False, True])
def test_a_take_that_is_refused_falls_back(refuses: bool) -> None:
    editor = Editor(make_snapshot(make_item("a", 86400, 86500)), refuses_takes=refuses)
    editor.apply(plan_stills(editor.snapshot, found()))

    assert editor.item("id-a").takes == (0 if refuses else 2)
    assert overlays(editor.snapshot) == ([("SnapUpscale", 86400, 86500)] if refuses else [])


def test_a_retimed_clip_and_one_on_a_locked_track_get_no_take() -> None:
    slow = make_item("a", 86400, 86500, source_end=50, speed=50)

    assert "take" not in names(plan_stills(make_snapshot(slow), found()))
    locked = make_snapshot(make_item("a", 86400, 86500), tracks=tracks("V", locked="V"))
    assert "take" not in names(plan_stills(locked, found()))


def test_a_clip_of_another_rate_may_get_a_take() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86424, source_end=24), media=[make_media(rate="25")])

    assert "take" in names(plan_stills(snapshot, found()))


def test_what_lies_above_is_not_hidden() -> None:
    items = [
        make_item("a", 86400, 86500),
        make_item("b", 86500, 86600, source_start=500),
        make_item("title", 86420, 86600, track=2, media="", in_scope=False),
    ]
    plan = plan_stills(make_snapshot(*items), found(10, 40))

    assert [operation.record for operation in plan.operations if isinstance(operation, edits.Place)] == [86400]
    assert [(skip.item, skip.at) for skip in plan.summary.skipped] == [("a", "01:00:00:10"), ("a", "01:00:01:16")]
    assert "title on track 2" in plan.summary.skipped[0].reason
    takes = [operation for operation in plan.operations if isinstance(operation, edits.Take)]
    assert [(take.item, take.otherwise) for take in takes] == [("id-b", ())]


@pytest.mark.parametrize("hidden", [{"enabled": False}, {"type": "transition"}])
def test_what_shows_nothing_above_does_not_matter(hidden: dict[str, Any]) -> None:
    items = [make_item("a", 86400, 86500), make_item("x", 86400, 86500, track=2, in_scope=False) | hidden]

    assert plan_stills(make_snapshot(*items), found(40)).summary.stills == 2


@pytest.mark.parametrize("kind", ["transition", ""])
def test_a_transition_that_is_covered_is_spoken_of(kind: str) -> None:
    fade = make_item("cross", 86440, 86460, type=kind, media="", in_scope=False)

    plan = plan_stills(make_snapshot(make_item("a", 86400, 86450), fade), found(20))

    assert [warning for warning in plan.summary.warnings if "01:00:01:16" in warning]


@pytest.mark.parametrize("kind", ["transition", ""])
def test_a_clip_with_a_transition_gets_no_take_since_the_movie_has_no_handles(kind: str) -> None:
    fade = make_item("cross", 86440, 86460, type=kind, media="", in_scope=False)

    plan = plan_stills(make_snapshot(make_item("a", 86400, 86450), fade), found())

    assert "take" not in names(plan)
    assert len(plan.summary.warnings) == 1


def test_missing_stills_and_wrong_lengths_are_left_out() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500))
    first, second = pieces(snapshot, found(40))

    made: dict[Piece, Held | str] = {first: "It is black.", second: Held(path="/x.mov", frames=59)}
    plan = make_plan("stills", snapshot, "s", findings=found(40), held=made)

    assert names(plan) == ["require"]
    assert [skip.at for skip in plan.summary.skipped] == ["01:00:00:00", "01:00:01:16"]
    assert plan.summary.skipped[0].reason == "It is black."
    assert "59 frames" in plan.summary.skipped[1].reason


@pytest.mark.parametrize(
    ("present", "changes", "expected"),
    [
        (["V"], {}, "SnapUpscale"),
        (["V", "SnapUpscale"], {}, "SnapUpscale"),
        (["V", "SnapUpscale"], {"locked": "SnapUpscale"}, "SnapUpscale 2"),
        (["V", "SnapUpscale", "SnapUpscale 2"], {"locked": "SnapUpscale"}, "SnapUpscale 2"),
        (["SnapUpscale", "V"], {"on": 2}, "SnapUpscale 2"),
        (["V", "SnapUpscale", "SnapUpscale"], {}, "SnapUpscale 2"),
        (["V", "SnapUpscale"], {"there": (86430, 86431)}, "SnapUpscale 2"),
        (["V", "SnapUpscale"], {"there": (86500, 86501)}, "SnapUpscale"),
    ],
)
def test_the_track_is_free_unlocked_and_above(present: list[str], changes: dict[str, Any], expected: str) -> None:
    items = [make_item("a", 86400, 86500, track=changes.get("on", 1))]
    if "there" in changes:
        items.append(make_item("editors", *changes["there"], track=2, in_scope=False, enabled=False))
    snapshot = make_snapshot(*items, tracks=tracks(*present, locked=changes.get("locked", "")))

    plan = plan_stills(snapshot, found(40))

    assert [operation.name for operation in plan.operations if isinstance(operation, edits.OwnTrack)] == [expected]


def test_a_second_run_replaces_its_own_overlays_in_the_range() -> None:
    editor = Editor(make_snapshot(make_item("a", 86400, 86500), make_item("b", 86500, 86600)))
    first = editor.apply(plan_stills(editor.snapshot, found(40)))

    plan = plan_stills(editor.snapshot, found(70), "s2", [first])
    editor.apply(plan)

    assert overlays(editor.snapshot) == [
        ("SnapUpscale", 86400, 86470),
        ("SnapUpscale", 86470, 86500),
        ("SnapUpscale", 86500, 86570),
        ("SnapUpscale", 86570, 86600),
    ]


def test_overlays_elsewhere_stay() -> None:
    editor = Editor(make_snapshot(make_item("a", 86400, 86500), make_item("b", 86500, 86600)))
    first = editor.apply(plan_stills(editor.snapshot, found(40)))
    items = [item | {"in_scope": item["name"] == "a"} for item in map(vars, editor.snapshot.items)]
    again = make_snapshot(*items, tracks=[vars(t) for t in editor.snapshot.tracks], scope="selection")
    editor.snapshot = type(again)(**{**vars(editor.snapshot), "items": again.items, "scope": "selection"})

    editor.apply(plan_stills(editor.snapshot, found(), "s2", [first]))

    assert overlays(editor.snapshot) == [("SnapUpscale", 86500, 86540), ("SnapUpscale", 86540, 86600)]
    assert editor.item("id-a").takes == 2


def test_an_item_that_shows_its_take_is_left_as_it_is() -> None:
    editor = Editor(make_snapshot(make_item("a", 86400, 86500)))
    first = editor.apply(plan_stills(editor.snapshot, found()))

    plan = plan_stills(editor.snapshot, found(), "s2", [first])

    assert names(plan) == ["require"]
    assert "as a take" in plan.summary.skipped[0].reason


def test_a_take_that_is_not_chosen_any_more_is_replaced() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500))
    first = Editor(snapshot).apply(plan_stills(snapshot, found()))
    back = make_snapshot(make_item("a", 86400, 86500, takes=2, take=1))

    plan = plan_stills(back, found(), "s2", [first], checkpoint=False)

    assert names(plan) == ["require", "bin", "remove_take", "import_media", "describe", "take"]
    assert plan.operations[2] == edits.RemoveTake(id="o3", item="id-a", media="/stills/s1_0.snapupscale.mov")


def test_an_earlier_overlay_on_a_locked_track_is_not_asked_to_go() -> None:
    editor = Editor(make_snapshot(make_item("a", 86400, 86500)))
    first = editor.apply(plan_stills(editor.snapshot, found(40)))
    locked = tuple(replace(track, locked=track.index == 2) for track in editor.snapshot.tracks)

    plan = plan_stills(replace(editor.snapshot, tracks=locked), found(70), "s2", [first])

    assert names(plan) == ["require"]
    assert plan.summary.skipped
    assert all("on track 2, on a locked track; unlock it" in skip.reason for skip in plan.summary.skipped)


def test_the_name_of_a_checkpoint_is_short_and_on_one_line() -> None:
    plan = plan_stills(make_snapshot(make_item("a", 86400, 86500), name="x\n" * 5000), found(40))

    assert isinstance(plan.operations[1], edits.Checkpoint)
    assert plan.operations[1].name == "x_" * 50 + " before SnapUpscale s1"
    assert read_plan(plan_to_json(plan)) == plan


@settings(deadline=None)
@given(
    cuts=st.lists(st.sets(st.integers(1, 399), max_size=20), min_size=1, max_size=3),
    refuses=st.booleans(),
    gap=st.integers(0, 3),
)
def test_stills_tile_their_items_after_any_runs_and_touch_nothing_else(
    cuts: list[set[int]], refuses: bool, gap: int
) -> None:
    items = [
        make_item("a", 86400, 86500),
        make_item("b", 86500 + gap, 86600, source_start=200),
        make_item("c", 86600, 86650, source_start=399, source_end=299, speed=-200),
        make_item("top", 86640, 86700, source_start=300, track=2),
    ]
    editor = Editor(make_snapshot(*items), refuses_takes=refuses)
    memory: list[Remembered] = []
    for number, chosen in enumerate(cuts):
        plan = plan_stills(editor.snapshot, found(*sorted(chosen)), f"s{number}", memory)
        memory.insert(0, editor.apply(plan))

    placed = overlays(editor.snapshot)
    held = {frame for _, start, end in placed for frame in range(start, end)}
    assert sum(end - start for _, start, end in placed) == len(held)
    for item in foreign(editor.snapshot):
        covered = {frame for frame in range(item.start, item.end) if frame in held}
        assert item.takes or item.name == "c" or covered == set(range(item.start, item.end))
    originals = {item["id"]: (item["start"], item["end"], item["track"]) for item in items}
    assert {item.id: (item.start, item.end, item.track) for item in foreign(editor.snapshot)} == originals


def test_a_clip_of_the_editors_that_shows_a_take_on_a_track_of_our_name_is_never_removed() -> None:
    items = [make_item("low", 86400, 86500), make_item("high", 86400, 86500, track=2, in_scope=False)]
    held = make_media("held", path="/stills/x.snapupscale.mov")
    items[1] |= {"media": "held", "takes": 2, "take": 2}
    snapshot = make_snapshot(*items, media=[make_media(), held], tracks=tracks("V", "SnapUpscale"))

    plan = plan_stills(snapshot, found(40))

    assert "remove_items" not in names(plan)
    assert plan.summary.stills == 0

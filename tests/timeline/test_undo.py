"""Undo takes back what a session made, and nothing of the editor's."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshots import Editor, make_item, make_marker, make_media, make_snapshot
from snapupscale.errors import SettingError
from snapupscale.timeline import operations as edits
from snapupscale.timeline.actions import make_plan
from snapupscale.timeline.found import Found
from snapupscale.timeline.memory import Remembered
from snapupscale.timeline.options import Options
from snapupscale.timeline.pieces import Held, pieces

if TYPE_CHECKING:
    from snapupscale.timeline.plan import Plan
    from snapupscale.timeline.snapshot import Snapshot


def plan_of(action: str, snapshot: Snapshot, session: str, *cuts: int, memory: tuple[Remembered, ...] = ()) -> Plan:
    findings: dict[str, Found | str] = {"m1": Found(rate=Fraction(24), frames=1000, cuts=cuts)}
    held = {
        piece: Held(path=f"/stills/{session}_{number}.snapupscale.mov", frames=piece.frames)
        for number, piece in enumerate(pieces(snapshot, findings, memory))
    }
    return make_plan(action, snapshot, session, findings=findings, held=held, memory=memory)


def timeline_of(snapshot: Snapshot) -> tuple[Any, ...]:
    return (snapshot.items, snapshot.tracks, sorted(snapshot.markers, key=lambda m: m.frame), snapshot.media)


def editor_with(refuses_takes: bool = False) -> Editor:
    return Editor(
        make_snapshot(
            make_item("a", 86400, 86500),
            make_item("b", 86500, 86600, source_start=200),
            markers=[make_marker(30), make_marker(31, "theirs")],
        ),
        refuses_takes=refuses_takes,
    )


@settings(deadline=None)
@given(
    action=st.sampled_from(["mark", "stills"]),
    cuts=st.sets(st.integers(1, 299), max_size=10),
    refuses=st.booleans(),
    until=st.one_of(st.none(), st.integers(0, 40)),
    reported=st.one_of(st.none(), st.integers(0, 40)),
)
def test_undo_restores_the_timeline_wherever_the_run_was_stopped(
    action: str, cuts: set[int], refuses: bool, until: int | None, reported: int | None
) -> None:
    editor = editor_with(refuses)
    before = editor.snapshot
    done = editor.apply(plan_of(action, editor.snapshot, "s1", *sorted(cuts)), until=until)
    known = replace(done, results=done.results[:reported])

    undo = make_plan("undo", editor.snapshot, "s2", memory=[known])
    # A movie that was to be imported but wasn't is no fault: the editor's part looks first.
    editor.apply(undo)

    unknown = reported is not None and reported < len(done.results)
    if unknown:  # whether the track was there before is then not known
        editor.snapshot = replace(editor.snapshot, tracks=before.tracks)
    assert timeline_of(editor.snapshot) == timeline_of(before)


def test_what_is_not_there_any_more_is_not_asked_for() -> None:
    editor = editor_with()
    done = editor.apply(plan_of("mark", editor.snapshot, "s1", 20, 50))
    snapshot = replace(editor.snapshot, markers=editor.snapshot.markers[:-1])

    undo = make_plan("undo", snapshot, "s2", memory=[done])

    assert [o.custom for o in undo.operations if isinstance(o, edits.RemoveMarker)] == ["snapupscale:mark:s1:1"]


def test_a_moved_overlay_and_one_that_was_divided_go() -> None:
    editor = editor_with()
    done = editor.apply(plan_of("stills", editor.snapshot, "s1", 50))
    overlay = next(item for item in editor.snapshot.items if item.start == 86400 and item.id != "id-a")
    moved = replace(overlay, start=90000, end=90010)
    rest = replace(overlay, id="rest", start=86410, end=86450)
    others = tuple(item for item in editor.snapshot.items if item.id != overlay.id)
    editor.snapshot = replace(editor.snapshot, items=(*others, moved, rest))

    editor.apply(make_plan("undo", editor.snapshot, "s2", memory=[done]))

    assert {item.id for item in editor.snapshot.items} == {"id-a", "id-b"}


def test_a_still_that_the_editor_uses_elsewhere_stays_and_so_does_its_movie() -> None:
    editor = editor_with()
    done = editor.apply(plan_of("stills", editor.snapshot, "s1", 50))
    overlay = next(item for item in editor.snapshot.items if item.start == 86400 and item.id != "id-a")
    copy = replace(overlay, id="copy", track=1, start=90000, end=90050)
    editor.snapshot = replace(editor.snapshot, items=(*editor.snapshot.items, copy))

    undo = make_plan("undo", editor.snapshot, "s2", memory=[done])
    editor.apply(undo)

    assert "copy" in {item.id for item in editor.snapshot.items}
    assert overlay.media in {media.id for media in editor.snapshot.media}


def test_a_track_with_a_clip_of_the_editors_stays() -> None:
    editor = editor_with()
    done = editor.apply(plan_of("stills", editor.snapshot, "s1", 50))
    extra = make_snapshot(make_item("mine", 90000, 90010, track=2)).items[0]
    editor.snapshot = replace(editor.snapshot, items=(*editor.snapshot.items, extra))

    undo = make_plan("undo", editor.snapshot, "s2", memory=[done])

    assert not [operation for operation in undo.operations if isinstance(operation, edits.RemoveTrack)]


def test_a_track_that_was_there_before_stays() -> None:
    named = [{"index": 1, "name": "V", "locked": False, "enabled": True}]
    named += [{"index": 2, "name": "SnapUpscale", "locked": False, "enabled": True}]
    editor = Editor(make_snapshot(make_item("a", 86400, 86500), tracks=named))
    done = editor.apply(plan_of("stills", editor.snapshot, "s1", 50))

    editor.apply(make_plan("undo", editor.snapshot, "s2", memory=[done]))

    assert [track.name for track in editor.snapshot.tracks] == ["V", "SnapUpscale"]


def test_two_runs_are_undone_one_after_the_other() -> None:
    editor = editor_with()
    before = editor.snapshot
    first = editor.apply(plan_of("stills", editor.snapshot, "s1", 50))
    second = editor.apply(plan_of("mark", editor.snapshot, "s2", 60))

    editor.apply(make_plan("undo", editor.snapshot, "s3", memory=[second, first]))
    assert len(editor.snapshot.markers) == 2
    assert len(editor.snapshot.items) > 2
    editor.apply(make_plan("undo", editor.snapshot, "s4", memory=[first]))

    assert timeline_of(editor.snapshot) == timeline_of(before)


def test_a_session_can_be_chosen_and_leaves_the_other() -> None:
    editor = editor_with()
    first = editor.apply(plan_of("mark", editor.snapshot, "s1", 50))
    second = editor.apply(plan_of("mark", editor.snapshot, "s2", 50, 60))

    undo = make_plan("undo", editor.snapshot, "s3", memory=[second, first], options=Options(session="s1"))
    editor.apply(undo)

    assert [marker.frame for marker in editor.snapshot.markers] == [30, 31, 60]


def test_a_movie_that_two_sessions_share_is_not_taken_from_the_other() -> None:
    editor = editor_with()
    first = editor.apply(plan_of("stills", editor.snapshot, "s1", 50))
    second = Remembered(plan=replace(first.plan, session="s2"), results=first.results)

    undo = make_plan("undo", editor.snapshot, "s3", memory=[Remembered(plan=first.plan), second])

    assert not [operation for operation in undo.operations if isinstance(operation, edits.RemoveItems)]


def test_without_memory_the_newest_markers_go() -> None:
    customs = ["", "theirs", "snapupscale:mark:0a:1", "snapupscale:mark:0b:1", "snapupscale:mark:0b:2"]
    snapshot = make_snapshot(markers=[make_marker(frame, custom) for frame, custom in enumerate(customs)])

    def gone(**options: str) -> list[str]:
        plan = make_plan("undo", snapshot, "s", options=Options(**options))
        return [operation.custom for operation in plan.operations if isinstance(operation, edits.RemoveMarker)]

    assert gone() == ["snapupscale:mark:0b:1", "snapupscale:mark:0b:2"]
    assert gone(session="0a") == ["snapupscale:mark:0a:1"]
    with pytest.raises(SettingError, match="nothing is known of session 0c"):
        gone(session="0c")


def test_with_nothing_to_undo_that_is_said() -> None:
    with pytest.raises(SettingError, match="nothing was made"):
        make_plan("undo", make_snapshot(markers=[make_marker(1)]), "s")


def test_a_session_that_left_nothing_is_undone_with_a_warning() -> None:
    editor = editor_with()
    plan = plan_of("mark", editor.snapshot, "s1", 50)

    undo = make_plan("undo", editor.snapshot, "s2", memory=[Remembered(plan=plan)])

    assert [operation.op for operation in undo.operations] == ["require"]
    assert undo.summary.warnings


def test_an_editors_item_is_never_named_whatever_was_read_back() -> None:
    editor = editor_with()
    done = editor.apply(plan_of("stills", editor.snapshot, "s1", 50))
    lies = tuple(replace(result, found=result.found | {"item": "id-b"}) for result in done.results)

    undo = make_plan("undo", editor.snapshot, "s2", memory=[replace(done, results=lies)])

    removed = [item for o in undo.operations if isinstance(o, edits.RemoveItems) for item in o.items]
    assert "id-b" not in removed


def test_media_that_are_not_listed_are_no_fault() -> None:
    editor = editor_with()
    done = editor.apply(plan_of("stills", editor.snapshot, "s1", 50))
    snapshot = replace(editor.snapshot, media=make_snapshot(media=[make_media()]).media)

    assert make_plan("undo", snapshot, "s2", memory=[done]).operations


def test_a_finalized_take_keeps_its_movie_and_that_is_said() -> None:
    editor = editor_with()
    done = editor.apply(plan_of("stills", editor.snapshot, "s1"))
    items = tuple(replace(i, takes=0, take=0) if i.id == "id-a" else i for i in editor.snapshot.items)
    snapshot = replace(editor.snapshot, items=items)

    undo = make_plan("undo", snapshot, "s2", memory=[done])

    assert [o.item for o in undo.operations if isinstance(o, edits.RemoveTake)] == ["id-b"]
    assert [o.paths for o in undo.operations if isinstance(o, edits.RemoveMedia)] == [("/stills/s1_1.snapupscale.mov",)]
    assert undo.summary.warnings == ("a keeps its still, since its take was finalized.",)


def test_both_halves_of_a_clip_that_was_divided_lose_the_take_and_a_copy_elsewhere_keeps_it() -> None:
    editor = editor_with()
    done = editor.apply(plan_of("stills", editor.snapshot, "s1"))
    whole, other = editor.snapshot.items
    half, copy = replace(whole, id="half", start=86450), replace(whole, id="copy", start=9, end=99)
    snapshot = replace(editor.snapshot, items=(replace(whole, end=86450), half, copy, other))

    undo = make_plan("undo", snapshot, "s2", memory=[done])

    taken = [(o.item, o.media) for o in undo.operations if isinstance(o, edits.RemoveTake)]
    first, second = "/stills/s1_0.snapupscale.mov", "/stills/s1_1.snapupscale.mov"
    assert taken == [("id-a", first), ("half", first), ("id-b", second)]
    assert [o.paths for o in undo.operations if isinstance(o, edits.RemoveMedia)] == [(second,)]


@pytest.mark.parametrize(("cuts", "track"), [((50, 250), 2), ((), 1)])
def test_a_locked_track_must_be_unlocked_first(cuts: tuple[int, ...], track: int) -> None:
    editor = editor_with()
    done = editor.apply(plan_of("stills", editor.snapshot, "s1", *cuts))
    tracks = tuple(replace(each, locked=each.index == track) for each in editor.snapshot.tracks)

    with pytest.raises(SettingError, match="is locked"):
        make_plan("undo", replace(editor.snapshot, tracks=tracks), "s2", memory=[done])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("/stills/\u00e9.snapupscale.mov", "/stills/e\u0301.snapupscale.mov"),
        ("C:\\Stills\\a.snapupscale.mov", "c:/stills/A.snapupscale.mov"),
        ("\\\\server\\s\\a.snapupscale.mov", "//SERVER/s/a.snapupscale.mov"),
    ],
)
def test_a_movie_is_known_however_the_editor_spells_its_path(said: str, told: str) -> None:
    editor = editor_with()
    findings: dict[str, Found | str] = {"m1": Found(rate=Fraction(24), frames=1000, cuts=())}
    held = {piece: Held(path=said, frames=piece.frames) for piece in pieces(editor.snapshot, findings)[:1]}
    done = editor.apply(make_plan("stills", editor.snapshot, "s1", findings=findings, held=held))
    media = tuple(replace(each, path=told) if each.path == said else each for each in editor.snapshot.media)
    final = tuple(replace(item, takes=0, take=0) for item in editor.snapshot.items)

    undo = make_plan("undo", replace(editor.snapshot, media=media, items=final), "s2", memory=[done])

    assert [operation.op for operation in undo.operations] == ["require"]


def test_a_clip_of_the_editors_on_a_track_of_our_name_only_loses_its_take() -> None:
    named = [{"index": 1, "name": "SnapUpscale", "locked": False, "enabled": True}]
    editor = Editor(make_snapshot(make_item("a", 86400, 86500), tracks=named))
    done = editor.apply(plan_of("stills", editor.snapshot, "s1"))
    (item,) = editor.snapshot.items
    divided = (replace(item, end=86450), replace(item, id="half", start=86450))

    undo = make_plan("undo", replace(editor.snapshot, items=divided), "s2", memory=[done])

    assert [operation.op for operation in undo.operations] == ["require", "remove_take", "remove_take", "remove_media"]

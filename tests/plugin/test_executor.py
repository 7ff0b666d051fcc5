"""Plans applied to the emulated editor, under every profile and quirk, and with every call failing once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from footage import make_video
from plugin.hosts import PROFILES, START, Desk, Host, open_host
from snapupscale_resolve.editor_faults import EditorFault

from resolve_emulator.quirks import read_quirks  # isort: skip  # plugin.hosts puts its folder on the path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUIRKS = ("", "fairlight", "end_inclusive", "first_delete_fails", "take_false", "take_resizes", "still_ignores_end")


@pytest.fixture(scope="session")
def footage(clip: Callable[..., Path]) -> Path:
    return clip("executor.mp4", frames=200)


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str], Path]:
    """Make the movie of a still, each once."""
    folder = tmp_path_factory.mktemp("held")

    def make(frames: int, name: str) -> Path:
        path = folder / f"{name}.snapupscale.mov"
        return path if path.exists() else make_video(path, frames=frames, codec="mpeg4", width=64, height=36)

    return make


def desk(footage: Path, held: Any = None, profile: str = "19.1.3-studio", quirks: str = "") -> Desk:
    """Three clips of one source with a cut at 50 and at 150: cut inside, whole, cut inside."""
    host = open_host(profile)
    host.film((footage, 10, 100, 0), (footage, 60, 100, 100), (footage, 120, 200, 150))
    host.timeline.AddMarker(3, "Blue", "mine", "", 1, "")
    host.misbehave(quirks)
    return Desk(host, cuts=(50, 150), frames=200, held=held)


def markers(host: Host) -> dict[int, str]:
    return {int(frame): marker["customData"] for frame, marker in host.app.project.timeline.markers.items()}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("quirks", ["", "fairlight", "locked"])
def test_markers_stand_where_the_shots_begin_and_go_again(footage: Path, profile: str, quirks: str) -> None:
    work = desk(footage, profile=profile, quirks=quirks)
    before, seen = work.host.contents(), work.host.seen()
    outcome = work.do("mark")
    assert [result["ok"] for result in outcome.results] == [True] * 3
    assert markers(work.host) == {3: "", 40: "snapupscale:mark:s1:1", 180: "snapupscale:mark:s1:2"}
    assert work.host.seen() == seen
    assert len(work.do("mark").results) == 1, "nothing is doubled"
    work.memory = work.memory[-1:]
    work.do("undo")
    assert work.host.contents() == before
    assert not work.host.app.faults


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("quirks", QUIRKS)
def test_stills_stand_in_place_and_go_again(footage: Path, held: Any, profile: str, quirks: str) -> None:
    work = desk(footage, held, profile, quirks)
    before, seen = work.host.contents(), work.host.seen()
    outcome = work.do("stills")
    assert outcome.trouble == ""
    overlay = [(int(item.start) - START, int(item.end) - START) for item in work.host.lanes()[1].items]
    takes = quirks != "take_false"
    assert overlay == [(0, 40), (40, 90), *([] if takes else [(100, 140)]), (150, 180), (180, 230)]
    assert work.host.lanes()[1].name == "SnapUpscale"
    assert {item.color for item in work.host.lanes()[1].items} == {"Teal"}
    assert {item.properties["Scaling"] for item in work.host.lanes()[1].items} == {2}
    assert [item.take for item in work.host.lanes()[0].items] == [0, 2 if takes else 1, 0]
    assert [(item.start, item.duration) for item in work.host.lanes()[0].items] == [
        (item[1], item[2]) for item in before["tracks"][0][2]
    ]
    assert work.host.seen() == seen
    assert work.host.contents()["current"] == before["current"]
    work.do("undo")
    after = work.host.contents()
    assert after["markers"] == before["markers"]
    assert [[item[:4] for item in track[2]] for track in after["tracks"]] == [
        [item[:4] for item in track[2]] for track in before["tracks"]
    ]
    assert work.host.seen() == seen
    assert not work.host.app.faults


def lasting(contents: dict[str, Any]) -> dict[str, Any]:
    """What must be the same after an undo: a copy of the timeline, an empty bin and a lone take may stay."""
    tracks = [(name, locked, [item[:4] for item in items]) for name, locked, items in contents["tracks"]]
    kept = {name: clips for name, clips in contents["bins"].items() if name != "SnapUpscale"}
    return {"markers": contents["markers"], "current": contents["current"], "tracks": tracks, "bins": kept}


def failing(number: int, in_a_row: int) -> str:
    return ",".join(f"fail={each}" for each in range(number, number + in_a_row))


@pytest.mark.parametrize(
    ("action", "quirks", "in_a_row"),
    [
        ("mark", "", 1),
        ("stills", "", 1),
        ("mark", "", 2),
        pytest.param("stills", "", 2, marks=pytest.mark.slow),
        pytest.param("stills", "take_false", 1, marks=pytest.mark.slow),
        pytest.param("stills", "end_inclusive", 1, marks=pytest.mark.slow),
    ],
)
def test_any_call_may_fail(footage: Path, held: Any, action: str, quirks: str, in_a_row: int) -> None:
    work = desk(footage, held, quirks=quirks)
    before, seen = work.host.contents(), work.host.seen()
    work.do(action)
    done, calls = work.host.contents(), work.host.calls()
    for number in range(1, calls + 1):
        work = desk(footage, held, quirks=f"{quirks},{failing(number, in_a_row)}")
        try:
            outcome = work.do(action)
        except EditorFault:
            assert work.host.contents() == before, number
            continue
        if in_a_row == 1:  # what is asked for twice in vain at the start can't be put back
            assert work.host.seen() == seen, (number, work.host.app.log[number - 1])
        bad = [result for result in outcome.results if not result["ok"]]
        assert all(result["message"] for result in bad)
        if outcome.trouble:
            assert not outcome.stays, (number, outcome.stays)
            assert lasting(work.host.contents()) == lasting(before), number
        elif not bad and in_a_row == 1:
            assert work.host.contents()["tracks"] == done["tracks"], (number, work.host.app.log[number - 1])
        work.host.misbehave()
        if work.memory:
            work.do("undo")
        assert lasting(work.host.contents()) == lasting(before), (number, work.host.app.log)


def test_any_call_of_an_undo_may_fail(footage: Path, held: Any) -> None:
    work = desk(footage, held)
    before = lasting(work.host.contents())
    work.do("stills")
    work.host.misbehave()
    work.do("undo")
    calls = work.host.calls()
    for number in range(1, calls + 1):
        work = desk(footage, held)
        work.do("stills")
        work.host.misbehave(f"fail={number}")
        with suppress(EditorFault):
            work.do("undo")
        work.host.misbehave()
        if work.memory:
            work.do("undo")
        assert lasting(work.host.contents()) == before, number


class Killed(BaseException):
    """The script is gone."""


def dialog_opens(host: Host) -> None:
    host.app.quirks = read_quirks("modal")


def key_is_pressed(host: Host) -> None:
    del host.app.record
    raise KeyboardInterrupt


def script_is_killed(host: Host) -> None:
    raise Killed


@pytest.mark.parametrize("action", ["mark", "stills"])
@pytest.mark.parametrize("happens", [dialog_opens, key_is_pressed, script_is_killed])
def test_what_happens_at_any_call_leaves_nothing_that_undo_does_not_clean(
    footage: Path, held: Any, action: str, happens: Callable[[Host], None]
) -> None:
    work = desk(footage, held)
    before = lasting(work.host.contents())
    plan = work.plan(action)
    planned = work.host.calls()
    work.apply(plan)
    clean = 0
    for number in range(1, work.host.calls() - planned + 1):
        work = desk(footage, held)
        plan = work.plan(action)
        work.host.at_call(number, lambda host=work.host: happens(host))
        trouble = ""
        try:
            outcome = work.apply(plan)
            trouble = outcome.trouble
            if happens is key_is_pressed and trouble:
                assert (trouble, outcome.stays) == ("the script was ended", [])
        except (EditorFault, KeyboardInterrupt, Killed):
            pass
        work.host.app.__dict__.pop("record", None)
        work.host.misbehave()
        # Where the script could not come back from the copy of the timeline, the user must.
        if happens is not key_is_pressed:
            work.host.app.project.timeline = work.host.app.project.timelines[0]
        if trouble and not work.memory:
            clean += 1
            assert lasting(work.host.contents()) == before, number
        if work.memory:
            work.do("undo")
        after = lasting(work.host.contents())
        assert (after if happens is key_is_pressed else but_an_empty_track(after)) == before, number
    assert clean or happens is script_is_killed


def but_an_empty_track(contents: dict[str, Any]) -> dict[str, Any]:
    """A track has a name of ours, and is told, some calls after it was added."""
    tracks = [track for track in contents["tracks"] if track[2] or track[0] not in {"", "SnapUpscale"}]
    return {**contents, "tracks": tracks}

"""The Lua twin against the Python one: the same snapshots, the same calls, the same timelines, byte for byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from footage import make_video
from plugin.hosts import EVERYTHING, Desk, open_host
from plugin.lua_hosts import LUA, LuaDesk, LuaFault, answer, lua_snapshot, modules
from snapupscale import protocol
from snapupscale.errors import SettingError
from snapupscale_resolve.editor import Editor
from snapupscale_resolve.editor_faults import EditorFault
from snapupscale_resolve.shown import path_under_playhead
from snapupscale_resolve.snapshot_taker import NOTHING, choose, take_snapshot

from workbench import dump  # isort: skip  # plugin.hosts puts its folder on the path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FREE = "21.1-free"
TAKE = {"id": "x", "op": "take", "item": "i", "media": "m", "start": 0, "end": 1}
_SHOWN = 'return caught(function() return { path = use("shown").path_under_playhead(editor) } end)'
QUIRKS = (
    *("", "fairlight", "locked", "end_inclusive", "first_delete_fails", "take_false", "take_resizes"),
    *("append_drops", "append_vanishes", "none_lists", "still_ignores_end", "drop_frame", "modal"),
)


@pytest.fixture(scope="session")
def footage(clip: Callable[..., Path]) -> Path:
    return clip("lua_executor.mp4", frames=200)


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str], Path]:
    """Make the movie of a still, each once."""
    folder = tmp_path_factory.mktemp("held")

    def make(frames: int, name: str) -> Path:
        path = folder / f"{name}.snapupscale.mov"
        return path if path.exists() else make_video(path, frames=frames, codec="mpeg4", width=64, height=36)

    return make


def film(desk: type[Desk], footage: Path, held: Any = None, profile: str = FREE, quirks: str = "") -> Any:
    """Three clips of one source with a cut at 50 and at 150: cut inside, whole, cut inside."""
    host = open_host(profile)
    host.film((footage, 10, 100, 0), (footage, 60, 100, 100), (footage, 120, 200, 150))
    host.timeline.AddMarker(3, "Blue", "mine \u00e9", "", 1, "")
    host.misbehave(quirks)
    return desk(host, cuts=(50, 150), frames=200, held=held)


def state(desk: Desk) -> str:
    return dump(desk.host.app.project) + desk.host.app.page


def calls(desk: Desk) -> list[Any]:
    """Each call with what was given, objects as their ids."""
    return [(call.name, _shown(call.arguments)) for call in desk.host.app.log]


def _shown(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    if isinstance(value, dict):
        return {name: _shown(each) for name, each in value.items()}
    return getattr(value, "id", value)


def plain(snapshot: dict[str, Any]) -> dict[str, Any]:
    """With rates as numbers: to Lua, 24.0 is 24."""
    media = [{**each, "rate": float(each["rate"] or 0)} for each in snapshot["media"]]
    timeline = {**snapshot["timeline"], "rate": float(snapshot["timeline"]["rate"])}
    return {**snapshot, "media": media, "timeline": timeline}


@pytest.mark.parametrize("profile", ["18.6-studio", "19.1.3-studio", "21.0.4-studio", FREE])
@pytest.mark.parametrize("scope", ["", "playhead", "selection", "timeline", "nothing"])
def test_both_see_the_same(footage: Path, profile: str, scope: str) -> None:
    ours, theirs = film(LuaDesk, footage, profile=profile), film(Desk, footage, profile=profile)
    ours.do("mark")
    theirs.do("mark")
    for desk in (ours, theirs):
        desk.host.app.project.timeline.playhead = 86400 + 120
        desk.host.misbehave()

    found = lua_snapshot(ours.host, scope)
    editor = Editor(theirs.host.resolve)
    chosen = NOTHING if scope == "nothing" else choose(editor, scope)
    wanted = take_snapshot(editor, chosen)

    assert found["said"] == chosen.said
    assert plain(protocol.read_snapshot(found["snapshot"])) == plain(wanted)
    assert calls(ours) == calls(theirs)


def test_both_read_what_lies_under_a_chosen_still(footage: Path, held: Any) -> None:
    ours, theirs = film(LuaDesk, footage, held), film(Desk, footage, held)
    for desk in (ours, theirs):
        desk.do("stills")
        timeline = desk.host.app.project.timeline
        timeline.playhead = 86400 + 160
        desk.host.misbehave()
    found = lua_snapshot(ours.host, "playhead")["snapshot"]
    editor = Editor(theirs.host.resolve)
    assert plain(found) == plain(take_snapshot(editor, choose(editor, "playhead")))
    assert calls(ours) == calls(theirs)
    assert sum("source_start" in item for item in found["items"]) == 2


def test_both_see_the_same_or_give_the_same_reason_whichever_calls_fail(footage: Path) -> None:
    desk = film(Desk, footage)
    take_snapshot(Editor(desk.host.resolve), EVERYTHING)
    log, given = list(desk.host.app.log), set()
    for number, call in enumerate(log, start=1):
        for quirks in (f"fail={number}", f"fail={number},fail={number + 1}"):
            ours, theirs = film(LuaDesk, footage, quirks=quirks), film(Desk, footage, quirks=quirks)
            found = _seen(lambda host=ours.host: lua_snapshot(host, "timeline")["snapshot"])
            wanted = _seen(lambda host=theirs.host: take_snapshot(Editor(host.resolve), EVERYTHING))
            assert found == wanted, (quirks, call.name)
            given.add(str(found[0]) if isinstance(found, tuple) else "")
    assert len(given) > 5


def _seen(take: Callable[[], Any]) -> Any:
    try:
        return plain(take())
    except EditorFault as fault:
        return str(fault), fault.code, fault.hint


def test_names_are_cut_and_odd_ones_sent(footage: Path) -> None:
    ours, theirs = film(LuaDesk, footage), film(Desk, footage)
    for desk in (ours, theirs):
        items = desk.host.app.project.timeline.tracks["video"][0].items
        items[0].name, items[1].name = "\u00e4\U0001f3ac" * 200, 'a "quoted" \\ name\n\x7f'
    found = lua_snapshot(ours.host, "timeline")["snapshot"]
    assert plain(found) == plain(take_snapshot(Editor(theirs.host.resolve), EVERYTHING))
    assert len(found["items"][0]["name"]) == 200


def test_what_can_not_be_read_is_told_by_both(footage: Path) -> None:
    for quirks, scope in (("modal", ""), ("fail=1,fail=2", "")):
        ours, theirs = film(LuaDesk, footage, quirks=quirks), film(Desk, footage, quirks=quirks)
        with pytest.raises(EditorFault) as wanted:
            take_snapshot(Editor(theirs.host.resolve), EVERYTHING)
        with pytest.raises(LuaFault) as found:
            lua_snapshot(ours.host, scope)
        assert str(found.value) == str(wanted.value)
        assert (found.value.code, found.value.hint) == (wanted.value.code, wanted.value.hint)


def both(footage: Path, held: Any, actions: tuple[str, ...], **settings: str) -> list[Any]:
    """What came of the actions, once it was the same in Lua and in Python."""
    ours, theirs = film(LuaDesk, footage, held, **settings), film(Desk, footage, held, **settings)
    outcomes = []
    for action in actions:
        found, wanted = tried(ours, action), tried(theirs, action)
        assert calls(ours) == calls(theirs), (action, settings)
        assert found == wanted, (action, settings)
        assert state(ours) == state(theirs), (action, settings)
        outcomes.append(found)
    assert not ours.host.app.faults
    return outcomes


def tried(desk: Desk, action: str) -> Any:
    """What came of an action, or why the editor or the sidecar forbade it."""
    try:
        return desk.do(action)
    except (EditorFault, SettingError) as fault:
        return fault.code, str(fault), fault.hint


@pytest.mark.parametrize("profile", ["18.6-studio", "19.1.3-studio", FREE])
@pytest.mark.parametrize("quirks", QUIRKS)
def test_every_action_makes_the_same_timeline(footage: Path, held: Any, profile: str, quirks: str) -> None:
    actions = ("mark", "stills", "stills", "undo", "mark", "remove_markers", "undo")
    outcomes = both(footage, held, actions, profile=profile, quirks=quirks)
    if quirks == "":
        assert all(not outcome.trouble and all(result["ok"] for result in outcome.results) for outcome in outcomes)


@pytest.mark.parametrize("quirks", ["", "take_false,end_inclusive"])
def test_every_call_that_fails_has_the_same_end(footage: Path, held: Any, quirks: str) -> None:
    for action, step in (("mark", 1), ("stills", 7)):
        desk = film(Desk, footage, held, quirks=quirks)
        desk.do(action)
        log = list(desk.host.app.log)
        for number in range(1, len(log) + 1, step):
            both(footage, held, (action,), quirks=f"{quirks},fail={number}")


@pytest.mark.parametrize("scaling", [1, 3, 4])
def test_both_let_a_still_fill_or_be_stretched_where_the_clip_under_it_is(
    footage: Path, held: Any, scaling: int
) -> None:
    desks = [film(desk, footage, held) for desk in (LuaDesk, Desk)]
    for desk in desks:
        desk.host.timeline.GetItemListInTrack("video", 1)[0].SetProperty("Scaling", scaling)
        desk.host.misbehave()
        desk.do("stills")
    assert calls(desks[0]) == calls(desks[1])
    assert state(desks[0]) == state(desks[1])
    still = desks[0].host.app.project.timeline.tracks["video"][1].items[0]
    assert still.properties["Scaling"] == (scaling if scaling > 1 else 2)


@pytest.mark.parametrize("frame", [10, 50, 100, 180, 5000])
def test_both_find_the_footage_under_a_still(footage: Path, held: Any, frame: int) -> None:
    ours, theirs = film(LuaDesk, footage, held), film(Desk, footage, held)
    for desk in (ours, theirs):
        desk.do("stills")
        desk.host.app.project.timeline.playhead = 86400 + frame
    for quirks in ("", "fairlight", "modal", *(f"fail={number},fail={number + 1}" for number in range(6, 40))):
        for desk in (ours, theirs):
            desk.host.misbehave()
        open_editor, there = modules(ours.host), Editor(theirs.host.resolve)
        open_editor.execute('editor = use("editor").open(resolve)')
        for desk in (ours, theirs):
            desk.host.misbehave(quirks)
        found = _seen_path(lambda lua=open_editor: answer(lua, _SHOWN)["path"])
        assert found == _seen_path(lambda editor=there: path_under_playhead(editor)), quirks
        assert calls(ours) == calls(theirs), quirks
        if quirks == "":
            assert (found == str(footage)) is (frame != 5000)


def _seen_path(look: Callable[[], str]) -> Any:
    try:
        return look()
    except EditorFault as fault:
        return str(fault), fault.code, fault.hint


def test_a_timeline_that_was_changed_is_left_alone(footage: Path) -> None:
    desk = film(LuaDesk, footage)
    plan = desk.plan("mark")
    desk.host.app.project.timeline.tracks["video"][0].items[0].start += 1
    outcome, _ = desk.apply_raw(plan)
    assert "was moved or trimmed" in outcome.trouble
    assert [result["ok"] for result in outcome.results] == [False, False, False]
    assert len(desk.host.app.project.timeline.markers) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "x", "op": "format_disk"},
        {"id": "x", "op": "bin"},
        {"id": "o1", "op": "bin", "name": "SnapUpscale"},
        {"id": "x", "op": "remove_items", "items": "all"},
        {"id": "x", "op": "remove_items", "items": [1]},
        {**TAKE, "otherwise": [{"id": "y", "op": "?"}]},
        {**TAKE, "start": 0.5, "otherwise": []},
        [],
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_before_anything_is_done(footage: Path, broken: Any) -> None:
    desk = film(LuaDesk, footage)
    plan = desk.plan("mark")
    plan["operations"].append(broken)
    with pytest.raises(LuaFault) as fault:
        desk.apply_raw(plan)
    assert fault.value.code == "bad-reply"
    assert len(desk.host.app.project.timeline.markers) == 1


def test_a_fault_of_ours_takes_back_what_was_made(footage: Path) -> None:
    desk = film(LuaDesk, footage)
    before = state(desk)
    plan = desk.plan("mark")
    placing = {"media": "never", "track": "never", "record": 0, "start": 0, "end": 1, "frames": 1, "ref": "p"}
    plan["operations"].append({"id": "x", "op": "place", **placing})
    outcome, _ = desk.apply_raw(plan)
    assert "placing.lua" in outcome.trouble
    assert state(desk) == before


def test_the_closed_set_is_that_of_the_protocol() -> None:
    code = 'return use("json").encode(use("plan").OPERATIONS)'
    kinds = {str: "text", int: "whole"}
    wanted = {
        op: {name: _kind(kind) if isinstance(kind, list | dict) else kinds[kind] for name, kind in shape.items()}
        for op, shape in protocol.OPERATIONS.items()
    }
    lua = modules(open_host(FREE))
    assert answer(lua, code) == wanted
    golden = (LUA.parents[2] / "tests" / "golden" / "v1" / "reply-plan.json").read_text()
    check = 'return use("json").encode(use("plan").check(use("json").decode(plan).reply))'
    assert answer(lua, check, plan=golden) == json.loads(golden)["reply"]


def _kind(shape: Any) -> str:
    if shape == {}:
        return "values"
    if shape == [str]:
        return "texts"
    return "operations" if "op" in shape[0] else "items"

"""Lua scripts in the host of the Scripts menu, in and out of the sandbox of free 21.1 (facts 2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from lua_host import NIL_IN_SANDBOX, LuaError, LuaHost
from workbench import Bench

if TYPE_CHECKING:
    from pathlib import Path


def scene(profile: str = "21.1-free", **more: Any) -> tuple[Bench, LuaHost]:
    bench = Bench(profile, **more)
    clip = bench.add_media("/nowhere/a.mov", frames=500)
    for start in (0, 48):
        bench.add_item(clip, 86400 + start, 48, source=start)
    return bench, LuaHost()


@pytest.mark.parametrize("name", NIL_IN_SANDBOX)
def test_the_sandbox_lacks_what_was_found_to_be_nil(name: str) -> None:
    assert scene()[1].execute(f"return {name} == nil") is True


@pytest.mark.parametrize(
    "name",
    ["loadfile", "dofile", "loadstring", "pcall", "setfenv", "os.getenv", "os.time", "os.clock", "os.tmpname",
     "bmd.wait", "bmd.gettime", "bmd.fileexists", "bmd.direxists", "bmd.getpid", "bmd.createuuid", "print", "Resolve"],
)  # fmt: skip
def test_the_sandbox_has_what_was_found_to_work(name: str) -> None:
    assert scene()[1].execute(f"return type({name})") == "function"


def test_there_are_28_names_in_bmd() -> None:
    count = "local n = 0 for _ in pairs(bmd) do n = n + 1 end return n"
    assert scene()[1].execute(count) == 28
    assert scene("21.1-studio")[1].execute("return type(io), type(require), type(bmd.readfile)") == [
        "table",
        "function",
        "function",
    ]


def test_python_does_not_show_through() -> None:
    _, host = scene("21.1-studio")
    assert host.execute("return python") is None
    assert host.execute("return type(resolve), type(resolve.OpenPage), type(bmd)") == ["userdata", "function", "table"]
    assert host.execute("return resolve.__class__, resolve._face") == [None, None]


def test_lists_count_from_one_and_carry_flags() -> None:
    """Seen on 21.1: pairs() meets `__flags`, ipairs() and # do not."""
    _, host = scene()
    code = """
        local items = resolve:GetCurrentTimeline():GetItemListInTrack('video', 1)
        local count = 0
        for _, item in ipairs(items) do count = count + 1 end
        local keys = 0
        for key in pairs(items) do keys = keys + 1 end
        return #items, count, keys, items[1]:GetStart(), items[0], items.__flags ~= nil
    """
    assert host.execute(code) == [2, 2, 3, 86400, None, True]


def test_dicts_have_numeric_keys_and_missing_things_are_nil() -> None:
    _, host = scene()
    code = """
        local timeline = resolve:GetCurrentTimeline()
        local added = timeline:AddMarker(12, 'Blue', 'Übergang', '', 1, 'snap:1')
        local again = timeline:AddMarker(12, 'Blue', '', '', 1)
        return added, again, timeline:GetMarkers()[12].name, timeline:GetMarkers()[13], timeline.Nothing,
            timeline:GetItemListInTrack('video', 9)[1], resolve.EXPORT_OTIO ~= nil
    """
    assert host.execute(code) == [True, False, "Übergang", None, None, None, True]


def test_tables_become_lists_and_dicts() -> None:
    bench, host = scene()
    code = """
        local pool = resolve:GetProjectManager():GetCurrentProject():GetMediaPool()
        local clip = pool:GetRootFolder():GetClipList()[1]
        local wish = {mediaPoolItem = clip, startFrame = 0, endFrame = 10, mediaType = 1, trackIndex = 1,
                      recordFrame = 87000}
        local made = pool:AppendToTimeline({wish})
        return #made, made[1]:GetDuration(), made[1]:GetTrackTypeAndIndex()[1]
    """
    assert host.execute(code) == [1, 10, "video"]
    call = next(call for call in bench.app.log if call.method == "AppendToTimeline")
    assert type(call.arguments[0][0]["startFrame"]) is int
    assert bench.app.faults == []


def test_optional_arguments_may_be_nil() -> None:
    _, host = scene()
    assert host.execute("return resolve:GetCurrentTimeline():DuplicateTimeline(nil):GetName()") == "Timeline 1 copy"


def test_a_missing_method_and_a_dot_for_a_colon_are_errors() -> None:
    _, host = scene("18.6-studio")
    with pytest.raises(LuaError, match="GetSelectedClips"):
        host.execute("resolve:GetProjectManager():GetCurrentProject():GetCurrentTimeline():GetSelectedClips()")
    with pytest.raises(LuaError, match="colon"):
        host.execute("resolve.GetProjectManager()")


def test_two_handles_of_one_thing_are_not_equal() -> None:
    code = "return resolve == Resolve(), resolve == bmd.scriptapp('Resolve'), resolve == resolve"
    assert scene()[1].execute(code) == [False, False, True]


def test_print_is_caught() -> None:
    _, host = scene()
    host.execute("print('a', 1, nil, true) print()")
    assert host.printed == ["a\t1\tnil\ttrue", ""]


def test_a_script_file_is_run_and_may_load_others(tmp_path: Path) -> None:
    (tmp_path / "part.lua").write_text("local given = ... return {twice = given * 2}")
    main = tmp_path / "main.lua"
    main.write_text("local load = loadfile(LIB .. '/part.lua') return setfenv(load, {})(21).twice")
    _, host = scene()
    host.set_global("LIB", str(tmp_path))
    assert host.run(main) == 42
    main.write_text("error('went wrong')")
    with pytest.raises(LuaError, match="went wrong"):
        host.run(main)


def test_the_fake_clock_runs_while_a_script_waits() -> None:
    bench, host = scene()
    bench.app.clock, seen = 100.0, []
    bench.app.on_wait = lambda: seen.append(bench.app.clock)
    took = host.execute("local from = bmd.gettime() for _ = 1, 3 do bmd.wait(0.05) end return bmd.gettime() - from")
    assert took == pytest.approx(0.15)
    assert len(seen) == 3


def test_preferences_are_saved_as_a_lua_table(tmp_path: Path) -> None:
    """Measured on 21.1: only quotes, backslashes and line ends are escaped; each save is a new file."""
    bench, host = scene(prefs_path=tmp_path / "Default" / "Fusion.prefs")
    path = bench.app.prefs_path
    assert path
    host.execute("fusion:SetPrefs('SnapUpscale.Outbox', '7b7d')")
    assert host.execute("return fusion:GetPrefs('SnapUpscale.Outbox'), fusion:GetPrefs('SnapUpscale.None')") == [
        "7b7d",
        None,
    ]
    assert not path.exists()
    assert host.execute("return fusion:SavePrefs()") is True
    first = path.stat().st_ino
    assert re.search(r'\bOutbox = "7b7d",\n', path.read_text())
    host.execute("""
        fusion:SetPrefs({['SnapUpscale.Other'] = 'a "quoted" \\\\ line\\nend é', ['SnapUpscale.Count'] = 3})
        fusion:SetPrefs('SnapUpscale.Outbox') fusion:SavePrefs()
    """)
    text = path.read_text(encoding="utf-8")
    assert "Outbox" not in text
    assert path.stat().st_ino != first
    load = "local f = loadstring('return ' .. TEXT) return f().SnapUpscale.Other, f().SnapUpscale.Count"
    host.set_global("TEXT", text)
    assert host.execute(load) == ['a "quoted" \\ line\nend é', 3]


def test_lua_runs_where_python_does_not() -> None:
    import DaVinciResolveScript as bmd

    _, host = scene("21.1-free")
    assert bmd.scriptapp("Resolve") is None
    assert host.execute("return resolve:GetProductName(), resolve:IsStudio()") == ["DaVinci Resolve", False]

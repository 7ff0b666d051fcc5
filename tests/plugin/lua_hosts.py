"""The Lua twin in the editor's sandbox: its modules one by one, and its menu scripts as they are installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugin.hosts import Desk, Host
from snapupscale import protocol
from snapupscale_resolve.editor_faults import EditorFault
from snapupscale_resolve.executor import Outcome
from snapupscale_resolve.summary import Summary, summary

from lua_host import LuaHost  # isort: skip  # plugin.hosts puts its folder on the path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snapupscale_resolve.snapshot_taker import Chosen

LUA = Path(__file__).parents[2] / "plugin" / "resolve" / "lua"
_MODULES = """
local loaded, host = {}, { resolve = resolve, fusion = fusion, bmd = bmd, getenv = os.getenv }
function use(name)
  if not loaded[name] then
    loaded[name] = assert(loadfile(folder .. name .. ".lua"))(use, host)
  end
  return loaded[name]
end
local json = use("json")
function caught(work)
  local whole, found = pcall(work)
  if not whole and (type(found) ~= "table" or not found.code) then
    error(found, 0)
  end
  return json.encode(whole and found or { fault = found })
end
setmetatable(_G, { __index = function(_, name)
  if name ~= "debug" then -- which lupa looks for
    error("the sandbox has no " .. tostring(name), 2)
  end
end })
"""
_APPLY = """
local told = use("json").list({})
return caught(function()
  local outcome = use("executor").apply(use("editor").open(resolve), use("json").decode(plan), function(results)
    told[#told + 1] = results
  end)
  local results, stays = use("json").list(outcome.results), use("json").list(outcome.stays)
  return { results = results, trouble = outcome.trouble, stays = stays, removed = outcome.removed, told = told }
end)
"""
_SNAPSHOT = """
return caught(function()
  local editor, snapshots = use("editor").open(resolve), use("snapshot")
  local chosen = scope == "nothing" and snapshots.NOTHING or snapshots.choose(editor, scope ~= "" and scope or nil)
  return { said = chosen.said, snapshot = snapshots.take(editor, chosen, without_items) }
end)
"""


_SUMMARY = """
return caught(function()
  local found = use("summary").of(use("json").decode(plan), use("json").decode(outcome))
  return { title = found.title, lines = use("json").list(found.lines), needs_eyes = found.needs_eyes }
end)
"""


class LuaFault(EditorFault):
    """What the Lua twin throws."""

    def __init__(self, fault: dict[str, str]) -> None:
        super().__init__(fault["message"], fault["hint"])
        self.code = fault["code"]


def modules(host: Host) -> LuaHost:
    """A sandbox with `use(NAME)` for the modules of the Lua twin."""
    lua = LuaHost(host.app, sandbox=True)
    lua.set_global("folder", f"{LUA}/")
    lua.execute(_MODULES)
    return lua


def answer(lua: LuaHost, code: str, **values: Any) -> Any:
    """What a piece of Lua gives, which is JSON. Raises LuaFault."""
    for name, value in values.items():
        lua.set_global(name, value)
    found = json.loads(lua.execute(code))
    if isinstance(found, dict) and "fault" in found:
        raise LuaFault(found["fault"])
    return found


def lua_snapshot(host: Host, scope: str = "", *, without_items: bool = False) -> Any:
    """What is `said` of the choice, and the `snapshot`."""
    return answer(modules(host), _SNAPSHOT, scope=scope, without_items=without_items)


def lua_summary(host: Host, plan: dict[str, Any], outcome: Outcome) -> Summary:
    """The end of an action in words, with the entries of the menu called as in Python."""
    data = protocol.encode(outcome._asdict()).decode()
    found = answer(modules(host), _SUMMARY, plan=protocol.encode(plan).decode(), outcome=data)
    title, *lines = (line.replace(" (Lua)", "") for line in [found["title"], *found["lines"]])
    return Summary(title, lines, found["needs_eyes"])


class LuaDesk(Desk):
    """A desk whose plans are applied in Lua."""

    def apply_raw(self, plan: dict[str, Any]) -> tuple[Outcome, Sequence[Any]]:
        """The outcome, and each part that was told."""
        found = answer(modules(self.host), _APPLY, plan=protocol.encode(plan).decode())
        outcome = Outcome(found["results"], found["trouble"], found["stays"], found["removed"])
        return outcome, found["told"]

    def do(self, action: str, chosen: Chosen | None = None) -> Outcome:
        """Plan and apply."""
        plan = self.plan(action) if chosen is None else self.plan(action, chosen)
        outcome, told = self.apply_raw(plan)
        last = {result["id"]: result for part in told for result in part}
        assert [last[result["id"]] for result in outcome.results] == outcome.results
        protocol.read_readback({"results": outcome.results})
        assert lua_summary(self.host, plan, outcome) == summary(plan, outcome)
        self.remember(plan, outcome)
        return outcome

    def remember(self, plan: dict[str, Any], outcome: Outcome) -> None:
        """As Desk does."""
        from snapupscale.timeline.memory import Remembered, read_results
        from snapupscale.timeline.plan import read_plan

        if plan["action"] in {"mark", "stills"} and outcome.results[0]["ok"]:
            results = read_results({"results": outcome.results})
            self.memory = (Remembered(plan=read_plan(plan), results=results), *self.memory)
        elif plan["action"] == "undo":
            self.memory = self.memory[1:]

"""The Lua host of the editor: runs scripts in LuaJIT against the emulated application (facts 2)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lupa import luajit21
from resolve_emulator import host, prefs, remote
from resolve_emulator.application import running
from resolve_emulator.remote import RemoteFunction, RemoteObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolve_emulator.application import Application

LuaError = luajit21.LuaError

NIL_IN_SANDBOX = (
    "io", "os.execute", "os.remove", "os.rename", "require", "package", "ffi", "debug", "UIManager", "arg",
    "bmd.readfile", "bmd.writefile", "bmd.readdir",
)  # fmt: skip
"""What free 21.1 takes from scripts, as measured."""

_NIL_ALWAYS = ("python", "arg", "UIManager")
_BMD_NAMES = (
    "createuuid", "direxists", "fileexists", "fullpath", "getappname", "getappuuid", "getcurrentdir", "getpid",
    "getstateindex", "gettime", "getuptime", "getusing", "isquotable", "isvalidname", "nextstate", "noise",
    "readstring", "scriptapp", "settrcontext", "stripname", "tounc", "touserdata", "translate", "UIDispatcher",
    "using", "wait", "writestring",
)
_BMD_OUTSIDE_SANDBOX = ("readfile", "writefile", "readdir")
_VERSION_KEY = "_VERSION"
_LIST_FLAGS = 1048576

_BOOTSTRAP = """
local attribute, call, tostring_of = ...
local ids = setmetatable({}, {__mode = 'k'})
local function wrap(id)
  local object = newproxy(true)
  local meta = getmetatable(object)
  ids[object] = id
  meta.__index = function(_, name)
    local what, value = attribute(id, name)
    if what ~= 'function' then return value end
    return function(self, ...)
      if ids[self] == nil then error('a method is called with a colon: object:' .. tostring(name) .. '()', 2) end
      return call(ids[self], name, ...)
    end
  end
  meta.__newindex = function() end
  meta.__tostring = function() return tostring_of(id) end
  meta.__metatable = false
  return object
end
return wrap, function(object) return ids[object] end, function(f) return function(...) return f(...) end end
"""
"""The last gives a function of Lua for one of Python, which Lua would take for userdata."""


class LuaHost:
    """One Lua state of the application that runs now; `printed` holds what scripts print, a line each.

    `sandbox` is by default what the profile has. In the sandbox the user sees nothing of what is printed.
    """

    def __init__(self, app: Application | None = None, *, sandbox: bool | None = None) -> None:
        self.app = app or running()
        self.sandbox = self.app.profile.sandbox if sandbox is None else sandbox
        self.printed: list[str] = []
        self._objects: list[RemoteObject] = []
        self._lua = luajit21.LuaRuntime(
            unpack_returned_tuples=True, register_eval=False, register_builtins=False, encoding="utf-8"
        )
        self._wrap, self._id_of, self._function = self._lua.execute(_BOOTSTRAP, self._attribute, self._call, self._text)
        self._set_globals()

    def run(self, path: Path | str) -> Any:
        """Run a script file as the Scripts menu does; what it returns. Raises LuaError where the script ends in one."""
        load = self._lua.eval("function(path) return assert(loadfile(path))() end")
        return self.to_python(load(str(path)))

    def execute(self, code: str) -> Any:
        """Run a piece of Lua; what it returns, in Python types."""
        result = self._lua.execute(code)
        return [self.to_python(part) for part in result] if isinstance(result, tuple) else self.to_python(result)

    def set_global(self, name: str, value: Any) -> None:
        """Give scripts a global, such as a path that the installer would have written into them."""
        self._lua.globals()[name] = self.to_lua(value)

    def to_lua(self, value: Any) -> Any:
        """Handles as userdata, lists as tables from 1 that carry `__flags` (as seen in 21.1), dicts as tables."""
        if isinstance(value, RemoteObject):
            self._objects.append(value)
            return self._wrap(len(self._objects) - 1)
        if isinstance(value, list | tuple):
            table = self._lua.table_from({number: self.to_lua(part) for number, part in enumerate(value, 1)})
            table["__flags"] = _LIST_FLAGS
            return table
        if isinstance(value, dict):
            return self._lua.table_from({key: self.to_lua(part) for key, part in value.items()})
        return value

    def to_python(self, value: Any) -> Any:
        """Tables from 1 up as lists, an empty one too, others as dicts; userdata as handles."""
        kind = luajit21.lua_type(value)
        if kind == "table":
            pairs = {self.to_python(key): self.to_python(part) for key, part in value.items() if key != "__flags"}
            if set(pairs) == set(range(1, len(pairs) + 1)):
                return [pairs[number] for number in range(1, len(pairs) + 1)]
            return pairs
        if kind == "userdata":
            number = self._id_of(value)
            return None if number is None else self._objects[number]
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    def _attribute(self, number: int, name: Any) -> tuple[str, Any]:
        found = remote.attribute(self._objects[int(number)]._face, str(name))
        return ("function", None) if isinstance(found, RemoteFunction) else ("value", self.to_lua(found))

    def _call(self, number: int, name: str, *arguments: Any) -> Any:
        function = getattr(self._objects[int(number)], name)
        return self.to_lua(function(*(self.to_python(argument) for argument in arguments)))

    def _text(self, number: int) -> str:
        return repr(self._objects[int(number)])

    def _set_globals(self) -> None:
        scope = self._lua.globals()
        scope["resolve"] = self.to_lua(host.app_object(self.app, "Resolve"))
        scope["Resolve"] = self._function(lambda: self.to_lua(host.app_object(self.app, "Resolve")))
        for name in ("fusion", "fu", "app"):
            scope[name] = self.to_lua(host.app_object(self.app, "Fusion"))
        scope["bmd"] = self._lua.table_from(self._bmd())
        scope["print"] = self._function(self._print)
        for name in (*_NIL_ALWAYS, *(NIL_IN_SANDBOX if self.sandbox else ())):
            table, _, key = name.rpartition(".")
            (scope[table] if table else scope)[key] = None

    def _print(self, *values: Any) -> None:
        shown = self._lua.eval("tostring")
        self.printed.append("\t".join(str(shown(value)) for value in values))

    def _bmd(self) -> dict[str, Any]:
        own: dict[str, Callable[..., Any]] = {
            "wait": lambda seconds=0: host.wait(seconds),
            "scriptapp": lambda name=None, *_: self.to_lua(host.app_object(self.app, name)),
            "readstring": self._lua.eval("function(s) local f = loadstring('return ' .. s) return f and f() end"),
            "writestring": lambda value=None: prefs.shown(self.to_python(value)),
            "readfile": self._lua.eval("dofile"),
            "writefile": self._write_file,
            "readdir": lambda pattern: self.to_lua([{"Name": path.name} for path in Path(pattern).parent.iterdir()]),
        }
        names = _BMD_NAMES if self.sandbox else [*_BMD_NAMES, *_BMD_OUTSIDE_SANDBOX]
        found = {name: own.get(name) or getattr(host, name, None) or (lambda *_: None) for name in names}
        version = self.app.profile.version
        functions = {name: self._function(function) for name, function in found.items()}
        return functions | {_VERSION_KEY: f"{version[0]}.{version[1]}"}

    def _write_file(self, path: str, value: Any) -> bool:
        Path(path).write_text(f"return {prefs.shown(self.to_python(value))}")
        return True

"""The Fusion object, which keeps preferences, and its compositions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolve_emulator import prefs
from resolve_emulator.face import Face, need, text
from resolve_emulator.surface import read_methods

if TYPE_CHECKING:
    from resolve_emulator.state import Comp


class FusionFace(Face):
    """What scripts use of Fusion: the preferences. SavePrefs writes them to Fusion.prefs."""

    kind = "Fusion"
    label = "FusionUI"
    bound = False
    extra_methods = read_methods("""
        GetPrefs(key?, defaults?) object; SetPrefs(key, value?) bool; SavePrefs(path?) bool; GetCurrentComp() object;
        GetResolve() object; MapPath(path) text; GetAttrs() dict; GetAppInfo() dict
    """)

    def touched(self, name: str) -> None:
        """UIManager opens the dialog that sells the Studio edition, from 19.1 on (facts 2)."""
        old = self.app.profile.version < (19, 1, 0)
        if name == "UIManager" and not self.app.profile.studio and not self.app.profile.sandbox and not old:
            self.app.upsold = True

    def GetPrefs(self, key: Any = None, _defaults: Any = True) -> Any:
        return prefs.read(self.app.prefs, key)

    def SetPrefs(self, key: Any, value: Any = None) -> bool:
        """`SetPrefs("A.B", value)` or a table of such."""
        pairs = key if isinstance(key, dict) else {text(key): value}
        for name, each in pairs.items():
            prefs.write(self.app.prefs, text(name), each)
        return True

    def SavePrefs(self, _path: Any = None) -> bool:
        need(self.app.prefs_path)
        if self.app.prefs_path:
            prefs.save(self.app.prefs, self.app.prefs_path)
        return True

    def GetCurrentComp(self) -> Comp | None:
        """None off the Fusion page."""
        return None

    def MapPath(self, path: Any) -> str:
        folder = self.app.prefs_path.parent if self.app.prefs_path else "/"
        return text(path).replace("Profile:", f"{folder}/").replace("Profiles:", f"{folder}/")

    def GetAttrs(self) -> dict[str, Any]:
        return {"FUSIONS_Version": ".".join(str(part) for part in self.app.profile.version)}


class CompFace(Face):
    kind = "FusionComp"
    label = "Composition"
    state: Comp
    extra_methods = read_methods("GetAttrs() dict; GetToolList(selected?, type?) dict; Print(message) none")

    def GetAttrs(self) -> dict[str, Any]:
        return {"COMPS_Name": self.state.name}

    def GetToolList(self, _selected: Any = False, _kind: Any = "") -> dict[float, Any]:
        return {}

"""The part of the class TimelineItem that is about Fusion compositions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resolve_emulator.face import Face, by_number, need, text, whole
from resolve_emulator.state import Comp, Item


class CompositionFace(Face):
    state: Item

    def GetFusionCompCount(self) -> int:
        return len(self.state.comps)

    def GetFusionCompByIndex(self, index: Any) -> Comp:
        return Comp(self.state, self.state.comps[self._position(index)])

    def GetFusionCompByName(self, name: Any) -> Comp:
        need(name in self.state.comps)
        return Comp(self.state, name)

    def GetFusionCompNameList(self) -> list[str]:
        return list(self.state.comps)

    def GetFusionCompNames(self) -> dict[float, str]:
        return by_number(self.state.comps)

    def AddFusionComp(self) -> Comp:
        """The new one becomes the active one."""
        need(self.state.kind in {"video", "title", "generator"})
        names = (f"Composition {number}" for number in range(1, 1000))
        name = next(each for each in names if each not in self.state.comps)
        self.state.comps.append(name)
        self.state.active_comp = name
        return Comp(self.state, name)

    def ImportFusionComp(self, path: Any) -> Comp:
        need(Path(text(path)).is_file())
        return self.AddFusionComp()

    def ExportFusionComp(self, path: Any, index: Any) -> bool:
        Path(text(path)).write_text(self.state.comps[self._position(index)])
        return True

    def DeleteFusionCompByName(self, name: Any) -> bool:
        """False for the active one, as recorded on 19.1.3."""
        need(name in self.state.comps and name != self.state.active_comp)
        self.state.comps.remove(name)
        return True

    def LoadFusionCompByName(self, name: Any) -> Comp:
        need(name in self.state.comps)
        self.state.active_comp = name
        return Comp(self.state, name)

    def RenameFusionCompByName(self, old: Any, new: Any) -> bool:
        need(old in self.state.comps and text(new) and new not in self.state.comps)
        self.state.comps[self.state.comps.index(old)] = new
        self.state.active_comp = new if self.state.active_comp == old else self.state.active_comp
        return True

    def _position(self, index: Any) -> int:
        number = whole(index)
        need(1 <= number <= len(self.state.comps))
        return number - 1

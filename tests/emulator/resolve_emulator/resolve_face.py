"""The class Resolve: the application itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resolve_emulator.application import PAGES
from resolve_emulator.face import Face, need, text
from resolve_emulator.state import Gallery, Pool, Project, Root, Timeline


class ResolveFace(Face):
    kind = "Resolve"
    bound = False

    def Fusion(self) -> Root:
        return Root("Fusion")

    def GetMediaStorage(self) -> Root:
        return Root("MediaStorage")

    def GetProjectManager(self) -> Root:
        return Root("ProjectManager")

    def GetProductName(self) -> str:
        return self.app.profile.product

    def GetVersion(self) -> list[Any]:
        return [*self.app.profile.version, self.app.profile.build, ""]

    def GetVersionString(self) -> str:
        return ".".join(str(part) for part in (*self.app.profile.version, self.app.profile.build))

    def IsStudio(self) -> bool:
        return self.app.profile.studio

    def OpenPage(self, page: Any) -> bool:
        need(page in PAGES)
        self.app.page = page
        return True

    def GetCurrentPage(self) -> str:
        return self.app.page

    def GetCurrentProject(self) -> Project:
        return self.app.project

    def GetCurrentTimeline(self) -> Timeline | None:
        return self.app.project.timeline

    def GetMediaPool(self) -> Pool:
        return Pool(self.app.project)

    def GetGallery(self) -> Gallery:
        return Gallery(self.app.project)

    def GetKeyframeMode(self) -> int | None:
        """None off the Color page, as recorded on 19.1.3."""
        return self.app.keyframe_mode if self.app.page == "color" else None

    def SetKeyframeMode(self, mode: Any) -> bool:
        need(self.app.page == "color" and mode in (0, 1, 2))
        self.app.keyframe_mode = int(mode)
        return True

    def SetHighPriority(self, _high: Any) -> bool:
        return True

    def GetLayoutPresetList(self) -> list[str]:
        return sorted(self.app.presets)

    def SaveLayoutPreset(self, name: Any) -> bool:
        need(text(name) and name not in self.app.presets)
        self.app.presets.add(name)
        return True

    def UpdateLayoutPreset(self, name: Any) -> bool:
        return name in self.app.presets

    def LoadLayoutPreset(self, name: Any) -> bool:
        return name in self.app.presets

    def ExportLayoutPreset(self, name: Any, path: Any) -> bool:
        need(name in self.app.presets)
        Path(text(path)).write_text(name)
        return True

    def ImportLayoutPreset(self, path: Any, name: Any = None) -> bool:
        need(Path(text(path)).is_file())
        self.app.presets.add(text(name) if name else Path(path).stem)
        return True

    def DeleteLayoutPreset(self, name: Any) -> bool:
        need(name in self.app.presets)
        self.app.presets.discard(name)
        return True

    def Quit(self) -> None:
        self.app.opened.clear()

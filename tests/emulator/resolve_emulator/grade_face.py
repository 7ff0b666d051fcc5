"""The part of the class TimelineItem that is about grades: versions, groups and the node graph."""

from __future__ import annotations

import json
from typing import Any

from resolve_emulator.face import Face, by_number, need, text
from resolve_emulator.state import Graph, Group, Item


class GradeFace(Face):
    state: Item

    def GetNodeGraph(self, layer: Any = 1) -> Graph:
        need(self.state.clip and layer == 1)
        return Graph(self.state)

    def GetNumNodes(self) -> int:
        return 1

    def GetNodeLabel(self, node: Any) -> str:
        need(node == 1)
        return ""

    def GetLUT(self, node: Any) -> str:
        need(node == 1)
        return ""

    def SetCDL(self, values: Any) -> bool:
        need(isinstance(values, dict) and int(values["NodeIndex"]) == 1 and self.state.clip)
        self.state.grade = json.dumps({key: str(value) for key, value in values.items()}, sort_keys=True)
        return True

    def GetColorGroup(self) -> Group | None:
        groups = self.project.groups if self.project else []
        return next((group for group in groups if group.name == self.state.group), None)

    def AssignToColorGroup(self, group: Any) -> bool:
        need(self.project and group in self.project.groups)
        self.state.group = group.name
        return True

    def RemoveFromColorGroup(self) -> bool:
        need(self.state.group)
        self.state.group = ""
        return True

    def GetVersionNameList(self, kind: Any) -> list[str]:
        return list(self.state.versions) if kind == 0 else []

    def GetVersionNames(self, kind: Any) -> dict[float, str]:
        return by_number(self.GetVersionNameList(kind))

    def GetCurrentVersion(self) -> dict[str, Any]:
        return {"versionName": self.state.version, "versionType": 0}

    def AddVersion(self, name: Any, kind: Any) -> bool:
        need(text(name) and kind == 0 and name not in self.state.versions)
        self.state.versions.append(name)
        self.state.version = name
        return True

    def LoadVersionByName(self, name: Any, kind: Any) -> bool:
        need(kind == 0 and name in self.state.versions)
        self.state.version = name
        return True

    def DeleteVersionByName(self, name: Any, kind: Any) -> bool:
        need(kind == 0 and name in self.state.versions and name != self.state.version)
        self.state.versions.remove(name)
        return True

    def RenameVersionByName(self, old: Any, new: Any, kind: Any) -> bool:
        need(kind == 0 and old in self.state.versions and text(new) and new not in self.state.versions)
        self.state.versions[self.state.versions.index(old)] = new
        self.state.version = new if self.state.version == old else self.state.version
        return True

    def GetSourceAudioChannelMapping(self) -> str:
        return "{}"

    def ResetAllNodeColors(self) -> bool:
        return True

    def GetIsColorOutputCacheEnabled(self) -> int:
        return 0

    def GetIsFusionOutputCacheEnabled(self) -> int:
        return -1

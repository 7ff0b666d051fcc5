"""The classes Graph and ColorGroup: grades, of which the emulator keeps no more than whether they are equal."""

from __future__ import annotations

from typing import Any

from resolve_emulator.face import Face, Refused, need, text
from resolve_emulator.state import Graph, Group, Item, Timeline


class GraphFace(Face):
    kind = "Graph"
    label = "Node graph"
    state: Graph

    def GetNumNodes(self) -> int:
        return 1

    def GetLUT(self, node: Any) -> str:
        need(node == 1)
        return ""

    def GetNodeLabel(self, node: Any) -> str:
        need(node == 1)
        return ""

    def GetToolsInNode(self, node: Any) -> list[str]:
        need(node == 1)
        return []

    def GetNodeCacheMode(self, node: Any) -> int:
        need(node == 1)
        return -1

    def SetNodeCacheMode(self, node: Any, mode: Any) -> bool:
        return node == 1 and mode in (-1, 0, 1)

    def SetNodeEnabled(self, node: Any, _enabled: Any) -> bool:
        return bool(node == 1)

    def ResetAllGrades(self) -> bool:
        if isinstance(self.state.owner, Item):
            self.state.owner.grade = ""
        return True


class GroupFace(Face):
    kind = "ColorGroup"
    label = "Color group"
    state: Group

    def GetName(self) -> str:
        return self.state.name

    def SetName(self, name: Any) -> bool:
        groups = self.project.groups if self.project else []
        need(text(name) and name not in [group.name for group in groups])
        for timeline in self.project.timelines if self.project else ():
            for item in timeline.items():
                item.group = name if item.group == self.state.name else item.group
        self.state.name = name
        return True

    def GetClipsInTimeline(self, timeline: Any = None) -> list[Item]:
        chosen = timeline or (self.project.timeline if self.project else None)
        if not isinstance(chosen, Timeline):
            raise Refused
        return [item for item in chosen.items() if item.group == self.state.name]

    def GetPreClipNodeGraph(self) -> Graph:
        return Graph(self.state)

    def GetPostClipNodeGraph(self) -> Graph:
        return Graph(self.state)

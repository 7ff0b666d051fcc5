"""The class Folder: a bin of the media pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolve_emulator.face import Face, by_number

if TYPE_CHECKING:
    from resolve_emulator.state import Bin, Clip


class FolderFace(Face):
    kind = "Folder"

    def GetName(self) -> str:
        return str(self.state.name)

    def GetUniqueId(self) -> str:
        return str(self.state.id)

    def GetClipList(self) -> list[Clip]:
        return list(self.state.clips)

    def GetClips(self) -> dict[float, Clip]:
        return by_number(self.state.clips)

    def GetSubFolderList(self) -> list[Bin]:
        return list(self.state.folders)

    def GetSubFolders(self) -> dict[float, Bin]:
        return by_number(self.state.folders)

    def GetIsFolderStale(self) -> bool:
        return False

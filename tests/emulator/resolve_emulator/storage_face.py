"""The class MediaStorage: folders of the machine, as the Media page shows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resolve_emulator import importing
from resolve_emulator.face import Face, by_number, text

if TYPE_CHECKING:
    from resolve_emulator.state import Clip


class StorageFace(Face):
    kind = "MediaStorage"
    label = "Media storage"
    bound = False

    def GetMountedVolumeList(self) -> list[str]:
        return ["/"]

    def GetMountedVolumes(self) -> dict[float, str]:
        return by_number(self.GetMountedVolumeList())

    def GetSubFolderList(self, folder: Any) -> list[str]:
        return sorted(str(path) for path in Path(text(folder)).iterdir() if path.is_dir())

    def GetSubFolders(self, folder: Any) -> dict[float, str]:
        return by_number(self.GetSubFolderList(folder))

    def GetFileList(self, folder: Any) -> list[str]:
        return sorted(str(path) for path in Path(text(folder)).iterdir() if path.is_file())

    def GetFiles(self, folder: Any) -> dict[float, str]:
        return by_number(self.GetFileList(folder))

    def RevealInStorage(self, path: Any) -> bool:
        return Path(text(path)).exists()

    def AddItemListToMediaPool(self, items: Any, *more: Any) -> list[Clip]:
        given = items if isinstance(items, list) else [items, *more]
        paths = [entry["media"] if isinstance(entry, dict) else entry for entry in given]
        return importing.import_media(self.app, paths)

    def AddItemsToMediaPool(self, items: Any, *more: Any) -> dict[float, Clip]:
        return by_number(self.AddItemListToMediaPool(items, *more))

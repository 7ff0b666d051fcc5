"""The classes Gallery, GalleryStillAlbum and GalleryStill."""

from __future__ import annotations

from typing import Any

from resolve_emulator.face import Face, listed, need, text
from resolve_emulator.state import Album, Gallery, Still


class GalleryFace(Face):
    kind = "Gallery"
    state: Gallery

    def GetAlbumName(self, album: Any) -> str:
        need(isinstance(album, Album))
        return str(album.name)

    def SetAlbumName(self, album: Any, name: Any) -> bool:
        need(isinstance(album, Album) and text(name))
        album.name = name
        return True

    def GetCurrentStillAlbum(self) -> Album | None:
        return self.state.project.album

    def SetCurrentStillAlbum(self, album: Any) -> bool:
        need(album in self.state.project.albums)
        self.state.project.album = album
        return True

    def GetGalleryStillAlbums(self) -> list[Album]:
        return list(self.state.project.albums)

    def GetGalleryPowerGradeAlbums(self) -> list[Album]:
        return list(self.state.project.power_albums)

    def CreateGalleryStillAlbum(self) -> Album:
        return self._made(self.state.project.albums, "Stills")

    def CreateGalleryPowerGradeAlbum(self) -> Album:
        return self._made(self.state.project.power_albums, "PowerGrade")

    def _made(self, albums: list[Album], name: str) -> Album:
        albums.append(Album(id=self.app.new_id(), name=f"{name} {len(albums) + 1}"))
        return albums[-1]


class AlbumFace(Face):
    kind = "GalleryStillAlbum"
    state: Album

    def GetStills(self) -> list[Still]:
        return list(self.state.stills)

    def GetLabel(self, still: Any) -> str:
        need(still in self.state.stills)
        return str(still.label)

    def SetLabel(self, still: Any, label: Any) -> bool:
        need(still in self.state.stills)
        still.label = text(label)
        return True

    def DeleteStills(self, stills: Any) -> bool:
        going = listed(stills, Still)
        need(all(still in self.state.stills for still in going))
        for still in going:
            self.state.stills.remove(still)
            still.gone = True
        return True

    def ExportStills(self, _stills: Any, _folder: Any, _prefix: Any, _format: Any) -> bool:
        """False: the Gallery panel is not visible (facts 1.2)."""
        return False


class StillFace(Face):
    kind = "GalleryStill"
    state: Still

"""Which class of the API stands over which part of the editor's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolve_emulator import state
from resolve_emulator.clip_face import ClipFace
from resolve_emulator.folder_face import FolderFace
from resolve_emulator.fusion_face import CompFace, FusionFace
from resolve_emulator.gallery_face import AlbumFace, GalleryFace, StillFace
from resolve_emulator.graph_face import GraphFace, GroupFace
from resolve_emulator.item_face import ItemFace
from resolve_emulator.manager_face import ManagerFace
from resolve_emulator.pool_face import PoolFace
from resolve_emulator.project_face import ProjectFace
from resolve_emulator.resolve_face import ResolveFace
from resolve_emulator.storage_face import StorageFace
from resolve_emulator.timeline_face import TimelineFace

if TYPE_CHECKING:
    from resolve_emulator.face import Face

FACES: dict[type, type[Face]] = {
    state.Project: ProjectFace,
    state.Pool: PoolFace,
    state.Bin: FolderFace,
    state.Clip: ClipFace,
    state.Timeline: TimelineFace,
    state.Item: ItemFace,
    state.Gallery: GalleryFace,
    state.Album: AlbumFace,
    state.Still: StillFace,
    state.Graph: GraphFace,
    state.Group: GroupFace,
    state.Comp: CompFace,
}
ROOTS: dict[str, type[Face]] = {
    "Resolve": ResolveFace,
    "ProjectManager": ManagerFace,
    "MediaStorage": StorageFace,
    "Fusion": FusionFace,
}

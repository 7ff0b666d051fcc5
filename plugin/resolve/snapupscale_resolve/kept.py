"""What the user looks at in the editor, kept while a script works and put back at its end."""

from typing import TYPE_CHECKING, Optional, Sequence

from snapupscale_resolve.editor import EDIT
from snapupscale_resolve.editor_faults import NotAnswering

if TYPE_CHECKING:
    from fusionscript import Folder

    from snapupscale_resolve.editor import Editor


class Kept(object):
    """The page, the playhead and the current bin, for a `with` block that works on one of `pages`, or on any."""

    def __init__(self, editor: "Editor", pages: Sequence[str] = ()) -> None:
        self._editor = editor
        self._pages = pages
        self._page, self._playhead = "", ""
        self._bin: "Optional[Folder]" = None

    def __enter__(self) -> "Kept":
        """Raises NotAnswering when the page that is needed can't be opened."""
        self._page = self._editor.page()
        if self._pages and self._page not in self._pages and not self._to_edit():
            raise NotAnswering("DaVinci Resolve does not open its Edit page")
        self._playhead = self._editor.playhead()
        self._bin = self._editor.bin()
        return self

    def __exit__(self, *error: object) -> None:
        for _ in range(2):  # single calls fail while the editor saves
            current = self._editor.bin()
            if self._bin is not None and (current is None or self._id(current) != self._id(self._bin)):
                self._editor.go_to_bin(self._bin)
            if self._playhead and self._editor.playhead() != self._playhead:
                self._editor.move_playhead(self._playhead)
        for _ in range(2):
            if self._page and self._editor.page() != self._page:
                self._editor.open_page(self._page)

    def _to_edit(self) -> bool:
        return self._editor.open_page(EDIT) or self._editor.open_page(EDIT)

    def _id(self, folder: "Folder") -> str:
        return self._editor.bin_id(folder)

"""What the sidecar shows for scripts that can open no browser."""

from __future__ import annotations

import webbrowser
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from snapupscale import files, protocol
from snapupscale.errors import SidecarError
from snapupscale.sidecar import discovery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_NAME = "notice.html"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>SnapUpscale: {title}</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 42em; margin: 3em auto; padding: 0 1em;
color: #222; background: #fff }} h1 {{ font-size: 1.3em }}</style></head>
<body><h1>{title}</h1>{paragraphs}</body></html>
"""


class Screen:
    """The user's browser. `new_code` makes a one-time code for the sidecar at `port`."""

    def __init__(
        self, port: int, new_code: Callable[[], str], *, browse: Callable[[str], bool] = webbrowser.open
    ) -> None:
        self._port = port
        self._new_code = new_code
        self._browse = browse

    def page(self, path: str) -> None:
        """Open a page of the sidecar. Raises SidecarError when there is no browser."""
        # A fragment stays in the browser: it is in no request and no log.
        fragment = urlencode({"code": self._new_code(), "to": path}, quote_via=quote, safe="/")
        self._open(f"http://127.0.0.1:{self._port}{protocol.OPEN}#{fragment}")

    def notice(self, title: str, lines: Sequence[str]) -> None:
        """Open a page with a message. Raises OutputError, or SidecarError when there is no browser."""
        self._open(written(discovery.path().with_name(_NAME), title, lines).as_uri())

    def _open(self, url: str) -> None:
        try:
            opened = self._browse(url)
        except (OSError, webbrowser.Error):
            opened = False
        if not opened:
            # The script must know, to say it on the timeline.
            hint = "Choose a default browser in the settings of the system, then choose the menu again."
            raise SidecarError("no browser can be opened", hint=hint)


def written(path: Path, title: str, lines: Sequence[str]) -> Path:
    """`path`, once it is a page with this text that the user alone can read. Raises OutputError."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines)
    files.write_text(path, _PAGE.format(title=escape(title), paragraphs=paragraphs))
    path.chmod(0o600)
    return path

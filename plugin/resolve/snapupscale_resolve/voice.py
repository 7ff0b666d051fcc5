"""How the user hears of things: lines in the editor's Console, and a page in the browser for what must not be missed.

The editor has no message box for scripts: its free edition answers the attempt with an advertisement, whose dialog
makes every call that follows fail.
"""

import os
import sys
import tempfile
import webbrowser
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Callable, Iterator, Sequence

from snapupscale_resolve.launch import environment

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>SnapUpscale: {title}</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 42em; margin: 3em auto; padding: 0 1em;
color: #222; background: #fff }} h1 {{ font-size: 1.3em }} li {{ margin: .3em 0 }}</style></head>
<body><h1>{title}</h1>{paragraphs}</body></html>
"""


class Voice(object):
    """Says things to the user."""

    def __init__(self, write: Callable[[str], object] = print) -> None:
        self._write = write

    def say(self, line: str) -> None:
        """One line in the Console (Workspace > Console)."""
        whole = "SnapUpscale: " + line
        try:
            self._write(whole)
        except UnicodeEncodeError:  # a Console of a few letters
            self._write(whole.encode("ascii", "backslashreplace").decode("ascii"))
        if sys.stdout is not None:
            sys.stdout.flush()

    def show(self, title: str, lines: Sequence[str]) -> None:
        """Say it all, and open it as a page in the browser: the Console is closed as a rule."""
        for line in [title, *lines]:
            self.say(line)
        with suppress(OSError, webbrowser.Error):  # it was said
            open_in_browser(_written(title, lines))


def open_in_browser(url: str) -> bool:
    """Open an address in the user's browser, which must not get the libraries of the editor."""
    with _own_environment():
        return webbrowser.open(url)


def _written(title: str, lines: Sequence[str]) -> str:
    """The address of a page with this text; nobody else can read it."""
    paragraphs = "".join("<p>%s</p>" % escape(line) for line in lines)
    handle, path = tempfile.mkstemp(prefix="snapupscale-", suffix=".html")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_PAGE.format(title=escape(title), paragraphs=paragraphs))
    return Path(path).as_uri()


@contextmanager
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment(before))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

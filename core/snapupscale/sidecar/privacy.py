"""Log lines that can be shown around: without paths of this machine, names of footage and of the user, and secrets."""

from __future__ import annotations

import getpass
import json
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LEAST_NAME = 3
"""Characters; shorter names are in too many words."""
_START = r"(?:~?/|[A-Za-z]:[\\/]|\\\\)"
_QUOTED = re.compile(rf"(?P<quote>['\"])(?P<path>{_START}(?:(?!(?P=quote)).)*)(?P=quote)")
# A path that isn't quoted may hold blanks and commas, so all is taken for it up to what follows a colon.
_PLAIN = re.compile(rf"(?<![\w\]/\\'\"])(?P<path>{_START}.*?)(?=: |['\"]|$)")
_REST = re.compile(r"(?P<path>[^\s'\"]*[\w.)\]][/\\][^\s'\":,]*)")
_MEDIA = re.compile(
    r"(?<![^\s'\"/\\])(?P<path>(?!\[path\]|\[file\])[^\s'\"/\\]+\.(?:mp4|m4v|mov|mxf|mkv|avi|webm|mts|m2ts|ts|mpe?g|wmv|r3d|braw|ari|dpx|exr|tiff?|png|jpe?g"
    r"|webp|edl|csv|otio|fcpxml|html|json))\b",
    re.IGNORECASE,
)
_ROUTE = re.compile(r"/v1/[\w/{}-]*")
_FRACTION = re.compile(r"\d+/\d+")
_CODE = re.compile(r".*[/\\](?:site-packages|lib[/\\]python[\d.]+|core)[/\\](?P<module>(?:[\w.-]+[/\\])*\w+\.py)")
_SECRET = re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])")


def shortened(lines: Iterable[str], known: Iterable[str] = ()) -> list[str]:
    """`lines`, with each path made `[path]` and each file `[file]`, of which the extension alone is kept, and the
    user's name `[user]`. `known` are paths that are in use: names in them are found wherever they stand."""
    names = sorted(set(_names(known)), key=lambda pair: len(pair[0]), reverse=True)
    return [_shortened(line, names) for line in lines]


def _shortened(line: str, names: list[tuple[str, str]]) -> str:
    for name, instead in names:
        line = line.replace(name, instead)
    line = _QUOTED.sub(lambda found: f"{found['quote']}{_instead(found['path'])}{found['quote']}", line)
    for pattern in (_PLAIN, _REST):
        line = pattern.sub(lambda found: _instead(found["path"]), line)
    line = _MEDIA.sub(lambda found: f"[file]{_extension(found['path'])}", line)
    for user in _users():
        line = re.sub(rf"(?<![^\W\d_]){re.escape(user)}(?![^\W\d_])", "[user]", line, flags=re.IGNORECASE)
    line = _SECRET.sub("[secret]", line)
    # A name may hold what turns a terminal or the text around.
    return "".join(character if character.isprintable() else "?" for character in line)


def _instead(path: str) -> str:
    """What stands for a path: of our own code and the libraries the module, of anything else the extension."""
    if _ROUTE.fullmatch(path) or _FRACTION.fullmatch(path) or path.startswith("["):
        return path
    code = _CODE.fullmatch(path)
    return f"[path]/{code['module']}" if code else f"[path]{_extension(path)}"


def _extension(path: str) -> str:
    found = re.search(r"\.\w{1,8}$", path.strip())
    return found[0] if found else ""


def _names(known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each way in which a known path, its name and its stem may be written, and what stands for it."""
    for text in known:
        kind = PureWindowsPath if re.match(r"[A-Za-z]:|\\\\", text) else PurePosixPath
        path = kind(text)
        for part, instead in ((text, "[path]"), (path.name, "[file]"), (path.stem, "")):
            ending = "" if part == path.stem else _extension(part)
            for written in {part, repr(part)[1:-1], ascii(part)[1:-1], json.dumps(part)[1:-1]}:
                if len(written) >= _LEAST_NAME:
                    yield written, f"{instead or '[file]'}{ending}"


def _users() -> Iterator[str]:
    for ask in (getpass.getuser, lambda: Path.home().name):
        try:
            name = ask()
        except (OSError, KeyError, ImportError, RuntimeError):
            continue
        if len(name) >= _LEAST_NAME:
            yield name

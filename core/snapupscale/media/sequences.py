"""Image sequences: numbered pictures of one folder, named as a pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRINTF = re.compile(r"%0?(?P<digits>\d*)d")
_RANGE = re.compile(r"\[(?P<first>\d+)-(?P<last>\d+)\]")


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """The files `folder/prefix<number>suffix`, `digits` wide, from `first` to `last` where those are given."""

    folder: Path
    prefix: str
    digits: int
    suffix: str
    first: int | None = None
    last: int | None = None

    def files(self) -> dict[int, Path]:
        """The files that exist, by number, ascending. Raises OSError when the folder can't be listed."""
        found = dict(self._numbered())
        return {number: found[number] for number in sorted(found)}

    def _numbered(self) -> Iterator[tuple[int, Path]]:
        for path in self.folder.iterdir():
            middle = path.name[len(self.prefix) : len(path.name) - len(self.suffix)]
            if path.name != f"{self.prefix}{middle}{self.suffix}" or not (middle.isascii() and middle.isdigit()):
                continue
            number = int(middle)
            inside = (self.first is None or number >= self.first) and (self.last is None or number <= self.last)
            if inside and middle == str(number).zfill(self.digits):
                yield number, path


def parse_sequence(path: Path) -> Sequence | None:
    """The sequence that `path` names as `name.%04d.png` or, as DaVinci Resolve writes it, `name_[0001-0100].png`;
    None for the name of a single file."""
    if match := _PRINTF.search(path.name):
        return Sequence(
            folder=path.parent,
            prefix=path.name[: match.start()],
            digits=int(match["digits"] or 1),
            suffix=path.name[match.end() :],
        )
    if match := _RANGE.search(path.name):
        return Sequence(
            folder=path.parent,
            prefix=path.name[: match.start()],
            digits=len(match["first"]),
            suffix=path.name[match.end() :],
            first=int(match["first"]),
            last=int(match["last"]),
        )
    return None

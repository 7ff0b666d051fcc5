"""Write the fixed set of clips: `python -m stress.build OUT [--part held] [--material DIR ...] [--only WORD]`."""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from stress.cases import case, names
from stress.encodings import ENCODINGS, Encoding, write
from stress.material import Material, load
from stress.programme import STYLES, compose

if TYPE_CHECKING:
    from collections.abc import Callable

    from stress.edit import Made

SEED = 1
ORDINARY = (
    {"crf": "18", "g": "48"},
    {"crf": "23", "g": "250", "bf": "3"},
    {"crf": "28", "g": "120", "bf": "2"},
    {"crf": "33", "g": "250", "bf": "3"},
)
"""The ways in which the cases are encoded, one chosen by each case's name."""


def clips(material: Material) -> dict[str, tuple[Callable[[], Made], Encoding]]:
    """The name of every clip of the set, what makes it and how it is encoded."""
    every: dict[str, tuple[Callable[[], Made], Encoding]] = {}
    for name in names(material.part):
        options = {"preset": "veryfast", **ORDINARY[zlib.crc32(name.encode()) % len(ORDINARY)]}
        every[f"case_{name}"] = (lambda name=name: case(name, SEED, material), Encoding(options=options))  # type: ignore[misc]
    for number, name in enumerate(ENCODINGS):
        every[f"file_{name}"] = (lambda number=number: _programme(number, material), ENCODINGS[name])  # type: ignore[misc]
    for number, style in enumerate(STYLES):
        every[f"style_{style}"] = (
            lambda number=number, style=style: compose(100 + number, material, 0.2, style),  # type: ignore[misc]
            Encoding(options={"preset": "veryfast", "crf": "23"}),
        )
    return every


def _programme(number: int, material: Material) -> Made:
    """About 6 seconds with a handful of cuts, another for every encoding."""
    for seed in range(1000 + 50 * number, 1050 + 50 * number):
        made = compose(seed, material, 0.1, "trailer")
        if len(made.cuts) >= 3:
            return made
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--part", choices=["fit", "held"], default="held")
    parser.add_argument(
        "--material", type=Path, nargs="*", default=[], help="folders of clips with truth; else all is generated"
    )
    parser.add_argument("--only", default="", help="write the clips alone whose names have this in them")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, (make, encoding) in clips(load(None, arguments.part, *arguments.material)).items():
        if arguments.only in name:
            print(write(make(), arguments.out / name, encoding))


if __name__ == "__main__":
    main()

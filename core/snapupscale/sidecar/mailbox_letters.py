"""The letters of the mailbox: requests as hexadecimal in the editor's preferences, and answers as Lua."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snapupscale import protocol
from snapupscale.sidecar.guard import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

NUMBER = 1
"""Of the form of letters; a script with another is told so."""
MOST_PREFS = 8 << 20
"""Bytes of a preferences file that is read."""
_OUTBOX = re.compile(
    rb'\bSnapUpscale(?:\.Outbox"?\]?|"?\]?\s*=\s*\{[^{}]{0,4096}?\bOutbox"?\]?)\s*=\s*"([0-9a-f]*)"'
)
_MOST_LETTERS = 4
_SHAPE = {"mailbox": int, "protocol": int, "run": str, "client": str, "number": int, "ask": str}
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !#$%&'()*+,-./:;<=>?@[]^_`{|}~")


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A request of a script: the `number`th of `client`, to the sidecar that called itself `run`."""

    mailbox: int
    protocol: int
    run: str
    client: str
    number: int
    ask: str
    id: str
    body: object


def letters(prefs: bytes) -> list[Letter]:
    """The requests that a preferences file holds, whatever else is in it. What makes no sense is none, such as one that
    is being written."""
    found = (_letter(match[1]) for match in _OUTBOX.finditer(prefs))
    return [letter for letter in found if letter is not None][:_MOST_LETTERS]


def lua(fields: Mapping[str, str | int]) -> str:
    """A chunk of Lua that does nothing but give a table of `fields`, whose names are identifiers."""
    return "return {" + ",".join(f"{name}={_literal(value)}" for name, value in fields.items()) + "}\n"


def _letter(text: bytes) -> Letter | None:
    if len(text) % 2 or len(text) > 2 * MOST_BYTES:
        return None
    try:
        data = protocol.decode(bytes.fromhex(text.decode("ascii")), MOST_BYTES)
    except (ValueError, protocol.Malformed):
        return None
    if any(type(data.get(name)) is not kind for name, kind in _SHAPE.items()):
        return None
    if not (protocol.ID.match(data["run"]) and protocol.ID.match(data["client"]) and data["number"] > 0):
        return None
    named: dict[str, Any] = {name: data[name] for name in _SHAPE}
    return Letter(**named, id=str(data.get("id", "")), body=data.get("body", {}))


def _literal(value: str | int) -> str:
    if isinstance(value, int):
        return str(int(value))
    return '"' + "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03d}" for byte in value.encode()) + '"'

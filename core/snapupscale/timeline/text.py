"""Names that come from outside, made safe to stand in one line of a text file."""

from __future__ import annotations

import unicodedata

_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
# These turn the reading direction round, so that a name shows as another one.
_DIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NO_CHARACTERS = frozenset("\ufffe\uffff")


def printable(text: str) -> str:
    """`text` with `_` for each control character, line or paragraph separator, bidirectional override, lone surrogate
    and code point that XML 1.0 forbids; everything else, in any script, stays."""
    return "".join("_" if _unsafe(character) else character for character in text)


def _unsafe(character: str) -> bool:
    return unicodedata.category(character) in _BREAKING or character in _DIRECTIONAL or character in _NO_CHARACTERS

"""File names of stills: the same on Windows, macOS and Linux, and never read as a numbered sequence."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from fractions import Fraction

from snapupscale.errors import SettingError

MAX_CHARACTERS = 150
MAX_BYTES = 240

# `%04d`, `####` and `[0001-0100]` are how editors write image sequences, so they must not survive in a still's name.
_RESERVED = re.compile(r'[<>:"/\\|?*%#\[\]]')
_UNSAFE_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
_BIDI_CONTROLS = {*"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"}
_DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    port + digit for port in ("COM", "LPT") for digit in "0123456789¹²³"
}
_LABEL = re.compile(r"[A-Za-z0-9-]{0,31}[A-Za-z]")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


def still_name(
    clip: str, shot: int, frame: int, scale: Fraction | float, suffix: str, *, label: str = "still"
) -> str:
    """The file name of a still: `CLIP_s012_f00345_x4_still.png`.

    `clip` is the name of the source without its folder, `shot` counts from 1, `frame` from 0, `suffix` starts with its
    dot. The clip's name is kept where it is safe on every system; where characters had to go, or it was too long, a
    short hash of the original is added, so that different clips keep different names. The result has at most 150
    characters and 240 bytes of UTF-8. A `label` ends in a letter: editors take a final number for a frame number.
    Raises SettingError.
    """
    if not (1 <= shot < 10**9 and 0 <= frame < 10**9 and 0 < scale < 1000):
        raise SettingError(f"no still has shot {shot}, frame {frame} and scale {scale}")
    if not _LABEL.fullmatch(label) or not _SUFFIX.fullmatch(suffix):
        raise SettingError(f"{label!r} with {suffix!r} cannot end the name of a still")
    return _named(clip, f"_s{shot:03d}_f{frame:05d}_x{_scale_text(scale)}_{label}{suffix}")


def picture_name(name: str, scale: Fraction | float, suffix: str) -> str:
    """The file name of an upscaled picture that was called `name`, without its suffix: `NAME_x4_upscaled.png`.

    `name` is kept or made safe as in a still's name.
    """
    return _named(name, f"_x{_scale_text(scale)}_upscaled{suffix}")


def safe_stem(name: str) -> str:
    """`name` as the stem of a file, with room for a suffix: kept where it is safe, as in a still's name."""
    return _safe(name, MAX_CHARACTERS - 20, MAX_BYTES - 20)


def _named(name: str, tail: str) -> str:
    return _safe(name, MAX_CHARACTERS - len(tail), MAX_BYTES - len(tail)) + tail


def _scale_text(scale: Fraction | float) -> str:
    """`4`, `1.5`, or `4-3` where the decimal would not end."""
    exact = Fraction(scale).limit_denominator(10_000)
    text = str(float(exact)).removesuffix(".0")
    return text if Fraction(text) == exact and "e" not in text else f"{exact.numerator}-{exact.denominator}"


def _safe(clip: str, characters: int, size: int) -> str:
    """`clip` made safe, in at most `characters` characters and `size` bytes of UTF-8."""
    clip = unicodedata.normalize("NFC", clip)
    name = "".join("_" if _unsafe(character) else character for character in clip)
    name = name.strip(" .").lstrip("-") or "clip"
    if name.split(".")[0].rstrip(" ").upper() in _DEVICES:
        name = f"_{name}"
    if name == clip and _fits(name, characters, size):
        return name
    mark = "-" + hashlib.sha256(clip.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    while not _fits(name, characters - len(mark), size - len(mark)):
        name = name[:-1]
    return name.rstrip(" .") + mark


def _unsafe(character: str) -> bool:
    return (
        bool(_RESERVED.match(character))
        or unicodedata.category(character) in _UNSAFE_CATEGORIES
        or character in _BIDI_CONTROLS
    )


def _fits(name: str, characters: int, size: int) -> bool:
    return len(name) <= characters and len(name.encode("utf-8")) <= size

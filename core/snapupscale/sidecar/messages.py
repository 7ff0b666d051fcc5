"""What clients and the sidecar say to each other: the requests for jobs, decoded strictly, and the form of an error."""

from __future__ import annotations

import types
from dataclasses import MISSING, dataclass, field, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from snapupscale import protocol
from snapupscale.errors import SettingError
from snapupscale.timecode import Timecode, exact_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snapupscale.errors import SnapUpscaleError

PROTOCOL = protocol.NUMBER
"""Raised whenever an older client could misunderstand a reply."""
LONGEST = 4096
"""Characters of the longest string that is taken."""
_LARGEST = 10**9

T = TypeVar("T")
Priority = Literal["interactive", "batch"]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a source holds."""

    source: str
    """Absolute path of a file, or the pattern of an image sequence."""
    rate: Fraction | None = None
    """Frames per second that override the container's."""
    priority: Priority = "interactive"

    def __post_init__(self) -> None:
        if self.rate is not None:
            exact_rate(self.rate)


@dataclass(frozen=True, kw_only=True)
class Analyse(Probe):
    """Measure every frame once; what is found is kept, so that cuts come at once afterwards."""

    priority: Priority = "batch"


@dataclass(frozen=True, kw_only=True)
class Cuts(Probe):
    """Find the cuts; at once where the source was analysed before."""

    method: str = "adaptive"
    threshold: float = 0.4
    min_shot: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _within("threshold", self.threshold, 0.1, 0.8)
        _within("min_shot", self.min_shot, 0, 3600)


@dataclass(frozen=True, kw_only=True)
class Export(Cuts):
    """Write the cuts to one file, as a timeline or a table; at once where the source was analysed before.

    Instead of `source`, a client may give a `job`, whose source and settings then count where it gives none of its own.
    """

    format: Literal["json", "csv", "edl", "otio", "fcpxml"]
    folder: str | None = None
    """Absolute path of a folder that exists; the sidecar chooses one of its own where it is left out."""


@dataclass(frozen=True, kw_only=True)
class Pick(Cuts):
    """Score the frames of each shot, or of the part of it from frame `first` up to, not including, `end`."""

    pick: Literal["best", "first", "middle"] = "best"
    first: int | None = None
    end: int | None = None
    counted: Literal["frames", "times"] = "frames"
    """What `first` and `end` are: frames as they are decoded, or, for a source of variable rate, times in frames of its
    average rate."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.first is None) != (self.end is None):
            raise SettingError("first, end: give both or neither")
        if self.first is not None and self.end is not None:
            _within("first", self.first, 0, _LARGEST)
            _within("end", self.end, self.first + 1, _LARGEST)


@dataclass(frozen=True, kw_only=True)
class Upscale(Pick):
    """The main job: stills, timelines and a report into a folder."""

    priority: Priority = "batch"
    model: str = "auto"
    backend: Literal["auto", "cuda", "mps", "ncnn", "cpu", "bicubic", "lanczos"] = "auto"
    scale: Fraction | None = None
    precision: Literal["auto", "fp32", "fp16"] = "auto"
    format: Literal["png", "tiff", "exr"] = "png"
    limit: int | None = None
    folder: str | None = None
    """Absolute path of a folder that exists; the sidecar chooses one of its own where it is left out."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale is not None:
            _within("scale", self.scale, 1, 8)
        if self.limit is not None:
            _within("limit", self.limit, 1, _LARGEST)


@dataclass(frozen=True, kw_only=True)
class Hold(Probe):
    """Make of the still `source` a movie, beside it, that shows it for `frames` frames at `rate` frames per second."""

    rate: Fraction = field()
    frames: int
    start: str = ""
    """Timecode of the first frame, at `start_rate`, which is `rate` where it is left out."""
    start_rate: Fraction | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _within("frames", self.frames, 1, 10_000_000)
        if self.start:
            Timecode.parse(self.start, exact_rate(self.start_rate or self.rate))


KINDS: Mapping[str, type[Probe]] = {
    "probe": Probe,
    "analyse": Analyse,
    "cuts": Cuts,
    "export": Export,
    "pick": Pick,
    "upscale": Upscale,
    "hold": Hold,
}
"""The kinds of jobs."""
OF_CUTS = ("source", "rate", "method", "threshold", "min_shot")
"""The fields that say which cuts are meant."""


def job_request(data: object) -> tuple[str, Probe]:
    """The kind and the request that `{"kind": KIND, ...}` stands for. Raises SettingError."""
    if not isinstance(data, dict):
        raise SettingError("a job is a JSON object", hint='Send {"kind": KIND, "source": PATH}.')
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise SettingError(f"kind: {_shown(kind)} is no kind of job", hint=f"Kinds: {', '.join(KINDS)}.")
    return kind, decode(KINDS[kind], {name: value for name, value in data.items() if name != "kind"})


def decode(cls: type[T], data: object) -> T:
    """The dataclass `cls` out of a JSON object; fields are str, int, float, bool, Fraction (a number, or text such as
    "24000/1001"), a Literal of strings, or one of these or None.

    Raises SettingError, which names the field, for unknown and missing names, wrong types, numbers that are not finite
    or beyond 10**9, and strings that are too long or hold NUL or half characters.
    """
    if not isinstance(data, dict):
        raise SettingError(f"{cls.__name__.lower()} is a JSON object")
    known = {each.name: each for each in fields(cls)}  # type: ignore[arg-type]  # T is always a dataclass
    for name in data:
        if name not in known:
            raise SettingError(f"{_shown(name)} is no field of {cls.__name__.lower()}", hint=f"Fields: {_list(known)}.")
    for name, each in known.items():
        if name not in data and each.default is MISSING:
            raise SettingError(f"{name}: it is missing")
    kinds = get_type_hints(cls)
    return cls(**{name: _value(name, kinds[name], value) for name, value in data.items()})


def fault(error: SnapUpscaleError) -> dict[str, str]:
    """An error as it goes over the wire."""
    return {"code": error.code, "message": str(error), "hint": error.hint}


def _value(name: str, kind: Any, value: object) -> object:
    if get_origin(kind) in {Union, types.UnionType}:
        if value is None:
            return None
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is Literal:
        if not isinstance(value, str) or value not in get_args(kind):
            raise SettingError(f"{name}: {_shown(value)} is not allowed", hint=f"Values: {_list(get_args(kind))}.")
        return value
    return _READERS[kind](name, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise SettingError(f"{name}: {_shown(value)} is no string")
    if len(value) > LONGEST:
        raise SettingError(f"{name}: it has {len(value)} characters; {LONGEST} are the most")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise SettingError(f"{name}: it holds NUL or half a character")
    return value


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingError(f"{name}: {_shown(value)} is no number")
    if not abs(value) <= _LARGEST:  # true of nan as well
        raise SettingError(f"{name}: the number is out of range")
    return value


def _whole(name: str, value: object) -> int:
    number = _number(name, value)
    if not isinstance(number, int):
        raise SettingError(f"{name}: {number} is no whole number")
    return number


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SettingError(f"{name}: {_shown(value)} is neither true nor false")
    return value


def _fraction(name: str, value: object) -> Fraction:
    if not isinstance(value, str):
        return Fraction(_number(name, value)).limit_denominator(1_001_000)
    parts = value.split("/")
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts) or len(parts) > 2:
        raise SettingError(f"{name}: {_shown(value)} is no fraction", hint="Give a number, or text such as 24000/1001.")
    if len(parts) == 2 and not int(parts[1]):
        raise SettingError(f"{name}: the denominator is zero")
    return Fraction(value)


_READERS: Mapping[type, Callable[[str, object], object]] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _truth,
    Fraction: _fraction,
}


def _within(name: str, value: float | Fraction, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingError(f"{name}: {float(value):g} is outside {low} to {high:g}")


def _shown(value: object) -> str:
    """A value for a message: short, and in ASCII, since it may be anything."""
    if isinstance(value, int) and abs(value) > _LARGEST:
        return "a huge number"
    text = ascii(value) if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _list(names: Any) -> str:
    return ", ".join(names)

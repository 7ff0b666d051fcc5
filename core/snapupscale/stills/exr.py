"""EXR with half-float samples, which hold the code values of the source: nothing is linearised."""

from __future__ import annotations

import io
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np

from snapupscale.colour import ColourTags
from snapupscale.errors import ImageUnreadable, ImplausibleResult
from snapupscale.stills.primaries import CHROMATICITIES, interop_id, primaries_of, tags_of_interop_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    import OpenEXR
    from numpy.typing import NDArray

SIGNATURE = b"\x76\x2f\x31\x01"
_LINEAR = 8
_PRIMARIES, _TRANSFER = "snapupscale:ColourPrimaries", "snapupscale:TransferCharacteristics"
_CHANNELS = {1: "Y", 3: "RGB", 4: "RGBA"}


def encode(image: NDArray[np.float32], tags: ColourTags) -> bytes:
    """An EXR file with half-float R, G, B (A) or Y, losslessly compressed (ZIP); alpha stays straight.

    A half has 11 significant bits, so 8- and 10-bit code values divided by their maximum come back exactly. The tags
    are the standard attributes chromaticities and, where the Color Interop Forum has a name for the combination,
    colorInteropID; the numbers of H.273 stand in two attributes of our own. Raises ImplausibleResult for samples that
    a half cannot hold.
    """
    import OpenEXR  # noqa: PLC0415 - as long to load as all other formats together

    with np.errstate(over="ignore"):
        half = image.astype(np.float16, order="C")  # the bindings read the buffer as if it were contiguous
    if not np.isfinite(half).all():
        raise ImplausibleResult("the picture holds samples that are no number, or beyond 65504")
    header: dict[str, Any] = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        _PRIMARIES: str(tags.primaries),
        _TRANSFER: str(tags.transfer),
    }
    if tags.primaries in CHROMATICITIES:
        header["chromaticities"] = CHROMATICITIES[tags.primaries]
    if name := interop_id(tags):
        header["colorInteropID"] = name
    file = io.BytesIO()
    with OpenEXR.File(header, {_CHANNELS[half.shape[2] if half.ndim == 3 else 1]: half}) as exr:
        exr.write(file)
    return file.getvalue()


def size(data: bytes) -> tuple[int, int]:
    """Width and height of the first part's data window."""
    with _opened(data, header_only=True) as exr:
        low, high = exr.header()["dataWindow"]
    return int(high[0]) - int(low[0]) + 1, int(high[1]) - int(low[1]) + 1


def decode(data: bytes) -> tuple[NDArray[Any], ColourTags]:
    """The first part's data window as float32, and its tags. Raises ImageUnreadable.

    Where no attribute says otherwise, the samples are linear with the primaries of BT.709 (OpenEXR, technical
    introduction: that is what a file without chromaticities means).
    """
    with _opened(data, header_only=False) as exr:
        channels = {name: channel.pixels for name, channel in exr.channels().items()}
        return _picture(channels), _tags(exr.header())


@contextmanager
def _opened(data: bytes, *, header_only: bool) -> Iterator[OpenEXR.File]:
    import OpenEXR  # noqa: PLC0415 - as in `encode`

    try:
        # The bindings print what is wrong with the pixels, and standard output is for results.
        with redirect_stdout(io.StringIO()):
            exr = OpenEXR.File(io.BytesIO(data), header_only=header_only)
        with exr:
            yield exr
    except (RuntimeError, ValueError, TypeError) as error:
        raise ImageUnreadable("damaged or cut off") from error


def _picture(channels: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    for name in ("RGBA", "RGB", "Y"):
        if name in channels and not {"RY", "BY"} & channels.keys():
            image = channels[name]
            if name == "Y" and "A" in channels:
                image = np.dstack([image, image, image, channels["A"]])
            if image.dtype.kind == "f":
                return np.ascontiguousarray(image, dtype=np.float32)
    raise ImageUnreadable(
        f"it has no plain colour channels, only {', '.join(sorted(channels)[:8])}",
        hint="Export the RGB channels alone, without layers, as half or float.",
    )


def _tags(header: dict[str, Any]) -> ColourTags:
    own = [str(header.get(name, "")) for name in (_PRIMARIES, _TRANSFER)]
    if all(number.isdecimal() for number in own):
        return ColourTags(primaries=int(own[0]), transfer=int(own[1])).as_rgb()
    named = tags_of_interop_id(str(header.get("colorInteropID", "")))
    if named:
        return named
    chromaticities = header.get("chromaticities", CHROMATICITIES[1])
    return ColourTags(primaries=primaries_of(chromaticities), transfer=_LINEAR).as_rgb()

"""TIFF with 16 bits per sample: uncompressed, for the programs that read little else."""

from __future__ import annotations

import io
import re
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import tifffile

from snapupscale.colour import ColourTags
from snapupscale.errors import ImageUnreadable
from snapupscale.stills import rasters
from snapupscale.stills.directory import SIGNATURES, first_directory, orientation, upright
from snapupscale.stills.icc import tags_of_profile
from snapupscale.stills.primaries import CHROMATICITIES, primaries_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SIGNATURES", "decode", "encode", "size"]

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _DESCRIPTION, _PREDICTOR = 256, 257, 258, 259, 270, 317
_WHITE_POINT, _PRIMARIES, _TILE_WIDTH, _SAMPLE_FORMAT, _ICC_PROFILE = 318, 319, 322, 339, 34675
_PHOTOMETRIC, _SAMPLES_PER_PIXEL, _EXTRA_SAMPLES = 262, 277, 338
# Grey with white or with black at 0, RGB, palette.
_PHOTOMETRICS = {0, 1, 2, 3}
_RGB = 2
_ASSOCIATED = 1
_RATIONAL = 5
_TEXT = "SnapUpscale still. Colour by ITU-T H.273: primaries {}, transfer {}, RGB, full range."
_TEXT_PATTERN = re.compile(rb"Colour by ITU-T H\.273: primaries (\d{1,3}), transfer (\d{1,3}),")
_UNSIGNED, _FLOAT = 1, 3
_SAMPLES = {(_UNSIGNED, 1), (_UNSIGNED, 8), (_UNSIGNED, 16), (_FLOAT, 32)}
_NO_PREDICTOR = 1
# None, CCITT, LZW, Deflate (two numbers), PackBits. FFmpeg decodes JPEG in TIFF to wrong colours.
_COMPRESSIONS = {1, 2, 3, 4, 5, 8, 32773, 32946}


def encode(image: NDArray[np.uint16], tags: ColourTags) -> bytes:
    """A TIFF 6.0 file with 16 bits per sample and straight (unassociated) alpha.

    TIFF has no field for a transfer by number. The primaries are WhitePoint and PrimaryChromaticities (section 20),
    and both numbers of H.273 stand in ImageDescription.
    """
    extra: list[tuple[int, int, int, tuple[int, ...], bool]] = []
    if known := CHROMATICITIES.get(tags.primaries):
        terms = [term for value in known for term in Fraction(value).limit_denominator(10_000).as_integer_ratio()]
        extra = [(_WHITE_POINT, _RATIONAL, 2, tuple(terms[12:]), True)]
        extra += [(_PRIMARIES, _RATIONAL, 6, tuple(terms[:12]), True)]
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        image,
        photometric="minisblack" if image.ndim == 2 else "rgb",
        extrasamples=["unassalpha"] if image.ndim == 3 and image.shape[2] == 4 else None,
        description=_TEXT.format(tags.primaries, tags.transfer),
        software="SnapUpscale",
        metadata=None,
        extratags=extra,
    )
    return file.getvalue()


def size(data: bytes) -> tuple[int, int]:
    """Width and height of the first page."""
    directory = first_directory(data)
    return _single(directory, _WIDTH), _single(directory, _HEIGHT)


def decode(data: bytes) -> tuple[NDArray[Any], ColourTags]:
    """The first page and its tags. Raises ImageUnreadable, also for what the decoder would get wrong."""
    directory = first_directory(data)
    if not _readable(directory):
        raise ImageUnreadable(
            "this kind of TIFF (tiles, JPEG inside, CMYK, premultiplied alpha, grey float, or samples other than 8- or "
            "16-bit integers and float) is not read",
            hint="Save it as TIFF in strips with 8 or 16 bits per channel and LZW or no compression, or as PNG.",
        )
    image, _ = rasters.decode("tiff", data, {"err_detect": "buffer"})
    return upright(image, orientation(directory)), _tags(directory)


def _readable(directory: dict[int, tuple[Any, ...]]) -> bool:
    samples = {*product(directory.get(_SAMPLE_FORMAT, (_UNSIGNED,)), directory.get(_BITS, (1,)))}
    predicted = directory.get(_PREDICTOR, (_NO_PREDICTOR,))[0] != _NO_PREDICTOR
    return (
        _TILE_WIDTH not in directory
        and directory.get(_PHOTOMETRIC, (_RGB,))[0] in _PHOTOMETRICS
        and _ASSOCIATED not in directory.get(_EXTRA_SAMPLES, ())
        and not (samples == {(_FLOAT, 32)} and directory.get(_SAMPLES_PER_PIXEL, (1,))[0] == 1)
        and directory.get(_COMPRESSION, (1,))[0] in _COMPRESSIONS
        and len(samples) == 1
        and samples <= (_SAMPLES - {(_UNSIGNED, 1), (_FLOAT, 32)} if predicted else _SAMPLES)
    )


def _single(directory: dict[int, tuple[Any, ...]], tag: int) -> int:
    value = directory.get(tag, ())
    if len(value) != 1 or not isinstance(value[0], int):
        raise ImageUnreadable("its TIFF header is damaged or cut off")
    return value[0]


def _tags(directory: dict[int, tuple[Any, ...]]) -> ColourTags:
    text = directory.get(_DESCRIPTION, (b"",))[0]
    if isinstance(text, bytes) and (written := _TEXT_PATTERN.search(text)):
        return ColourTags(primaries=int(written[1]), transfer=int(written[2])).as_rgb()
    profile = directory.get(_ICC_PROFILE, (None,))[0]
    if isinstance(profile, bytes):
        return tags_of_profile(profile)
    terms = directory.get(_PRIMARIES, ()) + directory.get(_WHITE_POINT, ())
    if len(terms) != 16 or 0 in terms[1::2] or not all(isinstance(term, int) for term in terms):
        return ColourTags().as_rgb()
    return ColourTags(primaries=primaries_of([a / b for a, b in zip(terms[::2], terms[1::2], strict=True)])).as_rgb()

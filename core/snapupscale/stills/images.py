"""Stills on disk: written whole or not at all with their colour tags, and read back sample for sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snapupscale import files
from snapupscale.errors import ImageUnreadable, SettingError
from snapupscale.stills.names import still_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from snapupscale.colour import ColourTags

    Size = tuple[int, int]
    Decoded = tuple[NDArray[Any], ColourTags]

__all__ = ["FORMATS", "MAX_PIXELS", "Format", "read_image", "still_name", "write_image"]

MAX_PIXELS = 1 << 28
"""The largest picture that is read: 16384 x 16384, which is 1.5 GiB as 16-bit RGB."""
_MAX_FILE_BYTES = 4 << 30


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format for stills: its suffix with the dot, and what its samples are."""

    suffix: str
    samples: str


FORMATS: dict[str, Format] = {
    "png": Format(suffix=".png", samples="16-bit, compressed"),
    "tiff": Format(suffix=".tiff", samples="16-bit, uncompressed"),
    "exr": Format(suffix=".exr", samples="half float, compressed"),
}


def write_image(
    path: Path,
    image: NDArray[Any],
    *,
    tags: ColourTags,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Write `image` in the format of `path`'s suffix: HxW grey, HxWx3 RGB or HxWx4 RGBA (straight alpha).

    uint16 is written to PNG and TIFF as it is, uint8 exactly as 257 times itself, so that 255 becomes 65535. EXR takes
    both divided by their maximum, and float32 as it is, rounded to half. Code values are never converted between
    colour spaces: the file says what they are by `tags` (primaries and transfer of H.273). `progress` is called with 0,
    for a PNG often and up to 1; it may raise to cancel, and nothing is left then. Raises SettingError for a picture
    that the format cannot hold, DiskFull, OutputUnwritable.
    """
    name = next((name for name, known in FORMATS.items() if known.suffix == path.suffix.lower()), None)
    if name is None:
        valid = ", ".join(known.suffix for known in FORMATS.values())
        raise SettingError(f"cannot write {path.name}: the formats for stills are {valid}")
    if image.ndim not in {2, 3} or 0 in image.shape or (image.ndim == 3 and image.shape[2] not in {3, 4}):
        raise SettingError(f"a still has shape HxW, HxWx3 or HxWx4, not {image.shape}")
    progress(0.0)
    files.write_parts(path, _encoded(name, image, tags, progress))


def require_size(shape: tuple[int, ...], scale: float, suffix: str) -> None:
    """Raise SettingError when a picture of `shape`, enlarged by `scale`, is more than the format of `suffix` can hold:
    to be asked before the work of enlarging is done."""
    if suffix == ".png":
        from snapupscale.stills import png  # noqa: PLC0415 - as in `_encoded`

        png.require_size(int(shape[1] * scale), int(shape[0] * scale))


def read_image(path: Path, *, trusted: bool = False) -> tuple[NDArray[Any], ColourTags]:
    """Read a PNG, TIFF, EXR, JPEG, WebP or BMP picture: HxW grey, HxWx3 RGB or HxWx4 RGBA, upright, with its tags.

    The dtype is that of the file: uint8 up to 8 bits per sample, uint16 for 16, float32 for EXR and float TIFF. The
    format is told by the content, not by the suffix. Of an animation or several pages the first is read. Tags that the
    file does not give are unspecified; the matrix is that of RGB. More than MAX_PIXELS are refused, unless the file is
    `trusted`: one that we wrote. Raises ImageUnreadable.
    """
    try:
        return _decoded(_bytes(path), trusted=trusted)
    except ImageUnreadable as error:
        raise ImageUnreadable(f"cannot read {path}: {error}", hint=error.hint) from error
    except OSError as error:
        raise ImageUnreadable(
            f"cannot read {path}: {error.strerror or error}", hint="Check the path and the permissions of the file."
        ) from error


def _encoded(name: str, image: NDArray[Any], tags: ColourTags, progress: Callable[[float], None]) -> Iterable[bytes]:
    # The codecs load here, so that the table of formats costs nothing at start-up.
    import numpy as np  # noqa: PLC0415

    from snapupscale.stills import exr, png, tiff  # noqa: PLC0415

    maximum = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}.get(image.dtype)
    if name == "exr" and (maximum or image.dtype == np.float32):
        return [exr.encode(image.astype(np.float32) / np.float32(maximum or 1), tags)]
    if not maximum:
        raise SettingError(f"a still as {name} holds uint8 or uint16 samples, not {image.dtype}")
    if name == "png":
        return png.encode(image, tags, progress)
    return [tiff.encode(image if maximum == 65535 else image.astype(np.uint16) * np.uint16(257), tags)]


def _bytes(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise ImageUnreadable("it is not a file", hint="Give the picture itself, not the folder it is in.")
    size = path.stat().st_size
    if size > _MAX_FILE_BYTES:
        raise ImageUnreadable(f"{size} bytes are too many for one picture")
    if not size:
        raise ImageUnreadable("the file is empty", hint="The copy did not finish; copy the picture again.")
    return path.read_bytes()


def _decoded(data: bytes, *, trusted: bool) -> Decoded:
    measure, decode = _reader(data[:16])
    width, height = measure(data)
    if width < 1 or height < 1:
        raise ImageUnreadable("its header gives no size")
    if not trusted and width * height > MAX_PIXELS:
        raise ImageUnreadable(
            f"{width} x {height} pixels are too many",
            hint=f"Pictures of up to {MAX_PIXELS // 10**6} megapixels are read; cut it into parts.",
        )
    return decode(data)


def _reader(head: bytes) -> tuple[Callable[[bytes], Size], Callable[[bytes], Decoded]]:
    """What measures and what decodes a file that starts with `head`."""
    from snapupscale.stills import exr, photos, png, tiff  # noqa: PLC0415 - as in `_encoded`

    if head.startswith(png.SIGNATURE):
        return png.size, png.decode
    if head.startswith(tuple(tiff.SIGNATURES)):
        return tiff.size, tiff.decode
    if head.startswith(exr.SIGNATURE):
        return exr.size, exr.decode
    if head.startswith(photos.JPEG):
        return photos.jpeg_size, photos.decode
    if photos.is_webp(head):
        return photos.webp_size, photos.decode
    if head.startswith(photos.BMP):
        return photos.bmp_size, photos.decode
    raise ImageUnreadable("it is no picture in a format that is known")

"""From a decoded frame to the picture that is upscaled: RGB, upright, with square pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snapupscale.media import pixels
from snapupscale.upscale.interpolation import resample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from snapupscale.media.frames import Frame
    from snapupscale.media.source import Source


def still_picture(frame: Frame, source: Source) -> NDArray[np.uint16]:
    """`frame` as the viewer sees it: uint16 R'G'B' (A), H x W x 3 or 4, of the size `source.display_size`."""
    picture = pixels.upright(pixels.to_rgb(frame.picture, codec=source.codec), frame.picture)
    height, width = picture.shape[:2]
    aspect = source.pixel_aspect if source.rotation % 180 == 0 else 1 / source.pixel_aspect
    if aspect > 1:
        width = round(width * aspect)
    elif aspect < 1:
        height = round(height / aspect)
    if (height, width) == picture.shape[:2]:
        return picture
    return resample(picture, width, height)

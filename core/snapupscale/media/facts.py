"""What is known of a source before it is decoded, in JSON types."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from snapupscale.timecode import format_rate

if TYPE_CHECKING:
    from snapupscale.media.source import Source


def facts(source: Source) -> dict[str, object]:
    """Rates are text such as 24000/1001, `duration` is in seconds; None where the container doesn't say."""
    return {
        "source": str(source.path),
        "container": source.container,
        "codec": source.codec,
        "stream": source.stream,
        "width": source.width,
        "height": source.height,
        "display_width": source.display_size[0],
        "display_height": source.display_size[1],
        "pixel_aspect": str(source.pixel_aspect),
        "rotation": source.rotation,
        "rate": format_rate(source.rate),
        "frames": source.frames,
        "duration": None if source.duration is None else round(float(source.duration), 6),
        "start_timecode": None if source.start is None else str(source.start),
        "pixel_format": source.pixel_format,
        "bit_depth": source.bit_depth,
        "alpha": source.alpha,
        "interlaced": source.interlaced,
        "colour": asdict(source.tags),
        "warnings": list(source.warnings),
    }

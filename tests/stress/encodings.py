"""The files that a clip may come in, and how it gets into them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from stress import shapes

if TYPE_CHECKING:
    from pathlib import Path

    from stress.edit import Made

MILLISECONDS = Fraction(1, 1000)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """A codec, its options and its container; `shape` is done to the clip first."""

    codec: str = "libx264"
    suffix: str = ".mp4"
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    shape: shapes.Shape = lambda made: made
    rotation: int = 0
    aspect: Fraction | None = None
    uneven: bool = False
    """Frames last 15 to 90 ms each."""


def _x264(**options: str) -> dict[str, str]:
    return {"preset": "veryfast", "crf": "23", **options}


TFF = "tff=1:interlaced=1"
ENCODINGS: dict[str, Encoding] = {
    "h264_crf18": Encoding(options=_x264(crf="18")),
    "h264_crf38": Encoding(options=_x264(crf="38")),
    "h264_40k": Encoding(options={"preset": "veryfast", "b": "40000", "maxrate": "40000", "bufsize": "80000"}),
    "h264_gop12": Encoding(options=_x264(g="12", bf="2")),
    "h264_gop250": Encoding(options=_x264(g="250", sc_threshold="0")),
    "h264_open_gop": Encoding(options=_x264(g="24", bf="3", **{"x264-params": "open-gop=1:scenecut=0"})),
    "h264_b_frames": Encoding(options=_x264(preset="medium", bf="8", **{"x264-params": "b-adapt=2:b-pyramid=normal"})),
    "h264_10bit": Encoding(pixels="yuv420p10le", options=_x264()),
    "h264_interlaced": Encoding(suffix=".mov", options=_x264(**{"x264-params": TFF}), shape=shapes.woven),
    "h264_between_fields": Encoding(
        suffix=".mov", options=_x264(**{"x264-params": TFF}), shape=lambda made: shapes.woven(shapes.late(made))
    ),
    "h264_pulldown": Encoding(suffix=".mov", options=_x264(**{"x264-params": TFF}), shape=shapes.pulled_down),
    "h264_24_in_60": Encoding(options=_x264(), shape=shapes.repeated),
    "h264_12fps": Encoding(options=_x264(), shape=shapes.at_rate(Fraction(12))),
    "h264_uneven": Encoding(suffix=".mkv", options=_x264(), uneven=True),
    "h264_full_range": Encoding(pixels="yuvj420p", options=_x264()),
    "h264_odd_size": Encoding(pixels="yuv444p", options=_x264(), shape=shapes.sized(317, 179)),
    "h264_vertical": Encoding(options=_x264(), shape=shapes.sized(180, 320, crop=True)),
    "h264_rotated": Encoding(options=_x264(), rotation=90),
    "h264_anamorphic": Encoding(options=_x264(), shape=shapes.sized(240, 180), aspect=Fraction(4, 3)),
    "h264_grey": Encoding(pixels="gray", options=_x264()),
    "h264_tiny": Encoding(options=_x264(), shape=shapes.sized(32, 18)),
    "h264_wide": Encoding(options=_x264(), shape=shapes.sized(640, 272)),
    "hevc": Encoding(codec="libx265", options={"preset": "ultrafast", "crf": "28", "x265-params": "log-level=none"}),
    "hevc_10bit": Encoding(
        codec="libx265",
        suffix=".mkv",
        pixels="yuv420p10le",
        options={"preset": "ultrafast", "crf": "24", "x265-params": "log-level=none:open-gop=1:keyint=48"},
    ),
    "mpeg2": Encoding(
        codec="mpeg2video",
        suffix=".mpg",
        options={"b": "2500000", "g": "15", "bf": "2"},
        shape=shapes.at_rate(Fraction(25)),
    ),
    "mpeg2_interlaced": Encoding(
        codec="mpeg2video",
        suffix=".mpg",
        options={"b": "4000000", "g": "12", "flags": "+ilme+ildct"},
        shape=lambda made: shapes.woven(shapes.at_rate(Fraction(25))(shapes.late(made)), top_first=False),
    ),
    "mpeg4": Encoding(codec="mpeg4", suffix=".avi", options={"b": "700000", "g": "200"}),
    "prores": Encoding(codec="prores_ks", suffix=".mov", pixels="yuv422p10le", options={"profile": "1"}),
    "dnxhr": Encoding(codec="dnxhd", suffix=".mov", pixels="yuv422p", options={"profile": "dnxhr_lb"}),
    "mjpeg": Encoding(codec="mjpeg", suffix=".mov", pixels="yuvj420p", options={"q": "6"}),
    "vp9": Encoding(
        codec="libvpx-vp9",
        suffix=".webm",
        options={"deadline": "realtime", "cpu-used": "8", "crf": "36", "b": "0"},
    ),
    "av1": Encoding(codec="libsvtav1", suffix=".mkv", options={"preset": "12", "crf": "40"}),
    "ffv1": Encoding(codec="ffv1", suffix=".mkv", pixels="yuv444p"),
}


def write(made: Made, path: Path, encoding: Encoding) -> Path:
    """Encode the clip to `path` with the suffix of `encoding`, its truth beside it as JSON; give back the video."""
    made = encoding.shape(made)
    video = path.with_name(path.name + encoding.suffix)
    pts = np.cumsum(np.random.default_rng(len(made)).integers(15, 91, len(made))).tolist() if encoding.uneven else None
    with av.open(str(video), "w") as container:
        stream = None
        for number, picture in enumerate(made.frames):
            if stream is None:
                stream = _stream(container, encoding, made.rate, picture.shape)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(
                format=encoding.pixels
            )
            frame.pts = pts[number] if pts else number
            frame.time_base = MILLISECONDS if pts else 1 / made.rate
            container.mux(stream.encode(frame))
        assert stream is not None, "a clip without frames"
        container.mux(stream.encode(None))
    truth = path.with_name(path.name + ".json")
    truth.write_text(json.dumps(truth_of(made, video.name)) + "\n")
    return video


def _stream(
    container: av.container.OutputContainer, encoding: Encoding, rate: Fraction, shape: tuple[int, ...]
) -> av.VideoStream:
    stream = container.add_stream(encoding.codec, rate=rate, options=encoding.options)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = shape[1], shape[0], encoding.pixels
    if encoding.uneven:
        stream.codec_context.time_base = stream.time_base = MILLISECONDS
    if encoding.aspect:
        stream.codec_context.sample_aspect_ratio = encoding.aspect
    if encoding.rotation:
        stream.set_display_rotation(encoding.rotation)
    return stream


def truth_of(made: Made, file: str) -> dict[str, object]:
    """What the JSON beside a clip says, in the form of the project's footage, and the `kinds` of the gradual ones."""
    return {
        "file": file,
        "fps": round(float(made.rate), 3),
        "frames": len(made),
        "cuts": list(made.cuts),
        "gradual": [[start, end] for start, end, _ in made.gradual],
        "kinds": [kind for _, _, kind in made.gradual],
        "ignore": [list(each) for each in made.ignore],
    }

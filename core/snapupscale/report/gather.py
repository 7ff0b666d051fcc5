"""What the report shows, gathered while a run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snapupscale import __version__
from snapupscale.report.page import CandidateEntry, Report, ShotEntry
from snapupscale.report.preview import encode_preview
from snapupscale.timecode import format_rate
from snapupscale.timeline.conform import frame_numbers
from snapupscale.timeline.text import printable
from snapupscale.upscale.interpolation import resample

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from snapupscale.findings import Findings
    from snapupscale.stills.make import Made
    from snapupscale.stills.pick import Pick
    from snapupscale.timeline.editlist import Still
    from snapupscale.upscale.engine import Upscaler

PREVIEW_WIDTHS = ((40, 1600), (120, 1200), (400, 800), (1200, 560))
"""Width of the previews of reports with up to so many stills; browsers stop at half a gigabyte of page."""
LEAST_WIDTH = 400
THUMBNAIL_WIDTH = 240


class Previews:
    """Small pictures of the frames that were decoded and of the stills made of them, as JPEG files by frame number."""

    def __init__(self, stills: int) -> None:
        self._width = next((width for most, width in PREVIEW_WIDTHS if stills <= most), LEAST_WIDTH)
        self.thumbnails: dict[int, bytes] = {}
        self.pairs: dict[int, tuple[bytes, bytes]] = {}

    def add(self, frame: int, picture: NDArray[np.uint16], still: NDArray[Any] | None) -> None:
        """Keep the `picture` of `frame`; with a `still`, both at one size, the picture enlarged plainly (bicubic)."""
        self.thumbnails[frame] = encode_preview(picture, THUMBNAIL_WIDTH, quality=80)
        if still is None:
            return
        if still.dtype == np.float32:
            still = np.rint(np.clip(still, 0, 1) * 65535).astype(np.uint16)
        width = min(self._width, still.shape[1])
        height = max(1, round(still.shape[0] * width / still.shape[1]))
        plain = resample(picture, width, height, "bicubic")
        self.pairs[frame] = (encode_preview(plain, width), encode_preview(still, width))


def gather(findings: Findings, made: Made, upscaler: Upscaler, previews: Previews) -> Report:
    """The report of a run that is done."""
    source, signal, detection = findings.source, findings.signal, findings.detection
    edit = findings.edit_list()
    numbers = frame_numbers(signal)
    stills = {still.shot: still for still in made.stills}

    def timecode(frame: int) -> str:
        return str(edit.timecode(int(numbers[frame]) if frame < len(numbers) else edit.frames))

    return Report(
        title=printable(source.name),
        source_name=printable(source.path.name),
        rate=format_rate(signal.rate),
        frames=len(signal),
        duration_s=float(edit.frames / signal.rate),
        method=detection.method,
        threshold=detection.threshold,
        distance=detection.distance.tolist(),
        cuts=detection.cuts,
        transitions=[(transition.start, transition.end, transition.kind) for transition in detection.transitions],
        shots=[_shot(pick, stills.get(pick.shot.number), previews, timecode) for pick in findings.picks],
        settings=_settings(findings, made, upscaler),
        warnings=signal.warnings,
    )


def _shot(pick: Pick, still: Still | None, previews: Previews, timecode: Callable[[int], str]) -> ShotEntry:
    shot = pick.shot
    before, after = previews.pairs[still.frame] if still else (None, None)
    return ShotEntry(
        number=shot.number,
        start=shot.start,
        end=shot.end,
        start_timecode=timecode(shot.start),
        end_timecode=timecode(shot.end),
        picked=pick.frame,
        candidates=tuple(
            CandidateEntry(
                frame=candidate.frame,
                timecode=timecode(candidate.frame),
                score=candidate.score,
                sharpness=candidate.sharpness,
                stillness=candidate.stillness,
                exposure=candidate.exposure,
                thumbnail=previews.thumbnails[candidate.frame],
            )
            for candidate in pick.candidates
            if candidate.frame in previews.thumbnails
        ),
        before=before,
        after=after,
        still_name=still.path.name if still else None,
        note=pick.reason or ("" if still else "no still was asked for"),
    )


def _part(findings: Findings) -> list[tuple[str, str]]:
    """Which part of the source the shots are of, unless it is all."""
    first, end = findings.picks[0].shot.start, findings.picks[-1].shot.end
    whole = (first, end) == (0, len(findings.signal))
    return [] if whole else [("Part", f"frames {first} to {end - 1} of {len(findings.signal)}")]


def _settings(findings: Findings, made: Made, upscaler: Upscaler) -> list[tuple[str, str]]:
    source = findings.source
    width, height = source.display_size
    sizes = sorted({still.size for still in made.stills if still.size})
    return [
        ("Source", f"{width} x {height}, {source.bit_depth} bit, {source.codec}"),
        ("Model", f"{upscaler.model}, {float(upscaler.scale):g} times"),
        ("Why", upscaler.choice),
        *_part(findings),
        ("Stills", ", ".join(f"{wide} x {high}" for wide, high in sizes) or "none"),
        ("Weights", (upscaler.weights_sha256 or "none")[:16]),
        ("Precision", upscaler.precision),
        ("Version", f"SnapUpscale {__version__}"),
    ]

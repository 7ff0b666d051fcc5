"""The shots of one source and what was found in them, as every export writes them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from snapupscale.errors import SettingError
from snapupscale.media.sequences import Sequence, parse_sequence
from snapupscale.timecode import frame_to_time

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from snapupscale.scenes.shots import Shot, Transition
    from snapupscale.timecode import Timecode


@dataclass(frozen=True, kw_only=True)
class Still:
    """The picture that was made of source frame `frame`, for the shot with the number `shot`."""

    shot: int
    frame: int
    path: Path
    size: tuple[int, int] | None = None
    """Width and height in pixels, where known."""


@dataclass(frozen=True, kw_only=True)
class EditList:
    """One source, cut into shots that follow each other without a gap and cover all `frames` frames of it.

    Frames are numbers of source frames at `rate` frames per second, from 0. `start` is the timecode of frame 0
    (frame 0, not drop, where the source has none); a timeline made of the list runs on the same timecode, so that
    record and source timecodes agree. Raises SettingError when the parts contradict each other.
    """

    name: str
    source: Path
    """The file, or the pattern of an image sequence."""
    rate: Fraction
    frames: int
    start: Timecode
    shots: tuple[Shot, ...]
    transitions: tuple[Transition, ...]
    stills: tuple[Still, ...]
    """At most one for each shot."""
    width: int
    height: int
    first_number: int | None = None
    """Number in the name of the first picture of an image sequence; None when `source` is a file."""
    times: tuple[Fraction, ...] = ()
    """Seconds from the first frame to the beginning of each shot, and to the end of the last, as the footage has them;
    empty where they are those of the frame numbers."""

    def __post_init__(self) -> None:
        if self.start.rate != self.rate:
            raise SettingError(f"start timecode counts {self.start.rate} frames per second, the source {self.rate}")
        if self.width < 1 or self.height < 1:
            raise SettingError(f"a picture of {self.width}x{self.height} pixels")
        if self.first_number is not None and (self.first_number < 0 or parse_sequence(self.source) is None):
            raise SettingError(f"{self.source.name} is no image sequence with a picture number {self.first_number}")
        self._check_shots()
        for transition in self.transitions:
            if not 0 <= transition.start < transition.end <= self.frames:
                raise SettingError(f"transition {transition.start}..{transition.end} is outside 0..{self.frames}")
        self._check_stills()

    def _check_shots(self) -> None:
        if self.frames < 1:
            raise SettingError("an edit list needs at least one frame")
        position = 0
        for number, shot in enumerate(self.shots, start=1):
            if shot.number != number or shot.start != position or shot.end <= shot.start:
                raise SettingError(f"shot {number} must begin at frame {position}: {shot}")
            position = shot.end
        if position != self.frames:
            raise SettingError(f"the shots end at frame {position}, the source at {self.frames}")
        if self.times and (
            len(self.times) != len(self.shots) + 1
            or self.times[0] != 0
            or any(later < earlier for earlier, later in pairwise(self.times))
        ):
            raise SettingError(f"{len(self.times)} times of {len(self.shots)} shots, which must rise from 0")

    def _check_stills(self) -> None:
        seen = set()
        for still in self.stills:
            if not 1 <= still.shot <= len(self.shots):
                raise SettingError(f"a still of shot {still.shot}; there are {len(self.shots)} shots")
            shot = self.shots[still.shot - 1]
            if not shot.start <= still.frame < shot.end:
                raise SettingError(f"frame {still.frame} is not in shot {still.shot}, {shot.start}..{shot.end}")
            if still.shot in seen:
                raise SettingError(f"two stills of shot {still.shot}")
            seen.add(still.shot)

    @property
    def cuts(self) -> tuple[int, ...]:
        """The first frame of every shot but the first."""
        return tuple(shot.start for shot in self.shots[1:])

    @property
    def edges(self) -> tuple[Fraction, ...]:
        """Seconds from the first frame to the beginning of each shot, and to the end of the last."""
        frames = (*(shot.start for shot in self.shots), self.frames)
        return self.times or tuple(frame_to_time(frame, self.rate) for frame in frames)

    @property
    def sequence(self) -> Sequence | None:
        """The image sequence that the source is, or None for a file."""
        return None if self.first_number is None else parse_sequence(self.source)

    @property
    def media(self) -> Path:
        """The source under the one name that editors show and look for: of an image sequence that is
        `name_[0001-0100].png`, as DaVinci Resolve writes it."""
        sequence = self.sequence
        if sequence is None or self.first_number is None:
            return self.source
        first, last = (
            str(number).zfill(sequence.digits) for number in (self.first_number, self.first_number + self.frames - 1)
        )
        return self.source.with_name(f"{sequence.prefix}[{first}-{last}]{sequence.suffix}")

    def timecode(self, frame: int) -> Timecode:
        """The timecode of a source frame."""
        return self.start.shifted(frame)

    def still_by_shot(self) -> dict[int, Still]:
        """The stills under the numbers of their shots."""
        return {still.shot: still for still in self.stills}

    def transitions_by_shot(self) -> dict[int, list[Transition]]:
        """The transitions under the number of the shot that they begin in, in order."""
        found: dict[int, list[Transition]] = {}
        shots = iter(self.shots)
        shot = next(shots)
        for transition in sorted(self.transitions):
            while transition.start >= shot.end:
                shot = next(shots)
            found.setdefault(shot.number, []).append(transition)
        return found

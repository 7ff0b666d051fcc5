"""What was found in a source: its cuts and transitions, on the frame numbers that the editor counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from snapupscale.errors import SettingError

if TYPE_CHECKING:
    from snapupscale.scenes.shots import Transition


@dataclass(frozen=True, kw_only=True)
class Found:
    """The cuts of one source, ascending, each the number of the first frame of a new shot at `rate` frames per second.

    `variable` says that the source has no constant rate: its numbers are then times at `rate`. `confidences` is empty,
    or holds 0 to 1 for each cut. Raises SettingError when the parts contradict each other.
    """

    rate: Fraction
    frames: int
    cuts: tuple[int, ...]
    transitions: tuple[Transition, ...] = ()
    variable: bool = False
    confidences: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if list(self.cuts) != sorted({cut for cut in self.cuts if 0 < cut < self.frames}):
            raise SettingError(f"cuts must ascend within 1..{self.frames - 1}")
        if self.confidences and len(self.confidences) != len(self.cuts):
            raise SettingError(f"{len(self.confidences)} confidences of {len(self.cuts)} cuts")

    def at_rate(self, rate: Fraction) -> Found:
        """The same on the frame numbers of an editor that counts `rate` frames per second.

        The frames of a constant source keep their numbers, whatever rate they are played at; those of a variable one
        are times.
        """
        if not self.variable or rate == self.rate:
            return self
        numbers = [_rescaled(cut, rate / self.rate) for cut in self.cuts]
        frames = max(1, _rescaled(self.frames, rate / self.rate))
        kept = {number: index for index, number in reversed(list(enumerate(numbers))) if 0 < number < frames}
        order = sorted(kept)
        return replace(
            self,
            rate=rate,
            frames=frames,
            cuts=tuple(order),
            transitions=tuple(_moved(transition, rate / self.rate) for transition in self.transitions),
            confidences=tuple(self.confidences[kept[number]] for number in order) if self.confidences else (),
        )


def _moved(transition: Transition, ratio: Fraction) -> Transition:
    start = _rescaled(transition.start, ratio)
    return replace(transition, start=start, end=max(start + 1, _rescaled(transition.end, ratio)))


def _rescaled(frame: int, ratio: Fraction) -> int:
    value = frame * ratio + Fraction(1, 2)
    return value.numerator // value.denominator

"""The part of the class TimelineItem that is about takes (facts 1.3)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from resolve_emulator import spans
from resolve_emulator.face import Face, need, whole
from resolve_emulator.state import Clip, Item, Take, Timeline, Track


class TakeFace(Face):
    """A take selector holds the original as take 1. AddTake is judged by the count, never by what it gives."""

    state: Item

    def AddTake(self, clip: Any, start: Any = None, end: Any = None) -> bool:
        """False for the item's own clip, which yet makes the item a take selector, as recorded on 19.1.3."""
        need(isinstance(clip, Clip) and self.state.clip and not self._place()[2].locked)
        first = Fraction(whole(start)) if start is not None else Fraction(0)
        last = Fraction(whole(end)) if end is not None else Fraction(clip.asset.frames)
        need(0 <= first < last)
        if not self.state.takes:
            self._begin()
        need(clip is not self.state.clip and not self.app.quirks.take_false)
        self.state.takes.append(Take(clip=clip, start=first, end=last))
        return True

    def GetTakesCount(self) -> int:
        return len(self.state.takes)

    def GetSelectedTakeIndex(self) -> int:
        return self.state.take

    def GetTakeByIndex(self, index: Any) -> dict[str, Any]:
        take = self._take(index)
        return {"startFrame": int(take.start), "endFrame": int(take.end), "mediaPoolItem": take.clip}

    def SelectTakeByIndex(self, index: Any) -> bool:
        """Changes the clip in place; start and duration stay."""
        take = self._take(index)
        old = self.state.clip
        self.state.take = whole(index)
        self.state.clip, self.state.source_in = take.clip, take.start
        if old and self.state.name == old.name:
            self.state.name = take.clip.name
        if self.app.quirks.take_resizes:
            rate = self._timeline().rate
            length = spans.record_duration(take.end - take.start, take.clip.asset.rate, rate)
            self.state.duration = Fraction(max(1, length))
        return True

    def DeleteTakeByIndex(self, index: Any) -> bool:
        """Not the last one; deleting the selected one selects the one before."""
        self._take(index)
        need(len(self.state.takes) > 1)
        number = whole(index)
        selected = self.state.take
        del self.state.takes[number - 1]
        if selected == number:
            self.SelectTakeByIndex(max(1, number - 1))
        elif selected > number:
            self.state.take = selected - 1
        return True

    def FinalizeTake(self) -> bool:
        """False where there is no take selector."""
        need(self.state.takes)
        self.state.takes, self.state.take = [], 0
        return True

    def _begin(self) -> None:
        item = self.state
        if item.clip:
            end = spans.source_out(item, self._timeline().rate)
            item.takes = [Take(clip=item.clip, start=item.source_in, end=end)]
            item.take = 1

    def _take(self, index: Any) -> Take:
        number = whole(index)
        need(1 <= number <= len(self.state.takes))
        return self.state.takes[number - 1]

    def _timeline(self) -> Timeline:
        raise NotImplementedError

    def _place(self) -> tuple[str, int, Track]:
        raise NotImplementedError

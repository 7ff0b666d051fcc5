"""Whatever a script does, the timeline stays one that an editor could hold."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from resolve_emulator.archive import decoded, encoded
from workbench import Bench, dump

if TYPE_CHECKING:
    from resolve_emulator.state import Project

STEPS = 250


class Script:
    """Makes random calls, most of them sound."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.bench = Bench("21.1-studio", rate=self.random.choice([24, Fraction(30000, 1001), 25]))
        self.clips = [
            self.bench.add_media(f"/nowhere/{rate}.mov", frames=500, rate=Fraction(rate), audio_channels=rate % 2)
            for rate in (24, 25, 50)
        ]
        self.timeline = self.bench.handle(self.bench.timeline)
        self.pool = self.bench.resolve.GetMediaPool()

    def step(self) -> None:
        self.random.choice([
            self.append, self.append, self.append, self.delete, self.track, self.take, self.mark, self.transform,
            self.duplicate, self.nest, self.cut, self.lock, self.speed,
        ])()  # fmt: skip

    def any_item(self) -> Any:
        items = self.bench.timeline.items()
        return self.bench.handle(self.random.choice(items)) if items else None

    def any_clip(self) -> Any:
        return self.bench.handle(self.random.choice(self.clips))

    def append(self) -> None:
        start = self.random.randrange(0, 400)
        self.pool.AppendToTimeline([{
            "mediaPoolItem": self.any_clip(), "startFrame": start, "endFrame": start + self.random.randrange(1, 200),
            "trackIndex": self.random.randrange(0, 4), "recordFrame": self.bench.timeline.start + start * 3,
            **self.random.choice([{}, {"mediaType": 1}, {"mediaType": 2}]),
        }])  # fmt: skip

    def delete(self) -> None:
        self.bench.handle(self.bench.timeline).DeleteClips([self.any_item()], self.random.random() < 0.5)

    def track(self) -> None:
        timeline, kind = self.bench.handle(self.bench.timeline), self.random.choice(["video", "audio"])
        if timeline.GetTrackCount(kind) < 4:
            timeline.AddTrack(kind, {"index": self.random.randrange(0, 3)})
        else:
            timeline.DeleteTrack(kind, self.random.randrange(1, 5))

    def take(self) -> None:
        item = self.any_item()
        if item:
            item.AddTake(self.any_clip(), 0, self.random.randrange(1, 100))
            item.SelectTakeByIndex(self.random.randrange(0, 4))
            item.DeleteTakeByIndex(self.random.randrange(0, 4))

    def mark(self) -> None:
        owner = self.random.choice([self.bench.handle(self.bench.timeline), self.any_item(), self.any_clip()])
        if owner:
            owner.AddMarker(self.random.randrange(-5, 300), "Blue", "", "", 1, str(self.random.randrange(9)))
            owner.DeleteMarkerByCustomData(str(self.random.randrange(9)))

    def transform(self) -> None:
        item = self.any_item()
        if item:
            item.SetProperties({"ZoomX": self.random.uniform(-200, 200), "Scaling": self.random.randrange(9)})

    def duplicate(self) -> None:
        if self.random.random() < 0.2:
            self.bench.handle(self.bench.timeline).DuplicateTimeline()

    def nest(self) -> None:
        if self.random.random() < 0.2:
            self.bench.handle(self.bench.timeline).CreateCompoundClip([self.any_item()])

    def cut(self) -> None:
        start = self.bench.timeline.start
        self.bench.cut_at(*sorted(start + self.random.randrange(0, 1500) for _ in range(5)))
        if self.random.random() < 0.3:
            self.bench.handle(self.bench.timeline).DetectSceneCuts()

    def lock(self) -> None:
        timeline = self.bench.handle(self.bench.timeline)
        timeline.SetTrackLock("video", self.random.randrange(1, 4), self.random.random() < 0.3)

    def speed(self) -> None:
        item = self.any_item()
        if item:
            item.SetSpeed({"Percentage": self.random.choice([50, 100, 200])})


def check(project: Project) -> None:
    """Items are in order, apart, not empty, linked to what is there, and named once."""
    ids: list[str] = []
    for timeline in project.timelines:
        names = {item.id for item in timeline.items()}
        for _, _, track in timeline.all_tracks():
            ids += [item.id for item in track.items]
            assert all(item.duration > 0 and item.start >= timeline.start and not item.gone for item in track.items)
            for first, second in zip(track.items, track.items[1:], strict=False):
                assert first.end <= second.start
            assert all(set(item.linked) <= names - {item.id} for item in track.items)
            assert all(item.take <= len(item.takes) for item in track.items)
    assert len(ids) == len(set(ids))
    assert "" not in ids


@pytest.mark.parametrize("seed", range(6))
def test_random_edits_leave_a_sound_project(seed: int) -> None:
    script = Script(seed)
    for _ in range(STEPS):
        script.step()
        check(script.bench.project)
    assert sum(call.method == "AppendToTimeline" for call in script.bench.app.log) > 20
    assert script.bench.app.faults == []
    read = decoded(encoded(script.bench.project))
    assert dump(read, ids=True) == dump(script.bench.project, ids=True)


def test_the_same_edits_give_the_same_dump() -> None:
    dumps = []
    for _ in range(2):
        script = Script(3)
        for _ in range(STEPS):
            script.step()
        dumps.append(script.bench.dump(ids=True))
    assert dumps[0] == dumps[1]

from __future__ import annotations

import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from footage import long_footage
from sidecar.snapshots import applied, of_clips
from snapshots import make_item, make_json, make_media
from snapupscale.errors import DiskFull, NotPlanned, QueueFull, SettingError, SnapUpscaleError, SourceMissing
from snapupscale.media.decoder import Decoder
from snapupscale.media.source import probe
from snapupscale.sidecar import staging
from snapupscale.sidecar.service import Service
from snapupscale.sidecar.timelines import Timelines
from snapupscale.timeline.memory import HELD_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable

FOUND = {
    "rate": "24",
    "frames": 60,
    "cuts": [20, 40],
    "numbers": [20, 40],
    "length": 60,
    "transitions": [],
    "variable": False,
}
ENDED = {"done", "failed"}


class FakeJobs:
    """Jobs that end when a test says so."""

    def __init__(self) -> None:
        self.table: dict[str, dict[str, Any]] = {}
        self.cancelled: list[str] = []
        self.room = 1000
        self.error: SnapUpscaleError | None = None

    def submit(self, data: Any, /) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        if sum(job["state"] not in ENDED for job in self.table.values()) >= self.room:
            raise QueueFull("full")
        name = f"j{len(self.table)}"
        self.table[name] = {"id": name, "state": "queued", "result": None, "error": None, "asked": data}
        return self.table[name]

    def job(self, job_id: str, /) -> dict[str, Any] | None:
        return self.table.get(job_id)

    def brief(self, job_id: str, /) -> dict[str, Any] | None:
        job = self.table.get(job_id)
        return None if job is None else {name: job[name] for name in ("id", "state")}

    def cancel(self, job_id: str, /) -> bool:
        self.cancelled.append(job_id)
        return True

    def waiting(self, kind: str) -> list[dict[str, Any]]:
        return [job for job in self.table.values() if job["asked"]["kind"] == kind and job["state"] not in ENDED]

    def end(self, kind: str, *, most: int = 1000, error: str = "") -> int:
        """End what waits of one kind; how many there were."""
        ending = self.waiting(kind)[:most]
        for job in ending:
            if error:
                job.update(state="failed", error={"code": error, "message": f"it is {error}", "hint": "Mend it."})
            else:
                job.update(state="done", result=RESULTS[kind](job["asked"]))
        return len(ending)


def upscaled(asked: dict[str, Any]) -> dict[str, Any]:
    """A still of the middle of each shot in the range."""
    edges = [asked["first"], *(cut for cut in (20, 40) if asked["first"] < cut < asked["end"]), asked["end"]]
    middles = [(start + end) // 2 for start, end in pairwise(edges)]
    shots = [1 + sum(middle >= cut for cut in (20, 40)) for middle in middles]
    return {
        "made": [
            {"name": f"clip_s{shot:03}_f{middle:05}_x2_still.png", "shot": shot, "number": middle}
            for shot, middle in zip(shots, middles, strict=True)
        ]
    }


def held(asked: dict[str, Any]) -> dict[str, Any]:
    return {"movie": f"{Path(asked['source']).stem}_{asked['frames']}f{HELD_SUFFIX}", "frames": asked["frames"]}


RESULTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "cuts": lambda asked: FOUND,
    "upscale": upscaled,
    "hold": held,
}


class Bench:
    """Sessions over fake jobs; `restart` begins anew on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs = FakeJobs()
        self.stills = folder / "films"
        self.timelines = self.restart()

    def restart(self) -> Timelines:
        self.timelines = Timelines(self.folder / "timelines", self.jobs, stills=lambda: self.stills)
        return self.timelines

    def begin(self, *clips: str, snapshot: Any = None, **options: Any) -> str:
        data = {"action": "stills", "snapshot": snapshot or of_clips(*clips or ["/a.mov"]), "options": options}
        return str(self.timelines.open(data)["id"])

    def session(self, name: str) -> dict[str, Any]:
        found = self.timelines.session(name)
        assert found is not None
        return found

    def finish(self) -> None:
        """End all jobs of all stages, and look once after each."""
        for kind in ("cuts", "upscale", "hold"):
            self.jobs.end(kind)
            self.timelines.advance()

    def plan(self, name: str) -> dict[str, Any]:
        plan = self.timelines.plan(name)
        assert plan is not None
        return plan


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_stages_follow_each_other_while_nobody_asks(bench: Bench) -> None:
    name = bench.begin(scale=2, backend="lanczos", threshold=0.3)

    assert [job["asked"] for job in bench.jobs.table.values()] == [
        {"kind": "cuts", "source": "/a.mov", "threshold": 0.3}
    ]
    bench.timelines.advance()
    assert len(bench.jobs.table) == 1
    bench.jobs.end("cuts")
    bench.timelines.advance()
    (upscale,) = bench.jobs.waiting("upscale")
    assert Path(upscale["asked"]["folder"]).is_dir()
    assert Path(upscale["asked"]["folder"]).parent == bench.stills / "Film"
    assert {key: upscale["asked"][key] for key in ("first", "end", "scale", "backend")} == {
        "first": 0,
        "end": 60,
        "scale": 2,
        "backend": "lanczos",
    }
    bench.jobs.end("upscale")
    bench.timelines.advance()
    holds = bench.jobs.waiting("hold")
    assert [(hold["asked"]["frames"], hold["asked"]["rate"], hold["asked"]["start"]) for hold in holds] == [
        (20, "24", "00:00:00:10"),
        (20, "24", "00:00:01:06"),
        (20, "24", "00:00:02:02"),
    ]
    bench.jobs.end("hold")
    bench.timelines.advance()

    before = dict(bench.jobs.table)
    assert bench.session(name)["state"] == "planned"
    plan = bench.plan(name)
    assert bench.jobs.table == before
    assert plan["summary"] == {"markers": 0, "shots": 3, "stills": 3, "skipped": [], "warnings": []}
    places = [each for each in plan["operations"] if each["op"] == "place"]
    assert [(each["record"], each["frames"]) for each in places] == [(86400, 20), (86420, 20), (86440, 20)]
    imports = [each["path"] for each in plan["operations"] if each["op"] == "import_media"]
    assert all(path.endswith(HELD_SUFFIX) and path.startswith(upscale["asked"]["folder"]) for path in imports)


def test_progress_and_jobs_are_those_of_the_stage(bench: Bench) -> None:
    name = bench.begin("/a.mov", "/b.mov")
    seen = []
    for kind in ("cuts", "upscale", "hold"):
        seen.append((bench.session(name)["progress"], len(bench.session(name)["jobs"])))
        bench.jobs.end(kind, most=1)
        seen.append((bench.session(name)["progress"], len(bench.session(name)["jobs"])))
        bench.jobs.end(kind)
        bench.timelines.advance()

    assert seen == [
        ({"stage": "cuts", "done": 0, "total": 2}, 2),
        ({"stage": "cuts", "done": 1, "total": 2}, 2),
        ({"stage": "upscale", "done": 0, "total": 2}, 2),
        ({"stage": "upscale", "done": 1, "total": 2}, 2),
        ({"stage": "hold", "done": 0, "total": 6}, 6),
        ({"stage": "hold", "done": 1, "total": 6}, 6),
    ]
    with_paths = str(bench.session(name))
    assert str(bench.stills) not in with_paths


@pytest.mark.parametrize("stage", ["cuts", "upscale", "hold"])
def test_a_restart_in_any_stage_goes_on(bench: Bench, stage: str) -> None:
    name = bench.begin("/a.mov", "/b.mov")
    for kind in ("cuts", "upscale", "hold"):
        if kind == stage:
            bench.jobs.end(kind, most=1)
            bench.restart().advance()
        bench.jobs.end(kind)
        if kind == stage:
            bench.restart()
        bench.timelines.advance()

    assert bench.plan(name)["summary"]["stills"] == 6
    kinds = [job["asked"]["kind"] for job in bench.jobs.table.values()]
    assert (kinds.count("cuts"), kinds.count("upscale"), kinds.count("hold")) == (2, 2, 6)


def test_jobs_that_are_forgotten_after_they_were_noted_are_not_missed(bench: Bench) -> None:
    name = bench.begin("/a.mov", "/b.mov")
    for kind in ("cuts", "upscale", "hold"):
        bench.jobs.end(kind)
        bench.timelines.advance()
        bench.jobs.table = {key: job for key, job in bench.jobs.table.items() if job["state"] not in ENDED}
        for number in range(20):
            bench.jobs.table.setdefault(f"j{number}", {"id": "x", "state": "done", "asked": {"kind": "probe"}})

    assert bench.plan(name)["summary"]["stills"] == 6


def test_a_job_that_was_forgotten_before_costs_its_stills(bench: Bench) -> None:
    name = bench.begin("/a.mov", "/b.mov")
    bench.jobs.end("cuts")
    bench.timelines.advance()
    first, _ = bench.jobs.waiting("upscale")
    del bench.jobs.table[first["id"]]
    bench.timelines.advance()
    bench.jobs.table[first["id"]] = {"id": "x", "state": "done", "asked": {"kind": "probe"}}
    bench.finish()

    summary = bench.plan(name)["summary"]
    assert summary["stills"] == 3
    assert "forgotten" in summary["warnings"][0]
    assert {each["reason"] for each in summary["skipped"]} == {"No still was made of it."}


@pytest.mark.parametrize("stage", ["cuts", "upscale", "hold"])
def test_cancel_ends_the_jobs_of_the_stage_and_starts_no_other(bench: Bench, stage: str) -> None:
    name = bench.begin("/a.mov", "/b.mov")
    for kind in ("cuts", "upscale", "hold"):
        if kind == stage:
            break
        bench.jobs.end(kind)
        bench.timelines.advance()
    running = {job["id"] for job in bench.jobs.waiting(stage)}

    assert bench.timelines.cancel(name)

    assert running <= set(bench.jobs.cancelled)
    count = len(bench.jobs.table)
    bench.finish()
    assert len(bench.jobs.table) == count
    session = bench.session(name)
    assert (session["state"], session["error"]["code"]) == ("failed", "cancelled")
    with pytest.raises(NotPlanned):
        bench.timelines.plan(name)
    assert not bench.timelines.cancel(name)


@pytest.mark.parametrize("stage", ["upscale", "hold"])
def test_when_no_still_could_be_made_the_session_fails_with_the_reason(bench: Bench, stage: str) -> None:
    name = bench.begin()
    for kind in ("cuts", "upscale", "hold"):
        bench.jobs.end(kind, error="disk-full" if kind == stage else "")
        bench.timelines.advance()

    session = bench.session(name)
    assert (session["state"], session["error"]["code"]) == ("failed", "disk-full")
    assert session["error"]["hint"] == "Mend it."


def test_what_failed_is_told_and_the_rest_is_planned(bench: Bench) -> None:
    name = bench.begin("/a.mov", "/b.mov", "/c.mov")
    bench.jobs.end("cuts", most=1, error="not-a-video")
    bench.jobs.end("cuts")
    bench.timelines.advance()
    bench.jobs.end("upscale", most=1, error="out-of-memory")
    bench.jobs.end("upscale")
    bench.timelines.advance()
    bench.jobs.end("hold", most=1, error="disk-full")
    bench.jobs.end("hold")

    summary = bench.plan(name)["summary"]
    assert summary["stills"] == 2
    assert [each["reason"].split(".")[0] for each in summary["skipped"]] == [
        "Its source could not be used: it is not-a-video",
        *["No still was made of it"] * 4,
    ]
    assert summary["warnings"] == [
        "Some stills could not be made: it is out-of-memory. Mend it.",
        "Some stills could not be made: it is disk-full. Mend it.",
    ]


def test_a_shot_without_a_picture_worth_keeping_is_left_out_with_the_reason(bench: Bench) -> None:
    name = bench.begin()
    bench.jobs.end("cuts")
    bench.timelines.advance()
    (asked,) = [job["asked"] for job in bench.jobs.waiting("upscale")]
    bench.jobs.end("upscale")
    done = next(job for job in bench.jobs.table.values() if job["asked"] is asked)
    done["result"]["made"] = done["result"]["made"][1:]
    bench.timelines.advance()
    bench.jobs.end("hold")

    summary = bench.plan(name)["summary"]
    assert (summary["stills"], summary["warnings"]) == (2, [])
    (skipped,) = summary["skipped"]
    assert "each is black, white, flat or part of a transition" in skipped["reason"]


def test_footage_of_which_nothing_can_be_used_is_planned_at_once(bench: Bench) -> None:
    bench.jobs.error = SourceMissing("no file")
    name = bench.begin()

    assert bench.jobs.table == {}
    summary = bench.plan(name)["summary"]
    assert (summary["stills"], len(summary["skipped"])) == (0, 1)


def test_a_full_queue_is_waited_for(bench: Bench) -> None:
    name = bench.begin(*(f"/{number}.mov" for number in range(5)))
    bench.jobs.end("cuts")
    bench.jobs.room = 2
    done = 0
    for _ in range(30):
        bench.timelines.advance()
        assert len(bench.jobs.waiting("upscale") + bench.jobs.waiting("hold")) <= 2
        done += bench.jobs.end("upscale", most=1) + bench.jobs.end("hold", most=1)

    assert done == 5 + 15
    assert bench.plan(name)["summary"]["stills"] == 15


def test_one_session_leaves_room_for_others(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "AT_ONCE", 3)
    name = bench.begin(*(f"/{number}.mov" for number in range(5)))
    bench.jobs.end("cuts")
    bench.timelines.advance()
    counts = []
    while bench.session(name)["state"] == "working":
        counts.append(len(bench.jobs.waiting("upscale") + bench.jobs.waiting("hold")))
        bench.jobs.end("upscale", most=2)
        bench.jobs.end("hold", most=2)
        bench.timelines.advance()

    assert max(counts) == 3
    assert bench.plan(name)["summary"]["stills"] == 15


def test_a_disk_that_is_full_for_a_while_stops_no_session_for_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bench.begin()
    bench.jobs.end("cuts")
    bench.jobs.error = DiskFull("no space for the list of jobs")
    bench.timelines.advance()
    with pytest.raises(DiskFull):
        bench.timelines.session(name)

    bench.jobs.error = None
    bench.timelines.advance()
    bench.finish()

    assert bench.plan(name)["summary"]["stills"] == 3


def test_a_run_over_an_applied_one_removes_the_old_and_makes_the_same_again(bench: Bench) -> None:
    first = bench.begin()
    bench.finish()
    plan = bench.plan(first)
    bench.timelines.read_back(first, applied(plan))

    second = bench.begin()
    bench.finish()

    again = bench.plan(second)
    assert [each["path"] for each in again["operations"] if each["op"] == "import_media"] == [
        each["path"] for each in plan["operations"] if each["op"] == "import_media"
    ]
    undo = bench.timelines.open({"action": "undo", "snapshot": of_clips("/a.mov")})
    assert undo["state"] == "planned"


def test_the_folder_can_be_chosen(bench: Bench, tmp_path: Path) -> None:
    bench.begin(folder=str(tmp_path / "chosen"))
    bench.jobs.end("cuts")
    bench.timelines.advance()

    (upscale,) = bench.jobs.waiting("upscale")
    assert Path(upscale["asked"]["folder"]).parent == tmp_path / "chosen" / "Film"
    assert not bench.stills.exists()


def test_a_folder_that_cannot_be_made_is_named(bench: Bench) -> None:
    bench.stills.write_text("in the way")
    name = bench.begin()
    bench.jobs.end("cuts")

    session = bench.session(name)

    assert (session["state"], session["error"]["code"]) == ("failed", "output-unwritable")
    assert str(bench.stills) in session["error"]["hint"]


@pytest.mark.parametrize(
    "options",
    [{"scale": 100}, {"backend": "magic"}, {"format": "gif"}, {"pick": 3}, {"folder": "here"}, {"folder": 3}, {"x": 1}],
)
def test_options_that_no_job_would_take_are_refused_at_once(bench: Bench, options: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        bench.begin(**options)
    assert bench.jobs.table == {}


def test_from_footage_to_movies_that_the_plan_imports(tmp_path: Path, clip: Callable[..., Path]) -> None:
    footage = clip("staging.mp4", frames=60, picture=long_footage, rate=Fraction(24000, 1001), options={"crf": "12"})
    snapshot = make_json(
        make_item("a", 86400, 86450, source_start=5, media="m1"),
        make_item("b", 86450, 86480, source_start=30, media="m1"),
        media=[make_media("m1", path=str(footage), rate="23.976", frames="60", start_timecode="10:00:00:00")],
        rate="23.976",
    )
    options = {"folder": str(tmp_path / "films"), "backend": "lanczos", "scale": 2}
    service = Service(tmp_path / "data")
    try:
        name = service.timelines.open({"action": "stills", "snapshot": snapshot, "options": options})["id"]
        heads = tmp_path / "data" / "sidecar" / "timelines" / name / "work.json"
        end = time.monotonic() + 60
        while '"hold": []' in (heads.read_text() if heads.exists() else '"hold": []'):
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        service.close()  # in the middle, and nobody has asked for the session so far
    service = Service(tmp_path / "data")
    try:
        while (session := service.timelines.session(name)) is None or session["state"] == "working":
            assert time.monotonic() < end
            time.sleep(0.05)
        plan = service.timelines.plan(name)
    finally:
        service.close()

    assert session["error"] is None
    assert plan is not None
    assert plan["summary"]["stills"] == 5
    movies = [each for each in plan["operations"] if each["op"] == "import_media"]
    places = [each for each in plan["operations"] if each["op"] == "place"]
    assert [each["frames"] for each in movies] == [15, 20, 15, 10, 20]
    assert [each["record"] for each in places] == [86400, 86415, 86435, 86450, 86460]
    for movie in movies:
        source = probe(movie["path"])
        assert Path(movie["path"]).is_relative_to(tmp_path / "films" / "Film")
        assert (source.frames, source.rate, source.width) == (movie["frames"], Fraction(24000, 1001), 384)
        assert str(source.start).startswith("10:00:0")
        assert len(list(Decoder(source).frames())) == movie["frames"]

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from footage import long_footage
from sidecar.bench import Bench, bench
from sidecar.snapshots import applied, of_clips
from snapshots import make_item, make_json, make_media
from snapupscale.errors import NotPlanned, SettingError
from snapupscale.media.decoder import Decoder
from snapupscale.media.source import probe
from snapupscale.sidecar import staging
from snapupscale.sidecar.service import Service
from snapupscale.timeline.memory import HELD_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["bench"]
"""The fixture."""


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

"""The service with its real worker: what it takes, what its jobs make and hand out, and cancels in their midst."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from footage import long_footage
from sidecar.services import footage, in_stage, long, start, upscale
from snapupscale.cli import main
from snapupscale.errors import QueueFull, SettingError, SourceMissing, SourceUnreadable
from snapupscale.sidecar import service as module
from snapupscale.sidecar.service import Service, require_source
from waiting import ended, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["footage", "long", "start"]
"""The fixtures."""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def test_a_whole_job(start: Callable[..., Service], footage: Path, tmp_path: Path) -> None:
    service = start()
    job = service.submit(upscale(footage))
    assert (job["state"], job["source"], job["priority"]) == ("queued", "service.mp4", "batch")
    done = ended(service, job)
    assert done["state"] == "done"
    assert [still["shot"] for still in done["stills"]] == [1, 2, 3]
    assert service.brief(job["id"]) == service.jobs()[0] == {name: done[name] for name in job}
    assert service.brief("none") is None
    paths = [service.still(job["id"], index) for index in range(3)]
    assert all(path and path.is_file() and path.is_relative_to(tmp_path / "data" / "stills") for path in paths)
    assert service.still(job["id"], 3) is None
    assert service.still(job["id"], -1) is None
    assert service.still("none", 0) is None
    assert str(tmp_path) not in json.dumps([done, service.jobs(), service.events()])
    assert not service.busy()
    assert not service.cancel(job["id"])
    states = [event["data"]["state"] for event in service.events(job=job["id"]) if event["kind"] == "state"]
    assert states == ["queued", "running", "done"]


def test_the_folder_that_was_asked_for(start: Callable[..., Service], footage: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    service = start()
    job = ended(service, service.submit(upscale(footage, folder=str(tmp_path / "out"), limit=1)))
    assert (tmp_path / "out" / job["stills"][0]["name"]).is_file()


def test_the_same_again_keeps_what_is_finished(start: Callable[..., Service], footage: Path) -> None:
    service = start()
    first = ended(service, service.submit(upscale(footage)))
    second = ended(service, service.submit(upscale(footage, priority="interactive")))
    other = ended(service, service.submit(upscale(footage, threshold=0.5)))
    assert (first["result"]["kept"], second["result"]["kept"], other["result"]["kept"]) == (0, 3, 0)
    assert first["stills"] == second["stills"]


def test_what_a_job_hands_out(start: Callable[..., Service], footage: Path, tmp_path: Path) -> None:
    service = start()
    job = ended(service, service.submit(upscale(footage, limit=1)))
    folder = tmp_path / "data" / "stills"
    report = service.report(job["id"])
    assert report
    assert report.is_file()
    assert report.is_relative_to(folder)
    assert len(job["result"]["timelines"]) == 5
    for name in job["result"]["timelines"]:
        path = service.timeline(job["id"], name)
        assert path
        assert path.is_file()
        assert (path.name, path.parent) == (name, report.parent)
    for name in ("report.html", "stills.json", ".snapupscale.lock", "..", "", f"../{report.parent.name}/service.edl"):
        assert service.timeline(job["id"], name) is None
    cuts = ended(service, service.submit({"kind": "cuts", "source": str(footage)}))
    for other in (cuts["id"], "none"):
        assert service.report(other) is None
        assert service.timeline(other, "service.edl") is None


def test_names_of_a_worker_lead_out_of_no_folder(start: Callable[..., Service], footage: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    service = start(command=["/bin/cat"])
    job = service.submit(upscale(footage, folder=str(tmp_path / "out")))
    until(lambda: (service.job(job["id"]) or {})["state"] == "running")
    out = ("../../etc/passwd", "/etc/passwd", "a/../../b")
    for index, name in enumerate(out):
        service._store.still(job["id"], index, {"name": name})
    service._store.finish(job["id"], {"timelines": list(out), "report": "../secret"})
    paths = [service.still(job["id"], index) for index in range(3)]
    paths += [service.timeline(job["id"], name) for name in out] + [service.report(job["id"])]
    assert all(path and path.parent == tmp_path / "out" for path in paths)


@pytest.mark.parametrize("form", ["json", "csv", "edl", "otio", "fcpxml"])
def test_an_export_of_a_source(start: Callable[..., Service], footage: Path, tmp_path: Path, form: str) -> None:
    (tmp_path / "out").mkdir()
    service = start()
    request = {"kind": "export", "source": str(footage), "format": form}
    for folder in ({}, {"folder": str(tmp_path / "out")}):
        job = ended(service, service.submit({**request, **folder}))
        assert (job["state"], job["priority"], job["result"]["cuts"]) == ("done", "interactive", 2)
        (name,) = job["result"]["timelines"]
        path = service.timeline(job["id"], name)
        assert path
        assert path.parent.is_relative_to(tmp_path / ("out" if folder else "data/exports"))
        assert main(["detect", str(footage), "--format", form, "-o", str(tmp_path / "plain")]) == 0
        assert path.read_bytes() == (tmp_path / "plain").read_bytes()
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == [name]


def test_an_export_of_what_another_job_found(start: Callable[..., Service], footage: Path, tmp_path: Path) -> None:
    service = start()
    asked = {"kind": "cuts", "source": str(footage), "rate": "25", "threshold": 0.3, "min_shot": 0}
    known = ended(service, service.submit(asked))
    told = {}
    for changes in ({}, {"min_shot": 1}, {"threshold": 0.3}):
        job = service.submit({"kind": "export", "job": known["id"], "format": "json", **changes})
        assert job["source"] == "service.mp4"
        done = ended(service, job)
        path = service.timeline(done["id"], done["result"]["timelines"][0])
        assert path
        told[str(changes)] = json.loads(path.read_text())
    plain, longer, same = told.values()
    assert (plain["rate"], plain["threshold"], plain["cuts"]) == ("25", 0.3, known["result"]["cuts"])
    assert longer["cuts"] == []
    assert same == plain


def test_exports_that_are_refused(start: Callable[..., Service], footage: Path) -> None:
    service = start()
    for fields, words in (
        ({"job": "none"}, "no such job"),
        ({"job": 1}, "no such job"),
        ({"job": None}, "no such job"),
        ({"job": "none", "source": str(footage)}, "not both"),
        ({}, "source: it is missing"),
        ({"source": str(footage), "folder": "/nonexistent"}, "folder"),
        ({"source": str(footage), "pick": "best"}, "no field of export"),
    ):
        with pytest.raises(SettingError, match=words):
            service.submit({"kind": "export", "format": "edl", **fields})
    with pytest.raises(SettingError, match="format"):
        service.submit({"kind": "export", "source": str(footage), "format": "aaf"})
    with pytest.raises(SettingError, match="'job' is no field"):
        service.submit({"kind": "cuts", "job": "none", "source": str(footage)})
    assert service.jobs() == []


def test_stills_of_a_part(start: Callable[..., Service], footage: Path) -> None:
    service = start()
    job = ended(service, service.submit(upscale(footage, first=30, end=45)))
    assert [(still["shot"], 30 <= still["frame"] < 45) for still in job["stills"]] == [(2, True), (3, True)]
    late = ended(service, service.submit(upscale(footage, first=60, end=61)))
    assert (late["error"]["code"], "has 60" in late["error"]["message"]) == ("bad-setting", True)


@pytest.mark.parametrize("kind", ["probe", "analyse", "cuts", "pick"])
def test_every_other_kind(start: Callable[..., Service], footage: Path, kind: str) -> None:
    service = start()
    job = ended(service, service.submit({"kind": kind, "source": str(footage)}))
    assert job["state"] == "done"
    assert job["result"]


def test_sources_that_are_refused(start: Callable[..., Service], tmp_path: Path) -> None:
    service = start()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for source, error in {
        "relative.mp4": SettingError,
        "": SettingError,
        str(tmp_path / "none.mp4"): SourceMissing,
        str(tmp_path / "none" / "a.%04d.png"): SourceMissing,
        str(tmp_path): SourceUnreadable,
        str(tmp_path / "pipe"): SourceUnreadable,
        str(tmp_path / "loop"): SourceUnreadable,
        "/dev/zero": SourceUnreadable,
        "/" + "a" * 4000: SourceUnreadable,
    }.items():
        with pytest.raises(error):
            service.submit({"kind": "probe", "source": source})
    require_source(str(tmp_path / "a.%04d.png"))
    (tmp_path / "link.mp4").symlink_to(__file__)
    require_source(str(tmp_path / "link.mp4"))
    assert service.jobs() == []


@pytest.mark.parametrize("folder", ["relative", "/nonexistent/folder", __file__])
def test_folders_that_are_refused(start: Callable[..., Service], footage: Path, folder: str) -> None:
    with pytest.raises(SettingError, match="folder"):
        start().submit(upscale(footage, folder=folder))


def test_the_queue_has_an_end(
    start: Callable[..., Service], footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_QUEUE", 3)
    service = start(command=["/bin/cat"])
    jobs = [service.submit(upscale(footage)) for _ in range(3)]
    with pytest.raises(QueueFull):
        service.submit(upscale(footage))
    service.cancel(jobs[2]["id"])
    service.submit(upscale(footage))


@pytest.mark.parametrize("stage", ["analyse", "upscale"])
def test_cancelling_takes_a_second(start: Callable[..., Service], long: Path, stage: str) -> None:
    service = start()
    job = service.submit(upscale(long, scale=8))
    then = service.submit({"kind": "probe", "source": str(long), "priority": "batch"})
    until(lambda: in_stage(service, job, stage))
    began = time.monotonic()
    assert service.cancel(job["id"])
    assert ended(service, job, 3)["error"]["code"] == "cancelled"
    assert time.monotonic() - began < 3
    assert ended(service, then)["state"] == "done"


def test_cuts_do_not_wait_for_stills(start: Callable[..., Service], long: Path, footage: Path) -> None:
    service = start()
    stills = service.submit(upscale(long, scale=8))
    until(lambda: in_stage(service, stills, "upscale"))
    cuts = ended(service, service.submit({"kind": "cuts", "source": str(footage)}))
    assert cuts["result"]["cuts"] == [20, 40]
    assert len(service.worker_pids) == 2
    assert in_stage(service, stills, "upscale")
    service.cancel(stills["id"])
    ended(service, stills, 3)


def test_cancelling_in_a_queue(start: Callable[..., Service], long: Path) -> None:
    service = start()
    runs, *waiting = [service.submit(upscale(long, scale=8)) for _ in range(5)]
    until(lambda: in_stage(service, runs, "analyse"))
    for job in waiting:
        assert service.cancel(job["id"])
        assert ended(service, job, 0.5)["error"]["code"] == "cancelled"
    assert not service.cancel(waiting[0]["id"])
    assert not service.cancel("none")
    service.cancel(runs["id"])
    ended(service, runs, 3)
    assert not service.busy()


def test_the_service_itself_stays_small() -> None:
    program = "import sys; import snapupscale.sidecar.service; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "av", "cv2", "numpy"} & {name.split(".")[0] for name in result.stdout.split()}


def test_a_model_stays_warm_between_two_jobs(start: Callable[..., Service], clip: Callable[..., Path]) -> None:
    tiny = clip("tiny.mp4", frames=40, picture=long_footage, width=64, height=48)
    service = start()
    times, pids, names = [], set(), set()
    for how in ("first", "middle"):
        began = time.monotonic()
        request = {"kind": "upscale", "source": str(tiny), "model": "animevideov3", "backend": "cpu", "pick": how}
        job = ended(service, service.submit({**request, "limit": 1}))
        assert job["state"] == "done", job["error"]
        times.append(time.monotonic() - began)
        pids.add(service.worker_pids[0])
        names |= {still["name"] for still in job["stills"]}
    assert (len(pids), len(names)) == (1, 2)
    assert times[1] < times[0] / 2

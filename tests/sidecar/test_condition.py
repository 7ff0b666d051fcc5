from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from platformdirs import user_data_path

from sidecar.real import DEBUG, serving
from snapupscale.cli import main
from snapupscale.processes import start_time
from snapupscale.sidecar import condition, discovery, log
from snapupscale.sidecar.discovery import Discovery
from snapupscale.sidecar.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.doctor import Check

linux = pytest.mark.skipif(sys.platform != "linux", reason="paths and modes of POSIX")


def checks() -> dict[str, Check]:
    return {check.name: check for check in condition.examine()}


def database() -> Path:
    return user_data_path("snapupscale") / "sidecar" / "jobs.sqlite"


def store() -> Store:
    return Store(database())


def own(**changes: object) -> Discovery:
    """This process, as if it were a sidecar on a port where nobody listens."""
    pid = os.getpid()
    found = Discovery(protocol=1, pid=pid, start_time=start_time(pid) or "", port=9, token="t" * 43, version="0")
    return replace(found, **changes)  # type: ignore[arg-type]


def test_nothing_is_there_and_nothing_is_made(runtime: Path) -> None:
    found = checks()
    assert (found["sidecar"].found, found["sidecar"].ok) == ("does not run", True)
    assert (found["runtime"].found, found["runtime"].ok) == ("no runtime folder yet", True)
    assert found["list of jobs"].found == "not there yet"
    assert (found["sidecar log"].found, found["sidecar log"].details) == ("0 KiB", ())
    assert "jobs" not in found
    assert not list(runtime.iterdir())
    assert not database().parent.exists()
    assert not log.path().parent.exists()


@linux
def test_a_failed_job_is_told_of_without_what_is_private(
    clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "annabel" / "The Secret Film, part 2"
    folder.mkdir(parents=True)
    good = Path(shutil.copy(clip("condition.mp4", frames=24), folder / "reel one.mp4"))
    bad = folder / "annabel's reel two.mov"
    bad.write_bytes(good.read_bytes()[:500])
    monkeypatch.setenv("LOGNAME", "annabel")
    with serving(sys.executable, "-c", DEBUG) as sidecar:
        assert sidecar.ended(sidecar.submit("cuts", good))["state"] == "done"
        assert sidecar.ended(sidecar.submit("cuts", bad))["error"]["code"] == "source-truncated"
        upscale = sidecar.submit("upscale", good, backend="lanczos", scale=2, folder=str(folder))
        assert sidecar.ended(upscale)["state"] == "done"
        sidecar.ask("POST", "/v1/jobs", {"kind": "probe", "source": str(folder / "gone.mov")})
        found = checks()
        names = {folder.name, "annabel", "reel", "Secret", "condition", sidecar.found.token, str(Path.home()), "/tmp"}
        assert found["sidecar"].found.startswith("runs, idle, version ")
        assert found["sidecar"].found.endswith(f"protocol {sidecar.found.protocol}")
        assert found["runtime"].found == "the runtime folder is private"
        assert found["workers"].found[:3] in {"1: ", "2: "}

        os.kill(sidecar.process.pid, signal.SIGKILL)
        sidecar.process.wait()
        dead = checks()
    assert dead["sidecar"].found == "does not run"
    for each in (found, dead):
        assert each["jobs"].found == "2 done, 1 failed"
        assert each["last errors"].found == "source-truncated (cuts)"
        assert each["list of jobs"].found.endswith(" KiB, sound")
        assert 1 <= len(each["sidecar log"].details) <= condition.LINES
        text = json.dumps([asdict(check) for check in each.values()], ensure_ascii=False)
        assert not [name for name in names if name in text], text


@linux
def test_lines_of_the_log_are_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "annabel")
    source = str(tmp_path / "The reel.mov")
    jobs = store()
    jobs.add("probe", {"source": source, "folder": str(tmp_path / "annabel")}, "batch")
    jobs.close()
    log.path().parent.mkdir(parents=True)
    lines = [f"{number} no file {source} in The reel" for number in range(30)]
    log.path().write_text("\n".join(lines) + "\n")
    shown = tuple(f"{number} no file [path].mov in [file]" for number in range(10, 30))
    assert checks()["sidecar log"].details == shown


@linux
def test_a_folder_that_others_can_enter() -> None:
    discovery.write(own())
    discovery.path().parent.chmod(0o755)
    found = checks()["runtime"]
    assert (found.found, found.ok) == ("the runtime folder is not the user's alone", False)
    assert found.hint


def test_one_that_does_not_answer_or_is_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    discovery.write(own())
    found = checks()["sidecar"]
    assert (found.found, found.ok) == ("runs and does not answer", False)
    assert found.hint
    monkeypatch.setattr(condition, "_health", lambda found: {"busy": True})
    found = checks()["sidecar"]
    assert (found.found, found.ok) == ("runs, busy, version 0, protocol 1", False)
    assert "sidecar stop" in found.hint


@pytest.mark.parametrize("damage", [b"no database at all", b""])
def test_a_damaged_list_of_jobs(damage: bytes) -> None:
    store().close()
    whole = database().read_bytes()
    database().write_bytes(whole[: len(whole) // 2] if not damage else damage * 100)
    before = sorted(database().parent.iterdir())
    found = checks()["list of jobs"]
    assert found.found.startswith("cannot be read: ")
    assert not found.ok
    assert "/" not in found.found
    assert sorted(database().parent.iterdir()) == before


def test_a_list_of_jobs_that_makes_no_sense() -> None:
    jobs = store()
    jobs.fail(jobs.add("probe", {"source": "x"}, "batch").id, {"code": "../../home/annabel", "hint": "", "message": ""})
    assert checks()["last errors"].found == "unknown (probe)"
    jobs._db.execute("UPDATE jobs SET error = 'nonsense'")
    jobs.close()
    assert checks()["list of jobs"].found == "cannot be read: it makes no sense"


def test_a_list_of_jobs_that_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "_LOCK_SECONDS", 0.05)
    jobs = store()
    jobs._db.execute("BEGIN IMMEDIATE")
    assert checks()["list of jobs"].ok, "a writer keeps no reader out"
    jobs._db.execute("ROLLBACK")
    jobs._db.execute("PRAGMA locking_mode = EXCLUSIVE")
    jobs._db.execute("BEGIN EXCLUSIVE")
    assert checks()["list of jobs"].found == "cannot be read: database is locked"
    jobs.close()


def test_names_fit_into_the_table() -> None:
    store().close()
    assert max(map(len, checks())) < 14


def test_what_was_damaged_before_is_counted() -> None:
    store().close()
    database().write_bytes(b"no database at all" * 100)
    store().close()
    assert checks()["list of jobs"].found.endswith("sound; 1 damaged before")
    with sqlite3.connect(database()) as db:
        assert db.execute("SELECT COUNT(*) FROM jobs").fetchone() == (0,)


def test_doctor_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    log.path().parent.mkdir(parents=True)
    log.path().write_text("no file /Secret/film.mov\n")
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "ok    sidecar       does not run\n" in text
    assert f"{'':20}no file [path].mov\n" in text

    assert main(["doctor", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["sidecar"]["found"] == "does not run"
    assert rows["sidecar log"]["details"] == ["no file [path].mov"]

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sidecar.aftermath import Sample, judge, judge_samples

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
MINUTES = 10
DONE = {
    **{"state": "done", "created": 10.0, "updated": 20.0, "attempts": 0, "error": None},
    "result": {"cuts": [3], "kept": 1},
}
FAILED = {**DONE, "state": "failed", "result": None, "error": {"code": "cancelled"}}
POISONED = {**FAILED, "attempts": 2, "error": {"code": "poisoned"}}
QUIET = Sample(
    service=1,
    seconds=0,
    memory=40 << 20,
    descriptors=15,
    threads=9,
    workers=2,
    worker_memory=0,
    temporary_files=0,
    database=0,
    jobs=10,
)


@pytest.mark.slow
@pytest.mark.timeout(MINUTES * 60 + 400)
def test_a_storm_of_ten_minutes_leaves_everything_in_order() -> None:
    command = [sys.executable, "-m", "sidecar.soak", "--minutes", str(MINUTES), "--seed", "7"]
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def storm(tmp_path: Path) -> SimpleNamespace:
    """One that has done no harm."""
    for name in ("out", "data", "cache", "run"):
        (tmp_path / name).mkdir()
    (tmp_path / "stderr").write_text("")
    (tmp_path / "out" / "a.png").write_bytes(b"right")
    return SimpleNamespace(
        root=tmp_path, asked={"job": "cuts x"}, cancelled=set(), kills=[], faults=[], samples=[QUIET] * 8
    )


def faults(storm: SimpleNamespace, **jobs: dict[str, Any]) -> list[str]:
    judge(storm, jobs, {"cuts x": {"cuts": [3]}}, {"a.png": b"right"})  # type: ignore[arg-type]
    found, storm.faults = storm.faults, []
    return found


def test_what_is_in_order(storm: SimpleNamespace) -> None:
    assert faults(storm, job=DONE) == []
    storm.kills = [12.0, 15.0]
    assert faults(storm, job=POISONED) == []
    storm.cancelled = {"job"}
    assert faults(storm, job=FAILED) == []


def test_jobs_that_are_lost_or_end_otherwise(storm: SimpleNamespace) -> None:
    assert "forgotten" in faults(storm)[0]
    assert "otherwise" in faults(storm, job={**DONE, "result": {"cuts": [4]}})[0]
    assert "otherwise" in faults(storm, job=FAILED)[0]
    assert "1 deaths and saw 0 kills" in faults(storm, job={**DONE, "attempts": 1})[0]
    storm.kills = [12.0, 100.0]
    assert len(faults(storm, job=POISONED)) == 2


def test_files_that_are_wrong_or_left(storm: SimpleNamespace) -> None:
    (storm.root / "data" / "a.png").write_bytes(b"wrong")
    (storm.root / "cache" / ".snapupscale-1-abc.npz").write_bytes(b"")
    (storm.root / "stderr").write_text("Traceback (most recent call last):")
    wrong, left, said = faults(storm, job=DONE)
    assert "data/a.png" in wrong
    assert ".snapupscale-1-abc.npz is left" in left
    assert "traceback" in said


@pytest.mark.parametrize(
    "last",
    [
        *({"memory": 45 << 20}, {"memory": 60 << 20, "jobs": 100}, {"memory": 81 << 20, "jobs": 10_000}),
        *({"descriptors": 41}, {"threads": 61}, {"workers": 3}, {"descriptors": 100}),
    ],
)
def test_a_service_that_grows(last: dict[str, int]) -> None:
    said: list[str] = []
    judge_samples([QUIET] * 6, said.append)
    assert said == []
    judge_samples([*[QUIET] * 6, *[replace(QUIET, **last)] * 3], said.append)
    assert len(said) == 1

"""The real worker, killed in each stage of the main job."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from footage import long_footage
from sidecar.scripted import ended
from snapupscale.job import Settings, run
from snapupscale.sidecar import supervisor
from snapupscale.sidecar.pool import Pool
from snapupscale.sidecar.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
WORKER = """
import json, os, sys
from pathlib import Path
from snapupscale.scenes import cache
from snapupscale.sidecar import worker

deaths, stage = Path(sys.argv[1]), sys.argv[2]
progress, replace = worker.Task.progress, os.replace

def die():
    left = json.loads(deaths.read_text())
    if left.get(job):
        number = left[job].pop()
        deaths.write_text(json.dumps(left))
        os.kill(os.getpid(), number)

def progress_or_die(task, name, done, total):
    global job
    job = task.id
    progress(task, name, done, total)
    if name == stage and (done or name == "start"):
        die()

def replace_or_die(source, target, **options):
    if stage == "write" and str(target).endswith(".png"):
        die()
    replace(source, target, **options)

cache.load = lambda source: None
worker.Task.progress, os.replace = progress_or_die, replace_or_die
worker.main()
"""


@pytest.fixture
def footage(clip: Callable[..., Path]) -> Path:
    return clip("deaths.mp4", frames=60, picture=long_footage)


def kept(folder: Path) -> dict[str, bytes]:
    """What a job left, apart from its lock; timelines name the folder, which differs."""
    own, common = f"/{folder.parent.name}/out".encode(), b"/./out"
    return {path.name: path.read_bytes().replace(own, common) for path in folder.iterdir() if path.suffix != ".lock"}


slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("first", "second"),
    [(signal.SIGSEGV, signal.SIGKILL), pytest.param(signal.SIGKILL, signal.SIGSEGV, marks=slow)],
)
@pytest.mark.parametrize(
    "stage", ["start", *(pytest.param(name, marks=slow) for name in ("analyse", "pick", "upscale")), "write"]
)
def test_one_death_is_made_good_a_second_is_the_end_and_others_go_on(
    footage: Path, tmp_path: Path, stage: str, first: int, second: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_FIRST_PAUSE", 0.02)
    store = Store(tmp_path / "jobs.sqlite")

    def add(name: str) -> str:
        # Each in a folder called the same, since the report names it.
        folder = tmp_path / name / "out"
        folder.mkdir(parents=True)
        params: dict[str, Any] = {"source": str(footage), "backend": "lanczos", "folder": str(folder)}
        return store.add("upscale", params, "batch").id

    deaths = tmp_path / "deaths"
    ids = [add(name) for name in ("once", "twice", "then")]
    deaths.write_text(json.dumps({ids[0]: [first], ids[1]: [second] * 2}))
    pool = Pool(store, command=[sys.executable, "-c", WORKER, str(deaths), stage], find_gpus=lambda: ())
    try:
        once, twice, then = ended(store, *ids, seconds=60)
    finally:
        pool.close()
        store.close()

    run(footage, tmp_path / "undisturbed" / "out", Settings(backend="lanczos"))
    assert (once.state, once.attempts, then.state, then.attempts) == ("done", 1, "done", 0)
    assert twice.error
    assert (twice.error["code"], twice.attempts) == ("poisoned", 2)
    assert f"signal {int(second)}" in twice.error["message"]
    for name in ("once", "then"):
        assert kept(tmp_path / name / "out") == kept(tmp_path / "undisturbed" / "out")

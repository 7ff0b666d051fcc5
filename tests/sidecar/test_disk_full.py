"""The sidecar on a disk that really is full, or can't be written to."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from footage import long_footage
from sidecar.real import COMMAND, Real, serving
from snapupscale.sidecar import log
from snapupscale.stills.images import read_image
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it mounts file systems of Linux")
SETTINGS = {"backend": "lanczos", "scale": 2}


@pytest.fixture
def footage(clip: Callable[..., Path]) -> Path:
    return clip("disk_full.mp4", frames=60, picture=long_footage)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty disk of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = mount("-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(folder))
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


def make_read_only(disk: Path) -> None:
    assert mount("-o", "remount,ro", str(disk)).returncode == 0


def fill(disk: Path, *, leave: int = 0) -> None:
    """Fill the disk but for `leave` bytes."""
    with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    if leave:
        with (disk / "ballast").open("rb+") as file:
            file.truncate((disk / "ballast").stat().st_size - leave)


def free(disk: Path) -> None:
    (disk / "ballast").unlink()


def fails_to_start(**environment: str) -> str:
    """What a sidecar says that can't start."""
    whole = {**os.environ, **environment}
    result = subprocess.run(COMMAND, capture_output=True, text=True, check=False, timeout=30, env=whole)
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


def stills(folder: Path) -> dict[str, bytes]:
    """The stills in `folder`, which holds no half file."""
    assert not [path for path in folder.rglob(".*") if not path.name.endswith(".lock")]
    for path in folder.rglob("*.png"):
        read_image(path)
    return {path.name: path.read_bytes() for path in folder.rglob("*.png")}


@pytest.mark.parametrize("room", [0, 700_000])
def test_the_output_folder_is_full(disk: Path, footage: Path, tmp_path: Path, room: int) -> None:
    (tmp_path / "whole").mkdir()
    fill(disk, leave=room)
    with serving() as sidecar:
        whole = sidecar.ended(sidecar.submit("upscale", footage, folder=str(tmp_path / "whole"), **SETTINGS))
        failed = sidecar.ended(sidecar.submit("upscale", footage, folder=str(disk), **SETTINGS))
        assert (failed["state"], failed["error"]["code"]) == ("failed", "disk-full")
        assert "space" in failed["error"]["hint"]
        assert len(stills(disk)) == len(failed["stills"]) == (1 if room else 0)

        free(disk)
        done = sidecar.ended(sidecar.submit("upscale", footage, folder=str(disk), **SETTINGS))
        assert (whole["state"], done["state"]) == ("done", "done")
        assert done["result"]["kept"] == (1 if room else 0)
        assert stills(disk) == stills(tmp_path / "whole")
        assert sidecar.process.poll() is None


def test_the_output_folder_is_read_only(disk: Path, footage: Path) -> None:
    make_read_only(disk)
    with serving() as sidecar:
        failed = sidecar.ended(sidecar.submit("upscale", footage, folder=str(disk), **SETTINGS))
        assert (failed["state"], failed["error"]["code"]) == ("failed", "output-unwritable")
        assert failed["error"]["hint"]
        assert sidecar.ended(sidecar.submit("probe", footage))["state"] == "done"


def test_the_data_folder_fills_while_a_job_runs(disk: Path, footage: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with serving(XDG_DATA_HOME=str(disk), XDG_STATE_HOME=str(disk)) as sidecar:
        sidecar.ended(sidecar.submit("probe", footage))
        running = sidecar.submit("upscale", footage, folder=str(tmp_path / "out"), **SETTINGS)
        fill(disk)
        refused = until(lambda: refusal(sidecar, footage))
        assert refused == (507, "disk-full", True)
        assert sidecar.ask("GET", "/v1/jobs").status == 200
        assert sidecar.job(running)["state"] in {"queued", "running"}

        free(disk)
        assert sidecar.ended(running)["state"] == "done"
        assert len(stills(tmp_path / "out")) == 3
        assert sidecar.ended(sidecar.submit("cuts", footage))["state"] == "done"
        sidecar.ask("POST", "/v1/stop")
        assert sidecar.process.communicate(timeout=10)[1].count("\n") <= 1
        assert "ended" in next(disk.rglob("sidecar.log")).read_text()


def refusal(sidecar: Real, footage: Path) -> tuple[int, str, bool] | None:
    """How a job is refused; None as long as it is not, since a list of jobs has room in its own file for some."""
    answer = sidecar.ask("POST", "/v1/jobs", {"kind": "probe", "source": str(footage)})
    return None if answer.status == 201 else (answer.status, answer.code, bool(answer.data["error"]["hint"]))


@pytest.mark.parametrize("variable", ["XDG_DATA_HOME", "XDG_RUNTIME_DIR"])
def test_it_says_why_it_cannot_start_and_starts_later(
    disk: Path, variable: str, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(disk))
    fill(disk)
    said = fails_to_start()
    assert "code: disk-full" in said
    assert "hint: " in said

    free(disk)
    with serving() as sidecar:
        assert sidecar.ended(sidecar.submit("probe", footage))["state"] == "done"


def test_it_does_not_start_on_a_data_folder_that_is_read_only(disk: Path) -> None:
    make_read_only(disk)
    assert "code: output-unwritable" in fails_to_start(XDG_DATA_HOME=str(disk))


def test_the_cache_is_full_or_read_only(disk: Path, footage: Path) -> None:
    fill(disk)
    with serving(XDG_CACHE_HOME=str(disk)) as sidecar:
        first = sidecar.ended(sidecar.submit("cuts", footage))
        assert first["state"] == "done"
        assert not [path for path in disk.rglob("*") if path.is_file() and path.name != "ballast"]

        free(disk)
        make_read_only(disk)
        assert sidecar.ended(sidecar.submit("cuts", footage))["result"] == first["result"]

        assert mount("-o", "remount,rw", str(disk)).returncode == 0
        assert sidecar.ended(sidecar.submit("cuts", footage))["result"] == first["result"]
        assert len(list(disk.rglob("*.npz"))) == 1


def test_the_log_goes_on_when_there_is_space_again(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(disk))
    with serving() as sidecar:
        fill(disk)
        for number in range(500):
            sidecar.ask("GET", f"/{'lost' * 20}/{number}", Host="evil.com")
        assert sidecar.ask("GET", "/v1/health").status == 200

        free(disk)
        sidecar.ask("GET", "/found", Host="evil.com")
        assert "'/found'" in log.path().read_text()
        sidecar.ask("POST", "/v1/stop")
        assert sidecar.process.communicate(timeout=10)[1].count("\n") == 1

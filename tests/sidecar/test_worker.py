from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from footage import long_footage
from snapupscale.cli import main
from snapupscale.colour import ColourTags
from snapupscale.errors import Cancelled, DiskFull
from snapupscale.job import Settings
from snapupscale.media.decoder import Decoder
from snapupscale.media.source import probe
from snapupscale.scenes.methods import Detection, find_cuts
from snapupscale.scenes.shots import Transition
from snapupscale.sidecar import worker
from snapupscale.sidecar.child import COMMAND
from snapupscale.sidecar.worker import Task, Warm, serve
from snapupscale.stills.images import write_image
from snapupscale.timecode import exact_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from snapupscale.progress import Progress


class Client:
    """A task whose replies are kept."""

    def __init__(self) -> None:
        self.replies: list[Mapping[str, Any]] = []
        self.cancelled: set[str] = set()
        self.warm = Warm()
        self.task = Task("a", self.replies.append, self.cancelled, self.warm)

    def ask(self, kind: str, **params: Any) -> dict[str, Any]:
        return json.loads(json.dumps(serve(self.task, kind, params)))  # type: ignore[no-any-return]

    def said(self, key: str) -> list[Any]:
        return [reply[key] for reply in self.replies if key in reply]


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def footage(clip: Callable[..., Path]) -> Path:
    return clip("worker.mp4", frames=60, picture=long_footage, options={"crf": "12"})


def test_probe(client: Client, footage: Path) -> None:
    done = client.ask("probe", source=str(footage))["done"]
    assert (done["width"], done["height"], done["frames"], done["rate"]) == (192, 108, 60, "24")
    assert client.ask("probe", source=str(footage), rate="24000/1001")["done"]["rate"] == "24000/1001"


def test_probe_tells_what_the_command_tells_but_no_path(
    client: Client, footage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", str(footage), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("source") == str(footage)
    done = client.ask("probe", source=str(footage))["done"]
    assert done == told
    assert str(footage.parent) not in json.dumps(done)


def test_analyse_then_cuts_at_once(client: Client, footage: Path) -> None:
    done = client.ask("analyse", source=str(footage))["done"]
    assert (done["frames"], done["rate"]) == (60, "24")
    assert {report["stage"] for report in client.said("progress")} == {"start", "analyse"}
    client.replies.clear()
    found = client.ask("cuts", source=str(footage))["done"]
    assert found["cuts"] == [20, 40]
    assert found["shots"][1] == {"start": 20, "end": 40}
    assert "source" not in found
    assert (found["numbers"], found["variable"]) == ([20, 40], False)
    assert [report["stage"] for report in client.said("progress")] == ["start"]


def test_cuts_of_a_variable_rate_are_placed_by_time(
    client: Client, clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pts = [number * 42 for number in range(20)] + [2000 + number * 42 for number in range(40)]
    options = {"crf": "12"}
    path = clip(
        "worker-gap.mkv", frames=60, picture=long_footage, time_base=Fraction(1, 1000), pts=pts, options=options
    )
    found = client.ask("cuts", source=str(path))["done"]
    assert (found["cuts"], found["numbers"], found["variable"]) == ([20, 40], [48, 68], True)

    def fading(*arguments: Any, **options: Any) -> Detection:
        plain = find_cuts(*arguments, **options)
        return replace(plain, transitions=(Transition(start=18, end=22, kind="dissolve"),))

    monkeypatch.setattr(worker, "find_cuts", fading)
    (transition,) = client.ask("cuts", source=str(path))["done"]["transitions"]
    assert transition == {"start": 18, "end": 22, "kind": "dissolve", "numbers": {"start": 18, "end": 50}}


def test_export(client: Client, footage: Path, tmp_path: Path) -> None:
    done = client.ask("export", source=str(footage), format="edl", folder=str(tmp_path))["done"]
    assert done["timelines"] == ["worker.edl"]
    assert [path.name for path in tmp_path.iterdir()] == ["worker.edl"]
    assert (tmp_path / "worker.edl").read_text().count("* FROM CLIP NAME") == 3
    fails = client.ask("export", source=str(footage), format="edl", folder=str(tmp_path / "none"))
    assert fails["error"]["code"] == "output-unwritable"


def test_a_part_is_picked_without_a_look_outside(
    client: Client, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.ask("analyse", source=str(footage))
    asked: list[int] = []
    plain = Decoder.read

    def read(self: Decoder, frames: Any, index: Any) -> Any:
        asked.extend(frames)
        return plain(self, frames, index)

    monkeypatch.setattr(Decoder, "read", read)
    picks = client.ask("pick", source=str(footage), first=30, end=45)["done"]["picks"]
    parts = [{"number": 2, "start": 30, "end": 40}, {"number": 3, "start": 40, "end": 45}]
    assert [pick["shot"] for pick in picks] == parts
    assert asked
    assert all(30 <= frame < 45 for frame in asked)


def test_pick(client: Client, footage: Path) -> None:
    picks = client.ask("pick", source=str(footage))["done"]["picks"]
    assert [pick["shot"]["start"] for pick in picks] == [0, 20, 40]
    assert all(pick["frame"] == pick["candidates"][0]["frame"] for pick in picks)


def test_upscale_tells_of_each_still_once_it_is_there(client: Client, footage: Path, tmp_path: Path) -> None:
    done = client.ask("upscale", source=str(footage), folder=str(tmp_path), backend="lanczos", scale="3/2")["done"]
    stills = client.said("still")
    assert [still["index"] for still in stills] == [0, 1, 2]
    assert [still["name"] for still in stills] == done["stills"]
    assert all((tmp_path / name).is_file() for name in (*done["stills"], *done["timelines"], done["report"]))
    assert stills[0]["size"] == (288, 162)
    assert client.said("say")
    assert (done["kept"], client.said("progress")[-1]["done"]) == (0, 3)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"source": "/nonexistent.mp4"}, "source-missing"),
        ({"source": "/"}, "source-unreadable"),
        ({"source": __file__}, "not-a-video"),
        ({"source": __file__, "rate": "x"}, "bad-setting"),
    ],
)
def test_errors_of_the_tree(client: Client, params: dict[str, Any], code: str) -> None:
    error = client.ask("probe", **params)["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["hint"]


@pytest.mark.parametrize(("raised", "code"), [(MemoryError("much"), "out-of-memory"), (OSError("odd"), "internal")])
def test_other_errors(
    client: Client, raised: Exception, code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(source: str, rate: object) -> None:
        raise raised

    monkeypatch.setattr(worker, "probe", fail)
    assert client.ask("probe", source="/a")["error"]["code"] == code
    assert ("Traceback" in capsys.readouterr().err) == (code == "internal")


def test_cancelled_before_it_began_and_in_the_midst(
    client: Client, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = client.task.progress
    frames = []

    def progress(stage: str, done: float, total: float | None) -> None:
        frames.append(done)
        if done == 10:
            client.cancelled.add("a")
        plain(stage, done, total)

    monkeypatch.setattr(client.task, "progress", progress)
    assert client.ask("analyse", source=str(footage))["error"]["code"] == "cancelled"
    assert max(frames) == 10
    assert client.ask("analyse", source=str(footage))["error"]["code"] == "cancelled"
    assert max(frames) == 10


def test_progress_is_sent_now_and_then(client: Client) -> None:
    report: Progress = client.task.progress
    for done in range(10_001):
        report("analyse", done, 10_000)
    report("upscale", 0, 3)
    sent = client.said("progress")
    assert len(sent) < 20
    assert [sent[0]["done"], sent[-2]["done"], sent[-1]["stage"]] == [0, 10_000, "upscale"]
    assert sent[-2]["rate"] > 0
    assert sent[-2]["remaining"] == 0


def test_an_upscaler_is_lent_again_to_who_asks_for_the_same() -> None:
    warm = Warm()
    settings, other = Settings(backend="lanczos"), Settings(backend="bicubic")
    with warm.lend(settings) as first:
        pass
    with warm.lend(Settings(backend="lanczos", threshold=0.7)) as again:
        assert again is first
    with pytest.raises(Cancelled), warm.lend(settings):
        raise Cancelled("enough")
    with warm.lend(settings) as again:
        assert again is first
    with warm.lend(other) as second:
        assert second.backend == "bicubic"
    with pytest.raises(ValueError, match="closed"):
        first.upscale(None)
    with pytest.raises(DiskFull), warm.lend(other):
        raise DiskFull("full")
    with warm.lend(other) as third:
        assert third is not second


def started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def write(process: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def read(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout
    return json.loads(process.stdout.readline())  # type: ignore[no-any-return]


def test_the_process_and_its_end(clip: Callable[..., Path]) -> None:
    footage = clip("worker-long.mp4", frames=1000, picture=long_footage)
    with started() as process:
        write(process, {"id": "b", "kind": "probe", "params": {"source": str(footage)}})
        assert read(process)["progress"]["stage"] == "start"
        assert read(process)["done"]["frames"] == 1000
        write(process, {"id": "c", "kind": "analyse", "params": {"source": str(footage)}})
        while read(process).get("progress", {}).get("stage") != "analyse":
            pass
        assert process.stdin
        began = time.monotonic()
        process.stdin.close()
        assert process.wait(5) == 0
        assert time.monotonic() - began < 1


def test_standard_output_holds_replies_alone() -> None:
    program = """
import os, sys
from snapupscale.sidecar.contained import private_output
send = private_output()
print("a library prints", flush=True)
os.write(1, b"and so does one in C")
send({"id": "a", "name": "\\udcff"})
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(result.stdout) == {"id": "a", "name": "?"}
    assert b"a library prints" in result.stderr
    assert b"in C" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends it")
def test_it_dies_with_its_parent_even_with_its_input_open(tmp_path: Path) -> None:
    # The input is a pipe that this test holds open, too, so that its end is no help.
    reading, writing = os.pipe()
    program = f"import subprocess, time; p = subprocess.Popen({list(COMMAND)!r}, stdin={reading}); print(p.pid); " + (
        "import sys; sys.stdout.flush(); time.sleep(60)"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[reading]) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        os.write(writing, json.dumps({"id": "a", "kind": "probe", "params": {"source": "/"}}).encode() + b"\n")
        assert b"progress" in parent.stdout.readline()
        parent.send_signal(signal.SIGKILL)
        end = time.monotonic() + 2
        while _runs(pid) and time.monotonic() < end:
            time.sleep(0.01)
        assert not _runs(pid)
    os.close(reading)
    os.close(writing)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
def test_memory_is_limited() -> None:
    program = """
import os
from snapupscale.sidecar import contained, worker
from snapupscale.sidecar.worker import Task, Warm
contained._MEMORY_SHARE = 2**30 / (os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
contained.Path.exists = lambda path: False
contained.limit_memory()
worker.probe = lambda source, rate: bytearray(2**31)
print(worker.serve(Task("a", lambda reply: None, set(), Warm()), "probe", {"source": "/a"})["error"]["code"])
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "out-of-memory"


def test_upscale_says_which_frame_each_still_is(client: Client, footage: Path, tmp_path: Path) -> None:
    params = {"source": str(footage), "folder": str(tmp_path), "backend": "lanczos", "scale": 2, "pick": "first"}

    done = client.ask("upscale", first=5, end=45, **params)["done"]

    assert [(made["shot"], made["number"]) for made in done["made"]] == [(1, 5), (2, 20), (3, 40)]
    assert [made["name"] for made in done["made"]] == done["stills"]


def test_a_part_of_a_source_with_a_variable_rate_may_be_given_in_times(
    client: Client, clip: Callable[..., Path], tmp_path: Path
) -> None:
    # 20 frames at 24 a second, then 40 at 12: times run to 100 twenty-fourths.
    times = [*range(20), *range(20, 100, 2)]
    footage = clip("worker_times.mp4", frames=60, picture=long_footage, pts=times, time_base=Fraction(1, 24))
    params = {"source": str(footage), "folder": str(tmp_path), "backend": "lanczos", "scale": 2, "pick": "first"}
    cuts = client.ask("cuts", source=str(footage))["done"]
    assert cuts["variable"]
    ratio = exact_rate(cuts["rate"]) / 24
    first, end = (round(time * ratio) for time in (10, 70))

    done = client.ask("upscale", first=first, end=end, counted="times", **params)["done"]

    frames = [int(name.split("_f")[1][:5]) for name in done["stills"]]
    assert [made["shot"] for made in done["made"]] == [1, 2, 3]
    assert frames[1:] == [20, 40]
    assert [made["number"] for made in done["made"]] == [round(times[frame] * ratio) for frame in frames]
    assert done["made"][0]["number"] == first
    part = {"first": first, "end": end, "counted": "times"}
    picks = client.ask("pick", source=str(footage), pick="first", **part)["done"]["picks"]
    assert [pick["frame"] for pick in picks] == frames


def test_hold_makes_a_movie_beside_the_still_and_keeps_it(client: Client, tmp_path: Path) -> None:
    still = tmp_path / "A001_s001_f00012_x4_still.png"
    write_image(still, np.full((18, 32, 3), 30000, dtype=np.uint16), tags=ColourTags())
    params = {"source": str(still), "rate": "24000/1001", "frames": 48, "start": "10:00:00:12", "start_rate": "25"}

    done = client.ask("hold", **params)["done"]

    movie = tmp_path / "A001_s001_f00012_x4_still_48f_23.976.snapupscale.mov"
    assert done == {"movie": movie.name, "frames": 48}
    source = probe(movie)
    assert (source.frames, source.rate, str(source.start)) == (48, Fraction(24000, 1001), "10:00:00:11")
    assert client.said("progress")[-1]["stage"] == "hold"
    made = movie.stat().st_mtime_ns
    assert client.ask("hold", **params)["done"] == done
    assert movie.stat().st_mtime_ns == made
    write_image(still, np.full((18, 32, 3), 10000, dtype=np.uint16), tags=ColourTags())
    client.ask("hold", **params)
    assert movie.stat().st_mtime_ns > made


def test_hold_stops_when_asked(client: Client, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((18, 32, 3), dtype=np.uint16), tags=ColourTags())
    client.cancelled.add("a")

    answer = client.ask("hold", source=str(tmp_path / "a.png"), rate=24, frames=48)

    assert answer["error"]["code"] == "cancelled"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

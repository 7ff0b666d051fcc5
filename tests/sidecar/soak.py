"""A storm on a real sidecar: jobs, cancels, kills and rude clients, drawn from a seed; then what it left is judged.

Run on Linux: PYTHONPATH=tests python -m sidecar.soak --minutes 3 --seed 1
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from footage import long_footage, make_video
from sidecar.aftermath import Sample, children, judge, lives, orphans, outcome, pictures, quarters, take_sample
from sidecar.fakes import ask, wait_for
from snapupscale.sidecar.messages import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snapupscale.sidecar.discovery import Discovery

VARIABLES = {"XDG_RUNTIME_DIR": "run", "XDG_STATE_HOME": "state", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache"}
ENDED = {"done", "failed"}
MOST_JOBS = 900
"""Fewer than the sidecar remembers."""
MOST_WAITING = 8
KILLING_SHARE = 0.5
"""Of the time, in which the service is killed as well; afterwards one service lives on, and its memory is watched."""
SAMPLE_SECONDS = 2.0
DRAIN_SECONDS = 300.0


class Storm:
    """One sidecar at a time in `root`, and all that happens to it. `clips` is where the footage is."""

    def __init__(self, root: Path, clips: Path, seed: int) -> None:
        self.root = root
        self.requests = requests(clips)
        self.random = random.Random(seed)
        self.asked: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.kills: list[float] = []
        self.counts: dict[str, int] = {}
        self.samples: list[Sample] = []
        self.faults: list[str] = []
        self.slowest = 0.0
        self._open: list[socket.socket] = []
        self._services = 0
        self._began = time.monotonic()
        (root / "out").mkdir(parents=True)
        for variable, name in VARIABLES.items():
            (root / name).mkdir(mode=0o700)
            os.environ[variable] = str(root / name)
        self.start()

    def start(self) -> None:
        """Start the next sidecar."""
        self._services += 1
        with (self.root / "stderr").open("ab") as errors:
            self.process: subprocess.Popen[Any] = subprocess.Popen(
                [sys.executable, "-m", "snapupscale", "sidecar", "serve"], stdout=subprocess.DEVNULL, stderr=errors
            )
        self.found: Discovery = wait_for(self.process)

    def rage(self, seconds: float) -> None:
        """Do harm at random for so long."""
        began = sampled = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            deeds = [*DEEDS, *FATAL_DEEDS] if passed < KILLING_SHARE * seconds else DEEDS
            deed, _ = self.random.choices(deeds, [weight for _, weight in deeds])[0]
            self.counts[deed.__name__] = self.counts.get(deed.__name__, 0) + 1
            deed(self)
            if time.monotonic() - sampled > SAMPLE_SECONDS:
                sampled = time.monotonic()
                self.samples.append(self.sample())
            time.sleep(self.random.uniform(0.01, 0.3))

    def ask(self, method: str, path: str, data: object = None) -> Any:
        """What the sidecar answers; anything but what a healthy one says is a fault."""
        began = time.monotonic()
        answer = ask(self.found, method, path, data)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status >= 500:
            self.faults.append(f"{method} {path}: {answer.status} {answer.data}")
        return answer.data

    def jobs(self) -> dict[str, dict[str, Any]]:
        return {job["id"]: job for job in self.ask("GET", "/v1/jobs")["jobs"]}

    def submit(self) -> None:
        """Hand in a job of any kind."""
        waiting = sum(job["state"] not in ENDED for job in self.jobs().values())
        if len(self.asked) >= MOST_JOBS or waiting >= MOST_WAITING:
            return
        label = self.random.choice(sorted(self.requests))
        reply = self.ask("POST", "/v1/jobs", self.request(label))
        if "id" in reply:
            self.asked[reply["id"]] = label
        else:
            self.faults.append(f"{label} is refused: {reply}")

    def request(self, label: str) -> dict[str, Any]:
        """One with stills has any priority, and says at times into which folder."""
        request = dict(self.requests[label])
        if request["kind"] != "upscale":
            return request
        request["priority"] = self.random.choice(["interactive", "batch"])
        if self.random.random() < 0.5:
            folder = self.root / "out" / f"{len(list((self.root / 'out').iterdir()))}"
            folder.mkdir()
            request["folder"] = str(folder)
        return request

    def cancel(self) -> None:
        """Cancel a job that has not ended."""
        names = [name for name, job in self.jobs().items() if job["state"] not in ENDED]
        if names:
            name = self.random.choice(names)
            self.cancelled.add(name)
            self.ask("POST", f"/v1/jobs/{name}/cancel")

    def look(self) -> None:
        """Read what there is to read."""
        names = list(self.jobs())
        self.ask("GET", "/v1/health")
        events = self.ask("GET", f"/v1/events?after={self.random.choice([0, 10**9])}")["events"]
        if [event["id"] for event in events] != sorted(event["id"] for event in events):
            self.faults.append("events are out of order")
        if names:
            self.ask("GET", f"/v1/jobs/{self.random.choice(names)}")

    def listen(self) -> None:
        """Open a stream of events and leave it open."""
        lines = ["GET /v1/events/stream HTTP/1.1", f"Host: 127.0.0.1:{self.found.port}"]
        self._connect("\r\n".join([*lines, f"Authorization: Bearer {self.found.token}", "", ""]))

    def dawdle(self) -> None:
        """Begin a request and leave it there."""
        self._connect(self.random.choice(["", "GET /v1/hea", "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"]))

    def _connect(self, text: str) -> None:
        while len(self._open) > 20:
            self.vanish()
        with suppress(OSError):
            self._open.append(socket.create_connection(("127.0.0.1", self.found.port), timeout=5))
            self._open[-1].sendall(text.encode())

    def vanish(self) -> None:
        """Reset a connection with all that is unread in it."""
        if self._open:
            with self._open.pop(self.random.randrange(len(self._open))) as gone:
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def kill_worker(self) -> None:
        workers = children(self.process.pid)
        if workers:
            self.kills.append(time.time())
            with suppress(ProcessLookupError):
                os.kill(self.random.choice(workers), self.random.choice([signal.SIGKILL, signal.SIGSEGV]))

    def forget_signals(self) -> None:
        """Have the footage decoded again."""
        for path in (self.root / "cache").rglob("[!.]*.npz"):
            path.unlink(missing_ok=True)

    def kill_service(self) -> None:
        """Kill the service, at times in the midst of a request."""
        if self.random.random() < 0.5:
            body = json.dumps(self.request(self.random.choice(sorted(self.requests))))
            connection = http.client.HTTPConnection("127.0.0.1", self.found.port, timeout=10)
            headers = {"Authorization": f"Bearer {self.found.token}", "Content-Type": "application/json"}
            connection.request("POST", "/v1/jobs", body=body, headers=headers)
            time.sleep(self.random.uniform(0, 0.02))
            connection.close()
        workers = children(self.process.pid)
        self.kills.append(time.time())
        self.process.kill()
        self.process.wait()
        self._gone(workers)
        self.start()

    def stop_service(self) -> None:
        """Stop the service as a client does, and start it again."""
        self.stop()
        self.start()

    def stop(self) -> None:
        workers = children(self.process.pid)
        self.ask("POST", "/v1/stop")
        if (code := self.process.wait(30)) != 0:
            self.faults.append(f"a sidecar that was stopped ended with {code}")
        self._gone(workers)

    def _gone(self, workers: Sequence[int]) -> None:
        end = time.monotonic() + 2
        while alive := [pid for pid in workers if lives(pid)]:
            if time.monotonic() > end:
                self.faults.append(f"{len(alive)} workers outlive their service by 2 s")
                return
            time.sleep(0.02)

    def drain(self) -> dict[str, dict[str, Any]]:
        """Close every connection, and wait until every job has ended; the jobs, with results and stills."""
        while self._open:
            self.vanish()
        end = time.monotonic() + DRAIN_SECONDS
        while waiting := [job for job in self.jobs().values() if job["state"] not in ENDED]:
            if time.monotonic() > end:
                self.faults.append(f"jobs don't end: {waiting}")
                break
            time.sleep(0.2)
        time.sleep(1)
        self.samples.append(self.sample())
        return {name: self.ask("GET", f"/v1/jobs/{name}") for name in (self.asked or self.jobs())}

    def sample(self) -> Sample:
        """How the service is now."""
        seconds = time.monotonic() - self._began
        return take_sample(
            self.process.pid, self.root, service=self._services, seconds=seconds, jobs=len(self.asked)
        )


DEEDS: list[tuple[Callable[[Storm], None], float]] = [
    *((Storm.submit, 6), (Storm.look, 3), (Storm.listen, 2), (Storm.vanish, 2), (Storm.dawdle, 1)),
    *((Storm.cancel, 1.2), (Storm.kill_worker, 0.5), (Storm.forget_signals, 0.5)),
]
FATAL_DEEDS: list[tuple[Callable[[Storm], None], float]] = [(Storm.kill_service, 0.5), (Storm.stop_service, 0.3)]


def requests(clips: Path) -> dict[str, dict[str, Any]]:
    """Every kind of job, by a label; the footage is made where it is missing."""
    clips.mkdir(exist_ok=True)
    small, large, tiny, broken = (clips / f"{name}.mp4" for name in ("small", "large", "tiny", "broken"))
    if not broken.exists():
        make_video(small, frames=60, picture=long_footage)
        make_video(large, frames=600, picture=long_footage)
        make_video(tiny, frames=24, picture=long_footage, width=64, height=48)
        broken.write_bytes(small.read_bytes()[:1000])
    made: dict[str, dict[str, Any]] = {
        "upscale small": {"source": str(small), "backend": "lanczos", "scale": 2},
        "upscale large": {"source": str(large), "backend": "bicubic", "scale": 4},
        "upscale tiny": {"source": str(tiny), "backend": "cpu", "model": "animevideov3"},
        "probe broken": {"source": str(broken)},
    }
    for kind in sorted(KINDS.keys() - {"upscale", "hold"}):
        # Kinds that came later than this program may want more than a source.
        settings = {"format": "edl"} if "format" in {field.name for field in fields(KINDS[kind])} else {}
        for source in (small, large):
            made[f"{kind} {source.stem}"] = {"source": str(source), **settings}
    return {label: {"kind": label.split()[0], **request} for label, request in made.items()}


def calm(root: Path, clips: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What a sidecar that nobody disturbs makes of every request: how it ends, by label, and the stills, by name."""
    storm = Storm(root, clips, 0)
    try:
        for label, request in storm.requests.items():
            storm.asked[storm.ask("POST", "/v1/jobs", request)["id"]] = label
        jobs = storm.drain()
        storm.stop()
    finally:
        storm.process.kill()
    stills = {path.name: data for path, data in pictures(root).items()}
    return {storm.asked[name]: outcome(job) for name, job in jobs.items()}, stills


def report(storm: Storm, jobs: dict[str, dict[str, Any]]) -> str:
    ends: dict[str, int] = {}
    for job in jobs.values():
        end = job["state"] if job["state"] == "done" else f"failed ({job['error']['code']})"
        ends[end] = ends.get(end, 0) + 1
    last = [each for each in storm.samples if each.service == storm.samples[-1].service]
    memory = ", ".join(f"{memory / 2**20:.1f} MiB with {jobs:.0f} jobs" for memory, jobs in quarters(last))
    rows = {
        "jobs": ends,
        "deeds": storm.counts,
        "stills": len(pictures(storm.root)),
        "slowest answer": f"{storm.slowest:.2f} s",
        "services": storm.samples[-1].service,
        "last service": f"{len(last)} samples over {last[-1].seconds - last[0].seconds:.0f} s",
        "its memory": f"by quarters {memory}",
    }
    for name in ("descriptors", "threads", "workers", "temporary_files"):
        values = [getattr(each, name) for each in last]
        rows[name] = f"{min(values)} to {max(values)}, {values[-1]} at the end"
    rows["worker memory"] = f"at most {max(each.worker_memory for each in storm.samples) / 2**20:.0f} MiB"
    rows["database"] = f"at most {max(each.database for each in storm.samples) / 2**20:.1f} MiB"
    lines = [f"{name + ':':<18}{value}" for name, value in rows.items()]
    return "\n".join([*lines, *(f"FAULT: {fault}" for fault in storm.faults), f"{len(storm.faults)} faults"])


def main() -> int:
    """Rage for --minutes, and print what came of it; 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="soak-"))
    right, stills = calm(root / "calm", root / "clips")
    storm = Storm(root / "storm", root / "clips", options.seed)
    try:
        storm.rage(options.minutes * 60)
        jobs = storm.drain()
        storm.stop()
        judge(storm, jobs, right, stills)
        if left := orphans(root):
            storm.faults.append(f"{len(left)} processes are left")
    finally:
        storm.process.kill()
        storm.process.wait()
    print(report(storm, jobs))
    if storm.faults:
        print(f"all of it is in {root}")
        return 1
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A worker that is quick to start and does what its job says, and how the jobs of the tests are made and watched."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from waiting import until

if TYPE_CHECKING:
    from snapupscale.sidecar.store import Job, Store

WORKER = """
import json, os, queue, signal, sys, threading, time

requests, cancelled = queue.Queue(), set()

def listen():
    for line in sys.stdin:
        message = json.loads(line)
        cancelled.add(message["cancel"]) if "cancel" in message else requests.put(message)
    os._exit(0)

threading.Thread(target=listen, daemon=True).start()
while True:
    job = requests.get()
    job_id, params = job["id"], job["params"]
    send = lambda **reply: print(json.dumps({"id": job_id, **reply}), flush=True)

    def rest(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and (job_id not in cancelled or "deaf" in params):
            time.sleep(0.01)

    send(progress={"stage": "work", "done": 0, "device": os.environ.get("CUDA_VISIBLE_DEVICES")})
    for index in range(params.get("stills", 0)):
        send(still={"index": index, "name": f"{index}.png"})
    if "signal" in params:
        os.kill(os.getpid(), params["signal"])
    if "nonsense" in params:
        print("no json", flush=True)
        send(still={"name": "without an index"})
    if "ignore" in params:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        time.sleep(0.05)
        sys.setswitchinterval(1000)
        while True:
            pass
    for index in range(params.get("make", 0)):
        path = os.path.join(params["folder"], f"{index}.png")
        if not os.path.exists(path):
            rest(params["every"])
            if job_id in cancelled:
                break
            open(path, "w").close()
        send(still={"index": index, "name": f"{index}.png"})
    rest(params.get("sleep", 0))
    if job_id in cancelled:
        cancelled.discard(job_id)
        send(error={"code": "cancelled", "message": "cancelled", "hint": "-"})
    else:
        print("a library prints", file=sys.stderr)
        send(done={"pid": os.getpid()})
"""
COMMAND = (sys.executable, "-I", "-c", WORKER)
END_STATES = {"done", "failed"}


def add(store: Store, priority: str = "batch", **params: Any) -> str:
    return store.add("probe", params, priority).id


def job_of(store: Store, job_id: str) -> Job:
    job = store.job(job_id)
    assert job
    return job


def ended(store: Store, *ids: str, seconds: float = 20.0) -> list[Job]:
    until(lambda: all(job_of(store, job_id).state in END_STATES for job_id in ids), seconds)
    return [job_of(store, job_id) for job_id in ids]


def running(store: Store, job_id: str) -> None:
    until(lambda: job_of(store, job_id).progress is not None)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def pid_of(job: Job) -> int:
    assert job.result
    return int(job.result["pid"])

"""What the way through host, effect and sidecar costs a frame whose result costs nothing.

Run: python tests/benchmarks/ofx_transport.py
Once with a stand-in for the sidecar that answers at once, which shows the effect's side, and once with the sidecar's
own service and a worker that leaves frames as they are. The time is that of the render action alone: float RGBA, a
new picture each time, and the first frames, which map memory, apart.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from ofx_host import bundles
from ofx_host.host import Host
from ofx_host.images import Picture
from ofx_host.profiles import RESOLVE
from openfx import fake_sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = {"1080p": (1080, 1920), "UHD": (2160, 3840)}
AIMS = {"1080p": 25, "UHD": 50}
WARM_UP, ROUNDS = 3, 30


SERVICE = """
import sys
from functools import partial
from snapupscale.sidecar import service
from snapupscale.sidecar.frames.desk import Desk
from snapupscale.sidecar.serve import serve

service.Desk = partial(Desk, command=(sys.executable, "-c", sys.argv[1]))
serve(ready=lambda port: print(port, flush=True))
"""
WORKER = """
import json
import sys

for line in sys.stdin:
    asked = json.loads(line)
    if "map" in asked:
        reply = {"mapped": asked["map"]}
    elif "render" in asked:
        reply = {"frame": asked["render"], "cached": False}
    else:
        continue
    print(json.dumps(reply), flush=True)
"""


def main() -> None:
    for kind in SERVERS:
        print(kind)
        run(kind)


def run(kind: str) -> None:
    """Print the times of each size with one kind of server."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            os.environ[name] = folder
        with started(*SERVERS[kind], folder), Host(bundles.effect(), RESOLVE) as host:
            for name, size in SIZES.items():
                first, rest = measure(host, size)
                middle, slow = statistics.median(rest), sorted(rest)[int(len(rest) * 0.9)]
                print(
                    f"{name:6} median {middle * 1e3:6.1f} ms (aim {AIMS[name]}), 9 of 10 within {slow * 1e3:6.1f} ms,"
                    f" first frame {first * 1e3:6.1f} ms"
                )


def measure(host: Host, size: tuple[int, int]) -> tuple[float, list[float]]:
    """Seconds of the first frame, and of the frames after the warm-up."""
    source = Picture.of(np.random.default_rng(1).random((*size, 4), np.float32))
    seconds = []
    with host.instance(onFailure="Fail") as instance:
        for moment in range(WARM_UP + ROUNDS):
            # Another picture each time, so that no result is kept; the source is the host's to change.
            source.pixels[0, 0, 0] = moment
            source.refresh()
            target = Picture(source.shape, source.dtype)
            target.pixels[:] = 0
            rendered = instance.render(source, target=target)
            assert rendered.status == 0, host.messages
            assert (rendered.pixels[::97] == source.pixels[::97]).all()
            seconds.append(rendered.seconds)
    return seconds[0], seconds[WARM_UP:]


@contextmanager
def started(*command: str) -> Iterator[None]:
    """A process of Python that tells by a line when it serves."""
    with subprocess.Popen([sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.terminate()


SERVERS = {
    "the stand-in": (fake_sidecar.__file__, "identity"),
    "the service": ("-c", SERVICE, WORKER),
}

if __name__ == "__main__":
    main()

"""A process of a fleet without a GPU: each picture says in its first row what happens, and results say who made them.

Row 0 of a picture (16x16x3 uint8): red of its pixels is number, tens of milliseconds, deed. GPU is the number
of ours, of GPUS.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapupscale.errors import BackendUnavailable, DeviceLost, ImplausibleResult
from snapupscale.upscale import fleet_worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

NOTHING, DIE, DIE_ONCE, LOSE, REFUSE, FAIL, LOSE_ON_0, HANG, HANG_ONCE, HANG_ON_0, WORK = range(11)
SCALE = 2


def upscale(picture: NDArray[Any], *, progress: Callable[[float], None]) -> NDArray[Any]:
    number, tens, deed = (int(value) for value in picture[0, :3, 0])
    gpu, folder = int(os.environ["GPU"]), Path(os.environ["MARKS"])
    (folder / f"begun-{number}-{gpu}").write_text(str(os.getpid()))
    if deed == WORK:
        for _ in range(tens):
            progress(0.5)
            time.sleep(0.01)
    else:
        time.sleep(tens / 100)
    mark = folder / f"died-{number}"
    if deed == HANG or (deed == HANG_ON_0 and gpu == 0) or (deed == HANG_ONCE and not mark.exists()):
        mark.touch()
        # A hang that not even Python's threads are spared, as where a driver waits for its GPU.
        os.kill(os.getpid(), signal.SIGSTOP)
    if deed == DIE or (deed == DIE_ONCE and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == LOSE or (deed == LOSE_ON_0 and gpu == 0):
        raise DeviceLost("CUDA error: unspecified launch failure")
    if deed == REFUSE:
        raise ImplausibleResult("it is odd")
    if deed == FAIL:
        raise KeyError("odd")
    result = picture.repeat(SCALE, 0).repeat(SCALE, 1)
    result[-1, -1, 0] = gpu
    return result


def load(settings: dict[str, Any]) -> Any:
    print("what libraries print is no reply")
    if os.environ.get("ABSENT"):
        raise BackendUnavailable("there is no such GPU")
    if os.environ.get("STILLBORN"):
        os._exit(3)
    if os.environ.get("ASLEEP"):
        os.kill(os.getpid(), signal.SIGSTOP)
    # All start together, however busy the machine is.
    folder = Path(os.environ["MARKS"])
    (folder / f"started-{os.environ['GPU']}").touch()
    while len(list(folder.glob("started-*"))) < int(os.environ["GPUS"]):
        time.sleep(0.005)
    return upscale


if __name__ == "__main__":
    fleet_worker._SECONDS = 0.1
    fleet_worker.main(load)

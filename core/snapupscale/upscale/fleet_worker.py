"""The process that upscales on one of several GPUs: JSON lines in and out, pixels in mappings. It may die any time.

The first line in holds the settings of the upscaler. A request is `{"id", "name", "bytes", "shape", "dtype", "result",
"offset", "drop"}`: a room, the picture at its start, the shape and place of the result, and rooms that are no longer
used. A reply is `{"ready": true}`, `{"begun": ID}`, `{"at": ID}` every now and then meanwhile, `{"done": ID,
"seconds"}`, `{"failed": ID, "error"}`, or, when there can't be another, `{"unable": error}`. The process ends when its
input does.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from snapupscale.errors import DeviceLost, OutOfMemory, SnapUpscaleError
from snapupscale.upscale import shared_memory
from snapupscale.upscale.engine import Upscaler

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable

    from numpy.typing import NDArray

    Message = dict[str, Any]
    Send = Callable[[Message], None]
    Results = queue.Queue[tuple[Message, NDArray[Any], NDArray[Any]]]

_SECONDS = 1.0
"""Between two signs of life."""


class Upscale(Protocol):
    """What `Upscaler.upscale` is."""

    def __call__(self, image: NDArray[Any], *, progress: Callable[[float], None]) -> NDArray[Any]: ...


def main(load: Callable[[Message], Upscale] | None = None) -> None:
    """Serve the requests on standard input until it ends. load: makes of settings what upscales."""
    # An interrupt is meant for the process that started this one, and that ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    send = _private_output()
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    try:
        upscale = (load or _loaded)(requests.get())
    except Exception as error:
        send({"unable": described(error)})
        os._exit(1)
    send({"ready": True})
    # While a result is copied, the next one is computed.
    results: Results = queue.Queue(1)
    threading.Thread(target=_deliver, args=(results, send), daemon=True).start()
    while True:
        _serve(requests.get(), upscale, results, send)


def described(error: Exception) -> Message:
    """An error as it goes over the wire."""
    if isinstance(error, MemoryError):
        error = OutOfMemory(f"no memory left: {error}")
    if isinstance(error, SnapUpscaleError):
        return {"code": error.code, "message": str(error), "hint": error.hint}
    sys.excepthook(type(error), error, error.__traceback__)
    return {"code": "internal", "message": f"{type(error).__name__}: {error}"}


def _loaded(settings: Message) -> Upscale:
    settings["scale"] = Fraction(settings["scale"])
    return Upscaler(**settings).upscale


def _serve(request: Message, upscale: Upscale, results: Results, send: Send) -> None:
    room, dtype = request["room"], request["dtype"]
    picture = shared_memory.view(room, 0, request["shape"], dtype)
    picture.flags.writeable = False
    target = shared_memory.view(room, request["offset"], request["result"], dtype)
    send({"begun": request["id"]})
    start = told = time.perf_counter()

    def tell(_: float) -> None:
        nonlocal told
        if time.perf_counter() - told > _SECONDS:
            told = time.perf_counter()
            send({"at": request["id"]})

    try:
        result = upscale(picture, progress=tell)
    except Exception as error:
        send({"failed": request["id"], "error": described(error)})
        if isinstance(error, DeviceLost):
            os._exit(1)
        return
    results.put(({"done": request["id"], "seconds": time.perf_counter() - start}, result, target))


def _deliver(results: Results, send: Send) -> None:
    try:
        while True:
            reply, result, target = results.get()
            np.copyto(target, result, casting="no")
            # Now, not with the next one, so that their memory is free to be used again.
            del result, target
            send(reply)
    finally:
        os._exit(1)


def _private_output() -> Send:
    """Keep standard output for replies: what libraries print goes to the errors."""
    sys.stdout.flush()
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lock = threading.Lock()

    def send(reply: Message) -> None:
        with lock:
            output.write(json.dumps(reply).encode() + b"\n")
            output.flush()

    return send


def _listen(requests: queue.SimpleQueue[Message]) -> None:
    """Read the input, and map rooms as they are named; end the process when it ends, whatever it is doing."""
    try:
        requests.put(json.loads(sys.stdin.readline()))
        rooms: dict[str, mmap.mmap] = {}
        for line in sys.stdin:
            request = json.loads(line)
            for name in request["drop"]:
                rooms.pop(name, None)
            name = request["name"]
            if name not in rooms:
                rooms[name] = shared_memory.attached(name, request["bytes"])
            request["room"] = rooms[name]
            requests.put(request)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()

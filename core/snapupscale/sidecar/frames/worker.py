"""The process that makes frames for effects: JSON lines in and out, pixels in mappings. It may die at any moment.

A request is one of `{"map": ID, "client", "name", "cookie", "bytes"}`, `{"unmap": CLIENT}`, `{"render": ID, "client",
"picture", "params"}`, `{"cancel": ID}`, `{"warm": PARAMS}` and `{"rest": true}`; a reply `{"mapped": ID}` or
`{"frame": ID, "cached"}`, either with an `error` where it failed, `{"warmed": true}`, however that ended, or
`{"loading": true or false}`. The process ends when its input does.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from snapupscale.errors import Cancelled, OutOfMemory, SettingError, SnapUpscaleError
from snapupscale.sidecar.contained import contain, end_if_broken, private_output
from snapupscale.sidecar.frames import results
from snapupscale.sidecar.frames.mapping import open_mapping
from snapupscale.sidecar.frames.shared import Shared
from snapupscale.sidecar.frames.studio import Studio
from snapupscale.sidecar.frames.wire import Params, Picture
from snapupscale.sidecar.messages import fault
from snapupscale.upscale import memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snapupscale.sidecar.contained import Send
    from snapupscale.upscale.live import Live

_REPORT = "This is a fault of SnapUpscale. Report it, with the log of the sidecar."


class Frame:
    """One frame to make, which another thread may cancel. `answer` is called once, with what is added to the reply."""

    def __init__(self, request: dict[str, Any], shared: Shared | None, answer: Callable[..., None]) -> None:
        self.picture = Picture(**request["picture"])
        self.params = Params(**request["params"])
        self.shared = shared
        self._answer = answer
        self._lock = threading.RLock()
        self._begun = self._cancelled = self._ended = False

    def begin(self) -> bool:
        """Whether the frame is still wanted; if so, its mapping may be used from now on."""
        with self._lock:
            self._begun = True
            return not self._cancelled

    def cancel(self) -> None:
        """Before `begin` it is answered at once: a model may be loading, which is not worth less for this frame."""
        with self._lock:
            self._cancelled = True
            if not self._begun:
                self.end(error=fault(Cancelled("cancelled")))

    def end(self, **reply: Any) -> None:
        """The frame is done, or has failed with the `error`; what follows an end is not heard."""
        with self._lock:
            if not self._ended:
                self._ended = True
                self._answer(**reply)

    def progress(self, share: float) -> None:
        """Raise Cancelled when it was cancelled."""
        if self._cancelled:
            raise Cancelled("cancelled")


class Worker:
    """Two threads: `listen` reads, opens and closes mappings, and cancels; `work` loads and computes."""

    def __init__(self, send: Send, room: int) -> None:
        self._send = send
        self._studio = Studio(room)
        self._shared: dict[int, Shared] = {}
        self._frames: dict[int, Frame] = {}
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def listen(self) -> None:
        """Read the input; end the process when it ends, whatever it is doing."""
        try:
            for line in sys.stdin:
                self._obey(json.loads(line))
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)

    def work(self) -> None:
        """Do what comes, one thing after another, for ever."""
        while True:
            self._tasks.get()()

    def _obey(self, message: dict[str, Any]) -> None:
        if "map" in message:
            self._map(message)
        elif "unmap" in message:
            self._close(message["unmap"])
        elif "cancel" in message:
            if frame := self._frames.get(message["cancel"]):
                frame.cancel()
        elif "render" in message:
            self._take(message)
        elif "warm" in message:
            self._tasks.put(partial(self._warm, Params(**message["warm"])))
        else:
            self._tasks.put(self._studio.rest)

    def _map(self, message: dict[str, Any]) -> None:
        client = message["client"]
        self._close(client)
        reply = {"mapped": message["map"]}
        try:
            opened = open_mapping(message["name"], bytes.fromhex(message["cookie"]), message["bytes"])
        except SettingError as error:
            self._send({**reply, "error": fault(error)})
            return
        self._shared[client] = Shared(opened)
        self._send(reply)
        self._tasks.put(self._import)

    def _close(self, client: int) -> None:
        if shared := self._shared.pop(client, None):
            shared.close()

    def _take(self, message: dict[str, Any]) -> None:
        id = message["render"]

        def answer(**reply: Any) -> None:
            self._frames.pop(id, None)
            self._send({"frame": id, **reply})

        frame = self._frames[id] = Frame(message, self._shared.get(message["client"]), answer)
        self._tasks.put(partial(self._make, frame))

    def _import(self) -> None:
        """Load what takes longest, before it is asked for."""
        if "torch" not in sys.modules:
            # Whoever asks for a frame is told what is wrong.
            with self._loading(), suppress(Exception):
                import snapupscale.upscale.live  # noqa: PLC0415, F401  it imports torch

    def _warm(self, params: Params) -> None:
        with suppress(Exception):
            self._model(params)
        self._send({"warmed": True})

    def _model(self, params: Params) -> Live:
        if self._studio.has(params):
            return self._studio.model(params)
        with self._loading():
            return self._studio.model(params)

    @contextmanager
    def _loading(self) -> Iterator[None]:
        self._send({"loading": True})
        try:
            yield
        finally:
            self._send({"loading": False})

    def _make(self, frame: Frame) -> None:
        """See one frame to its end; a fault costs this frame, and the model at most."""
        live, made, error = None, None, None
        try:
            live = self._model(frame.params)
            if not frame.begin():
                return
            if frame.shared is None:
                raise SettingError("there is no mapping")
            made = self._studio.make(live, frame.shared, frame.picture, frame.params, frame.progress)
        except (OutOfMemory, MemoryError) as failure:
            error = fault(failure if isinstance(failure, OutOfMemory) else OutOfMemory(f"no memory left: {failure}"))
            if live:
                self._studio.save_memory(live)
        except SnapUpscaleError as failure:
            error = fault(failure)
        except Exception as failure:
            sys.excepthook(type(failure), failure, failure.__traceback__)
            error = {"code": "internal", "message": f"{type(failure).__name__}: {failure}", "hint": _REPORT}
            if live:
                self._studio.drop(live)
        # Only now nothing refers to the picture any longer, as the traceback did, and its mapping may be closed.
        if made:
            frame.end(cached=made.cached)
            made.keep()
        elif error:
            frame.end(error=error)
            end_if_broken(error["code"])


def main() -> None:
    """Serve the requests on standard input until it ends."""
    contain()
    worker = Worker(private_output(), results.budget(memory.available()))
    threading.Thread(target=worker.listen, daemon=True).start()
    worker.work()


if __name__ == "__main__":
    main()

"""The service from its start to its end: one of a kind, on a port of its own, gone when nobody needs it."""

from __future__ import annotations

import logging
import os
import socket
import sys
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from uvicorn import Config, Server

from snapupscale import __version__
from snapupscale.errors import SidecarError
from snapupscale.processes import start_time
from snapupscale.sidecar import discovery
from snapupscale.sidecar.app import make_app
from snapupscale.sidecar.connection import MOST_CONNECTIONS, Connection
from snapupscale.sidecar.frames.listener import offering
from snapupscale.sidecar.guard import MOST_HEADER_BYTES, Guard
from snapupscale.sidecar.keys import Keys
from snapupscale.sidecar.lifetime import Lifetime
from snapupscale.sidecar.log import logging_to_file
from snapupscale.sidecar.mailbox import Mailbox, serving
from snapupscale.sidecar.mailbox_screen import Screen
from snapupscale.sidecar.messages import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from snapupscale.sidecar.app import Service

IDLE_SECONDS = 15 * 60.0
_BACKLOG = 128
_TICKS_A_SECOND = 10
_log = logging.getLogger(__name__)


def users_service() -> Service:
    """The service that owns the jobs of this user."""
    from snapupscale.sidecar import service  # noqa: PLC0415  what serves another service needs no store

    return service.Service()


def serve(
    make_service: Callable[[], Service] = users_service,
    *,
    idle: float = IDLE_SECONDS,
    ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve until told to stop by a signal or a client, or until `idle` seconds went by without a job and a client.

    `ready` is called with the port once clients can find it. To be called in the main thread. Raises SidecarRunning
    when this user has a sidecar, SidecarUnsafe, an OutputError, or what `make_service` raises.
    """
    keys = Keys()
    with discovery.only_one(), logging_to_file(keys.redact), _listening() as listener, _listening() as door:
        port: int = listener.getsockname()[1]
        service = make_service()
        try:
            lifetime = Lifetime(idle)
            with offering(door, service.frames, keys, lifetime):
                _run(service, keys, lifetime, listener, lambda: ready(port))
        finally:
            service.close()
            _log.info("ended")


def _run(
    service: Service, keys: Keys, lifetime: Lifetime, listener: socket.socket, ready: Callable[[], None]
) -> None:
    port = listener.getsockname()[1]
    found = discovery.Discovery(
        protocol=PROTOCOL,
        pid=os.getpid(),
        start_time=start_time(os.getpid()) or "",
        port=port,
        token=keys.token,
        version=__version__,
    )
    config = Config(
        Guard(make_app(service, keys, lifetime), keys=keys, port=port, lifetime=lifetime),
        http=Connection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
    )
    try:
        discovery.write(found)
        _log.info("version %s serves on port %d", __version__, port)
        ready()
        with serving(Mailbox(service, lifetime, Screen(port, keys.new_code))):
            _Server(config, lifetime, service).run(sockets=[listener])
    finally:
        discovery.remove(found)


class _Server(Server):
    """Ends with the lifetime. A signal that asks it to end is no failure, so none is raised again afterwards."""

    def __init__(self, config: Config, lifetime: Lifetime, service: Service) -> None:
        super().__init__(config)
        self._lifetime = lifetime
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT or SIGTERM came."""
        self._lifetime.stop()

    async def on_tick(self, counter: int) -> bool:
        """Whether to end; asked ten times a second."""
        if counter % _TICKS_A_SECOND == 0 and not self._lifetime.stopping:
            # A disk that hangs must not keep every client waiting.
            await run_in_threadpool(self._look_for_work)
        return self._lifetime.stopping or await super().on_tick(counter)

    def _look_for_work(self) -> None:
        if self._busy():
            self._lifetime.touch()
        elif self._lifetime.idle:
            _log.info("nothing to do and nobody here: the sidecar ends")
            self._lifetime.stop()

    def _busy(self) -> bool:
        try:
            return self._service.busy()
        except Exception:
            _log.exception("can't tell whether there are jobs")
            return True


def _listening() -> socket.socket:
    """A socket on a free port of this machine's own address, which other machines can't reach."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        hint = "A firewall or security program may forbid it: allow SnapUpscale to listen on 127.0.0.1."
        raise SidecarError(f"cannot listen on 127.0.0.1: {error.strerror or error}", hint=hint) from error
    return listener

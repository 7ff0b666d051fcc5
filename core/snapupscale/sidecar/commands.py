"""`snapupscale sidecar serve`, `status` and `stop`."""

from __future__ import annotations

import http.client
import json
import math
import time
from typing import TYPE_CHECKING, Any

from snapupscale import console, protocol
from snapupscale.errors import SettingError, SidecarError, SidecarMissing
from snapupscale.sidecar import discovery

if TYPE_CHECKING:
    from argparse import Namespace

    from snapupscale.sidecar.discovery import Discovery

_ANSWER_SECONDS = 5.0
_STOP_SECONDS = 15.0


def serve(options: Namespace) -> None:
    """Serve until told to stop. `options.idle`: minutes without a job and a client, after which it ends by itself."""
    if not options.idle > 0 or math.isinf(options.idle):
        raise SettingError(f"the idle time must be a number of minutes above 0, not {options.idle:g}")
    from snapupscale.sidecar.serve import serve as serve_until_told  # noqa: PLC0415  `status` needs no web server

    serve_until_told(idle=options.idle * 60, ready=_say_ready)


def status(options: Namespace) -> None:
    """Where the sidecar is, as text or, with `options.json`, as JSON. Raises SidecarMissing when none runs."""
    found = _found()
    health = _ask(found, "GET", protocol.HEALTH)
    rows = {
        "pid": found.pid,
        "port": found.port,
        "protocol": found.protocol,
        "version": found.version,
        "uptime": health.get("uptime"),
        "busy": health.get("busy"),
        "discovery": str(discovery.path()),
    }
    if options.json:
        _print(json.dumps(rows, indent=1))
        return
    for name, value in rows.items():
        _print(f"{name + ':':<12}{value}")


def stop(options: Namespace) -> None:
    """Tell the sidecar to end, and wait until it has. Raises SidecarMissing when none runs."""
    found = _found()
    _ask(found, "POST", protocol.STOP)
    end = time.monotonic() + _STOP_SECONDS
    while discovery.runs(found):
        if time.monotonic() > end:
            hint = f"End process {found.pid}; finished stills are kept."
            raise SidecarError("the sidecar was told to stop and is still there", hint=hint)
        time.sleep(0.05)


def _found() -> Discovery:
    found = discovery.read()
    if found is None:
        raise SidecarMissing("no sidecar runs")
    return found


def _ask(found: Discovery, method: str, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=_ANSWER_SECONDS)
    headers = {"Authorization": f"Bearer {found.token}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
        response = connection.getresponse()
        reply = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SidecarError(f"the sidecar, process {found.pid}, does not answer: {error}") from error
    finally:
        connection.close()
    if response.status >= 400 or not isinstance(reply, dict):
        raise SidecarError(f"the sidecar, process {found.pid}, answered {response.status}")
    return reply


def _say_ready(port: int) -> None:
    console.say(f"the sidecar serves on port {port}; details are in {discovery.path()}")


def _print(line: str) -> None:
    print(line.encode("utf-8", "replace").decode("utf-8"))  # noqa: T201

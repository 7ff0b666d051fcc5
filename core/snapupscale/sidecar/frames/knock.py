"""Whether the sidecar lets effects in, tried as an effect would."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

from snapupscale.sidecar.frames import wire
from snapupscale.sidecar.frames.wire import Header, Op, Status

if TYPE_CHECKING:
    from snapupscale.sidecar.frames.link import Link


def knock(offered: Link, seconds: float) -> str:
    """Say HELLO and leave; what is wrong, in a few words, and nothing where all is well. seconds: for each wait."""
    hello = json.dumps({"token": offered.token, "pid": os.getpid(), "client": "doctor"}).encode()
    try:
        with socket.create_connection(("127.0.0.1", offered.port), timeout=seconds) as connected:
            connected.sendall(Header(op=Op.HELLO, seq=1, tail=len(hello)).pack() + hello)
            with connected.makefile("rb") as replies:
                data = replies.read(wire.SIZE)
            if len(data) < wire.SIZE:
                return "the connection is closed"
            reply = Header.unpack(data)
            if reply.status == Status.OK:
                connected.sendall(Header(op=Op.BYE, seq=2).pack())
    except OSError as error:
        return error.strerror or type(error).__name__
    if (reply.magic, reply.op, reply.seq) != (wire.MAGIC, Op.HELLO, 1):
        return "another program answers"
    return {int(status): status.name.lower() for status in Status}.get(reply.status, "unknown") if reply.status else ""

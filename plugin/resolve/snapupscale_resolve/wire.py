"""One request to one sidecar, straight to this machine: no proxy, no redirect, bounded in size and time."""

import http.client
import socket
import time
from typing import Dict, Optional, Tuple

from snapupscale import protocol
from snapupscale.protocol import Object
from snapupscale_resolve import faults
from snapupscale_resolve.discovery import Found
from snapupscale_resolve.faults import BadReply, Blocked, ConnectionLost, NotReady

HOST = "127.0.0.1"
ANSWER_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
_PIECE = 65536


class Wire(object):
    """The way to the sidecar that was `found`. Every request has a connection of its own."""

    def __init__(self, found: Found) -> None:
        self.found = found

    def ask(self, method: str, path: str, data: Optional[Object] = None, seconds: float = ANSWER_SECONDS) -> Object:
        """The JSON object of the answer.

        Raises Blocked when nothing was sent, ConnectionLost and NotReady when the request may have arrived, BadReply,
        and for answers that say no TokenRefused, WrongVersion or Refused.
        """
        connection = http.client.HTTPConnection(HOST, self.found.port, timeout=min(seconds, _CONNECT_SECONDS))
        end = time.monotonic() + seconds
        try:
            self._connect(connection)
            connection.sock.settimeout(seconds)
            status, body = self._answer(connection, method, path, data, end)
        finally:
            connection.close()
        return self._judge(status, body)

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except OSError as error:
            message = "the sidecar, process %d, cannot be connected to: %s" % (self.found.pid, error.strerror or error)
            raise Blocked(message) from error

    def _answer(
        self, connection: http.client.HTTPConnection, method: str, path: str, data: Optional[Object], end: float
    ) -> Tuple[int, bytes]:
        try:
            body = protocol.encode(data or {}) if method == "POST" else None
            connection.request(method, path, body=body, headers=self._headers())
            with connection.getresponse() as response:
                return response.status, _body(response, end)
        except socket.timeout as error:
            raise NotReady("the sidecar, process %d, does not answer" % self.found.pid) from error
        except (http.client.RemoteDisconnected, http.client.IncompleteRead, OSError) as error:
            message = "the sidecar, process %d, went away: %s" % (self.found.pid, str(error)[:200])
            raise ConnectionLost(message) from error
        except http.client.HTTPException as error:
            raise BadReply("what answers on port %d is no sidecar" % self.found.port) from error

    def _headers(self) -> Dict[str, str]:
        return {
            "Authorization": "Bearer %s" % self.found.token,
            "Content-Type": "application/json",
            "Connection": "close",
            protocol.HEADER: str(protocol.NUMBER),
        }

    def _judge(self, status: int, body: bytes) -> Object:
        if status >= 400:
            raise self._refusal(status, body)
        try:
            if not 200 <= status < 300:
                raise protocol.Malformed("status %d" % status)
            return protocol.decode(body)
        except protocol.Malformed as error:
            raise BadReply("the answer on port %d makes no sense: %s" % (self.found.port, error)) from error

    def _refusal(self, status: int, body: bytes) -> faults.Fault:
        try:
            error = protocol.read_error(protocol.decode(body))
        except protocol.Malformed:
            error = {"code": "http-%d" % status, "message": "the sidecar answered %d" % status, "hint": ""}
        if status == 401:
            return faults.TokenRefused("the sidecar, process %d, refuses the token" % self.found.pid)
        if status == 426:
            return faults.WrongVersion(error["code"], error["message"], error["hint"])
        return faults.Refused(status, error["code"], error["message"], error["hint"])


def _body(response: http.client.HTTPResponse, end: float) -> bytes:
    """All of it; a declared length is kept to."""
    length = response.length
    if length is not None and length > protocol.MOST_BYTES:
        raise BadReply("the answer is too long: %d bytes" % length)
    body = bytearray()
    while True:
        piece = response.read1(_PIECE)
        if not piece:
            break
        body += piece
        if len(body) > protocol.MOST_BYTES:
            raise BadReply("the answer is too long")
        if time.monotonic() > end:
            raise socket.timeout("the answer takes too long")
    if length is not None and len(body) < length:
        raise http.client.IncompleteRead(bytes(body), length - len(body))
    return bytes(body)

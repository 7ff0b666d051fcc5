"""Tells the sidecar what was read back, and keeps it while the sidecar is away."""

from typing import TYPE_CHECKING, List, Optional

from snapupscale.protocol import Object
from snapupscale_resolve.faults import Fault

if TYPE_CHECKING:
    from snapupscale_resolve.client import Client

_MOST = 500
"""Results in one request; it may have a mebibyte."""


class Teller(object):
    """A `report` for `executor.apply`. The first failure ends the telling until `finish`: it may cost much time."""

    def __init__(self, client: "Client", session: str) -> None:
        self._client = client
        self._id = session
        self._untold: List[Object] = []
        self._failed = False
        self._session: Optional[Object] = None

    def __call__(self, results: List[Object]) -> None:
        self._untold += results
        if not self._failed:
            try:
                self._send()
            except Fault:
                self._failed = True

    def finish(self) -> Object:
        """Tell what is untold; the session then. Raises the Fault that keeps from it."""
        try:
            self._send()
        except Fault:
            self._send()
        return self._session or self._client.session(self._id)

    def _send(self) -> None:
        while self._untold:
            # The same results may arrive twice, and are the same then.
            self._session = self._client.read_back(self._id, self._untold[:_MOST])
            del self._untold[:_MOST]

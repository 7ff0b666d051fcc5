"""The secrets that let a client in: the token, one-time codes, and the sessions that codes are traded for."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CODE_SECONDS = 60.0
_MOST_CODES = 16
_MOST_SESSIONS = 64


class Keys:
    """The secrets of one sidecar, kept in memory. For use by several threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.token = secrets.token_urlsafe(32)
        self._clock = clock
        self._codes: dict[str, float] = {}
        self._sessions: dict[str, None] = {}
        self._lock = threading.Lock()

    def is_token(self, text: str) -> bool:
        """Whether `text` is the token, compared in constant time."""
        return _equal(text, self.token)

    def is_session(self, text: str) -> bool:
        """Whether `text` is a session that a code was traded for."""
        with self._lock:
            return _find(text, self._sessions) is not None

    def new_code(self) -> str:
        """A code that opens one session within the next `CODE_SECONDS`."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._forget_old_codes()
            self._codes[code] = self._clock() + CODE_SECONDS
            _keep_newest(self._codes, _MOST_CODES)
        return code

    def redeem(self, code: str) -> str | None:
        """A new session for `code`, which is then spent; None when it is unknown, spent or too old."""
        with self._lock:
            self._forget_old_codes()
            known = _find(code, self._codes)
            if known is None:
                return None
            del self._codes[known]
            session = secrets.token_urlsafe(32)
            self._sessions[session] = None
            _keep_newest(self._sessions, _MOST_SESSIONS)
            return session

    def redact(self, text: str) -> str:
        """`text` without any secret."""
        for secret in (self.token, *tuple(self._codes), *tuple(self._sessions)):
            text = text.replace(secret, "[secret]")
        return text

    def _forget_old_codes(self) -> None:
        now = self._clock()
        self._codes = {code: end for code, end in self._codes.items() if now < end}


def _equal(text: str, secret: str) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "replace"), secret.encode())


def _find(text: str, secrets_: Iterable[str]) -> str | None:
    matches = [secret for secret in secrets_ if _equal(text, secret)]
    return matches[0] if matches else None


def _keep_newest(table: dict[str, float] | dict[str, None], most: int) -> None:
    while len(table) > most:
        del table[next(iter(table))]

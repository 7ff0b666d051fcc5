"""What can go wrong between the menu scripts and the sidecar, each with the cure.

Fault
├── NotInstalled      no SnapUpscale on this computer
├── WrongVersion      the menu scripts and the sidecar don't understand each other
├── CrashedAtStart    the sidecar ended before it was ready
├── NotReady          the sidecar runs, and doesn't answer
├── Blocked           the sidecar runs, and can't be connected to
├── TokenRefused      the sidecar doesn't know the token in the discovery file
├── ConnectionLost    the sidecar went away while it was asked
├── BadReply          the answer makes no sense
└── Refused           the sidecar says no
"""

from typing import Optional


class Fault(Exception):
    """Root of the tree. `code` is stable; `hint` says what the user can do."""

    code = "failed"
    default_hint = "Run `snapupscale doctor` in a terminal and look at the line that is not ok."

    def __init__(self, message: str, hint: Optional[str] = None) -> None:
        super(Fault, self).__init__(message)
        self.hint = hint or self.default_hint


class NotInstalled(Fault):
    code = "not-installed"
    default_hint = "Install SnapUpscale, then choose Workspace > Scripts > SnapUpscale again."


class WrongVersion(Fault):
    """`code` is the one of the protocol, which says which side is older."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super(WrongVersion, self).__init__(message, hint)
        self.code = code


class CrashedAtStart(Fault):
    code = "crashed-at-start"
    default_hint = "Run `snapupscale sidecar serve` in a terminal to see the whole message, then `snapupscale doctor`."


class NotReady(Fault):
    code = "not-ready"
    default_hint = "Wait a minute and choose the menu again. If that doesn't help, run `snapupscale sidecar stop`."


class Blocked(Fault):
    code = "blocked"
    default_hint = "In the firewall or security program, allow DaVinci Resolve and SnapUpscale to use 127.0.0.1."


class TokenRefused(Fault):
    code = "token-refused"
    default_hint = "Run `snapupscale sidecar stop`, then choose the menu again."


class ConnectionLost(Fault):
    code = "connection-lost"
    default_hint = "Choose the menu again; jobs that were running go on."


class BadReply(Fault):
    code = "bad-reply"
    default_hint = "Run `snapupscale sidecar stop`, then choose the menu again."


class Refused(Fault):
    """An error that the sidecar answers with: its `status`, `code`, message and hint are passed on."""

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        super(Refused, self).__init__(message, hint)
        self.status = status
        self.code = code

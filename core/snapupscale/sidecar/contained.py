"""What a worker process does to itself at its start: it ends with the service, takes little, keeps its output clean."""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapupscale.errors import DeviceLost
from snapupscale.sidecar.containment import MEMORY_SHARE, PARENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Send = Callable[[Mapping[str, Any]], None]

_PR_SET_PDEATHSIG = 1
_MEMORY_SHARE = 0.55
"""Of all memory, where nothing else is said; not with a GPU, whose driver maps more than there is."""
_GPUS = ("/dev/nvidiactl", "/dev/kfd")
_FIRST_TO_GO = "500"
"""Out of -1000 to 1000, when memory runs out; 0 is usual."""
_OPEN_FILES = 4096


def contain() -> None:
    """Tie this process to the service, and limit what it may take. To be called first of all."""
    faulthandler.enable()
    _die_with_parent()
    limit_memory()
    limit_files()


def private_output() -> Send:
    """Keep standard output for replies, which the result sends: what libraries print goes to the errors."""
    sys.stdout.flush()
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def send(reply: Mapping[str, Any]) -> None:
        # A name on disk need not be text; what goes over the wire is.
        output.write(json.dumps(reply, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n")
        output.flush()

    return send


def end_if_broken(code: str) -> None:
    """End this process where an error of this code has left it without its GPU, which serves the next process."""
    if code == DeviceLost.code:
        os._exit(1)
    torch = sys.modules.get("torch")
    if code == "internal" and torch and torch.cuda.is_available():
        try:
            torch.cuda.synchronize()
        except RuntimeError:
            os._exit(1)


def _die_with_parent() -> None:
    """Have Linux end this process when the thread that started it ends, even when its input stays open elsewhere."""
    parent = os.environ.pop(PARENT, None)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # One that had ended before that is told by nothing else.
        if parent and os.getppid() != int(parent):
            os._exit(1)


def limit_memory() -> None:
    """Keep damaged footage from taking all memory: first of all processes, this one is to go."""
    if sys.platform != "linux":
        return
    import resource  # noqa: PLC0415 - not on Windows

    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    given = os.environ.pop(MEMORY_SHARE, None)
    if given is None and any(Path(name).exists() for name in _GPUS):
        return
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = int(total * (float(given) if given else _MEMORY_SHARE))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def limit_files() -> None:
    """Leave no copy of the memory behind, which holds pictures, and let as many files be open as some systems don't."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _OPEN_FILES:
        most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))

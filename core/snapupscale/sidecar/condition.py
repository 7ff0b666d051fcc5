"""What doctor says of the sidecar: read from outside, so that it works whatever has become of it."""

from __future__ import annotations

import http.client
import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platformdirs import user_data_path

from snapupscale import __version__
from snapupscale.doctor import Check
from snapupscale.errors import SidecarError, SidecarUnsafe
from snapupscale.sidecar import discovery, log
from snapupscale.sidecar.frames import link
from snapupscale.sidecar.frames.knock import knock
from snapupscale.sidecar.privacy import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from snapupscale.sidecar.discovery import Discovery

LINES = 20
"""Of the log."""
_ANSWER_SECONDS = 2.0
_LOCK_SECONDS = 1.0
_LAST_ERRORS = 5
_KNOWN_JOBS = 200
"""The newest, whose footage is not to be named."""
_FRAME_WORKER = re.compile(r"snapupscale\.sidecar\.frames\.worker|sidecar frame-worker")
_WORD = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class _Jobs:
    """What the list of jobs tells."""

    states: dict[str, int]
    errors: tuple[str, ...]
    """The newest first."""
    paths: tuple[str, ...]


def examine() -> list[Check]:
    """Look at the sidecar and what it has left, without starting anything. Names no path, footage, user or secret."""
    found = discovery.read()
    database, jobs = _database()
    paths = jobs.paths if jobs else ()
    return [
        _service(found),
        *(_workers(found) if found else ()),
        *([_frames(found)] if found else ()),
        _runtime_folder(),
        database,
        *(_job_checks(jobs) if jobs else ()),
        Check(name="sidecar log", found=_size(log.size()), details=tuple(shortened(log.last_lines(LINES), paths))),
    ]


def _service(found: Discovery | None) -> Check:
    if found is None:
        return Check(name="sidecar", found="does not run")
    health = _health(found)
    if health is None:
        return Check(name="sidecar", found="runs and does not answer", ok=False, hint=SidecarError.default_hint)
    state = "busy" if health.get("busy") else "idle"
    same = found.version == __version__
    return Check(
        name="sidecar",
        found=f"runs, {state}, version {found.version[:40]}, protocol {found.protocol}",
        ok=same,
        hint="" if same else "It is of another version: run `snapupscale sidecar stop`.",
    )


def _health(found: Discovery) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/v1/health", headers={"Authorization": f"Bearer {found.token}"})
        response = connection.getresponse()
        reply = json.loads(response.read(65536))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return reply if response.status == 200 and isinstance(reply, dict) else None


def _workers(found: Discovery) -> Iterator[Check]:
    """Its processes, where the system has a `ps` that tells."""
    if sys.platform == "win32":
        return
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        command = ["ps", "-A", "-ww", "-o", "ppid=,rss=,args="]
        output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5, errors="replace").stdout
        rows = [line.split(maxsplit=2) for line in output.splitlines()]
        children = [(int(rss) << 10, "".join(args)) for parent, rss, *args in rows if int(parent) == found.pid]
        frames = [size for size, command in children if _FRAME_WORKER.search(command)]
        sizes = [size for size, command in children if not _FRAME_WORKER.search(command)]
        yield Check(name="workers", found=f"{len(sizes)}: {', '.join(map(_size, sizes))}" if sizes else "none now")
        yield Check(name="frame worker", found=", ".join(map(_size, frames)) or "none now")


def _frames(found: Discovery) -> Check:
    """Whether effects find the sidecar, and are let in."""
    name, hint = "link for effects", "Run `snapupscale sidecar stop`; the next effect or menu starts it again."
    offered = link.read()
    if offered is None or offered.pid != found.pid:
        state = "not there" if offered is None else "of another sidecar"
        return Check(name=name, found=f"{state}: the OpenFX effect cannot find the sidecar", ok=False, hint=hint)
    trouble = knock(offered, _ANSWER_SECONDS)
    if trouble:
        return Check(name=name, found=f"effects are not let in: {trouble}", ok=False, hint=hint)
    return Check(name=name, found=f"effects are let in, link {offered.number}")


def _runtime_folder() -> Check:
    """That it is the user's alone, by the same rules as the sidecar's own."""
    try:
        status = discovery.path().parent.lstat()
    except FileNotFoundError:
        return Check(name="runtime", found="no runtime folder yet")
    except OSError as error:
        return _unsafe(f"the runtime folder cannot be looked at: {error.strerror}")
    private = stat.S_ISDIR(status.st_mode)
    if sys.platform != "win32":
        private = private and status.st_uid == os.getuid() and not status.st_mode & 0o077
    if private:
        return Check(name="runtime", found="the runtime folder is private")
    return _unsafe("the runtime folder is not the user's alone")


def _unsafe(found: str) -> Check:
    return Check(name="runtime", found=found, ok=False, hint=SidecarUnsafe.default_hint)


def _database() -> tuple[Check, _Jobs | None]:
    """Whether the list of jobs is sound, and what is in it."""
    path = user_data_path("snapupscale") / "sidecar" / "jobs.sqlite"
    try:
        size = path.stat().st_size
        with suppress(FileNotFoundError):
            size += path.with_name(f"{path.name}-wal").stat().st_size
        jobs = _read(path)
    except FileNotFoundError:
        return Check(name="list of jobs", found="not there yet"), None
    except OSError as error:
        return _unreadable(error.strerror or "no access"), None
    except sqlite3.Error as error:
        return _unreadable(str(error)), None
    except (ValueError, TypeError):
        return _unreadable("it makes no sense"), None
    aside = len(list(path.parent.glob("*.damaged-*[0-9]")))
    found = f"{_size(size)}, sound" + (f"; {aside} damaged before" if aside else "")
    return Check(name="list of jobs", found=found), jobs


def _unreadable(reason: str) -> Check:
    hint = "The sidecar puts a damaged list aside when it starts, and begins a new one; stills are kept."
    return Check(name="list of jobs", found=f"cannot be read: {reason}", ok=False, hint=hint)


def _read(path: Path) -> _Jobs:
    """Raises sqlite3.Error, or ValueError or TypeError where it holds what no sidecar writes."""
    # Without its log nobody has the file open; opened as if it never changed, it leaves nothing beside it.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, timeout=_LOCK_SECONDS)) as db:
        if (check := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError("damaged" if "\n" in check or "/" in check else check)
        states = dict(db.execute("SELECT state, COUNT(*) FROM jobs GROUP BY state ORDER BY state").fetchall())
        failed = db.execute(
            "SELECT kind, error FROM jobs WHERE state = 'failed' ORDER BY updated DESC LIMIT ?", (_LAST_ERRORS,)
        ).fetchall()
        newest = db.execute("SELECT params FROM jobs ORDER BY number DESC LIMIT ?", (_KNOWN_JOBS,)).fetchall()
    return _Jobs(
        states={_word(state): count for state, count in states.items()},
        errors=tuple(f"{_word(_field(error, 'code'))} ({_word(kind)})" for kind, error in failed),
        paths=tuple(filter(None, (_field(params, name) for (params,) in newest for name in ("source", "folder")))),
    )


def _field(text: str, name: str) -> str:
    """One string of a JSON object; empty where there is none."""
    data = json.loads(text)
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def _word(text: str) -> str:
    """A code, kind or state; nothing else gets out."""
    return text if _WORD.fullmatch(text) else "unknown"


def _job_checks(jobs: _Jobs) -> Iterator[Check]:
    states = ", ".join(f"{count} {state}" for state, count in jobs.states.items())
    yield Check(name="jobs", found=states or "none")
    if jobs.errors:
        yield Check(name="last errors", found=", ".join(jobs.errors))


def _size(count: int) -> str:
    if count < 1 << 20:
        return f"{-(-count // 1024)} KiB"
    return f"{count / (1 << 20):.1f} MiB"

"""What the sidecar hands out as it is: the pictures, files and report of a job, and the page that lets a browser in."""

from __future__ import annotations

import os
import re
import stat
from importlib import resources
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from snapupscale import protocol
from snapupscale.report.page import policy
from snapupscale.sidecar.replies import error, valid_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send


_TYPES: Mapping[str, str] = {
    ".png": "image/png",
    ".tiff": "image/tiff",
    ".exr": "image/x-exr",
    ".json": "application/json",
    ".otio": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".edl": "text/plain; charset=utf-8",
    ".fcpxml": "application/xml",
}
_PIECE = 256 << 10
_HEAD = 4 << 10
"""Bytes at the start of a report that hold its policy."""
_DIGITS = re.compile(r"[0-9]{1,9}")
_ASIDE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Files(Protocol):
    """Who knows which files belong to a job; see Service."""

    def still(self, job_id: str, index: int, /) -> Path | None:
        """The file of a finished still."""

    def timeline(self, job_id: str, name: str, /) -> Path | None:
        """A file of the job's result list."""

    def report(self, job_id: str, /) -> Path | None:
        """The report of a job."""


class Pages:
    """The functions behind the routes of pages, pictures and files."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def routes(self) -> list[Route]:
        """The table of routes."""
        return [
            Route(protocol.STILL, self.still, methods=["GET"]),
            Route(protocol.FILE, self.timeline, methods=["GET"]),
            Route(protocol.REPORT, self.report, methods=["GET"]),
            Route(protocol.OPEN, self.open_page, methods=["GET"]),
            Route(f"{protocol.OPEN}.js", self.open_script, methods=["GET"]),
        ]

    def still(self, request: Request) -> Response:
        """The picture of a finished still."""
        job, index = valid_id(request.path_params["id"]), request.path_params["index"]
        path = self._files.still(job, int(index)) if _DIGITS.fullmatch(index) else None
        return _handed_out(path, "inline")

    def timeline(self, request: Request) -> Response:
        """A timeline or the cuts of a job, to be saved."""
        path = self._files.timeline(valid_id(request.path_params["id"]), request.path_params["name"])
        return _handed_out(path, "attachment")

    def report(self, request: Request) -> Response:
        """The report of a job, as a page that may run the script of reports and nothing else."""
        path = self._files.report(valid_id(request.path_params["id"]))
        file = None if path is None else open_regular(path)
        if file is None:
            return _gone()
        # The file lies where others may write, so the hashes are not taken from it.
        allowed = policy()
        if not _declares(file, allowed):
            file.close()
            hint = "Run the job again, which keeps finished stills, or open the report from its folder."
            return error(409, "other-version", "this version of SnapUpscale did not write the report", hint)
        headers = {"content-security-policy": f"{allowed}; frame-ancestors 'none'"}
        return FileReply(file, "text/html; charset=utf-8", headers)

    def open_page(self, request: Request) -> Response:
        """The page that trades the code in its fragment for a session; it holds no secret."""
        return Response(_part("open.html"), media_type="text/html")

    def open_script(self, request: Request) -> Response:
        """The script of that page."""
        return Response(_part("open.js"), media_type="text/javascript")


class FileReply(Response):
    """An answer that is read from `file` while it is sent, and closes it."""

    def __init__(self, file: BinaryIO, media_type: str, headers: Mapping[str, str]) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        super().__init__(headers={**headers, "content-type": media_type, "content-length": str(self._size)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; of one that is cut short meanwhile what there is, which ends the connection."""
        with self._file:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            left = 0 if scope["method"] == "HEAD" else self._size
            while left and (piece := await run_in_threadpool(self._file.read, min(_PIECE, left))):
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def open_regular(path: Path) -> BinaryIO | None:
    """The regular file at `path`, open for reading; None where there is none, or a link, a folder or a device.

    The folder is taken as it is. Its last part alone could have been planted by someone who may write into it.
    """
    try:
        before = path.lstat()
        if not stat.S_ISREG(before.st_mode):
            return None
        file = os.fdopen(os.open(path, os.O_RDONLY | _ASIDE), "rb", buffering=0)
        if os.path.samestat(before, os.fstat(file.fileno())):
            return file
        file.close()
    except (OSError, ValueError):  # ValueError: NUL in the name
        return None
    return None


def disposition(how: str, name: str) -> str:
    """The header Content-Disposition after RFC 6266, for a file of any name."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in " ._-()") else "_" for letter in name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"


def _declares(report: BinaryIO, policy: str) -> bool:
    """Whether the report, open at its start and left there, has the policy."""
    try:
        head = report.read(_HEAD)
        report.seek(0)
    except OSError:
        return False
    return policy.encode() in head


def _handed_out(path: Path | None, how: str) -> Response:
    file = None if path is None else open_regular(path)
    if path is None or file is None:
        return _gone()
    kind = _TYPES.get(path.suffix, "application/octet-stream")
    return FileReply(file, kind, {"content-disposition": disposition(how, path.name)})


def _gone() -> Response:
    hint = "Look at the job again; what was moved or deleted since is made again by the same job."
    return error(404, "not-found", "the job has no such file", hint)


def _part(name: str) -> bytes:
    return resources.files(__package__).joinpath("web", name).read_bytes()

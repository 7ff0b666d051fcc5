"""Download the weights that are not installed already: over https, resumed, checked before anything opens them."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import filelock
import requests

from snapupscale import files
from snapupscale.errors import DiskFull, FetchFailed, OutputBusy, WeightsCorrupt
from snapupscale.upscale import catalog, weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from snapupscale.upscale.catalog import ModelFile, ModelSpec

    Progress = Callable[[int, int], None]

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0

_ATTEMPTS = 3
_REDIRECTS = 5
_CHUNK = 1 << 16
_MOVED = (301, 302, 303, 307, 308)
_LATER = "Wait a while and run the same command again: it goes on where it stopped."
_CHANGED = "The file at the source is not the one this version knows: update SnapUpscale, or tell its authors."


class _Interrupted(Exception):
    """The transfer stopped. What has come is kept, and another attempt can go on from there."""


def fetch(name: str, *, progress: Progress | None = None) -> list[Path]:
    """Have every file of the model `name` in its place; the paths. What is there and whole is not fetched again.

    progress: called with the bytes of the file that are there and its size; what it raises stops the transfer, and a
    later call resumes it.

    Raises SettingError, WeightsMissing, WeightsCorrupt, FetchFailed, DiskFull, OutputUnwritable or OutputBusy.
    """
    spec = catalog.find(name)
    folder = weights.user_folder()
    if any(file.urls for file in spec.files):
        files.make_folder(folder)
        with _alone(folder):
            for file in spec.files:
                if not _there(spec, file, folder):
                    _fetch(spec, file, folder, progress or (lambda _have, _size: None))
    return list(weights.verify(spec).values())


def _there(spec: ModelSpec, file: ModelFile, folder: Path) -> bool:
    """Whether `file` is in its place. Our own copy is removed when it is damaged; the user's files are left alone."""
    path = weights.locate(file)
    if path is None or path.parent != folder:
        return path is not None
    try:
        weights.read(spec, file)
    except WeightsCorrupt:
        path.unlink()
        return False
    return True


def _fetch(spec: ModelSpec, file: ModelFile, folder: Path, progress: Progress) -> None:
    part = folder / f"{file.name}.part"
    reason = ""
    for _ in range(_ATTEMPTS):
        try:
            resumed = _transfer(file, part, progress)
        except _Interrupted as error:
            reason = str(error)
            continue
        try:
            parameters = weights.read_pth(part.read_bytes(), spec, file)
        except WeightsCorrupt as error:
            _discard(part)
            if not resumed:
                raise FetchFailed(f"{file.name} came with other content: {error}", hint=_CHANGED) from error
            reason = "the parts of two downloads did not fit together"
            continue
        weights.write_safetensors(folder / weights.safetensors_name(file), parameters, file)
        _discard(part)
        return
    raise FetchFailed(f"{file.name} could not be fetched: {reason}")


def _transfer(file: ModelFile, part: Path, progress: Progress) -> bool:
    """Bring `part` to the size of `file`; whether some of it came from an earlier attempt. Raises _Interrupted."""
    have = part.stat().st_size if part.exists() else 0
    if have >= file.size:
        return True
    _room(part.parent, 2 * file.size)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if _tag(part).exists():
            headers["If-Range"] = _tag(part).read_text()
    with requests.Session() as session, _open(session, file.urls[0], headers) as response:
        start = _start(response, have, file, part)
        with _writing(part), part.open("ab" if start else "wb") as out:
            if not start:
                _remember(response, part)
            _copy(response, out.write, start, file, progress)
    if part.stat().st_size > file.size:
        _discard(part)
        raise FetchFailed(f"{file.name} is longer than the {file.size} bytes it should have", hint=_CHANGED)
    if part.stat().st_size < file.size:
        raise _Interrupted("the server ended the transfer too early")
    return start > 0


def _copy(
    response: requests.Response, write: Callable[[bytes], object], have: int, file: ModelFile, progress: Progress
) -> None:
    """Write what comes, at most one chunk beyond the size of `file`."""
    chunks = response.iter_content(_CHUNK)
    while have <= file.size:
        try:
            chunk = next(chunks, b"")
        except requests.RequestException as error:
            raise _Interrupted(_short(error)) from error
        if not chunk:
            return
        write(chunk)
        have += len(chunk)
        progress(min(have, file.size), file.size)


def _open(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    """The answer to `url` after its redirects, each of which has to be https."""
    for _ in range(_REDIRECTS + 1):
        if urlsplit(url).scheme != "https":
            raise FetchFailed(f"refused to go to {urlsplit(url).netloc} without https", hint=_CHANGED)
        try:
            response = session.get(
                url, headers=headers, stream=True, allow_redirects=False, timeout=(CONNECT_SECONDS, SILENCE_SECONDS)
            )
        except requests.exceptions.SSLError as error:
            hint = "Check the clock of this machine, and whether a proxy replaces certificates."
            raise FetchFailed(f"{urlsplit(url).netloc} has no valid certificate", hint=hint) from error
        except requests.RequestException as error:
            raise _Interrupted(f"{urlsplit(url).netloc} cannot be reached: {_short(error)}") from error
        if response.status_code not in _MOVED:
            return response
        response.close()
        try:
            url = urljoin(url, response.headers.get("Location", ""))
            urlsplit(url)
        except ValueError as error:
            raise FetchFailed(f"{urlsplit(response.url).netloc} redirects to no address", hint=_CHANGED) from error
    raise FetchFailed(f"{urlsplit(url).netloc} redirects without end", hint=_CHANGED)


def _start(response: requests.Response, have: int, file: ModelFile, part: Path) -> int:
    """The position in the file at which the body of `response` starts. Raises FetchFailed or _Interrupted."""
    status = response.status_code
    if status == requests.codes.requested_range_not_satisfiable:
        _discard(part)
        raise _Interrupted("the server could not resume")
    if status not in (requests.codes.ok, requests.codes.partial_content):
        hint = _LATER if status == requests.codes.too_many_requests or status >= 500 else _CHANGED
        raise FetchFailed(f"the server answered {status} {response.reason} for {file.name}", hint=hint)
    start = have if status == requests.codes.partial_content else 0
    if start and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        _discard(part)
        raise _Interrupted("the server resumed at another place")
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) != file.size - start:
        raise FetchFailed(f"{file.name} has {start + int(length)} bytes there, not {file.size}", hint=_CHANGED)
    return start


def _tag(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _remember(response: requests.Response, part: Path) -> None:
    """Keep the mark by which the server tells versions apart, so that a later request resumes only the same one."""
    mark = response.headers.get("ETag", "")
    _tag(part).unlink(missing_ok=True)
    if mark and not mark.startswith("W/"):
        _tag(part).write_text(mark)


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


def _room(folder: Path, size: int) -> None:
    with suppress(OSError):
        free = shutil.disk_usage(folder).free
        if free < size:
            hint = f"Free {size >> 20} MiB in {folder} and run the same command again."
            raise DiskFull(f"{folder} has {free >> 20} MiB left", hint=hint)


def _short(error: Exception) -> str:
    """The kind of `error`: its text repeats the address, which can hold a signature."""
    return type(error).__name__


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise files.output_error(error, path) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with filelock.FileLock(folder / ".fetch.lock", timeout=0):
            yield
    except filelock.Timeout as error:
        hint = "Wait until it is done."
        raise OutputBusy(f"another program fetches models into {folder}", hint=hint) from error
    except OSError as error:
        raise files.output_error(error, folder) from error

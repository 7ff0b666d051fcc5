"""Fetching from a server of our own, over TLS, that does what servers should not."""

from __future__ import annotations

import errno
import shutil
import ssl
from collections import namedtuple
from typing import TYPE_CHECKING, Any

import filelock
import pytest
import requests
import trustme

from snapupscale.errors import (
    Cancelled,
    DiskFull,
    FetchFailed,
    OutputBusy,
    SettingError,
    WeightsCorrupt,
    WeightsMissing,
)
from snapupscale.upscale import catalog, fetch, weights
from snapupscale.upscale.fetch import fetch as fetch_model
from upscale.servers import Handler, Server, running, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from snapupscale.upscale.catalog import ModelSpec
    from upscale.servers import Answer


def cut_off(handler: Handler, data: bytes) -> None:
    handler.reply(200, data[: len(data) // 2], length=len(data), ETag='"one"')


def cut_off_without_length(handler: Handler, data: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])


def cut_off_without_tag(handler: Handler, data: bytes) -> None:
    handler.reply(200, data[: len(data) // 2], length=len(data))


def without_ranges(handler: Handler, data: bytes) -> None:
    handler.reply(200, data)


def changed_since(handler: Handler, data: bytes) -> None:
    """The file has another ETag now, so that If-Range does not match."""
    assert handler.headers.get("If-Range") == '"one"'
    handler.reply(200, data, ETag='"two"')


def wrong_range(handler: Handler, data: bytes) -> None:
    handler.reply(206, data[10:], Content_Range=f"bytes 10-{len(data) - 1}/{len(data)}")


def no_such_range(handler: Handler, data: bytes) -> None:
    handler.reply(416, b"", Content_Range=f"bytes */{len(data)}")


def wrong_bytes(handler: Handler, data: bytes) -> None:
    handler.reply(200, bytes(byte ^ 1 for byte in data))


def wrong_bytes_resumed(handler: Handler, data: bytes) -> None:
    start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    body = bytes(byte ^ 1 for byte in data[start:])
    handler.reply(206, body, Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")


def too_long(handler: Handler, data: bytes) -> None:
    handler.reply(200, data + b"more")


def endless(handler: Handler, data: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(data)


def stalls(handler: Handler, data: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])
    handler.wfile.flush()
    handler.rfile.read(1)


def status(code: int) -> Answer:
    return lambda handler, _data: handler.reply(code, b"no")


def redirect(to: str) -> Answer:
    return lambda handler, _data: handler.reply(302, b"", Location=to)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An https server for localhost whose authority is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    monkeypatch.setattr(fetch, "SILENCE_SECONDS", 0.5)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield from running(Server(context))


@pytest.fixture
def plain() -> Iterator[Server]:
    """An http server, which must never be asked for anything."""
    yield from running(Server(None))


@pytest.fixture
def model(make_model: Callable[..., Any], server: Server, monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """A model of two files, which lie on the server and nowhere else."""
    spec, _ = make_model("made", partner=True)
    files = []
    for file in spec.files:
        path = weights.locate(file)
        assert path is not None
        server.files[f"/{file.name}"] = path.read_bytes()
        path.unlink()
        files.append(catalog.ModelFile(**{**vars(file), "urls": (server.url(f"/{file.name}"),)}))
    moved = catalog.ModelSpec(**{**vars(spec), "files": tuple(files)})
    monkeypatch.setattr(catalog, "catalog", lambda: {"made": moved})
    return moved


def left_over(folder: Path) -> list[str]:
    """What lies in `folder` beside finished models and the lock."""
    kept = (".safetensors", ".lock")
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(kept))


def test_a_good_server(model: ModelSpec, server: Server, user_folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    paths = fetch_model("made", progress=lambda have, size: seen.append((have, size)))
    assert paths == [user_folder / weights.safetensors_name(file) for file in model.files]
    assert weights.installed(model)
    assert weights.load(model, denoise=0.5).sha256.count("+") == 1
    assert left_over(user_folder) == []
    assert seen[-1] == (model.files[1].size, model.files[1].size)
    asked = len(server.requests)
    assert fetch_model("made") == paths
    assert len(server.requests) == asked, "what was there was fetched again"


@pytest.mark.parametrize("first", [cut_off, cut_off_without_length, cut_off_without_tag, stalls])
def test_what_was_cut_off_is_resumed(model: ModelSpec, server: Server, first: Answer) -> None:
    server.answers = [first, whole]
    assert len(fetch_model("made")) == 2
    assert "Range" not in server.requests[0]
    assert int(server.requests[1]["Range"].removeprefix("bytes=").removesuffix("-")) > 0
    assert ("If-Range" in server.requests[1]) == (first is cut_off)


def test_a_later_call_resumes(model: ModelSpec, server: Server, user_folder: Path) -> None:
    def stop(have: int, _size: int) -> None:
        raise Cancelled(f"at {have}")

    server.answers = [cut_off]
    with pytest.raises(Cancelled):
        fetch_model("made", progress=stop)
    part = user_folder / f"{model.files[0].name}.part"
    assert 0 < part.stat().st_size < model.files[0].size
    assert not weights.installed(model)
    server.answers = [whole]
    fetch_model("made")
    assert server.requests[1]["Range"].startswith("bytes=")
    assert left_over(user_folder) == []


@pytest.mark.parametrize("second", [without_ranges, changed_since, wrong_range, no_such_range, wrong_bytes_resumed])
def test_a_server_that_cannot_resume_starts_afresh(model: ModelSpec, server: Server, second: Answer) -> None:
    server.answers = [cut_off, second, whole]
    assert len(fetch_model("made")) == 2
    assert weights.verify(model)


def test_a_part_that_is_already_whole(model: ModelSpec, server: Server, user_folder: Path) -> None:
    user_folder.mkdir(parents=True)
    for file in model.files:
        (user_folder / f"{file.name}.part").write_bytes(server.files[f"/{file.name}"])
    fetch_model("made")
    assert server.requests == []


@pytest.mark.parametrize("extra", [0, 5])
def test_a_part_that_is_wrong_starts_afresh(model: ModelSpec, server: Server, user_folder: Path, extra: int) -> None:
    user_folder.mkdir(parents=True)
    (user_folder / f"{model.files[0].name}.part").write_bytes(bytes(model.files[0].size + extra))
    fetch_model("made")
    assert left_over(user_folder) == []


def test_a_server_that_always_cuts_off(model: ModelSpec, server: Server) -> None:
    server.answers = [stalls]
    with pytest.raises(FetchFailed, match=model.files[0].name) as caught:
        fetch_model("made")
    assert "goes on where it stopped" in caught.value.hint
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "word"), [(wrong_bytes, "other content"), (too_long, "bytes there, not"), (endless, "longer than")]
)
def test_other_content_is_never_kept(
    model: ModelSpec, server: Server, user_folder: Path, answer: Answer, word: str
) -> None:
    server.answers = [answer]
    with pytest.raises(FetchFailed, match=word) as caught:
        fetch_model("made")
    assert "update SnapUpscale" in caught.value.hint
    assert left_over(user_folder) == []
    assert not weights.installed(model)


def test_an_endless_answer_is_cut(model: ModelSpec, server: Server) -> None:
    server.answers = [endless]
    seen: list[int] = []
    with pytest.raises(FetchFailed):
        fetch_model("made", progress=lambda have, _size: seen.append(have))
    assert max(seen) <= model.files[0].size


@pytest.mark.parametrize(
    ("code", "word"), [(404, "update"), (403, "update"), (500, "Wait"), (503, "Wait"), (429, "Wait")]
)
def test_refusals(model: ModelSpec, server: Server, code: int, word: str) -> None:
    server.answers = [status(code)]
    with pytest.raises(FetchFailed, match=str(code)) as caught:
        fetch_model("made")
    assert word in caught.value.hint


def test_a_redirect_is_followed(model: ModelSpec, server: Server) -> None:
    for name, data in list(server.files.items()):
        server.files[f"/else{name}"] = data
    first = f"/{model.files[0].name}"
    server.answers = [redirect(server.url(f"/else{first}")), redirect(f"/else{first}"), whole]
    assert len(fetch_model("made")) == 2


def test_a_redirect_to_http_is_refused(model: ModelSpec, server: Server, plain: Server) -> None:
    server.answers = [redirect(plain.url("/file"))]
    with pytest.raises(FetchFailed, match="without https"):
        fetch_model("made")
    assert plain.requests == []


def test_an_address_without_https_is_refused(model: ModelSpec, plain: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tuple(catalog.ModelFile(**{**vars(file), "urls": (plain.url("/file"),)}) for file in model.files)
    changed = catalog.ModelSpec(**{**vars(model), "files": files})
    monkeypatch.setattr(catalog, "catalog", lambda: {"made": changed})
    with pytest.raises(FetchFailed, match="without https"):
        fetch_model("made")
    assert plain.requests == []


def test_redirects_without_end(model: ModelSpec, server: Server) -> None:
    server.answers = [redirect(f"/{model.files[0].name}")]
    with pytest.raises(FetchFailed, match="without end"):
        fetch_model("made")


def test_a_redirect_to_nowhere(model: ModelSpec, server: Server) -> None:
    server.answers = [redirect("https://localhost:1/file?signature=secret")]
    with pytest.raises(FetchFailed, match="localhost:1") as caught:
        fetch_model("made")
    assert "secret" not in str(caught.value)


def test_a_certificate_nobody_vouches_for(
    model: ModelSpec, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    with pytest.raises(FetchFailed, match="certificate"):
        fetch_model("made")
    assert server.requests == []


def test_no_network(model: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(requests.Session, "get", fail)
    with pytest.raises(FetchFailed, match="cannot be reached") as caught:
        fetch_model("made")
    assert "network" in caught.value.hint


def test_a_disk_too_small_is_noticed_before(model: ModelSpec, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10, 9, 1))
    with pytest.raises(DiskFull) as caught:
        fetch_model("made")
    assert "MiB" in caught.value.hint
    assert server.requests == []


def test_a_disk_that_fills_up(model: ModelSpec, user_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch, "_copy", full)
    with pytest.raises(DiskFull, match=r"\.part"):
        fetch_model("made")
    assert not weights.installed(model)


def test_two_fetches_at_once(model: ModelSpec, user_folder: Path) -> None:
    user_folder.mkdir(parents=True)
    with filelock.FileLock(user_folder / ".fetch.lock"), pytest.raises(OutputBusy):
        fetch_model("made")


def test_a_damaged_copy_of_ours_is_fetched_again(model: ModelSpec, server: Server, user_folder: Path) -> None:
    paths = fetch_model("made")
    paths[0].write_bytes(paths[0].read_bytes()[:-1])
    assert not server.answers[1:]
    assert fetch_model("made") == paths
    assert len(server.requests) == 3


def test_a_damaged_copy_of_the_users_is_left_alone(model: ModelSpec, server: Server, tmp_path: Path) -> None:
    own = tmp_path / "own models" / model.files[0].name
    own.write_bytes(b"something")
    with pytest.raises(WeightsCorrupt):
        fetch_model("made")
    assert own.read_bytes() == b"something"


def test_a_packaged_model_needs_no_network(user_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(requests.Session, "get")
    assert len(fetch_model("animevideov3")) == 2
    assert not user_folder.exists()
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    with pytest.raises(WeightsMissing, match="animevideov3"):
        fetch_model("animevideov3")


def test_an_unknown_model() -> None:
    with pytest.raises(SettingError):
        fetch_model("nothing")

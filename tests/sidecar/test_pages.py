from __future__ import annotations

import asyncio
import os
import sys
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.conftest import find_chromium, sample
from sidecar.direct import HOST, JSON, KEYS, PORT, TOKEN, Reply, call
from sidecar.fakes import MemoryService, ask, sidecar
from snapupscale.report.page import render
from snapupscale.sidecar.app import make_app
from snapupscale.sidecar.guard import SECURITY_HEADERS, STRICT_POLICY
from snapupscale.sidecar.lifetime import Lifetime
from snapupscale.sidecar.pages import FileReply, disposition, open_regular
from snapupscale.stills.images import FORMATS
from snapupscale.timeline import exports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and devices of POSIX")
CSP = "content-security-policy"
STILL, REPORT = "/v1/jobs/job-0/stills/0", "/v1/jobs/job-0/report"


@pytest.fixture
def service() -> MemoryService:
    made = MemoryService()
    made.submit({"kind": "upscale"})
    return made


@pytest.fixture
def app(service: MemoryService) -> Starlette:
    return make_app(service, KEYS, Lifetime(60))


@pytest.fixture
def offer(service: MemoryService, tmp_path: Path) -> Callable[..., Path]:
    """Have the service hand out a file with some bytes under a name."""

    def make(key: str, name: str, data: bytes = b"data") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        service.paths[key] = path
        return path

    return make


def get(app: Starlette, path: str, method: str = "GET") -> Reply:
    return call(app, method, path, [HOST, TOKEN])


def test_a_picture_comes_as_it_is(app: Starlette, offer: Callable[..., Path]) -> None:
    data = os.urandom(700_000)
    offer("0", "clip_s001_f00009_x4_still.png", data)
    reply = get(app, STILL)
    assert (reply.status, reply.body == data, reply.secured) == (200, True, True)
    assert (reply.headers["content-type"], reply.headers["content-length"]) == ("image/png", "700000")
    assert reply.headers["content-disposition"].startswith('inline; filename="clip_s001_f00009_x4_still.png"; ')
    head = get(app, STILL, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers == reply.headers


def test_a_timeline_is_saved_under_its_name(app: Starlette, offer: Callable[..., Path]) -> None:
    offer("größe.edl", "größe.edl")
    reply = get(app, "/v1/jobs/job-0/files/größe.edl")
    assert (reply.status, reply.body, reply.secured) == (200, b"data", True)
    assert saved_as(reply.headers["content-disposition"]) == ("attachment", "größe.edl")


def test_every_form_has_a_type(app: Starlette, offer: Callable[..., Path]) -> None:
    for suffix in (*FORMATS, *exports.FORMATS, "cuts.json"):
        offer("0", f"a.{suffix}")
        kind = get(app, STILL).headers["content-type"]
        assert (kind != "application/octet-stream", "html" in kind, "svg" in kind) == (True, False, False), suffix
    offer("0", "a.html")
    assert get(app, STILL).headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("path", [STILL, REPORT, "/v1/jobs/job-0/files/a.edl"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_not_there_is_not_found(app: Starlette, offer: Callable[..., Path], path: str, method: str) -> None:
    assert get(app, path, method).status == 404
    for key in ("0", "report", "a.edl"):
        offer(key, "gone").unlink()
    reply = get(app, path)
    assert (reply.status, reply.data["error"]["code"], reply.secured) == (404, "not-found", True)
    assert reply.data["error"]["hint"]
    assert get(app, path.replace("job-0", "job-1")).status == 404


TRAVERSALS = [
    *("..", ".", "...", "%2e%2e", "..%2f..%2fetc%2fpasswd", "../../../etc/passwd", "..\\..\\secret", "%00", "a\x00b"),
    *("\\\\host\\share\\x", "C:", "C:\\x", "/etc/passwd", "//host/x", "file:///etc/passwd", "~", "a/../b", "‥", "．．"),
    *("x" * 10_000, "\udcff", "nul", "con.png", "-1", "+0", " 0", "0 ", "00000000000", "²", "٠", "1e0", "0x0", "0.png"),
]


@pytest.mark.parametrize("name", TRAVERSALS)
def test_no_path_leads_out_of_the_table(app: Starlette, offer: Callable[..., Path], name: str) -> None:
    offer("0", "a.png")
    text = name.encode("utf-8", "surrogateescape").decode("latin-1") if name == "\udcff" else name
    for path in (f"/v1/jobs/job-0/stills/{text}", f"/v1/jobs/job-0/files/{text}", f"/v1/jobs/{text}/report"):
        assert get(app, path).status == 404


@pytest.fixture
def bait(tmp_path: Path) -> Path:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    return secret


@POSIX
@pytest.mark.parametrize("path", [STILL, REPORT, "/v1/jobs/job-0/files/a.edl"])
def test_links_folders_and_devices_are_not_opened(
    app: Starlette, service: MemoryService, bait: Path, tmp_path: Path, path: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(bait)
    (tmp_path / "broken").symlink_to(tmp_path / "none")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "link", "broken", "loop", "folder", "..", "folder/none", "x" * 300, "a\x00b"):
        for key in ("0", "report", "a.edl"):
            service.paths[key] = tmp_path / name
        assert get(app, path).status == 404, name
    service.paths["0"] = Path("/dev/zero")
    assert get(app, STILL).status == 404


@POSIX
def test_a_link_that_takes_the_place_of_the_file_is_not_followed(
    bait: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"data")
    plain = os.open

    def swapping(swap: Callable[[Path], object]) -> Callable[[Any, int], int]:
        def late(name: Any, flags: int) -> int:
            path.rename(tmp_path / "before")
            swap(path)
            return plain(name, flags)

        return late

    for swap in (lambda path: path.symlink_to(bait), bait.rename):
        path.unlink(missing_ok=True)
        path.write_bytes(b"data")
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", swapping(swap))
            assert open_regular(path) is None
        assert path.read_bytes() == b"secret"


def test_a_file_is_read_in_pieces_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" * 1_000_000)
    file = open_regular(path)
    assert file
    sizes: list[int] = []

    async def send(message: Any) -> None:
        sizes.append(len(message.get("body", b"")))
        assert not file.closed

    asyncio.run(FileReply(file, "image/png", {})({"type": "http", "method": "GET"}, None, send))  # type: ignore[arg-type]
    assert (sum(sizes), max(sizes) < 300_000, file.closed) == (1_000_000, True, True)


def test_a_file_is_closed_when_the_client_leaves(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    file = open_regular(path)
    assert file

    async def send(message: Any) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(FileReply(file, "image/png", {})({"type": "http", "method": "GET"}, None, send))  # type: ignore[arg-type]
    assert file.closed


def saved_as(header: str) -> tuple[str, str]:
    """How a browser reads it: the name in filename* counts."""
    how, plain, exact = header.split("; ")
    assert exact.startswith("filename*=UTF-8''")
    assert plain.startswith('filename="')
    assert plain.endswith('"')
    return how, unquote(exact.removeprefix("filename*=UTF-8''"))


HOSTILE = ["a\r\nSet-Cookie: x=y", 'a"; filename="b.exe', "a\\", "ö – 映画.png", "a;b", "a%0d%0ab", "\udcff", "\0", "'"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_a_name(name: str) -> None:
    assert_one_name(name)


@given(st.text(st.characters()))
def test_any_name_stays_a_name(name: str) -> None:
    assert_one_name(name)


def assert_one_name(name: str) -> None:
    header = disposition("attachment", name)
    assert header.isascii()
    assert header.isprintable()
    plain = header.split("; ")[1].removeprefix('filename="')[:-1]
    assert not set(plain) & set('"\\;%\r\n')
    assert saved_as(header) == ("attachment", name.encode("utf-8", "replace").decode())
    message = Message()
    message["content-disposition"] = header
    assert message.get_content_disposition() == "attachment"


def test_a_report_may_run_its_own_script_and_nothing_else(app: Starlette, offer: Callable[..., Path]) -> None:
    page = render(sample())
    offer("report", "report.html", page.encode())
    reply = get(app, REPORT)
    assert (reply.status, reply.body) == (200, page.encode())
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = reply.headers[CSP]
    assert policy.removesuffix("; frame-ancestors 'none'") in page
    assert STRICT_POLICY.fullmatch(policy)
    assert {**SECURITY_HEADERS, CSP: policy}.items() <= reply.headers.items()
    assert (get(app, REPORT, "HEAD").headers, get(app, REPORT, "HEAD").body) == (reply.headers, b"")


def test_a_report_with_another_script_is_not_shown(app: Starlette, offer: Callable[..., Path]) -> None:
    page = render(sample())
    start = page.index("script-src 'sha256-") + 19
    for text in (page[:start] + "A" * 43 + page[start + 43 :], "<script>alert(1)</script>", "", " " * 5000 + page):
        offer("report", "report.html", text.encode())
        reply = get(app, REPORT)
        assert (reply.status, reply.data["error"]["code"], reply.secured) == (409, "other-version", True)


@pytest.mark.parametrize(
    "policy",
    [
        "default-src *",
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'",
    ],
)
def test_no_other_policy_gets_past_the_guard(policy: str) -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        headers = [(CSP.encode(), policy.encode()), (b"x-frame-options", b"ALLOWALL"), (b"cache-control", b"public")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    assert call(answer, "GET", "/v1/health", [HOST, TOKEN]).secured


def test_the_open_page_needs_no_key_and_holds_no_secret(app: Starlette) -> None:
    for path, kind in (("/open", "text/html; charset=utf-8"), ("/open.js", "text/javascript; charset=utf-8")):
        for method in ("GET", "HEAD"):
            reply = call(app, method, path, [HOST])
            assert (reply.status, reply.secured, reply.headers["content-type"]) == (200, True, kind)
            assert "set-cookie" not in reply.headers
            assert KEYS.token.encode() not in reply.body
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"):
            assert call(app, method, path, [HOST, JSON]).status == 401, method
        assert call(app, "POST", path, [HOST, JSON, TOKEN]).status == 405
        assert call(app, "GET", path, [("host", "evil.com")]).status == 400
        assert call(app, "GET", path, [HOST, ("sec-fetch-site", "cross-site")]).status == 403
        assert call(app, "GET", path, [HOST, ("origin", f"http://127.0.0.1:{PORT + 1}")]).status == 403
    for path in ("/open/", "/open.js/", "/OPEN", "//open", "/open/..", "/open.js.map", "/openx"):
        assert call(app, "GET", path, [HOST]).status == 401, path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from report.conftest import Browser

    program = find_chromium()
    if program is None or sys.platform == "win32":
        if os.environ.get("CI"):
            pytest.fail("no Chromium: install the package `chromium`")
        pytest.skip("no Chromium on this machine")
    running = Browser(program, tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


def visit(browser: Any, url: str, *, pages: int = 1) -> None:
    """Open `url` in a fresh tab, as a program of the desktop does, and wait until so many pages were loaded."""
    browser._session = None
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    browser._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    browser.events.clear()
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable")
    browser.call("Page.navigate", url=url)
    while sum(event["method"] == "Page.loadEventFired" for event in browser.events) < pages:
        browser._receive()


def test_a_browser_from_the_code_to_the_report(browser: Any, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text(render(sample()), encoding="utf-8")
    with sidecar("60", "INFO", str(report)) as (_, found):
        ask(found, "POST", "/v1/jobs", {"kind": "upscale"})
        origin = f"http://127.0.0.1:{found.port}"

        def link(to: str = REPORT, code: str = "") -> str:
            return f"{origin}/open#code={code or ask(found, 'POST', '/v1/session/code').data['code']}&to={to}"

        def said() -> str:
            browser.wait("document.getElementById('said').textContent.length > 20")
            assert browser.evaluate("[location.pathname, location.hash, history.length]") == ["/open", "", 2]
            return str(browser.evaluate("document.getElementById('said').textContent"))

        visit(browser, f"{origin}{REPORT}")
        assert "unauthorised" in browser.evaluate("document.body.innerText")

        foreign = ("//evil.com/", "http://evil.com/v1/jobs/a/report", "javascript:alert(1)")
        for to in (*foreign, "/v1/jobs", "", f"{REPORT}#", f"{REPORT}/../x"):
            visit(browser, link(to))
            assert "not whole" in said(), to
        visit(browser, link("/v1/jobs/a/report%0A"))
        assert "not whole" in said()
        visit(browser, f"{origin}/open")
        assert "not whole" in said()
        visit(browser, link(code="x"))
        assert "used before" in said()

        used = link()
        visit(browser, used, pages=2)
        browser.wait("document.documentElement.dataset.ready === '1'")
        assert browser.evaluate("[location.pathname, location.hash, document.referrer]") == [REPORT, "", ""]
        assert browser.evaluate("document.querySelectorAll('.shot').length") == 2
        browser.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
        assert browser.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
        assert browser.evaluate("document.cookie") == ""
        history = browser.call("Page.getNavigationHistory")["entries"]
        assert not any("code=" in entry["url"] for entry in history)
        faults = browser.named("Runtime.exceptionThrown", "Log.entryAdded")
        # Browsers ask for an icon by themselves.
        assert [fault for fault in faults if "favicon.ico" not in fault.get("entry", {}).get("url", "")] == []
        urls = {event["request"]["url"] for event in browser.named("Network.requestWillBeSent")}
        outside = {url for url in urls if not url.startswith((origin, "data:"))}
        assert outside == set()
        refused = browser.evaluate("fetch('/v1/jobs').then(() => 'answered', () => 'refused')")
        assert refused == "refused"

        visit(browser, used)
        assert "used before" in said()

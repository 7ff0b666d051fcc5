"""Anything at all, sent to every route of the real service: an answer below 500, and at once."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from report.conftest import sample
from sidecar.direct import HOST, JSON, KEYS, TOKEN, call
from snapupscale.protocol import JOBS, STREAM
from snapupscale.report.page import render
from snapupscale.sidecar.app import make_app
from snapupscale.sidecar.lifetime import Lifetime
from snapupscale.sidecar.messages import KINDS
from snapupscale.sidecar.service import Service
from waiting import ended, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette

# It ends every job at once, with the names of stills and files.
WORKER = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if "cancel" in request:
        continue
    done = {"timelines": ["a.edl", "b.edl"], "report": "report.html"}
    print(json.dumps({"id": request["id"], "progress": {"stage": "start", "done": 0, "total": None}}))
    for index in range(3):
        print(json.dumps({"id": request["id"], "still": {"index": index, "name": f"{index}.png"}}))
    print(json.dumps({"id": request["id"], "done": done}), flush=True)
"""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")


class World:
    """The service, a job of it that is done, and files in its folder, some of them planted."""

    def __init__(self, folder: Path) -> None:
        self.clip = folder / "clip.mp4"
        self.clip.write_bytes(b"x")
        self.folder = folder / "out"
        self.folder.mkdir()
        (folder / "secret").write_bytes(b"secret")
        for name in ("0.png", "a.edl", "other.edl"):
            (self.folder / name).write_bytes(b"x" * 1000)
        for name in ("1.png", "b.edl"):
            (self.folder / name).symlink_to(folder / "secret")
        (self.folder / "report.html").write_text(render(sample()), encoding="utf-8")
        self.service = Service(folder / "data", command=[sys.executable, "-c", WORKER])
        self.app: Starlette = make_app(self.service, KEYS, Lifetime(60))
        job = self.service.submit({"kind": "upscale", "source": str(self.clip), "folder": str(self.folder)})
        self.job: str = ended(self.service, job)["id"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.service.close()


def test_what_is_planted_is_not_handed_out(world: World) -> None:
    start = f"/v1/jobs/{world.job}"
    paths = [*(f"/stills/{index}" for index in range(4)), "/files/a.edl", "/files/b.edl", "/files/other.edl", "/report"]
    answers = {path: call(world.app, "GET", start + path, [HOST, TOKEN]) for path in paths}
    found = [path for path, answer in answers.items() if answer.status == 200]
    assert found == ["/stills/0", "/files/a.edl", "/report"]
    assert not any(b"secret" in answer.body for answer in answers.values())


TEXT = st.text(max_size=30)
LATIN = st.text(st.characters(max_codepoint=255), max_size=30)
ESCAPES = ["..", "%2e%2e", "..%2f", "\\", "\x00", "C:", "\\\\host\\x", "-evil", "/", "//", "a" * 5000, "²", "%00", "~"]
PIECES = st.sampled_from(ESCAPES) | TEXT | st.sampled_from(["0", "1", "2", "-1", "a.edl", "b.edl", "report.html"])
NAMES = st.lists(PIECES, min_size=1, max_size=4).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from([10**400, "24000/1001", "1/0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted({name for kind in KINDS.values() for name in kind.__dataclass_fields__} | {"job", "code", "kind"})
QUERIES = LATIN | st.tuples(st.sampled_from(["after", "job", "timeline"]), LATIN).map("=".join)


@st.composite
def requests(draw: st.DrawFn, world: World) -> dict[str, Any]:
    """A request for a job: nearly right, with some fields anything at all."""
    sources = st.just(str(world.clip)) | st.sampled_from(["/", "/dev/zero", "/a\x00", "rel", "\\\\host\\x", "/" * 5000])
    data: dict[str, Any] = {"kind": draw(st.sampled_from([*KINDS, "x"])), "source": draw(sources | VALUES)}
    if data["kind"] == "export" and draw(st.booleans()):
        data["job"] = draw(st.just(world.job) | VALUES)
        del data["source"]
        data["format"] = "edl"
    return {**data, **draw(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=2))}


def test_nothing_is_a_fault_of_any_route(world: World) -> None:
    statuses: Counter[int] = Counter()
    routes = [
        (method, route.path)  # type: ignore[attr-defined]
        for route in world.app.routes
        for method in (*sorted(route.methods), "PUT")  # type: ignore[attr-defined]
        if route.path not in {STREAM, "/v1/stop"}  # type: ignore[attr-defined]
    ]
    # The route that takes most apart is drawn as often as a third of the others together.
    routes += [("POST", JOBS)] * (len(routes) // 3)
    bodies = st.binary(max_size=50) | (requests(world) | VALUES).map(lambda data: json.dumps(data).encode())
    ids = st.just(world.job) | NAMES

    @settings(max_examples=600, deadline=2000, suppress_health_check=list(HealthCheck))
    @given(route=st.sampled_from(routes), id=ids, name=NAMES, body=bodies, query=QUERIES, keyed=st.booleans())
    def ask(route: tuple[str, str], id: str, name: str, body: bytes, query: str, keyed: bool) -> None:
        method, path = route
        path = path.replace("{id}", id)
        path = "/".join(name if part.startswith("{") else part for part in path.split("/"))
        reply = call(world.app, method, path, [HOST, JSON, *([TOKEN] if keyed else [])], [body], query=query)
        statuses[reply.status] += 1
        assert 200 <= reply.status < 500, reply.body
        assert keyed or reply.status == 401 or path in {"/open", "/open.js", "/v1/session"}
        assert b"secret" not in reply.body
        assert reply.secured or path.endswith("/report")

    ask()
    assert {200, 404, 405, 422, 401} <= statuses.keys()


def test_all_jobs_come_to_an_end_afterwards(world: World) -> None:
    began = time.monotonic()
    until(lambda: not world.service.busy())
    assert time.monotonic() - began < 30
    assert {job["state"] for job in world.service.jobs()} <= {"done", "failed"}

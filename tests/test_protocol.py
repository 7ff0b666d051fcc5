from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.direct import HOST, JSON, KEYS, TOKEN, Reply, call
from sidecar.fakes import TESTS, MemoryService
from snapupscale import protocol
from snapupscale.colour import ColourTags
from snapupscale.sidecar import app as routes
from snapupscale.sidecar import messages, store
from snapupscale.sidecar.app import make_app
from snapupscale.sidecar.lifetime import Lifetime
from snapupscale.sidecar.service import Service
from snapupscale.stills.images import write_image
from snapupscale.timeline import operations
from snapupscale.timeline.snapshot import read_snapshot
from waiting import ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOLDEN = {path.stem: json.loads(path.read_text("ascii")) for path in sorted((TESTS / "golden" / "v1").glob("*.json"))}
READERS: dict[tuple[str, str], Callable[[object], Any]] = {
    ("GET", protocol.HEALTH): protocol.read_health,
    ("POST", protocol.SESSION_CODE): protocol.read_code,
    ("POST", protocol.JOBS): protocol.read_job,
    ("GET", protocol.JOBS): protocol.read_jobs,
    ("GET", protocol.JOB): protocol.read_whole_job,
    ("GET", protocol.EVENTS): protocol.read_events,
    ("POST", protocol.TIMELINES): protocol.read_session,
    ("GET", protocol.TIMELINES): protocol.read_sessions,
    ("GET", protocol.TIMELINE): protocol.read_session,
    ("GET", protocol.PLAN): protocol.read_plan,
    ("POST", protocol.READBACK): protocol.read_session,
}
"""Of replies; those without content have none."""
EMPTY = {("POST", protocol.STOP), ("POST", protocol.CANCEL), ("POST", protocol.SESSION)}


def golden(prefix: str) -> pytest.MarkDecorator:
    names = [name for name in GOLDEN if name.startswith(prefix)]
    return pytest.mark.parametrize("message", [GOLDEN[name] for name in names], ids=names)


def reader(message: dict[str, Any]) -> Callable[[object], Any]:
    return protocol.read_error if message["status"] >= 400 else READERS[message["method"], message["route"]]


def changed(value: Any, path: list[Any], to: Any) -> Any:
    """A copy of a message with another value at one place."""
    copy = json.loads(json.dumps(value))
    place = copy
    for step in path[:-1]:
        place = place[step]
    if to is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return copy


def shaped(shape: Any, value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to every value that a shape speaks of."""
    if isinstance(shape, tuple):
        shape = shape[-1] if isinstance(shape[-1], dict) and value is not None else None
    if isinstance(shape, dict):
        for name in shape:
            yield (*path, name)
            yield from shaped(shape[name], value[name], (*path, name))
    elif isinstance(shape, list) and value:
        yield from shaped(shape[0], value[0], (*path, 0))


def test_the_golden_files_are_plain() -> None:
    for path in (TESTS / "golden" / "v1").iterdir():
        text = path.read_bytes()
        assert text.isascii(), path
        data = protocol.decode(text)
        assert data["about"][0].isupper(), path
        assert data["about"].endswith("."), path
        assert len(data.keys() & {"request", "reply", "file"}) == 1


def test_every_kind_of_message_has_a_golden_file() -> None:
    requests = [each for each in GOLDEN.values() if "request" in each]
    replies = [each for each in GOLDEN.values() if "reply" in each]
    assert {each["request"]["kind"] for each in requests if each["route"] == protocol.JOBS} == set(protocol.KINDS)
    assert {each["request"]["action"] for each in requests if each["route"] == protocol.TIMELINES} == set(
        protocol.ACTIONS
    )
    jobs = [each["reply"] for each in replies if (each["method"], each["route"]) == ("GET", protocol.JOB)]
    assert {each.get("state") for each in jobs} - {None} == set(protocol.STATES)
    assert {each.get("kind") for each in jobs if each.get("state") == "done"} == set(protocol.KINDS)
    assert {event["kind"] for event in GOLDEN["reply-events"]["reply"]["events"]} == set(protocol.EVENT_KINDS)
    sessions = [each["reply"].get("state") for each in replies if each["route"] == protocol.TIMELINE]
    assert set(sessions) == set(protocol.SESSION_STATES)
    assert {each["status"] for each in replies} >= {200, 201, 202, 401, 404, 409, 422, 426, 429, 507}
    assert {each["op"] for each in GOLDEN["reply-plan"]["reply"]["operations"]} == set(protocol.OPERATIONS)
    assert {(each["method"], each["route"]) for each in replies if each["status"] < 300} == READERS.keys() | EMPTY


@golden("request-job-")
def test_the_service_takes_the_requests(message: dict[str, Any]) -> None:
    kind, request = messages.job_request(message["request"])
    sent = {name: value for name, value in message["request"].items() if name != "kind"}
    assert kind == message["request"]["kind"]
    taken = {name: getattr(request, name) for name in sent}
    assert {name: str(value) if "rate" in name else value for name, value in taken.items()} == sent


@golden("request-timeline-")
def test_the_planner_takes_the_snapshots(message: dict[str, Any]) -> None:
    if message["route"] != protocol.TIMELINES:
        return
    snapshot = message["request"]["snapshot"]
    assert protocol.read_snapshot(snapshot) is snapshot
    taken = read_snapshot(snapshot)
    assert [each.id for each in taken.items] == [each["id"] for each in snapshot["items"]]


def test_read_backs_fit_the_plan() -> None:
    plan = protocol.read_plan(GOLDEN["reply-plan"]["reply"])
    results = protocol.read_readback(GOLDEN["request-readback"]["request"])
    assert [each["id"] for each in results] == [each["id"] for each in plan["operations"]]
    for operation, result in zip(plan["operations"], results, strict=True):
        if result["ok"]:
            assert protocol.read_found(operation["op"], result["found"]) == result["found"]
    with pytest.raises(protocol.Malformed, match=r"found\.left: it is missing"):
        protocol.read_found("remove_marker", {})


def test_the_planners_operations_are_those_of_the_protocol() -> None:
    plan = GOLDEN["reply-plan"]["reply"]
    assert operations.OPERATIONS.keys() == protocol.OPERATIONS.keys()
    for operation in plan["operations"]:
        assert operations.to_json(operations.read_operation(operation)) == operation


@golden("reply-")
def test_clients_read_the_replies_and_what_a_newer_sidecar_adds(message: dict[str, Any]) -> None:
    if (message["method"], message["route"]) in EMPTY and message["status"] < 400:
        assert message["reply"] == {}
        return
    read = reader(message)
    assert read(message["reply"])
    assert read({**message["reply"], "new": [1]})


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("reply-health", protocol.HEALTH_REPLY),
        ("reply-job-running", protocol.WHOLE_JOB),
        ("reply-job-failed", protocol.WHOLE_JOB),
        ("reply-events", {"events": [protocol.EVENT]}),
        ("reply-session-working", protocol.SESSION_REPLY),
        ("reply-session-failed", protocol.SESSION_REPLY),
        ("reply-plan", protocol.PLAN_REPLY),
        ("reply-error-404-not-found", {"error": protocol.ERROR}),
    ],
)
def test_whatever_is_missing_or_wrong_is_named(name: str, shape: Any) -> None:
    message = GOLDEN[name]
    paths = list(shaped(shape, message["reply"]))
    assert len(paths) >= 4
    for path in paths:
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
        wrongs: tuple[Any, ...] = (KeyError, [[]])
        for wrong in wrongs:
            with pytest.raises(protocol.Malformed) as raised:
                reader(message)(changed(message["reply"], list(path), wrong))
            assert str(raised.value).startswith(place)


def test_a_plan_is_refused_whole_when_an_operation_makes_no_sense() -> None:
    plan = GOLDEN["reply-plan"]["reply"]
    take = next(n for n, each in enumerate(plan["operations"]) if each["op"] == "take")
    for path, value, words in (
        (["operations", 0, "op"], "format_disk", r"operations\[0\]\.op: 'format_disk' is no operation"),
        (["operations", 3, "custom"], KeyError, r"operations\[3\]\.custom: it is missing"),
        (["operations", 3, "id"], "o1", r"operations\[3\]\.id: it comes twice"),
        (["operations", take, "otherwise", 1, "record"], "0", rf"operations\[{take}\]\.otherwise\[1\]\.record"),
        (["operations", take, "otherwise", 1, "id"], "o1", rf"operations\[{take}\]\.otherwise\[1\]\.id: .* twice"),
    ):
        with pytest.raises(protocol.Malformed, match=words):
            protocol.read_plan(changed(plan, path, value))


def test_whole_numbers_may_be_written_as_lua_writes_them() -> None:
    snapshot = changed(GOLDEN["request-timeline-undo"]["request"]["snapshot"], ["items", 0, "start"], 86400.0)
    assert protocol.read_snapshot(snapshot)
    with pytest.raises(protocol.Malformed, match=r"items\[0\]\.start: 86400\.5 is not allowed"):
        protocol.read_snapshot(changed(snapshot, ["items", 0, "start"], 86400.5))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e99, 1e99) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(alphabet=st.characters(exclude_categories=["Cs"])), JSON_VALUES))
def test_what_is_encoded_is_decoded(data: dict[str, Any]) -> None:
    coded = protocol.encode(data)
    assert coded.isascii()
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        with pytest.raises(protocol.Malformed):
            protocol.decode(coded)
    else:
        assert protocol.decode(coded) == data


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"[]", b"null", b"3", b"{", b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": 1, "a": 1}'),
        *(b'{"a": "\xff"}', b'{"a": "\\ud800"}', b'{"a": ' + b"9" * 21 + b"}", b'{"a": ' * 100_000, b"\xef\xbb\xbf{}"),
        b'{"a": {"b": 1, "b": 2}}',
    ],
)
def test_sloppy_json_is_refused(data: bytes) -> None:
    with pytest.raises(protocol.Malformed):
        protocol.decode(data)


def test_size_is_bounded() -> None:
    assert protocol.decode(b'{"a":1}', most=7) == {"a": 1}
    with pytest.raises(protocol.Malformed, match="more than 6 bytes"):
        protocol.decode(b'{"a":1}', most=6)
    with pytest.raises(ValueError, match="not JSON compliant"):
        protocol.encode({"a": float("nan")})


def test_a_mismatch_names_the_older_side_and_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "NUMBER", 5)
    monkeypatch.setattr(protocol, "OLDEST", 3)
    for number in (3, 4, 5):
        assert protocol.mismatch(number) is None
        assert protocol.mismatch(number, protocol.SIDECAR) is None
        assert protocol.check_number(str(number)) is None
    scripts, sidecar = protocol.mismatch(2), protocol.mismatch(6)
    assert scripts
    assert sidecar
    assert (scripts[0], sidecar[0]) == ("protocol-too-old", "protocol-too-new")
    assert "menu scripts are older" in scripts[1]
    assert "sidecar is older" in sidecar[1]
    assert "`snapupscale sidecar stop`" in sidecar[2]
    assert protocol.mismatch(2, protocol.SIDECAR) == (sidecar[0], sidecar[1].replace("6", "2"), sidecar[2])
    assert protocol.mismatch(6, protocol.SIDECAR) == (scripts[0], scripts[1].replace("2", "6"), scripts[2])
    for text in ("", "one", "1.0", "-1", "+4", " 4", "4\n", "\u0664", "1" * 10):
        trouble = protocol.check_number(text)
        assert trouble
        assert trouble[0] == "protocol-unknown"


def test_names_are_those_of_the_sidecar() -> None:
    assert messages.PROTOCOL == protocol.NUMBER
    assert messages.KINDS.keys() == set(protocol.KINDS)
    assert get_args(store.State) == protocol.STATES
    assert get_args(messages.Priority) == protocol.PRIORITIES
    served = {route.path for route in make_app(MemoryService(), KEYS, Lifetime(60)).routes}  # type: ignore[attr-defined]
    ours = {value for name, value in vars(protocol).items() if isinstance(value, str) and value.startswith("/")}
    assert {path for path in served if path.startswith("/v1/")} <= ours
    assert {routes.HEALTH, routes.STOP, routes.JOBS, routes.JOB, routes.CANCEL, routes.EVENTS, routes.STREAM} <= ours


def test_it_needs_nothing_but_python_3_6() -> None:
    tree = ast.parse(Path(protocol.__file__).read_text(encoding="utf-8"), feature_version=(3, 6))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"json", "re", "typing"}


def test_the_golden_replies_are_what_the_sidecar_says_today(tmp_path: Path) -> None:
    footage = tmp_path / "A001.mov"
    footage.write_bytes(b"no video")
    service = Service(tmp_path / "data")
    try:
        asked = _Asked(service)
        _same_form(asked("GET", protocol.HEALTH), "reply-health")
        new = asked("POST", protocol.JOBS, {"kind": "probe", "source": str(footage)})
        _same_form(new, "reply-new-job")
        ended(service, new.data)
        failed = asked("GET", protocol.JOB.replace("{id}", new.data["id"]))
        _same_form(failed, "reply-job-failed")
        assert (failed.data["kind"], failed.data["source"], failed.data["attempts"]) == ("probe", "A001.mov", 0)
        listed = asked("GET", protocol.JOBS)
        assert listed.data["jobs"][0].keys() == GOLDEN["reply-jobs"]["reply"]["jobs"][0].keys()
        happened, known = _events(asked("GET", protocol.EVENTS).data), _events(GOLDEN["reply-events"]["reply"])
        assert {"running", "progress", "failed"} <= happened.keys() & known.keys()
        for name in ("running", "progress", "failed"):
            assert happened[name].keys() == known[name].keys()
            assert happened[name]["data"].keys() == known[name]["data"].keys()
        _same_form(asked("GET", "/v1/jobs/none"), "reply-error-404-not-found")
        _same_form(asked("POST", f"/v1/jobs/{new.data['id']}/cancel"), "reply-error-409-job-ended")
        _same_form(asked("POST", protocol.JOBS, {"kind": "dance"}), "reply-error-422-bad-setting")
        gone = {"kind": "probe", "source": str(tmp_path / "gone.mov")}
        _same_form(asked("POST", protocol.JOBS, gone), "reply-error-422-source-missing")
        _same_form(asked("GET", protocol.HEALTH, number="0"), "reply-error-426-too-old")
        _same_form(asked("GET", protocol.HEALTH, number="2"), "reply-error-426-too-new")
        _same_form(asked("GET", protocol.JOBS, key=()), "reply-error-401-unauthorised")
        _same_form(asked("POST", protocol.SESSION_CODE), "reply-session-code")
        _same_form(asked("POST", protocol.STOP), "reply-stop")
    finally:
        service.close()


def test_the_golden_results_are_what_the_worker_gives_today(tmp_path: Path, clip: Callable[..., Path]) -> None:
    footage = clip("protocol.mp4", frames=30)
    quick = {"backend": "lanczos", "scale": 2, "limit": 1}
    write_image(tmp_path / "a.png", np.zeros((18, 32, 3), dtype=np.uint16), tags=ColourTags())
    light: dict[str, dict[str, Any]] = {
        "upscale": quick,
        "export": {"format": "edl"},
        "hold": {"source": str(tmp_path / "a.png"), "rate": "24000/1001", "frames": 2},
    }
    service = Service(tmp_path / "data")
    try:
        for kind in protocol.KINDS:
            new = service.submit({"kind": kind, "source": str(footage), **light.get(kind, {})})
            job = protocol.read_whole_job(ended(service, new))
            known = GOLDEN["reply-job-done" if kind == "upscale" else f"reply-job-done-{kind}"]["reply"]
            assert (job["state"], job["kind"]) == ("done", kind)
            assert job["result"].keys() == known["result"].keys(), kind
            assert [still.keys() for still in job["stills"]] == [still.keys() for still in known["stills"]]
    finally:
        service.close()


class _Asked:
    """Requests to a service through the guarded app."""

    def __init__(self, service: Service) -> None:
        self._app = make_app(service, KEYS, Lifetime(60))

    def __call__(
        self, method: str, path: str, data: object = None, *, number: str = "1", key: tuple[Any, ...] = (TOKEN,)
    ) -> Reply:
        headers = [HOST, JSON, *key, (protocol.HEADER.lower(), number)]
        return call(self._app, method, path, headers, [json.dumps(data or {}).encode()])


def _same_form(reply: Reply, name: str) -> None:
    """Status, names and types are those of the golden file, and the code of an error."""
    message = GOLDEN[name]
    assert reply.status == message["status"]
    assert _form(reply.data) == _form({**message["reply"], **({"stills": []} if "stills" in message["reply"] else {})})
    if reply.status >= 400:
        assert reply.data["error"]["code"] == message["reply"]["error"]["code"]


def _events(data: Any) -> dict[str, Any]:
    """The last event of each kind, or of each state."""
    return {each["data"].get("state", each["kind"]): each for each in protocol.read_events(data)}


def _form(value: Any, name: str = "") -> Any:
    if isinstance(value, dict) and name not in {"progress", "result"}:
        return {key: _form(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_form(part) for part in value]
    return "number" if type(value) in {int, float} else name if name in {"progress", "result"} else type(value).__name__


def test_otherwise_belongs_to_takes_alone() -> None:
    operation = {"id": "o1", "op": "bin", "name": "x", "otherwise": 5}
    plan = changed(GOLDEN["reply-plan"]["reply"], ["operations"], [operation])

    assert protocol.read_plan(plan)["operations"][0]["name"] == "x"

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapupscale.errors import DiskFull, SettingError
from snapupscale.job import Settings
from snapupscale.scenes.methods import METHODS, THRESHOLDS
from snapupscale.sidecar.messages import KINDS, Cuts, Export, Upscale, decode, fault, job_request
from snapupscale.stills.images import FORMATS
from snapupscale.stills.pick import PICKS
from snapupscale.timeline import exports
from snapupscale.upscale.engine import BACKENDS, PRECISIONS


def upscale(**fields: Any) -> Upscale:
    kind, request = job_request({"kind": "upscale", "source": "/a.mp4", **fields})
    assert kind == "upscale"
    assert isinstance(request, Upscale)
    return request


def test_a_whole_request() -> None:
    request = upscale(
        rate="24000/1001",
        scale=2.5,
        limit=3,
        threshold=0.5,
        pick="first",
        model="x4plus",
        backend="cpu",
        format="exr",
        folder="/out",
        priority="interactive",
    )
    assert (request.rate, request.scale) == (Fraction(24000, 1001), Fraction(5, 2))
    assert (request.limit, request.threshold, request.folder) == (3, 0.5, "/out")


def test_defaults_are_those_of_the_engine() -> None:
    request, settings = upscale(), Settings()
    shared = set(vars(settings)) & set(vars(request))
    assert shared == set(vars(settings)) - {"shots"}  # a list of shots is a file, which only the command line reads
    assert {name: getattr(request, name) for name in shared} == {name: getattr(settings, name) for name in shared}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("pick", PICKS),
        ("backend", BACKENDS),
        ("precision", PRECISIONS),
        ("format", FORMATS),
        ("method", METHODS),
        ("threshold", THRESHOLDS),
    ],
)
def test_every_value_of_the_engine_is_taken(field: str, values: Any) -> None:
    for value in values:
        assert getattr(upscale(**{field: value}), field) == value


def test_every_form_of_a_timeline_is_taken() -> None:
    for form in ("json", *exports.FORMATS):
        assert job_request({"kind": "export", "source": "/a", "format": form})[1] == Export(source="/a", format=form)
    with pytest.raises(SettingError, match="format: it is missing"):
        job_request({"kind": "export", "source": "/a"})


def test_a_part_of_the_footage() -> None:
    assert (upscale(first=0, end=1).first, upscale(first=None, end=None).end) == (0, None)
    with pytest.raises(SettingError, match="no field of cuts"):
        job_request({"kind": "cuts", "source": "/a", "first": 0, "end": 1})


def test_what_shows_something_comes_first() -> None:
    needed = {"export": {"format": "edl"}, "hold": {"rate": 24, "frames": 48}}
    priorities = {kind: decode(cls, {"source": "/a", **needed.get(kind, {})}).priority for kind, cls in KINDS.items()}
    assert {kind for kind, priority in priorities.items() if priority == "batch"} == {"analyse", "upscale"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sauce": 1}, "'sauce' is no field"),
        ({"source": 3}, "source: 3 is no string"),
        ({"source": None}, "source"),
        ({"source": "a" * 4097}, "source: it has 4097"),
        ({"source": "/a\0b"}, "source: it holds NUL"),
        ({"source": "/\ud800"}, "source"),
        ({"threshold": float("nan")}, "threshold: the number is out of range"),
        ({"threshold": float("inf")}, "threshold"),
        ({"threshold": "0.4"}, "threshold: '0.4' is no number"),
        ({"threshold": True}, "threshold: True is no number"),
        ({"threshold": 0.9}, "threshold: 0.9 is outside"),
        ({"threshold": None}, "threshold: None is no number"),
        ({"min_shot": -1}, "min_shot"),
        ({"limit": 1.5}, "limit: 1.5 is no whole number"),
        ({"limit": 0}, "limit"),
        ({"limit": 10**400}, "limit: the number is out of range"),
        ({"scale": "4/0"}, "scale: the denominator is zero"),
        ({"scale": "1e999999999"}, "scale"),
        ({"scale": "9" * 10}, "scale"),
        ({"scale": 9}, "scale: 9 is outside"),
        ({"scale": float("nan")}, "scale"),
        ({"rate": 0}, "rate"),
        ({"first": 3}, "both or neither"),
        ({"end": 3}, "both or neither"),
        ({"first": 3, "end": None}, "both or neither"),
        ({"first": 3, "end": 3}, "end: 3 is outside"),
        ({"first": -1, "end": 3}, "first: -1 is outside"),
        ({"first": 0.5, "end": 3}, "no whole number"),
        ({"first": False, "end": True}, "no number"),
        ({"backend": "quantum"}, "backend: 'quantum' is not allowed"),
        ({"format": []}, "format: a list is not allowed"),
        ({"pick": {}}, "pick: a dict is not allowed"),
        ({"priority": 1}, "priority"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        upscale(**fields)


@pytest.mark.parametrize("data", [None, [], "x", 1, {}, {"kind": 3}, {"kind": "format-disk"}, {"kind": "probe"}])
def test_what_is_no_job(data: object) -> None:
    with pytest.raises(SettingError):
        job_request(data)


def test_other_dataclasses() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Choice:
        yes: bool
        name: str | None = None

    # Annotations of a class in a function can't be looked up by name.
    Choice.__annotations__ = {"yes": bool, "name": str | None}
    assert decode(Choice, {"yes": True, "name": None}) == Choice(yes=True)
    with pytest.raises(SettingError, match="yes: it is missing"):
        decode(Choice, {})
    with pytest.raises(SettingError, match="neither true nor false"):
        decode(Choice, {"yes": 1})
    with pytest.raises(SettingError, match="JSON object"):
        decode(Choice, [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*Upscale.__dataclass_fields__, "kind", "other"]), json_values))
def test_anything_is_decoded_or_refused(data: dict[str, Any]) -> None:
    message = ""
    try:
        kind, request = job_request({"kind": "upscale", "source": "/a", **data})
        assert isinstance(request, KINDS[kind])
    except SettingError as error:
        message = str(error)
    assert message.isascii()
    assert len(message) < 200


def test_an_error_on_the_wire() -> None:
    data = fault(DiskFull("no space"))
    assert (data["code"], data["message"]) == ("disk-full", "no space")
    assert "Free some space" in data["hint"]


def test_cuts_take_no_settings_of_the_upscaler() -> None:
    with pytest.raises(SettingError, match="'backend' is no field of cuts"):
        decode(Cuts, {"source": "/a", "backend": "cpu"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frames": 0}, "frames: 0 is outside"),
        ({"rate": None}, "rate"),
        ({"start": "10:00:00:25"}, "no timecode at 24"),
        ({"start": "nonsense"}, "is no timecode"),
    ],
)
def test_hold_refuses_what_makes_no_movie(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        job_request({"kind": "hold", "source": "/a.png", "rate": 24, "frames": 48, **changes})

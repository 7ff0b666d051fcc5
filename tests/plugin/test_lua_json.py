"""The Lua twin's pure parts, in the LuaJIT that the editor has."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import lupa.luajit21 as lupa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapupscale import protocol

TESTS = Path(__file__).parents[1]
LUA = TESTS.parent / "plugin" / "resolve" / "lua"
GOLDEN = sorted((TESTS / "golden" / "v1").glob("*.json"))
RUNTIME = lupa.LuaRuntime(encoding=None)
"""Texts go in and come out as bytes."""


SAME = RUNTIME.eval("rawequal")


def loaded(name: str) -> Any:
    """A module of the Lua twin that needs no other."""
    return RUNTIME.eval("function(path) return assert(loadfile(path))() end")(str(LUA / f"{name}.lua").encode())


JSON, TEXT, FAULT = loaded("json"), loaded("text"), loaded("fault")


def python(value: Any) -> Any:
    """What was decoded in Lua, as Python holds it."""
    if lupa.lua_type(value) != "table":
        return value.decode() if isinstance(value, bytes) else value
    if SAME(value, JSON[b"null"]):
        return None
    if JSON[b"is_list"](value):
        return [python(value[index]) for index in range(1, len(value) + 1)]
    return {name.decode(): python(each) for name, each in value.items()}


def lua(value: Any) -> Any:
    """What Lua encodes, out of what Python holds."""
    if value is None:
        return JSON[b"null"]
    if isinstance(value, list):
        return JSON[b"list"](RUNTIME.table(*[lua(each) for each in value]))
    if isinstance(value, dict):
        return RUNTIME.table_from({name.encode(): lua(each) for name, each in value.items()})
    return value.encode() if isinstance(value, str) else value


def decoded(data: bytes) -> Any:
    return python(JSON[b"decode"](data))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_golden_message_is_the_same_in_lua(path: Path) -> None:
    message = json.loads(path.read_text("ascii"))
    assert decoded(path.read_bytes()) == message
    assert json.loads(JSON[b"encode"](lua(message))) == message


TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_python_writes_lua_reads_and_the_other_way_round(value: Any) -> None:
    assert decoded(json.dumps(value, ensure_ascii=False).encode()) == value
    assert decoded(protocol.encode(value)) == value
    written = JSON[b"encode"](lua(value))
    assert written.isascii()
    assert json.loads(written) == value


@given(st.binary(max_size=60))
def test_bytes_that_are_no_text_are_written_as_signs_for_that(data: bytes) -> None:
    text = json.loads(JSON[b"encode"](data))
    assert text == data.decode("utf-8", "replace") or "\ufffd" in text
    assert re.sub("\ufffd+", "", text) == re.sub("\ufffd+", "", data.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "}", "[1,]", '{"a":1,}', '{"a" 1}', "{1:2}", "nul", "True", "NaN", "Infinity"),
        *("-", "01", "1.", ".5"),
        *('"a', '"\n"', '"\\x"', '"\\ud800"', '"\\udc00"', '"\\ud800\\u0041"', '{"a":1,"a":2}', "1 2", "1e999"),
        *("[" * 100 + "]" * 100, "+1", "0x10", "'a'", '"\\u00g0"'),
    ],
)
def test_what_is_no_strict_json_is_refused(text: str) -> None:
    with pytest.raises(lupa.LuaError):
        JSON[b"decode"](text.encode())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_are_refused(value: float) -> None:
    with pytest.raises(lupa.LuaError, match="not finite"):
        JSON[b"encode"](value)


def test_functions_and_rings_are_refused() -> None:
    ring = RUNTIME.table()
    ring[b"ring"] = ring
    with pytest.raises(lupa.LuaError, match="too deeply"):
        JSON[b"encode"](ring)
    with pytest.raises(lupa.LuaError, match="function"):
        JSON[b"encode"](RUNTIME.eval("print"))


@given(TEXTS, st.integers(0, 20))
def test_texts_are_cut_between_characters(text: str, most: int) -> None:
    assert TEXT[b"cut"](text.encode(), most).decode() == text[:most]


def test_what_is_no_text_is_cut_too() -> None:
    assert len(TEXT[b"cut"](b"a" + b"\x80" * 10_000, 200)) <= 800


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/a/b.mov", "/a/b.mov", True),
        ("C:\\a\\b.mov", "C:/a/b.mov", True),
        ("/a/b/", "/a/b", True),
        ("/a/b.mov", "/a/c.mov", False),
        ("/T\u00fcr/\u00e9.mov", "/Tu\u0308r/e\u0301.mov", True),
        ("/\uac00/a", "/\u1100\u1161\u0301/a", True),
        ("/T\u00fcr.mov", "/T\u00f6r.mov", False),
        ("/T\u00fcr.mov", "/Tu\u0308re.mov", False),
        ("/Tur.mov", "/Tu\u0308r.mov", False),
    ],
)
def test_paths_are_the_same_however_they_are_written(one: str, other: str, same: bool) -> None:
    assert TEXT[b"same_path"](one.encode(), other.encode()) is same
    assert TEXT[b"same_path"](other.encode(), one.encode()) is same


def test_the_numbers_of_the_protocol_are_those_of_the_core() -> None:
    assert (FAULT[b"PROTOCOL"], FAULT[b"OLDEST"]) == (protocol.NUMBER, protocol.OLDEST)
    FAULT[b"check_number"](protocol.NUMBER, protocol.OLDEST)


@pytest.mark.parametrize(
    ("theirs", "oldest", "code"), [(0, 0, "protocol-too-new"), (None, None, "protocol-too-new"), (9, 9, "too-old")]
)
def test_another_protocol_is_refused_with_the_side_that_is_older(theirs: Any, oldest: Any, code: str) -> None:
    check = RUNTIME.eval("function(check, ...) local _, thrown = pcall(check, ...) return thrown.code end")
    assert code in check(FAULT[b"check_number"], theirs, oldest).decode()


def test_no_file_asks_for_what_the_sandbox_lacks() -> None:
    lacking = r"\brequire *\(|\b(?:package|ffi|debug|arg|UIManager|readfile)\b|\bio\.|\bos\.(?:exec|rem|ren|exit)"
    scripts = sorted(LUA.rglob("*.lua"))
    assert scripts
    for path in scripts:
        lines = path.read_text().splitlines()
        code = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
        assert not re.findall(lacking, re.sub(r'"[^"]*"', '""', code)), path.name
        assert max(map(len, lines)) <= 120, path.name
        assert len(lines) <= 400, path.name


def test_only_two_files_touch_the_editors_api() -> None:
    for path in LUA.glob("*.lua"):
        calls = set(re.findall(r"[.:](?:Get|Set|Add|Delete|Append|Import|Copy|Select)[A-Z]\w+", path.read_text()))
        if path.stem not in {"editor", "items"}:
            assert calls <= {":SetPrefs"}, path.name

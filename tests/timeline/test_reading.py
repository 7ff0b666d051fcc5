"""Files of lists of shots: what is taken, what is refused, and that nothing else is touched."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapupscale.errors import ListError, ListUnreadable
from snapupscale.timeline import reading
from snapupscale.timeline.exports import export
from snapupscale.timeline.reading import LARGEST, READERS, read_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.editlist import EditList

EVENT = "001  AX V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\n"


@pytest.mark.parametrize("format", ["edl", "otio", "csv", "pyscenedetect-csv"])
@pytest.mark.parametrize("suffix", [".txt", "", None])
def test_a_list_is_known_by_its_suffix_or_by_what_it_holds(
    edit_with: Callable[..., EditList], tmp_path: Path, format: str, suffix: str | None
) -> None:
    own = f".{format.removeprefix('pyscenedetect-')}"
    path = tmp_path / f"list{own.upper() if suffix is None else suffix}"
    path.write_text(export(edit_with(), format), encoding="utf-8")

    assert len(read_list(path).events) == 5


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_of_other_systems(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / "list.edl"
    text = f"TITLE: été\nFCM: NON-DROP FRAME\n\n{EVENT}* FROM CLIP NAME: été.mov\n"
    path.write_bytes(text.replace("\n", newline).encode(encoding))

    (event,) = read_list(path).events

    assert event.names == ("été.mov" if encoding == "utf-8-sig" else "\ufffdt\ufffd.mov",)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.edl", b"", "is empty"),
        ("a.csv", b" \r\n\n", "is empty"),
        ("a.edl", b"\xef\xbb\xbf", "is empty"),
        ("a.edl", b"TITLE: x\nFCM: NON-DROP FRAME\n", "holds no picture event"),
        ("a.edl", b"Dear Sir,\n", "holds no picture event"),
        ("a.edl", os.urandom(64) + b"\0" + os.urandom(64), "no plain text"),
        ("a.edl", EVENT.encode("utf-16"), "no plain text"),
        ("a.fcpxml", b'<?xml version="1.0"?><fcpxml/>', "no list of shots"),
        ("a.xml", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "no list of shots"),
        ("a", b"hello\n", "no list of shots"),
        ("a.csv", b"a,b\n1,2\n", "no column"),
        ("a.otio", b"[]", "no timelines"),
        ("a.txt", b"{}", "no timelines"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(ListUnreadable, match=words) as caught:
        read_list(path)

    assert caught.value.code == "list-unreadable"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.edl", tmp_path, tmp_path / "a\0b.edl", tmp_path / ("n" * 300)):
        with pytest.raises(ListUnreadable):
            read_list(path)


@pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")
def test_a_pipe_and_a_device_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.edl")
    for path in (tmp_path / "pipe.edl", Path("/dev/zero")):
        with pytest.raises(ListUnreadable):
            read_list(path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.edl"
    with path.open("wb") as file:
        file.truncate(LARGEST * 1000)

    began = time.monotonic()
    with pytest.raises(ListUnreadable, match="larger than 64 MiB"):
        read_list(path)
    assert time.monotonic() - began < 5


def test_too_many_events_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.edl"
    path.write_text(EVENT * 11, encoding="utf-8")
    assert len(read_list(path).events) == 11

    monkeypatch.setattr(reading, "MOST", 10)
    with pytest.raises(ListUnreadable, match="11 events; 10 are the most"):
        read_list(path)


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 1_000_000,
        " " * 1_000_000,
        "FROM CLIP NAME:" + " " * 1_000_000 + "x",
        "001" + " " * 1_000_000,
        "001 AX V C " + "0" * 1_000_000,
        '"' + '\\"' * 500_000,
        "{" + '"' * 1_000_001,
        "frame" + "," * 1_000_000,
        '"Start Frame\n' * 80_000,
    ],
    ids=range(9),
)
@pytest.mark.parametrize("name", ["list", *(f"list.{kind}" for kind in READERS)])
def test_no_text_takes_long(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    began = time.process_time()
    with pytest.raises(ListUnreadable):
        read_list(path)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("kind", READERS)
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_ends_with_an_error_of_the_tree(tmp_path: Path, kind: str, data: bytes) -> None:
    path = tmp_path / f"list.{kind}"
    path.write_bytes(data)

    with pytest.raises(ListError):
        read_list(path)


@pytest.mark.parametrize("format", ["edl", "otio", "csv", "pyscenedetect-csv"])
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_list_is_read_or_refused(
    edit_with: Callable[..., EditList], tmp_path: Path, format: str, data: st.DataObject
) -> None:
    whole = export(edit_with(cuts=(30, 100), stills=()), format).encode()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    path = tmp_path / f"list.{format.removeprefix('pyscenedetect-')}"
    path.write_bytes(whole[:start] + data.draw(st.binary(max_size=8)) + whole[end:])

    with suppress(ListUnreadable):
        assert read_list(path).events

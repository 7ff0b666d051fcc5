from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapupscale.sidecar.privacy import shortened


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "annabel")
    monkeypatch.setenv("HOME", "/home/anna.b")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("cannot write /media/Smith, John/The Film/a b.png: disk full", "cannot write [path].png: disk full"),
        ("no file /clips/Secret Film.MOV", "no file [path].MOV"),
        ("no file 'C:\\\\Users\\\\x\\\\Secret.mov'", "no file '[path].mov'"),
        (r"no file C:\Users\x y\Secret.mov: gone", "no file [path].mov: gone"),
        (r"no folder \\server\share\Film", "no folder [path]"),
        ('in "/it\'s/Secret film.mkv" alone', 'in "[path].mkv" alone'),
        ("~/Secret/film", "[path]"),
        ("Secret.mxf has no frame", "[file].mxf has no frame"),
        ("relative Secret/film.x", "relative [path].x"),
        ("annabel has Annabel_2 and anna.b but no bannabels", "[user] has [user]_2 and [user] but no bannabels"),
        ("a\x1b[2Jb\u202ec", "a?[2Jb?c"),
    ],
)
def test_what_is_private_is_left_out(line: str, shown: str) -> None:
    assert shortened([line]) == [shown]


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22 18:10:29,123 WARNING snapupscale.sidecar.guard: refused POST '/v1/jobs': bad-host",
        "the worker of job abcDEF_-12345678 (cuts) ended: signal 11",
        "at 24000/1001 frames per second, 3/4 done; av.error.InvalidDataError: invalid data",
        "version 0.1.0 serves on port 40001",
    ],
)
def test_what_helps_is_kept(line: str) -> None:
    assert shortened([line]) == [line]


def test_code_is_named_without_its_place() -> None:
    line = '  File "/home/anna.b/x/lib/python3.11/site-packages/snapupscale/job.py", line 8, in run'
    assert shortened([line]) == ['  File "[path]/snapupscale/job.py", line 8, in run']
    line = '  File "/home/anna.b/core/snapupscale/sidecar/worker.py", line 8, in main'
    assert shortened([line]) == ['  File "[path]/snapupscale/sidecar/worker.py", line 8, in main']


@pytest.mark.parametrize("path", ["/m/The Film's É/one two.mov", "C:\\The Film\\one two.mov", "/m/x\ny/one two.mov"])
def test_known_footage_is_found_wherever_it_stands(path: str) -> None:
    lines = [f"{path} {path!r} {path!a}", "one two.shot0001.png and one two, one two.mov"]
    text = "".join(shortened(lines, [path]))
    for word in ("Film", "one", "two", "É"):
        assert word not in text
    assert text.count(".mov") == 4


def test_secrets_are_left_out() -> None:
    token = secrets.token_urlsafe(32)
    assert shortened([f"Bearer {token}, {token}"]) == ["Bearer [secret], [secret]"]


@given(
    st.text(st.characters(exclude_characters="/\\", exclude_categories=["C", "Z"]), min_size=5),
    st.sampled_from(["no file {}", "cannot write {}: it is full", "{!r} is broken", "x={}", "({})"]),
)
def test_no_folder_is_ever_shown(name: str, sentence: str) -> None:
    path = str(Path("/media") / name / "Secret" / "clip")
    (shown,) = shortened([sentence.format(path)])
    assert "Secret" not in shown
    assert "/media" not in shown

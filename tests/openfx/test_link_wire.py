"""What the link writes and reads: parameters, and link files."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openfx.fake_sidecar import FakeSidecar
from openfx.link_library import DONE, FAILED, PUNCH_IN, SOURCE, Link, look, picture
from snapupscale_resolve.launch import environment

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "aZ09_-" * 4


def _written(link: Link, **changes: Any) -> dict[str, Any]:
    text = ctypes.create_string_buffer(5000)
    length = link.library.probe_look(look(**changes), text, 5000)
    return json.loads(text.raw[:length]) if length else {}


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("factor", 2.5, 2.5),
        ("factor", -3, 1),
        ("factor", 1e300, 4),
        ("factor", float("nan"), 2),
        ("factor", float("inf"), 4),
        ("zoom", float("-inf"), 1),
        ("zoom", 8.0000001, 8),
        ("centre_x", 0.123456789, 0.123457),
        ("centre_x", float("nan"), 0.5),
        ("centre_y", 0, 1),
        ("centre_y", 1, 0),
        ("centre_y", 0.3, 0.7),
        ("centre_y", float("nan"), 0.5),
        ("strength", 0.0000004, 0),
        ("strength", 0.9999999, 1),
        ("denoise", float("nan"), 1),
        ("mode", PUNCH_IN, "punch-in"),
        ("mode", 7, "restore"),
        ("model", None, "auto"),
    ],
)
def test_parameters_are_within_their_ranges(link: Link, name: str, given: Any, wanted: Any) -> None:
    assert _written(link, **{name: given})[name] == wanted


@given(values=st.tuples(*[st.floats()] * 6))
def test_any_number_makes_sound_parameters(library: Path, values: tuple[float, ...]) -> None:
    names = ("factor", "zoom", "centre_x", "centre_y", "strength", "denoise")

    found = _written(Link(library), **dict(zip(names, values, strict=True)))

    assert 1 <= found["factor"] <= 4
    assert 1 <= found["zoom"] <= 8
    assert all(0 <= found[name] <= 1 for name in names[2:])


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200))
def test_any_name_of_a_model_is_written(library: Path, text: str) -> None:
    assert _written(Link(library), model=text.encode())["model"] == text


def test_a_name_that_is_too_long_is_a_failure_of_the_frame(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime):
        result = link.render(picture(), chosen=look(model=b"x" * 5000))
        assert (result.outcome, result.why) == (FAILED, "The names are too long for the sidecar")
        assert link.render(picture()).outcome == DONE


def test_numbers_are_written_without_the_formats_of_the_host(tmp_path: Path) -> None:
    # Resolve sets a locale; a decimal comma would end the object.
    target = tmp_path / "tail.o"
    subprocess.run(["gcc", "-std=c11", "-c", SOURCE / "tail.c", "-o", target], check=True)

    needed = subprocess.run(["nm", "-u", target], check=True, capture_output=True, text=True).stdout

    assert "printf" not in needed
    assert "locale" not in needed


def _parsed(link: Link, text: bytes) -> tuple[bool, int, str]:
    port, token = ctypes.c_uint(), ctypes.create_string_buffer(300)
    found = link.library.probe_address(text, ctypes.c_size_t(len(text)), ctypes.byref(port), token)
    return found & 255 != 0, port.value, token.value.decode()


def test_a_link_file(link: Link) -> None:
    assert _parsed(link, f"snapupscale-frames 1 4194304 65535 {TOKEN}\n".encode()) == (True, 65535, TOKEN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "snapupscale-frames 1 10 20",
        f"snapupscale-frames 1 10 20 {TOKEN}",
        f"snapupscale-frames 1 10 20 {TOKEN}\r\n",
        f"snapupscale-frames 1 10 20 {TOKEN}\n\n",
        f"snapupscale-frames 2 10 20 {TOKEN}\n",
        f"snapupscale-frames 1 10 0 {TOKEN}\n",
        f"snapupscale-frames 1 0 20 {TOKEN}\n",
        f"snapupscale-frames 1 -5 20 {TOKEN}\n",
        f"snapupscale-frames 1 10 020 {TOKEN}\n",
        f"snapupscale-frames 1 10 65536 {TOKEN}\n",
        f"snapupscale-frames 1 10 {'9' * 30} {TOKEN}\n",
        f"snapupscale-frames  1 10 20 {TOKEN}\n",
        "snapupscale-frames 1 10 20 short\n",
        f"snapupscale-frames 1 10 20 {'x' * 257}\n",
        f"snapupscale-frames 1 10 20 {TOKEN}\u00e4\n",
        f'snapupscale-frames 1 10 20 {TOKEN}"\n',
        f"snapupscale-frames 1 10 20 {TOKEN}\0\n",
    ],
)
def test_what_is_no_link_file(link: Link, text: str) -> None:
    assert not _parsed(link, text.encode())[0]


@given(data=st.binary(max_size=600))
def test_any_bytes_are_read_without_harm(library: Path, data: bytes) -> None:
    assert not _parsed(Link(library), b"snapupscale-frames 1 10 20 " + data + b"\0")[0]


def test_a_link_file_that_is_not_private_counts_as_absent(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime) as sidecar:
        path = sidecar.path
        path.chmod(0o644)
        assert link.render(picture()).outcome == FAILED
        path.chmod(0o600)
        path.parent.chmod(0o755)
        assert link.render(picture()).outcome == FAILED
        path.parent.chmod(0o700)
        real = path.rename(path.with_name("elsewhere"))
        path.symlink_to(real)
        assert link.render(picture()).outcome == FAILED
        real.rename(path)
        path.parent.rename(runtime / "other")
        (runtime / "snapupscale").symlink_to(runtime / "other")
        assert link.render(picture()).outcome == FAILED
        (runtime / "snapupscale").unlink()
        (runtime / "other").rename(runtime / "snapupscale")
        assert link.render(picture()).outcome == DONE

    assert sidecar.connections == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_link_file_of_another_user_counts_as_absent(link: Link, runtime: Path) -> None:
    with FakeSidecar("good", runtime) as sidecar:
        os.chown(sidecar.path, 12345, -1)
        assert link.render(picture()).outcome == FAILED
        os.chown(sidecar.path, 0, -1)
        os.chown(sidecar.path.parent, 12345, -1)
        assert link.render(picture()).outcome == FAILED

    assert sidecar.connections == 0


def test_a_pipe_in_place_of_the_link_file_holds_nobody_up(link: Link, runtime: Path) -> None:
    (runtime / "snapupscale").mkdir(mode=0o700)
    os.mkfifo(runtime / "snapupscale" / "frames.link", 0o600)

    assert link.render(picture()).outcome == FAILED


def test_a_stale_link_file_of_another_folder_is_passed_over(
    link: Link, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = FakeSidecar("good", runtime)
    stale.publish(f"snapupscale-frames 1 1 1 {TOKEN}\n")
    folder = tmp_path / f"runtime-{os.getuid()}"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    link.open()

    with FakeSidecar("good", folder):
        assert link.render(picture()).outcome == DONE


@pytest.mark.parametrize(
    "name",
    ["PYTHONHOME", "pythonpath", "DYLD_INSERT_LIBRARIES", "_MEIPASS2", "LD_PRELOAD", "LD_PRELOADED", "QT_X", "HOME"],
)
def test_the_menu_scripts_and_the_effect_agree_on_what_is_foreign(link: Link, name: str) -> None:
    assert link.library.probe_foreign(name.encode()) == (name not in environment({name: "x"}))

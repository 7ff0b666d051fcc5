"""Which program is started, how, and with what environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from snapupscale_resolve import launch
from snapupscale_resolve.faults import CrashedAtStart, NotInstalled
from snapupscale_resolve.launch import Ending, Started, command, environment
from waiting import until

posix = pytest.mark.skipif(os.name != "posix", reason="modes and sessions of POSIX")


def program(folder: Path, name: str = "snapupscale") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def configured(tmp_path: Path, content: object) -> str:
    path = tmp_path / "snapupscale.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_the_installers_word_comes_first(tmp_path: Path) -> None:
    own, other = program(tmp_path / "own"), program(tmp_path / "bin")
    config = configured(tmp_path, {"command": [own, "--quiet"], "version": "0.1.0", "more": 1})
    environ = {"PATH": str(tmp_path / "bin")}
    assert command("linux", environ, config) == [own, "--quiet"]
    assert command("linux", environ, str(tmp_path / "none.json")) == [other]
    os.remove(own)  # noqa: PTH107
    assert command("linux", environ, config) == [other]


def test_the_path_comes_before_the_usual_places(tmp_path: Path) -> None:
    usual = program(tmp_path / ".local" / "bin")
    environ = {"PATH": os.pathsep.join(["", ".", "bin", str(tmp_path / "bin")]), "HOME": str(tmp_path)}
    none = str(tmp_path / "none.json")
    for system in ("linux", "darwin"):
        assert command(system, environ, none) == [usual]
    first = program(tmp_path / "bin")
    assert command("linux", environ, none) == [first]
    windows = program(tmp_path / "Local" / "x", "snapupscale.exe")
    assert command("win32", {"PATH": str(tmp_path / "Local" / "x")}, none) == [windows]


def test_the_current_folder_is_never_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path)
    program(tmp_path, "snapupscale.exe")
    monkeypatch.chdir(tmp_path)
    for system, path in (("linux", os.pathsep.join(["", "."])), ("win32", "")):
        with pytest.raises(NotInstalled):
            command(system, {"PATH": path, "HOME": "/nowhere"}, str(tmp_path / "none.json"))


@posix
def test_a_file_that_cannot_be_run_is_no_program(tmp_path: Path) -> None:
    os.chmod(program(tmp_path / "bin"), 0o644)  # noqa: PTH101
    (tmp_path / "more" / "snapupscale").mkdir(parents=True)
    environ = {"PATH": os.pathsep.join([str(tmp_path / "bin"), str(tmp_path / "more")])}
    with pytest.raises(NotInstalled, match="not installed") as raised:
        command("linux", environ, str(tmp_path / "none.json"))
    assert (raised.value.code, "Workspace > Scripts" in raised.value.hint) == ("not-installed", True)


@pytest.mark.parametrize("content", ["", "{", "[]", {"command": []}, {"command": "x"}, {"command": ["snap"]}, {}])
def test_a_damaged_config_is_not_passed_over(tmp_path: Path, content: object) -> None:
    program(tmp_path / "bin")
    config = configured(tmp_path, content)
    with pytest.raises(NotInstalled) as raised:
        command("linux", {"PATH": str(tmp_path / "bin")}, config)
    assert config in str(raised.value)
    assert "Install SnapUpscale again" in raised.value.hint


def test_an_installation_that_is_gone_is_named(tmp_path: Path) -> None:
    config = configured(tmp_path, {"command": ["/gone/snapupscale"]})
    with pytest.raises(NotInstalled, match="/gone/snapupscale is gone"):
        command("linux", {}, config)


def test_it_is_never_the_python_that_runs_this(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path / "bin", "fuscript"))
    with pytest.raises(NotInstalled):
        command("linux", {"PATH": str(tmp_path / "bin")}, str(tmp_path / "none.json"))


def test_the_environment_loses_what_belongs_to_the_editor() -> None:
    dropped = dict.fromkeys(
        (
            *("PYTHONHOME", "PYTHONPATH", "PYTHON3HOME", "pythonstartup", "LD_LIBRARY_PATH", "LD_PRELOAD"),
            *("DYLD_INSERT_LIBRARIES", "DYLD_FRAMEWORK_PATH", "_MEIPASS2", "_PYI_ARCHIVE_FILE", "__PYVENV_LAUNCHER__"),
            *("FUSION_PYTHON3_HOME", "RESOLVE_SCRIPT_API", "RESOLVE_PYTHON_HOME", "QT_PLUGIN_PATH", "QT_QPA_PLATFORM"),
        ),
        "/editor",
    )
    kept = {
        **{"HOME": "/home/me", "PATH": "/bin", "XDG_RUNTIME_DIR": "/run/user/1", "XDG_DATA_HOME": "/d", "TMPDIR": "/t"},
        **{"CUDA_VISIBLE_DEVICES": "1", "LANG": "de_DE.UTF-8", "LC_ALL": "C", "LOCALAPPDATA": "C:\\l", "DISPLAY": ":0"},
    }
    assert environment({**dropped, **kept}) == kept


def test_what_a_bundle_replaced_is_put_back() -> None:
    bundle = {"LD_LIBRARY_PATH": "/tmp/_MEI1", "LD_LIBRARY_PATH_ORIG": "/usr/cuda", "DYLD_LIBRARY_PATH_ORIG": ""}
    assert environment(bundle) == {"LD_LIBRARY_PATH": "/usr/cuda"}


def test_a_program_that_cannot_be_started_is_a_fault(tmp_path: Path) -> None:
    broken = tmp_path / "snapupscale"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o755)
    for words in ([str(broken)], [str(tmp_path / "none")], ["a\0b"]):
        with pytest.raises(CrashedAtStart, match="cannot be started"):
            Started(words, {})


def ending(text: str) -> Ending:
    started = Started([sys.executable, "-c", text], environment(os.environ))
    return until(started.ended)


def test_the_last_lines_are_kept_without_secrets() -> None:
    token = "Yq3mWnXcVb7kLp0sRt5uFg2hJd8eAz1iOq4wTy6xNvM"
    text = f"import sys\nfor n in range(5000): print('line', n, file=sys.stderr)\nsys.exit('\\n  {token}\\n\\n')"
    found = ending(text)
    assert found.code == 1
    assert found.said.splitlines() == [*(f"line {n}" for n in range(4993, 5000)), "  [secret]"]
    assert not found.another_runs


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert ending("import os; os.write(2, b'\\xff\\xfe broken'); os._exit(7)") == (7, "\ufffd\ufffd broken")


def test_a_sidecar_that_gave_way_says_so() -> None:
    assert ending("import sys; sys.exit('error: x\\nhint: y\\ncode: sidecar-running')").another_runs


@posix
def test_it_is_detached_and_has_no_input(tmp_path: Path) -> None:
    told = tmp_path / "told"
    text = f"import os, sys\nwith open({str(told)!r} + '~', 'w') as file:\n"
    text += " print(os.getsid(0), os.getpid(), repr(sys.stdin.read()), len(os.listdir('/dev/fd')), file=file)\n"
    text += f"os.replace({str(told)!r} + '~', {str(told)!r})"
    extra = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(extra, True)
    try:
        assert ending(text).code == 0
    finally:
        os.close(extra)
    session, pid, read, handles = told.read_text().split()
    assert session == pid != str(os.getsid(0))
    assert read == "''"
    assert int(handles) <= 5


def test_on_windows_it_has_no_console_and_no_part_in_the_editors(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: given.update(options))
    monkeypatch.setattr(sys, "platform", "win32")
    Started(["snapupscale.exe"], {"A": "b"}).let_go()
    detached, new_process_group, no_window = 0x8, 0x200, 0x08000000
    assert given["creationflags"] == detached | new_process_group | no_window
    assert (given["stdin"], given["env"], given["close_fds"]) == (subprocess.DEVNULL, {"A": "b"}, True)
    assert "start_new_session" not in given


@posix
def test_its_errors_are_in_no_file_that_others_find(runtime: Path) -> None:
    started = Started([sys.executable, "-c", "import time; time.sleep(60)"], environment(os.environ))
    try:
        assert list(runtime.iterdir()) == []
        assert started.ended() is None
    finally:
        started.process.kill()
        assert until(started.ended).said == ""


def test_start_runs_the_installed_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "told"
    text = f"import sys; open({str(told)!r}, 'w').write(' '.join(sys.argv[1:]))"
    assert Path(launch.CONFIG).parent == Path(launch.__file__).parents[1]
    monkeypatch.setattr(launch, "CONFIG", configured(tmp_path, {"command": [sys.executable, "-c", text]}))
    assert until(launch.start().ended).code == 0
    assert told.read_text() == "sidecar serve"


def test_looking_at_one_that_runs_costs_nothing() -> None:
    started = Started([sys.executable, "-c", "import time; time.sleep(60)"], environment(os.environ))
    try:
        began = time.monotonic()
        assert started.ended() is None
        assert time.monotonic() - began < 0.5
    finally:
        started.process.kill()
        assert until(started.ended).code < 0


def test_windows_before_python_37_is_not_asked_to_close_handles(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def popen(command: list[str], **options: Any) -> object:
        if sys.version_info < (3, 7) and options["close_fds"]:  # type: ignore[unreachable]
            raise ValueError("close_fds is not supported on Windows platforms if you redirect stdin/stdout/stderr")
        asked.append(options)
        return object()

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(sys, "platform", "win32")
    for version in ((3, 6, 8), (3, 7, 0)):
        monkeypatch.setattr(sys, "version_info", version)
        Started(["C:\\snapupscale.exe"], {}).let_go()
    assert [options["close_fds"] for options in asked] == [False, True]

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from argparse import Namespace

import pytest

from sidecar.fakes import ask, sidecar
from snapupscale.errors import SettingError, SidecarError, SidecarMissing
from snapupscale.sidecar import commands, discovery


def test_status_says_where_it_is_and_not_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    with sidecar() as (process, found):
        commands.status(Namespace(json=True))
        text = capsys.readouterr().out
        rows = json.loads(text)
        assert rows.keys() == {"pid", "port", "protocol", "version", "uptime", "busy", "discovery"}
        assert (rows["pid"], rows["port"], rows["protocol"]) == (process.pid, found.port, 1)
        assert rows["discovery"] == str(discovery.path())
        commands.status(Namespace(json=False))
        text += capsys.readouterr().out
        assert f"port:       {found.port}\n" in text
        assert found.token not in text


def test_without_a_sidecar_there_is_nothing_to_ask() -> None:
    with pytest.raises(SidecarMissing):
        commands.status(Namespace(json=False))
    with pytest.raises(SidecarMissing):
        commands.stop(Namespace())


def test_stop_waits_for_the_end() -> None:
    with sidecar() as (process, _):
        commands.stop(Namespace())
        assert process.wait(1) == 0
    assert discovery.read() is None


@pytest.mark.skipif(os.name != "posix", reason="it needs SIGSTOP")
def test_one_that_hangs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_ANSWER_SECONDS", 0.2)
    with sidecar() as (process, _):
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(SidecarError, match=f"process {process.pid}, does not answer"):
            commands.status(Namespace(json=False))
        process.send_signal(signal.SIGCONT)


def test_a_stranger_on_the_port_is_reported() -> None:
    with sidecar() as (_, found):
        broken = discovery.Discovery(**{**vars(found), "token": "other"})
        discovery.write(broken)
        with pytest.raises(SidecarError, match="answered 401"):
            commands.stop(Namespace())
        assert ask(found, "GET", "/v1/health").status == 200


@pytest.mark.parametrize("idle", [0, -1, float("nan"), float("inf")])
def test_the_idle_time_is_checked_first(idle: float) -> None:
    with pytest.raises(SettingError, match="idle"):
        commands.serve(Namespace(idle=idle))


def test_serve_serves_the_real_service() -> None:
    program = "from argparse import Namespace\nfrom snapupscale.sidecar import commands\n"
    program += "commands.serve(Namespace(idle=0.01))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith("the sidecar serves on port")
    assert str(discovery.path()) in result.stderr

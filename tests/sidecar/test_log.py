from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

import pytest

from snapupscale.errors import OutputUnwritable
from snapupscale.sidecar import log

LOGGER = logging.getLogger("test")


def test_tracebacks_are_redacted_too() -> None:
    with log.logging_to_file(lambda text: text.replace("token", "[secret]")) as path:
        try:
            raise ValueError("it was token")
        except ValueError:
            LOGGER.exception("with %s", "token")
    text = path.read_text()
    assert "Traceback" in text
    assert "it was [secret]" in text
    assert "token" not in text


def test_the_log_stays_small() -> None:
    with log.logging_to_file(str) as path:
        for _ in range(50):
            LOGGER.info("x" * 100_000)
    files = sorted(each.name for each in path.parent.iterdir())
    assert files == ["sidecar.log", "sidecar.log.1", "sidecar.log.2"]
    assert sum(each.stat().st_size for each in path.parent.iterdir()) < 3.5e6


def test_logging_is_as_before_afterwards() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with log.logging_to_file(str):
        assert root.level == logging.INFO
    assert (root.level, root.handlers) == before


def test_a_log_that_cannot_be_written_is_an_error_of_the_tree() -> None:
    log.path().parent.parent.mkdir(parents=True)
    log.path().parent.write_text("")
    with pytest.raises(OutputUnwritable), log.logging_to_file(str):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk")
def test_what_a_full_disk_does_not_take_is_lost_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    log.path().parent.mkdir(parents=True)
    log.path().symlink_to("/dev/full")
    with log.logging_to_file(str):
        LOGGER.info("lost")
        log.path().unlink()
        with suppress(OSError):
            logging.getLogger().handlers[-1].close()
        LOGGER.info("found")
    assert capfd.readouterr().err == ""
    assert log.path().read_text().endswith(" found\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk")
def test_a_log_that_ends_on_a_full_disk_is_no_failure(capfd: pytest.CaptureFixture[str]) -> None:
    log.path().parent.mkdir(parents=True)
    log.path().symlink_to("/dev/full")
    with log.logging_to_file(str):
        LOGGER.info("lost")
    assert capfd.readouterr().err == ""


def test_a_file_that_cannot_be_moved_is_written_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "rename", refuse)
    with log.logging_to_file(str) as path:
        for number in range(30):
            LOGGER.info("%d %s", number, "x" * 100_000)
    assert [line.split()[4] for line in path.read_text().splitlines()] == [str(number) for number in range(30)]


@pytest.mark.skipif(os.name != "posix", reason="modes mean nothing there")
def test_the_log_is_private() -> None:
    before = os.umask(0)
    try:
        with log.logging_to_file(str) as path:
            LOGGER.info("%s", "x" * 1_100_000)
            LOGGER.info("next")
        assert {each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {0o600}
        assert path.with_name("sidecar.log.1").exists()
    finally:
        os.umask(before)


def test_the_last_lines_and_the_size() -> None:
    assert (log.size(), log.last_lines(3)) == (0, [])
    with log.logging_to_file(str) as path:
        for number in range(4):
            LOGGER.info("%s %d", "é" * 200_000, number)
    assert log.size() == sum(each.stat().st_size for each in path.parent.iterdir())
    assert log.last_lines(3) == []

    with log.logging_to_file(str):
        for number in range(7):
            LOGGER.info("short %d", number)
    assert [line[-7:] for line in log.last_lines(3)] == ["short 4", "short 5", "short 6"]
    path.rename(path.with_name("sidecar.log.1"))
    path.write_bytes(b"new \xff\n")
    assert [line[-7:] for line in log.last_lines(3)] == ["short 5", "short 6", "new \ufffd"]

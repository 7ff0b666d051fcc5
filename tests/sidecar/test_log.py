from __future__ import annotations

import logging

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

"""The door that most of these tests go through."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from sidecar.frames.effects import Door, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def door(caplog: pytest.LogCaptureFixture) -> Iterator[Door]:
    caplog.set_level(logging.INFO)
    with serving() as opened:
        yield opened

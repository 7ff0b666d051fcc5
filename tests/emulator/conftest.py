"""Fixtures for the tests of the emulator: its folder on the path, as the folder of Resolve's modules is for scripts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def own_application() -> Iterator[None]:
    """No test finds the application of another."""
    yield
    from resolve_emulator import quit_application

    quit_application()

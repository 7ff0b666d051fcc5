"""What processes leave that are killed as they write."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def half_a_file(folder: Path) -> Path:
    """One in `folder`, which is made where it is missing."""
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    folder.mkdir(exist_ok=True)
    left = folder / f".snapupscale-{dead.pid}-00000000-ab.png"
    left.write_bytes(b"half")
    return left

"""What a worker leaves in the folder of its job when it is ended in the midst of writing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from snapupscale import files

if TYPE_CHECKING:
    from snapupscale.sidecar.store import Job


def tidy(job: Job) -> None:
    """Remove it, for a job that nobody may take up again."""
    with suppress(OSError, KeyError, TypeError):
        files.remove_leftovers(Path(job.params["folder"]))

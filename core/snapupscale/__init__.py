"""SnapUpscale: scene cuts, the best frame of each shot, and Real-ESRGAN stills.

    from snapupscale import Upscaler, analyse, find_cuts, pick_stills, probe, to_shots

    source = probe("film.mov")
    signal = analyse(source)
    cuts = find_cuts(signal, threshold=0.4).cuts
    picks = pick_stills(source, signal, to_shots(cuts, len(signal)))

`run` does the whole job into a folder.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snapupscale.job import Settings, run
    from snapupscale.media.source import probe
    from snapupscale.scenes.methods import find_cuts
    from snapupscale.scenes.shots import to_shots
    from snapupscale.scenes.signal import analyse
    from snapupscale.stills.pick import pick_stills
    from snapupscale.timeline.exports import export
    from snapupscale.upscale.engine import Upscaler

__version__ = "0.1.0"

__all__ = ["Settings", "Upscaler", "analyse", "export", "find_cuts", "pick_stills", "probe", "run", "to_shots"]

_PLACES = {
    "Settings": "snapupscale.job",
    "Upscaler": "snapupscale.upscale.engine",
    "analyse": "snapupscale.scenes.signal",
    "export": "snapupscale.timeline.exports",
    "find_cuts": "snapupscale.scenes.methods",
    "pick_stills": "snapupscale.stills.pick",
    "probe": "snapupscale.media.source",
    "run": "snapupscale.job",
    "to_shots": "snapupscale.scenes.shots",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for, so that `import snapupscale` stays quick (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)

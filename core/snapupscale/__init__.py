"""SnapUpscale: scene cuts, the best frame of each shot, and Real-ESRGAN stills."""

from __future__ import annotations

__version__ = "0.1.0"

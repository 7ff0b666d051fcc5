"""Run as `python -m snapupscale`."""

from __future__ import annotations

import sys

from snapupscale.cli import main

sys.exit(main())

"""Workspace > Scripts > SnapUpscale > Undo Last SnapUpscale: takes back the last action."""

import sys

sys.dont_write_bytecode = True
sys.path.insert(0, "@LIB@")
try:
    from snapupscale_resolve.menu import run
except ImportError as error:
    print("SnapUpscale: its files are not where they were installed (%s). Install it again." % error)  # noqa: T201
else:
    run("undo", globals())

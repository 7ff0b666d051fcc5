"""The part of SnapUpscale that runs inside DaVinci Resolve: Python 3.6 or later, standard library alone."""

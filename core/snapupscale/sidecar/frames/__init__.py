"""Frames for the OpenFX effect: its connections, the order of their frames, and the process that makes them."""

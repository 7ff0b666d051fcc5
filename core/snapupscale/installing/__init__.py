"""Puts the menu scripts where DaVinci Resolve looks for them, and takes them away again."""

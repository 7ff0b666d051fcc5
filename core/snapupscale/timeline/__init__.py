"""Editing decisions as data, and the files that carry them to an editor."""

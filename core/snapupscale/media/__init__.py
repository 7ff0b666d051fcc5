"""Footage: probing and decoding. The only package that opens video for reading."""

"""From shots to stills: which frame of a shot to keep, and the file it is written to."""

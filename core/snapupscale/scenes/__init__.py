"""From footage to shots: the signal, the cuts in it, the shots between them."""

"""Pieces tile their items, and each shows one shot."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from snapshots import make_item, make_media, make_snapshot
from snapupscale.timeline.found import Found
from snapupscale.timeline.pieces import Piece, pieces, pieces_of
from snapupscale.timeline.scope import scoped


def found(*cuts: int, frames: int = 1000) -> Found:
    return Found(rate=Fraction(24), frames=frames, cuts=cuts)


def test_each_piece_says_what_to_pick_from_and_how_long_to_hold_it() -> None:
    snapshot = make_snapshot(make_item("a", 86400, 86500, source_start=50))

    assert pieces(snapshot, {"m1": found(20, 80, 120, 700)}) == (
        Piece(
            item="id-a", media="m1", number=1, shot=2,
            source_start=50, source_end=80, record_start=86400, record_end=86430,
        ),
        Piece(
            item="id-a", media="m1", number=2, shot=3,
            source_start=80, source_end=120, record_start=86430, record_end=86470,
        ),
        Piece(
            item="id-a", media="m1", number=3, shot=4,
            source_start=120, source_end=150, record_start=86470, record_end=86500,
        ),
    )


def test_backwards_the_last_shot_comes_first() -> None:
    item = make_item("a", 0, 100, source_start=99, source_end=-1, speed=-100)
    parts = pieces(make_snapshot(item), {"m1": found(30)})
    shots = [(part.shot, part.source_start, part.source_end, part.record_start) for part in parts]

    assert shots == [(2, 30, 100, 0), (1, 0, 30, 70)]


def test_a_sliver_at_an_edit_point_is_held_over_but_not_picked_from() -> None:
    snapshot = make_snapshot(make_item("a", 0, 100, source_start=50))

    assert [(p.shot, p.source_start, p.source_end, p.frames) for p in pieces(snapshot, {"m1": found(51, 149)})] == [
        (2, 51, 149, 100)
    ]


def test_an_item_of_one_frame_is_one_piece() -> None:
    snapshot = make_snapshot(make_item("a", 7, 8, source_start=50))

    assert [part.frames for part in pieces(snapshot, {"m1": found(50, 51)})] == [1]


def test_sources_without_findings_give_none() -> None:
    items = [make_item("a", 0, 9), make_item("b", 9, 19, media="m2")]
    snapshot = make_snapshot(*items, media=[make_media(), make_media("m2")])

    assert pieces(snapshot, {"m1": "It failed."}) == ()


@settings(deadline=None)
@given(
    rate=st.sampled_from(["23.976", "24", "25", "29.97", "50", "60"]),
    length=st.integers(1, 300),
    first=st.integers(0, 500),
    speed=st.sampled_from([100, 50, 200, -100, -50, 33, 700]),
    cuts=st.sets(st.integers(1, 999), max_size=200),
)
def test_pieces_tile_the_item_and_show_one_shot_each(
    rate: str, length: int, first: int, speed: int, cuts: set[int]
) -> None:
    media = make_media(rate=rate)
    ratio = (make_snapshot(media=[media]).media[0].rate or 0) / 24
    span = round(length * ratio * abs(speed) / 100) - (ratio != 1)
    source = (first, first + span) if speed > 0 else (first + span, first)
    item = make_item("a", 500, 500 + length, source_start=source[0], source_end=source[1], speed=speed)
    (target, *_) = scoped(make_snapshot(item, media=[media])).targets or (None,)
    if target is None:
        return

    parts = pieces_of(target, found(*sorted(cuts)))
    frames = target.frames.within(1000)

    assert parts[0].record_start == 500
    assert parts[-1].record_end == 500 + length
    assert all(before.record_end == after.record_start for before, after in pairwise(parts))
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    for part in parts:
        assert part.frames > 0
        assert 0 <= part.source_start < part.source_end <= 1000
        assert not any(part.source_start < cut < part.source_end for cut in cuts)
        assert part.shot == 1 + sum(cut <= part.source_start for cut in cuts)
        shown = [frames.source_at(record) for record in range(part.record_start, part.record_end)]
        edges = shown[1:-1] if 500 in {part.record_start, part.record_end - length} else shown
        assert set(edges) <= set(range(part.source_start, part.source_end)) or len(parts) == 1

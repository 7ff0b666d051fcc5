from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from snapupscale.upscale.tiling import Box, blocks, by_area, by_edge, grid

sizes = st.integers(1, 300)
corners = st.integers(-50, 50)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    left, top = draw(corners), draw(corners)
    return Box(left, top, left + draw(sizes), top + draw(sizes))


def covered_once(whole: Box, parts: list[Box]) -> bool:
    count = np.zeros((whole.height, whole.width), int)
    for box in parts:
        inside = box.seen_from(whole)
        assert inside.left >= 0
        assert inside.top >= 0
        count[inside.top : inside.bottom, inside.left : inside.right] += 1
    return bool((count == 1).all()) and sum(box.area for box in parts) == whole.area


@given(boxes(), st.integers(12, 200))
def test_tiles_by_edge_cover_everything_once(whole: Box, edge: int) -> None:
    parts = by_edge(whole, edge)
    assert covered_once(whole, parts)
    assert all(0 < box.width <= edge and 0 < box.height <= edge for box in parts)


@given(boxes(), st.integers(12, 100))
def test_blocks_cover_everything_once(whole: Box, edge: int) -> None:
    parts = blocks(whole, edge)
    assert covered_once(whole, parts)
    assert parts[0].width == min(edge, whole.width)


@given(boxes(), st.integers(0, 96), st.integers(1, 200_000))
def test_tiles_by_area_cover_everything_once_within_the_limit(whole: Box, halo: int, most: int) -> None:
    parts = by_area(whole, halo=halo, most=most)
    assert covered_once(whole, parts)
    for box in parts:
        assert box.grown(halo, whole).area <= most or (box.width <= 16 and box.height <= 16)


@given(boxes(), st.integers(0, 96))
def test_what_fits_is_not_cut(whole: Box, halo: int) -> None:
    assert by_area(whole, halo=halo, most=whole.area) == [whole]
    assert by_area(whole, halo=halo, most=float("inf")) == [whole]


def test_tiles_are_chosen_for_the_least_work() -> None:
    whole = Box(0, 0, 2000, 1000)
    parts = by_area(whole, halo=96, most=600_000)
    work = sum(box.grown(96, whole).area for box in parts)
    others = [
        sum(box.grown(96, whole).area for box in grid(whole, columns, rows))
        for columns in range(1, 20)
        for rows in range(1, 20)
        if max(box.grown(96, whole).area for box in grid(whole, columns, rows)) <= 600_000
    ]
    assert work <= 1.1 * min(others)


@given(boxes(), st.integers(0, 100))
def test_a_halo_ends_at_the_border(whole: Box, halo: int) -> None:
    assert whole.grown(halo, whole) == whole
    middle = grid(whole, 3, 3)[4] if whole.width >= 3 and whole.height >= 3 else whole
    grown = middle.grown(halo, whole)
    assert grown.left == max(whole.left, middle.left - halo)
    assert grown.bottom == min(whole.bottom, middle.bottom + halo)


@given(boxes().filter(lambda box: max(box.width, box.height) > 1))
def test_halves_cover_everything_once(whole: Box) -> None:
    assert covered_once(whole, list(whole.halves()))


@given(boxes(), st.integers(1, 9))
def test_units_can_be_changed_and_changed_back(box: Box, factor: int) -> None:
    assert box.times(factor).covered(factor) == box
    around = box.covered(factor).times(factor)
    assert box.grown(0, around) == box
    assert around.left > box.left - factor
    assert around.right < box.right + factor

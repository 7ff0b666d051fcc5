from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from scenery import BLACK, GREY, shot
from snapupscale.scenes.features import PAIR, Descriptors, describe, pair_features, put, room

PICTURES = np.concatenate([shot(seed, 1) for seed in range(12)])


def between(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """The features of a pair of thumbnails."""
    frames = describe(np.stack((one, other)))
    row = pair_features(frames, np.array([0]), np.array([1]))[0]
    return dict(zip(PAIR, row.tolist(), strict=True))


def arrays_of(frames: Descriptors) -> list[np.ndarray]:
    return [getattr(frames, field.name) for field in fields(frames)]


@pytest.mark.parametrize("picture", [PICTURES[0], GREY[0], BLACK[0]])
def test_equal_frames_do_not_differ(picture: np.ndarray) -> None:
    assert between(picture, picture) == pytest.approx(dict.fromkeys(PAIR, 0), abs=1e-3)


def test_different_frames_differ() -> None:
    for other in PICTURES[1:]:
        found = between(PICTURES[0], other)
        assert found["blocks_high"] > found["blocks"] > 0.3
        assert found["global"] > 0.1
        assert found["structure"] > 0.1


def test_which_of_two_comes_first_makes_no_difference() -> None:
    frames = describe(PICTURES)
    first, second = np.triu_indices(len(PICTURES), 1)
    assert pair_features(frames, first, second) == pytest.approx(pair_features(frames, second, first), abs=1e-5)


def shuffled(picture: np.ndarray) -> np.ndarray:
    """The 16 blocks of a picture in another order, none at its place."""
    blocks = [block for rows in np.split(picture, 4) for block in np.split(rows, 4, axis=1)]
    blocks = blocks[5:] + blocks[:5]
    return np.concatenate([np.concatenate(blocks[row : row + 4], axis=1) for row in (0, 4, 8, 12)])


@pytest.mark.parametrize("change", [lambda picture: picture[:, ::-1], lambda picture: picture[::-1], shuffled])
def test_equal_colours_elsewhere_are_told_by_blocks_alone(change: object) -> None:
    found = between(PICTURES[0], change(PICTURES[0]))  # type: ignore[operator]
    assert found["global"] < 0.01
    assert found["blocks"] > 0.3
    assert found["structure"] > 0.3


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0), (0.7, 60), (1, 20)])
def test_a_change_of_exposure_leaves_the_structure(gain: float, offset: float) -> None:
    exposed = PICTURES[0].copy()
    exposed[..., 0] = np.clip(exposed[..., 0] * gain + offset, 0, 255)
    found = between(PICTURES[0], exposed)
    assert found["structure"] < 0.03
    assert found["luma"] > 0.15


def test_the_blocks_are_told_apart_in_ascending_order() -> None:
    changed = PICTURES[0].copy()
    changed[:9] = PICTURES[1][:9]  # the upper four of sixteen blocks
    found = between(PICTURES[0], changed)
    assert found["blocks_low"] < 0.01
    assert found["blocks_high"] > 0.3
    assert found["blocks_low"] <= found["blocks"] <= found["blocks_high"]
    assert between(PICTURES[0], PICTURES[1])["blocks_low"] > 0.3


def test_luma_and_chroma_are_differences_over_64_levels() -> None:
    other = GREY[0].copy()
    other += np.array([32, 8, 16], dtype=np.uint8)
    found = between(GREY[0], other)
    assert found["luma"] == pytest.approx(0.5, abs=0.01)
    assert found["chroma"] == pytest.approx(24 / 64, abs=0.01)
    assert found["structure"] == pytest.approx(0, abs=1e-3)


def test_frames_are_described_alike_in_any_company() -> None:
    together = arrays_of(describe(PICTURES))
    alone = [arrays_of(describe(PICTURES[number : number + 1])) for number in range(len(PICTURES))]
    for position, values in enumerate(together):
        assert np.allclose(values, np.concatenate([each[position] for each in alone]), atol=1e-4)


def test_slices_and_those_put_together_are_the_same_frames() -> None:
    whole = describe(PICTURES)
    assert len(whole[3:7]) == 4
    parts = room(whole[:1], len(PICTURES))
    assert len(parts) == len(PICTURES)
    put(parts, 5, whole[5:])
    put(parts, 0, whole[:5])
    for one, other in zip(arrays_of(whole), arrays_of(parts), strict=True):
        assert np.array_equal(one, other)
    put(parts, 0, parts[2:])
    for one, other in zip(arrays_of(whole), arrays_of(parts), strict=True):
        assert np.array_equal(one[2:], other[: len(PICTURES) - 2])


def test_histograms_sum_to_one_and_small_pictures_are_means() -> None:
    frames = describe(PICTURES)
    for roots in (frames.luma, frames.chroma, frames.whole_luma, frames.whole_chroma):
        assert np.square(roots).sum(axis=-1) == pytest.approx(1, abs=1e-5)
    means = PICTURES.reshape(len(PICTURES), 9, 4, 16, 4, 3).mean(axis=(2, 4))
    assert frames.small == pytest.approx(means, abs=0.01)
    means = PICTURES[..., 0].reshape(len(PICTURES), 18, 2, 32, 2).mean(axis=(2, 4))
    assert frames.medium == pytest.approx(means, abs=0.01)


def test_no_pairs_no_features() -> None:
    none = np.zeros(0, dtype=np.intp)
    assert pair_features(describe(PICTURES), none, none).shape == (0, len(PAIR))

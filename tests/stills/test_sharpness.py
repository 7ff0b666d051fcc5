from __future__ import annotations

import cv2
import numpy as np
import pytest

from snapupscale.stills.sharpness import measure, noise_deviation

SIZE = (1280, 720)


def scene(*, seed: int = 1) -> np.ndarray:
    """A picture with structure at all sizes, 0.1..0.9."""
    generator = np.random.default_rng(seed)
    image = np.zeros(SIZE[::-1], dtype=np.float32)
    for step in (4, 8, 16, 32, 64, 128):
        small = generator.random((SIZE[1] // step + 1, SIZE[0] // step + 1), dtype=np.float32)
        image += cv2.resize(small, SIZE, interpolation=cv2.INTER_CUBIC)
    image -= image.min()
    return 0.1 + 0.8 * image / image.max()


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma)


def grainy(image: np.ndarray, deviation: float, seed: int = 5) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, deviation, image.shape).astype(np.float32)
    return np.clip(image + noise, 0, 1)


def test_sharpness_falls_with_blur() -> None:
    values = [measure(blurred(scene(), sigma)).sharpness for sigma in (0.5, 1, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 3 * values[-1]


def test_grain_is_not_taken_for_detail() -> None:
    soft_and_grainy = measure(grainy(blurred(scene(), 4), 0.04)).sharpness
    sharp_and_clean = measure(scene()).sharpness
    assert soft_and_grainy < 0.6 * sharp_and_clean
    assert soft_and_grainy < 1.25 * measure(blurred(scene(), 4)).sharpness


def test_a_sharp_subject_before_a_soft_background_counts() -> None:
    soft = blurred(scene(), 6)
    subject = soft.copy()
    subject[200:520, 440:840] = scene()[200:520, 440:840]
    assert measure(subject).sharpness > 1.3 * measure(soft).sharpness


def test_a_caption_does_not_outweigh_the_picture() -> None:
    soft_with_caption = blurred(scene(), 4)
    letters = np.zeros(SIZE[::-1], dtype=np.uint8)
    cv2.putText(letters, "A CAPTION", (300, 650), cv2.FONT_HERSHEY_SIMPLEX, 3, 255, 8)
    soft_with_caption[letters > 0] = 1.0
    assert measure(soft_with_caption).sharpness < measure(blurred(scene(), 0.8)).sharpness


def test_clipping_lowers_exposure() -> None:
    image = scene()
    assert measure(image).exposure > 0.99
    image[:180] = 1.0
    assert measure(image).exposure == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("deviation", [0.01, 0.03])
def test_noise_is_estimated(deviation: float) -> None:
    flat = grainy(np.full(SIZE[::-1], 0.5, dtype=np.float32), deviation)
    assert noise_deviation(flat) == pytest.approx(deviation, rel=0.15)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (40, 1), (7, 500)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    assert measure(np.full(size, 0.5, dtype=np.float32)).sharpness == 0

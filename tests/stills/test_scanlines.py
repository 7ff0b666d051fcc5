from __future__ import annotations

import itertools
import threading
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from snapupscale.colour import ColourTags
from snapupscale.stills import png, scanlines

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RANDOM = np.random.default_rng(6)
SHAPES = [(1, 1), (1, 9, 3), (9, 1, 4), (37, 23), (37, 23, 3), (37, 23, 4)]


def picture(*shape: int, kind: str) -> NDArray[Any]:
    """Noise, whose least bits repeat so often that all neighbours can be equally near."""
    noise = RANDOM.integers(0, np.iinfo(kind).max + 1, shape).astype(kind)
    return np.where(RANDOM.random(shape) < 0.5, noise & 3, noise).astype(kind)


def stream(image: NDArray[Any], tick: Callable[[float], None] = lambda share: None) -> bytes:
    return b"".join(scanlines.deflated(image, tick))


def unfiltered(lines: bytes, height: int, pixel: int) -> bytes:
    """The samples of scanlines, byte for byte by the definition of PNG, 9.4, for the filter Paeth alone."""
    length = len(lines) // height
    above, samples = [0] * (length - 1), []
    for at in range(0, len(lines), length):
        assert lines[at] == 4
        row: list[int] = []
        for place, value in enumerate(lines[at + 1 : at + length]):
            a, c = (row[place - pixel], above[place - pixel]) if place >= pixel else (0, 0)
            b = above[place]
            row.append((value + min((a, b, c), key=lambda near, p=a + b - c: abs(p - near))) & 255)
        samples += row
        above = row
    return bytes(samples)


@pytest.mark.parametrize("rows", [1, 2, 1000])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_scanlines_are_those_of_the_definition(
    kind: str, shape: tuple[int, ...], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = picture(*shape, kind=kind)
    monkeypatch.setattr(scanlines, "_BAND_BYTES", rows * 2 * image[0].size)

    lines = zlib.decompress(stream(image))

    wide = image.astype(np.uint16) * (257 if kind == "u1" else 1)
    assert unfiltered(lines, shape[0], 2 * image[0, 0].size) == wide.astype(">u2").tobytes()


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_every_choice_of_neighbours_is_that_of_the_definition(kind: str) -> None:
    values = [0, 1, 2, 127, 128, 254, 255]
    left, above, corner = np.array([*itertools.product(values, repeat=3)], np.uint8).T[:, None].copy()

    predicted = scanlines._predicted(left, above, corner)

    for found, a, b, c in zip(predicted[0].tolist(), *(of[0].tolist() for of in (left, above, corner)), strict=True):
        assert found == min((a, b, c), key=lambda near, p=a + b - c: abs(p - near))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_many_bands_are_one_file_to_another_decoder(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanlines, "_BAND_BYTES", 5000)
    shape = (131, 257, channels) if channels > 1 else (131, 257)
    image = cv2.GaussianBlur(picture(*shape, kind="u2"), (0, 0), 2)

    data = b"".join(png.encode(image, ColourTags(primaries=1, transfer=1)))
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)

    assert data.count(b"IDAT") > 10
    assert other is not None
    assert np.array_equal(other if channels == 1 else other[..., [2, 1, 0, 3][:channels]], image)
    assert np.array_equal(png.decode(data)[0], image)


def test_views_are_written_as_they_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanlines, "_BAND_BYTES", 500)
    image = picture(64, 48, 3, kind="u2")[::-1, 1::2].transpose(1, 0, 2)

    assert stream(image) == stream(np.ascontiguousarray(image))
    assert stream(image.astype(">u2")) == stream(image)


def test_the_file_does_not_depend_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanlines, "_BAND_BYTES", 500)
    image = picture(64, 48, 3, kind="u2")
    monkeypatch.setattr(scanlines, "_cores", lambda: 7)
    many = stream(image)
    monkeypatch.setattr(scanlines, "_cores", lambda: 1)

    assert stream(image) == many


def test_progress_is_told_in_this_thread_and_reaches_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanlines, "_BAND_BYTES", 500)
    told: list[tuple[float, int]] = []

    stream(picture(64, 48, 3, kind="u2"), lambda share: told.append((share, threading.get_ident())))

    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert len(shares) == 64
    assert shares[-1] == 1
    assert {thread for _, thread in told} == {threading.get_ident()}


def test_what_progress_raises_leaves_the_rest_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanlines, "_BAND_BYTES", 6 * 400)
    monkeypatch.setattr(scanlines, "_cores", lambda: 2)
    made: list[int] = []
    gate = threading.Event()
    band = scanlines._band

    def counted(image: NDArray[Any], rows: int, top: int) -> Any:
        made.append(top)
        if len(made) > 20:
            gate.wait(10)
        return band(image, rows, top)

    def stop(share: float) -> None:
        gate.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(scanlines, "_band", counted)
    before = threading.active_count()

    with pytest.raises(KeyboardInterrupt):
        stream(picture(5000, 400, 3, kind="u2"), stop)
    assert len(made) < 1000
    assert threading.active_count() == before

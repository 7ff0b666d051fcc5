from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from snapupscale.errors import Cancelled, ImplausibleResult, OutOfMemory
from snapupscale.upscale import catalog, devices, weights
from snapupscale.upscale.resize import Window
from snapupscale.upscale.torch_backend import TorchBackend, exact_float32
from snapupscale.upscale.torch_job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CPU = torch.device("cpu")
U8, F32 = np.dtype(np.uint8), np.dtype(np.float32)


def backend(name: str = "animevideov3", *, precision: str = "fp32", **settings: Any) -> TorchBackend:
    spec = catalog.find(name)
    return TorchBackend(spec, weights.load(spec).parameters, device=CPU, precision=precision, **settings)


def enlarge(engine: TorchBackend, pixels: NDArray[Any], dtype: np.dtype[Any] = U8) -> NDArray[Any]:
    return engine.enlarge(pixels, dtype, lambda _: None)


def decibels(one: NDArray[Any], other: NDArray[Any]) -> float:
    error = float(np.mean((one.astype(float) - other) ** 2))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


@pytest.fixture(scope="module")
def whole(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return enlarge(backend(), crop)


@pytest.mark.parametrize("tile", [1000, 40, 33, 16])
def test_compact_in_tiles_is_bit_exact(tile: int, crop: NDArray[np.uint8], whole: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(enlarge(backend(tile=tile), crop), whole)


@pytest.mark.parametrize("tile", [40, 16])
def test_compact_in_tiles_without_levels_is_bit_exact(tile: int, crop: NDArray[np.uint8]) -> None:
    expected = enlarge(backend(faithful=True), crop)
    np.testing.assert_array_equal(enlarge(backend(tile=tile, faithful=True), crop), expected)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_rrdb_in_tiles_has_no_seams(frame: NDArray[np.uint8]) -> None:
    picture = np.ascontiguousarray(frame[40:290, 500:760])
    expected = enlarge(backend("x4plus-anime"), picture, F32)
    actual = enlarge(backend("x4plus-anime", tile=130), picture, F32)
    assert decibels(actual, expected) >= 110
    assert np.abs(actual - expected).max() < 0.5 / 255


@pytest.mark.parametrize(
    ("name", "least", "edge"), [("animevideov3", 75, 64), ("x4plus-anime", 60, 40), ("x4plus", 60, 32)]
)
def test_half_precision_is_close(name: str, least: float, edge: int, crop: NDArray[np.uint8]) -> None:
    picture = crop[:edge, :edge]
    single, half = (enlarge(backend(name, precision=p), picture, F32) for p in ("fp32", "fp16"))
    assert least <= decibels(single, half) < 120
    steps = np.abs(np.rint(single * 255) - np.rint(half * 255))
    assert (steps <= 1).mean() >= 0.99
    assert steps.max() <= 8


def test_half_precision_sees_all_sixteen_bits(crop: NDArray[np.uint8]) -> None:
    """Pixels rounded to half precision, as officially, lose what our first layer in float32 keeps."""
    picture = crop.astype(np.uint16) * 257 + 111
    single = enlarge(backend(faithful=True), picture, F32)
    ours = enlarge(backend(precision="fp16"), picture, F32)
    official = enlarge(backend(precision="fp16", faithful=True), picture, F32)
    assert decibels(ours, enlarge(backend(), picture, F32)) > decibels(official, single) + 6


class Faulty:
    """Replaces the tail of a backend's network; `spoil` gets every result."""

    def __init__(self, engine: TorchBackend, spoil: Callable[[torch.Tensor], torch.Tensor]) -> None:
        network = engine._network
        tail = network.tail
        network.tail = lambda *args: spoil(tail(*args))  # type: ignore[method-assign]


def nan_in_one_place(values: torch.Tensor) -> torch.Tensor:
    values = values.clone()
    values[0, 1, -1, -1] = float("nan")
    return values


SPOILERS = {
    "nan": nan_in_one_place,
    "infinite": lambda values: values / 0,
    "black": torch.zeros_like,
    "white": torch.ones_like,
    "stale": lambda values: values.roll((values.shape[2] // 2, values.shape[3] // 2), (2, 3)),
    "grey": lambda values: torch.full_like(values, float(values.mean())),
}


@pytest.mark.parametrize("fault", SPOILERS)
def test_a_wrong_tile_in_half_is_computed_again_in_float(
    fault: str, crop: NDArray[np.uint8], whole: NDArray[np.uint8]
) -> None:
    engine = backend(precision="fp16")
    Faulty(engine, SPOILERS[fault])
    np.testing.assert_array_equal(enlarge(engine, crop), whole)


@pytest.mark.parametrize("fault", SPOILERS)
def test_a_wrong_tile_in_float_is_an_error(fault: str, crop: NDArray[np.uint8]) -> None:
    engine = backend()
    Faulty(engine, SPOILERS[fault])
    with pytest.raises(ImplausibleResult, match="animevideov3"):
        enlarge(engine, crop)


def test_only_the_wrong_tile_is_computed_again(crop: NDArray[np.uint8], whole: NDArray[np.uint8]) -> None:
    engine = backend(precision="fp16", tile=32)
    calls = []

    def spoil(values: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return torch.zeros_like(values) if len(calls) == 2 else values

    Faulty(engine, spoil)
    result = enlarge(engine, crop)
    assert len(calls) == 4
    np.testing.assert_array_equal(result[:128, 128:], whole[:128, 128:])
    assert np.abs(result.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_weights_that_are_not_numbers_are_an_error(precision: str, crop: NDArray[np.uint8]) -> None:
    spec = catalog.find("animevideov3")
    parameters = weights.load(spec).parameters
    parameters["body.6.weight"] = np.full_like(parameters["body.6.weight"], np.nan)
    engine = TorchBackend(spec, parameters, device=CPU, precision=precision)
    with pytest.raises(ImplausibleResult, match="not finite"):
        enlarge(engine, crop)


def test_what_a_model_really_does_is_no_error() -> None:
    """Noise comes out of x4plus-anime far brighter than it went in. The CPU says the same, so it is true."""
    noise = (np.random.default_rng(0).random((40, 40, 1)) > 0.5) * np.full(3, 255, np.uint8)
    result = enlarge(backend("x4plus-anime", faithful=True), noise.astype(np.uint8))
    assert result.mean() > 1.3 * noise.mean()


def running_out(engine: TorchBackend, error: Exception, when: Callable[[int, torch.Tensor], bool]) -> list[int]:
    """Let the body of the network fail; the list fills with the area of each attempt."""
    network = engine._network
    features = network.features
    areas: list[int] = []

    def run(picture: torch.Tensor, pace: Any) -> torch.Tensor:
        areas.append(picture.shape[2] * picture.shape[3])
        if when(len(areas), picture):
            raise error
        return features(picture, pace)

    network.features = run  # type: ignore[method-assign]
    return areas


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_out_of_memory_halves_the_tile_and_never_the_result(
    error: Exception, frame: NDArray[np.uint8], released: list[Any]
) -> None:
    picture = np.ascontiguousarray(frame[40:240, 500:740])
    engine = backend()
    expected = enlarge(engine, picture)
    areas = running_out(engine, error, lambda _, x: x.shape[2] * x.shape[3] > 30_000)
    np.testing.assert_array_equal(enlarge(engine, picture), expected)
    assert areas[0] == 200 * 240
    assert max(areas[1:]) < areas[0]
    assert released
    areas.clear()
    enlarge(engine, picture)
    assert max(areas) <= 30_000, "what did not fit was tried again"


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Fills with the devices whose cached memory is given back."""
    done: list[Any] = []
    monkeypatch.setattr(devices, "release", done.append)
    return done


@pytest.mark.parametrize("call", [2, 3])
def test_running_out_in_the_middle(call: int, frame: NDArray[np.uint8]) -> None:
    picture = np.ascontiguousarray(frame[40:190, 500:650])
    expected = enlarge(backend(), picture)
    engine = backend(tile=76)
    areas = running_out(engine, ERRORS[0], lambda count, _: count == call)
    np.testing.assert_array_equal(enlarge(engine, picture), expected)
    assert len(areas) > 5


def test_when_nothing_fits_the_error_says_so(frame: NDArray[np.uint8]) -> None:
    engine = backend()
    areas = running_out(engine, ERRORS[0], lambda *_: True)
    with pytest.raises(OutOfMemory, match="small tiles") as caught:
        enlarge(engine, frame)
    assert "--backend cpu" in caught.value.hint
    assert len(areas) < 12


def test_running_out_before_the_first_tile(monkeypatch: pytest.MonkeyPatch, crop: NDArray[np.uint8]) -> None:
    engine = backend()

    def fail(*_args: object, **_kwargs: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Job, "start", fail)
    with pytest.raises(OutOfMemory):
        enlarge(engine, crop)


def test_an_error_of_another_kind_is_not_hidden(crop: NDArray[np.uint8]) -> None:
    engine = backend()
    running_out(engine, RuntimeError("illegal instruction"), lambda *_: True)
    with pytest.raises(RuntimeError, match="illegal instruction"):
        enlarge(engine, crop)


def test_tiles_are_planned_by_free_memory(monkeypatch: pytest.MonkeyPatch, frame: NDArray[np.uint8]) -> None:
    picture = np.ascontiguousarray(frame[:230, :240])
    engine = backend()
    areas = running_out(engine, ERRORS[0], lambda *_: False)
    expected = enlarge(engine, picture)
    assert areas == [230 * 240]
    monkeypatch.setattr(devices, "free_memory", lambda _: 50 << 20)
    areas.clear()
    np.testing.assert_array_equal(enlarge(engine, picture), expected)
    assert len(areas) > 1
    assert max(areas) * engine._network.body_values * 4 < 50 << 20


def test_with_no_memory_at_all_tiles_stay_reasonable(
    monkeypatch: pytest.MonkeyPatch, crop: NDArray[np.uint8], whole: NDArray[np.uint8]
) -> None:
    monkeypatch.setattr(devices, "free_memory", lambda _: 0)
    engine = backend()
    areas = running_out(engine, ERRORS[0], lambda *_: False)
    np.testing.assert_array_equal(enlarge(engine, crop), whole)
    assert areas == [64 * 64]


@pytest.mark.parametrize(("name", "tile", "steps"), [("x4plus-anime", None, 90), ("animevideov3", 24, 100)])
def test_progress_is_even_and_complete(name: str, tile: int | None, steps: int, crop: NDArray[np.uint8]) -> None:
    seen: list[float] = []
    backend(name, tile=tile).enlarge(crop[:48, :48], U8, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)
    assert len(seen) >= steps * (1 if tile is None else 0.7)
    assert max(np.diff([0, *seen])) < 0.15


def test_progress_never_goes_back_when_a_tile_is_done_again(crop: NDArray[np.uint8]) -> None:
    engine = backend(precision="fp16")
    Faulty(engine, nan_in_one_place)
    seen: list[float] = []
    engine.enlarge(crop, U8, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


def test_cancelling_takes_effect_at_the_next_step(crop: NDArray[np.uint8], whole: NDArray[np.uint8]) -> None:
    engine = backend()
    calls = []

    def cancel(share: float) -> None:
        calls.append(share)
        if share > 0.4:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        engine.enlarge(crop, U8, cancel)
    assert calls[-2] <= 0.4 < calls[-1]
    np.testing.assert_array_equal(enlarge(engine, crop), whole)


@pytest.mark.slow
def test_no_step_of_a_large_picture_takes_long(frame: NDArray[np.uint8]) -> None:
    """A progress call that raises has to end the work within a second, with two cores busy elsewhere too."""
    from time import perf_counter

    engine = backend("x4plus")
    times = [perf_counter()]

    def stop(share: float) -> None:
        times.append(perf_counter())
        if share > 0.02:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        engine.enlarge(np.ascontiguousarray(frame), U8, stop)
    assert np.median(np.diff(times)) < 0.2
    assert max(np.diff(times)) < 1


def test_nothing_is_left_in_the_canvas(monkeypatch: pytest.MonkeyPatch, crop: NDArray[np.uint8]) -> None:
    """Every sample is written: two canvases with different rubbish in them come out the same."""
    empty = torch.empty
    results = []
    for rubbish in (7, 201):
        monkeypatch.setattr(torch, "empty", lambda *a, rubbish=rubbish, **k: empty(*a, **k).fill_(rubbish))
        results.append(enlarge(backend(tile=24), crop[:50, :61]))
    np.testing.assert_array_equal(results[0], results[1])


def test_scale_two_pads_odd_sizes_and_cuts_them_again(make_model: Callable[..., Any], crop: NDArray[np.uint8]) -> None:
    make_model("made", architecture="rrdb", blocks=1, scale=2)
    engine = backend("made")
    odd = enlarge(engine, crop[:33, :21], F32)
    assert odd.shape == (66, 42, 3)
    padded = np.pad(crop[:33, :21], ((0, 1), (0, 1), (0, 0)), mode="reflect")
    np.testing.assert_allclose(odd, enlarge(engine, padded, F32)[:66, :42], atol=1e-6)


@pytest.mark.parametrize("tile", [None, 40])
def test_planes_are_enlarged_as_pictures_are(tile: int | None, crop: NDArray[np.uint8]) -> None:
    engine = backend(tile=tile)
    seen: list[float] = []
    result = engine.enlarge_planes(planes(crop), seen.append)
    assert result.shape == (1, 3, 256, 256)
    np.testing.assert_allclose(result[0].permute(1, 2, 0).numpy(), enlarge(engine, crop, F32), atol=1e-6)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


@pytest.mark.parametrize("size", [(33, 21), (1, 1), (1, 4), (2, 3)])
def test_planes_of_odd_sizes_are_padded_too(
    size: tuple[int, int], make_model: Callable[..., Any], crop: NDArray[np.uint8]
) -> None:
    make_model("made", architecture="rrdb", blocks=1, scale=2)
    engine, picture = backend("made"), crop[: size[0], : size[1]]
    result = engine.enlarge_planes(planes(picture), lambda _: None)
    np.testing.assert_allclose(result[0].permute(1, 2, 0).numpy(), enlarge(engine, picture, F32), atol=1e-6)


@pytest.mark.parametrize("room", [True, False])
def test_planes_are_resampled_where_there_is_room(
    room: bool, crop: NDArray[np.uint8], whole: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, released: list[Any]
) -> None:
    engine = backend()
    if not room:
        monkeypatch.setattr(engine, "_resized", lambda *_: None)
    middle = engine.enlarge_resized(planes(crop), 80, 60, lambda _: None, Window(left=20, top=16, width=20, height=15))
    expected = whole[64:124, 80:160].astype(np.float32) / 255
    np.testing.assert_allclose(middle[0].permute(1, 2, 0).numpy(), expected, atol=0.6 / 255)
    assert bool(released) is not room


def planes(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()


def test_float32_stays_float32_in_products_of_matrices() -> None:
    setting = torch.backends.cuda.matmul
    before = setting.fp32_precision
    setting.fp32_precision = "tf32"
    try:
        with exact_float32():
            assert setting.fp32_precision == "ieee"
        assert setting.fp32_precision == "tf32"
    finally:
        setting.fp32_precision = before


@pytest.mark.parametrize("tile", [None, 30])
def test_scale_two_in_tiles(make_model: Callable[..., Any], crop: NDArray[np.uint8], tile: int | None) -> None:
    make_model("made", architecture="rrdb", blocks=1, scale=2)
    expected = enlarge(backend("made"), crop, F32)
    np.testing.assert_allclose(enlarge(backend("made", tile=tile), crop, F32), expected, atol=1e-5)


def test_a_narrow_picture_that_does_not_fit_is_an_error_too(frame: NDArray[np.uint8]) -> None:
    engine = backend()
    areas = running_out(engine, ERRORS[0], lambda *_: True)
    with pytest.raises(OutOfMemory):
        enlarge(engine, np.ascontiguousarray(frame[:8]))
    assert len(areas) < 12

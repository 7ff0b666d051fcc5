from __future__ import annotations

import builtins
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from snapupscale.errors import BackendUnavailable, Cancelled, SettingError
from snapupscale.upscale import catalog, weights
from snapupscale.upscale.engine import BACKENDS, Upscaler
from snapupscale.upscale.interpolation import resample, resample_as_reference
from snapupscale.upscale.picture import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

INTERPOLATIONS = ("bicubic", "lanczos")


@pytest.fixture(scope="module")
def upscaler() -> Iterator[Upscaler]:
    with Upscaler("animevideov3", backend="cpu") as made:
        yield made


def shrunk(image: NDArray[Any], scale: int) -> NDArray[np.float64]:
    height, width = image.shape[0] // scale, image.shape[1] // scale
    means: NDArray[np.float64] = image.reshape(height, scale, width, scale, *image.shape[2:]).mean((1, 3))
    return means


def test_auto_on_a_machine_without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with Upscaler() as made:
        assert (made.model, made.backend, made.precision, made.scale) == ("animevideov3", "cpu", "fp32", 4)
        assert "no GPU" in made.choice
        assert made.weights_sha256 == catalog.find("animevideov3").files[0].sha256


def test_what_was_asked_for_is_said(upscaler: Upscaler) -> None:
    assert upscaler.choice.startswith("animevideov3, as asked.")
    assert "CPU" in upscaler.choice
    assert isinstance(upscaler.scale, int)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"model": "nothing"}, "x4plus-anime"),
        ({"backend": "gpu"}, "cuda"),
        ({"backend": "lanczos", "model": "nothing"}, "x4plus-anime"),
        ({"precision": "bf16"}, "fp16"),
        ({"scale": 0.5}, "1 to 8"),
        ({"scale": 9}, "1 to 8"),
        ({"scale": float("nan")}, "1 to 8"),
        ({"tile": 0}, "auto"),
        ({"tile": -5}, "auto"),
        ({"model": "x4plus", "denoise": 0.5}, "general-x4v3"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingError) as caught:
        Upscaler(**{"backend": "cpu", **settings})
    assert word in caught.value.hint


def test_the_backends_are_these() -> None:
    assert BACKENDS == ("auto", "cuda", "mps", "ncnn", "cpu", "bicubic", "lanczos")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(BackendUnavailable):
        Upscaler(backend="cuda")


def test_without_torch_interpolation_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "torch" or (args[2:3] and "loading" in (args[2] or ())):
            raise ImportError("No module named 'torch'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with Upscaler(backend="lanczos") as made:
        assert made.upscale(np.zeros((2, 3), np.uint8)).shape == (8, 12)
    with pytest.raises(BackendUnavailable, match="torch") as caught:
        Upscaler(backend="auto")
    assert "lanczos" in caught.value.hint


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (2, 3), (5, 90), (120, 4), (33, 17)])
@pytest.mark.parametrize("channels", [None, 3, 4])
def test_any_size_and_form(upscaler: Upscaler, size: tuple[int, int], channels: int | None) -> None:
    shape = size if channels is None else (*size, channels)
    image = np.random.default_rng(0).integers(100, 140, shape, np.uint8)
    result = upscaler.upscale(image)
    assert result.shape == (size[0] * 4, size[1] * 4, *shape[2:])
    assert result.dtype == image.dtype
    assert np.abs(shrunk(result, 4).mean((0, 1)) - image.mean((0, 1))).max() < 4


@pytest.mark.parametrize("name", ["x4plus", "x4plus-anime"])
@pytest.mark.parametrize("size", [(1, 1), (3, 11)])
def test_tiny_pictures_through_the_large_models(name: str, size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 90, np.uint8)
    with Upscaler(name, backend="cpu") as made:
        result = made.upscale(image)
    assert result.shape == (size[0] * 4, size[1] * 4, 3)
    assert abs(result.mean() - 90) < 3


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (8, 6), (1, 12)])
def test_scale_two_takes_any_size(make_model: Callable[..., Any], size: tuple[int, int]) -> None:
    make_model("made", architecture="rrdb", blocks=1, scale=2)
    with Upscaler("made", backend="cpu") as made:
        assert made.scale == 2
        assert made.upscale(np.full((*size, 3), 90, np.uint8)).shape == (size[0] * 2, size[1] * 2, 3)


@pytest.mark.parametrize("backend", ["cpu", *INTERPOLATIONS])
@pytest.mark.parametrize(
    ("scale", "size"),
    [
        (2, (66, 42)),
        (3, (99, 63)),
        (4, (132, 84)),
        (1.5, (49, 31)),
        (1, (33, 21)),
        (8, (264, 168)),
        (Fraction(11, 10), (36, 23)),
    ],
)
def test_scales(backend: str, scale: float | Fraction, size: tuple[int, int], crop: NDArray[np.uint8]) -> None:
    image = crop[:33, :21]
    with Upscaler("animevideov3", backend=backend, scale=scale) as made:
        assert made.scale == float(scale)
        result = made.upscale(image)
    assert result.shape == (*size, 3)
    small = resample(result, 21, 33).astype(float)
    assert np.abs(small - image).mean() < 6
    assert np.abs(result.mean((0, 1)) - image.mean((0, 1))).max() < 1.5


def test_a_decimal_scale_is_meant_exactly() -> None:
    with Upscaler(backend="lanczos", scale=2.3) as made:
        assert made.upscale(np.zeros((10, 20), np.uint8)).shape == (23, 46)


def test_another_scale_is_resampled_before_rounding(crop: NDArray[np.uint8]) -> None:
    image = crop.astype(np.float32) / 255
    with Upscaler("animevideov3", backend="cpu") as four, Upscaler("animevideov3", backend="cpu", scale=2) as two:
        expected = np.clip(resample(four.upscale(image), 128, 128), 0, 1)
        np.testing.assert_allclose(two.upscale(image), expected, atol=2e-3)
        np.testing.assert_array_equal(two.upscale(crop), np.rint(two.upscale(image) * 255))


@pytest.mark.parametrize("channels", [slice(None), 1])
@pytest.mark.parametrize("scale", [2, 1.5, 6])
def test_another_scale_is_resampled_as_pictures_are(
    scale: float, channels: slice | int, crop: NDArray[np.uint8]
) -> None:
    image = crop[:36, :28, channels]
    size = (int(28 * scale), int(36 * scale))
    with Upscaler("animevideov3", backend="cpu") as four, Upscaler("animevideov3", backend="cpu", scale=scale) as other:
        floats = image.astype(np.float32) / 255
        expected = np.clip(resample(four.upscale(floats), *size), 0, 1)
        np.testing.assert_allclose(other.upscale(floats), expected, atol=1e-4)
        for dtype, levels in ((np.uint8, 255), (np.uint16, 65535)):
            result = other.upscale(image.astype(dtype) * dtype(levels // 255))
            assert np.abs(result - np.rint(expected * levels)).max() <= 1


@pytest.mark.parametrize(("dtype", "levels", "tolerance"), [(np.uint16, 65535, 300), (np.float32, 1, 0.005)])
def test_every_type_means_the_same_picture(
    upscaler: Upscaler, crop: NDArray[np.uint8], dtype: type, levels: int, tolerance: float
) -> None:
    expected = upscaler.upscale(crop) / 255 * levels
    given: NDArray[Any] = (crop.astype(np.float64) / 255 * levels).astype(dtype)
    result = upscaler.upscale(given)
    assert result.dtype == dtype
    assert np.abs(result - expected).max() < tolerance


def test_a_dark_16_bit_picture_stays_dark(upscaler: Upscaler) -> None:
    """The official program takes 16 bit for 8 bit when no value is above 256."""
    dark = np.random.default_rng(0).integers(150, 250, (16, 16, 3), np.uint16)
    assert 100 < upscaler.upscale(dark).mean() < 300


def test_byte_order_and_layout_do_not_matter(upscaler: Upscaler, crop: NDArray[np.uint8]) -> None:
    image = crop.astype(np.uint16) * 200
    expected = upscaler.upscale(image)
    image.flags.writeable = False
    np.testing.assert_array_equal(upscaler.upscale(image), expected)
    np.testing.assert_array_equal(upscaler.upscale(image.astype(">u2")), expected)
    np.testing.assert_array_equal(upscaler.upscale(np.asfortranarray(image)), expected)
    np.testing.assert_array_equal(upscaler.upscale(image[::-1][::-1]), expected)


def test_grey_is_the_luma_of_the_colour_result(upscaler: Upscaler, crop: NDArray[np.uint8]) -> None:
    grey = crop[:, :, 1].astype(np.float32) / 255
    colour = upscaler.upscale(np.dstack((grey, grey, grey)))
    np.testing.assert_allclose(upscaler.upscale(grey), colour @ np.array([0.299, 0.587, 0.114], np.float32), atol=1e-5)


def test_constant_alpha_is_kept_and_costs_nothing(upscaler: Upscaler, crop: NDArray[np.uint8]) -> None:
    image = np.dstack((crop, np.full(crop.shape[:2], 77, np.uint8)))
    seen: list[float] = []
    result = upscaler.upscale(image, progress=seen.append)
    assert (result[:, :, 3] == 77).all()
    plain: list[float] = []
    np.testing.assert_array_equal(result[:, :, :3], upscaler.upscale(crop, progress=plain.append))
    assert len(seen) == len(plain)


def test_alpha_goes_through_the_network(upscaler: Upscaler, crop: NDArray[np.uint8]) -> None:
    alpha = crop[:, :, 0].T
    result = upscaler.upscale(np.dstack((crop, alpha)))
    np.testing.assert_array_equal(result[:, :, 3], bounded(upscaler.upscale(alpha), alpha))
    np.testing.assert_array_equal(result[:, :, :3], upscaler.upscale(crop))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("scale", [4, 2.5])
def test_progress_runs_from_start_to_end(channels: int, scale: float, crop: NDArray[np.uint8]) -> None:
    image = np.dstack((crop, crop[:, :, 0]))[:, :, :channels]
    seen: list[float] = []
    with Upscaler("animevideov3", backend="cpu", scale=scale) as made:
        made.upscale(image, progress=seen.append)
    assert seen == sorted(seen)
    assert 0 <= seen[0] < 0.1
    assert seen[-1] == 1.0


@pytest.mark.parametrize("backend", ["cpu", *INTERPOLATIONS])
def test_cancelling_leaves_the_upscaler_usable(backend: str, crop: NDArray[np.uint8]) -> None:
    def cancel(_share: float) -> None:
        raise Cancelled("enough")

    with Upscaler("animevideov3", backend=backend) as made:
        expected = made.upscale(crop)
        with pytest.raises(Cancelled):
            made.upscale(crop, progress=cancel)
        np.testing.assert_array_equal(made.upscale(crop), expected)


def test_the_same_picture_gives_the_same_result(upscaler: Upscaler, crop: NDArray[np.uint8]) -> None:
    before = crop.copy()
    np.testing.assert_array_equal(upscaler.upscale(crop), upscaler.upscale(crop))
    np.testing.assert_array_equal(crop, before)


def test_a_closed_upscaler_says_so(crop: NDArray[np.uint8]) -> None:
    with Upscaler("animevideov3", backend="cpu") as made:
        pass
    made.close()
    with pytest.raises(ValueError, match="closed"):
        made.upscale(crop)


@pytest.mark.parametrize("backend", INTERPOLATIONS)
def test_interpolation_is_a_backend(backend: str, crop: NDArray[np.uint8]) -> None:
    with Upscaler(backend=backend) as made:
        assert (made.model, made.backend, made.scale, made.weights_sha256) == (backend, backend, 4, "")
        np.testing.assert_array_equal(made.upscale(crop), resample(crop, 256, 256, backend))  # type: ignore[arg-type]
        floats = made.upscale(np.round(crop[:, :, 0] / 255).astype(np.float32))
        assert floats.min() == 0
        assert floats.max() == 1


@pytest.mark.parametrize("name", ["animevideov3", "x4plus-anime", "x4plus"])
def test_levels_are_kept(name: str) -> None:
    """The networks alone miss this by up to 19 of 255."""
    edge = 40 if name == "animevideov3" else 28
    with Upscaler(name, backend="cpu") as made:
        for level in (0, 16, 128, 235, 255):
            image = np.full((edge, edge, 3), level, np.uint8)
            shift = made.upscale(image).astype(float).mean((0, 1)) - level
            assert np.abs(shift).max() <= 0.5, (level, shift)
        ramp = np.tile(np.linspace(30, 220, 2 * edge).astype(np.uint8), (edge, 1))
        assert abs(made.upscale(ramp).astype(float).mean() - ramp.mean()) <= 0.5


def test_colours_of_real_footage_are_kept(crop: NDArray[np.uint8], upscaler: Upscaler) -> None:
    result = upscaler.upscale(crop)
    blocks = shrunk(result, 64) - shrunk(crop, 16)
    assert np.abs(blocks).max() < 3
    with Upscaler("animevideov3", backend="cpu", reference=True) as official:
        raw = shrunk(official.upscale(crop), 64) - shrunk(crop, 16)
    assert np.abs(raw).mean() > 3 * np.abs(blocks).mean()


def official_way(name: str, image: NDArray[Any], scale: float) -> NDArray[Any]:
    """RealESRGANer.enhance in its own order, on our network as a whole: reflect, network, clamp, round, resize."""
    from snapupscale.upscale import networks

    model = catalog.find(name)
    network = networks.build(model)
    loaded = weights.load(model).parameters
    network.load_state_dict({key: torch.tensor(values) for key, values in loaded.items()}, assign=True)
    levels = np.iinfo(image.dtype).max
    rgb = image if image.ndim == 3 else np.dstack((image,) * 3)
    padded = np.pad(rgb.astype(np.float32) / levels, ((0, 10), (0, 10), (0, 0)), mode="reflect")
    x = torch.from_numpy(padded).permute(2, 0, 1)[None]
    with torch.inference_mode():
        pace = networks.Pace(tick=lambda _: None, layout=torch.contiguous_format)
        y = network.tail(network.features(x, pace), x, pace).clamp(0, 1)[0].permute(1, 2, 0).numpy()
    y = y[: 4 * image.shape[0], : 4 * image.shape[1]]
    if image.ndim == 2:
        y = y @ np.array([0.299, 0.587, 0.114], np.float32)
    rounded = (y * levels).round().astype(image.dtype)
    if scale == 4:
        return rounded
    return resample_as_reference(rounded, int(image.shape[1] * scale), int(image.shape[0] * scale))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("scale", [4, 2, 1.5])
def test_the_reference_does_what_the_official_program_does(
    dtype: type, grey: bool, scale: float, crop: NDArray[np.uint8]
) -> None:
    image: NDArray[Any] = crop[:31, :45].astype(dtype) * (1 if dtype is np.uint8 else 257)
    image = image[:, :, 0] if grey else image
    with Upscaler("animevideov3", backend="cpu", scale=scale, reference=True) as made:
        result = made.upscale(image)
    expected = official_way("animevideov3", image, scale)
    assert result.shape == expected.shape
    difference = np.abs(result.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < (0.001 if dtype is np.uint8 else 0.05)


def test_the_reference_sends_constant_alpha_through_the_network_too(crop: NDArray[np.uint8]) -> None:
    image = np.dstack((crop, np.full(crop.shape[:2], 128, np.uint8)))
    with Upscaler("animevideov3", backend="cpu", reference=True) as made:
        assert made.upscale(image)[:, :, 3].std() > 0


def test_the_reference_takes_no_floats(crop: NDArray[np.uint8]) -> None:
    with (
        Upscaler("animevideov3", backend="cpu", reference=True) as made,
        pytest.raises(SettingError, match="float"),
    ):
        made.upscale(crop.astype(np.float32) / 255)


def test_denoise_strength_reaches_the_network(make_model: Callable[..., Any], crop: NDArray[np.uint8]) -> None:
    spec, _ = make_model("made", partner=True)
    results = []
    for strength in (1, 0.5, 0):
        with Upscaler("made", backend="cpu", denoise=strength) as made:
            results.append(made.upscale(crop[:16, :16]))
            assert made.weights_sha256.split("+") == [file.sha256 for file in spec.files][: 1 if strength == 1 else 2]
    assert not np.array_equal(results[0], results[1])
    assert not np.array_equal(results[1], results[2])


@pytest.mark.parametrize(
    "image", [np.zeros((2, 2, 5), np.uint8), np.zeros((2, 2), np.int32), np.zeros((0, 2), np.uint8)]
)
def test_pictures_that_are_refused(upscaler: Upscaler, image: NDArray[Any]) -> None:
    with pytest.raises(SettingError):
        upscaler.upscale(image)

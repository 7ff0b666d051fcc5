from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from snapupscale.errors import Cancelled, OutOfMemory, SettingError
from snapupscale.upscale import resize
from snapupscale.upscale.engine import Upscaler
from snapupscale.upscale.interpolation import resample
from snapupscale.upscale.live import Layout, Live, Look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Pixels = NDArray[Any]

DEPTHS = {"uint8": "byte", "uint16": "short", "float16": "half", "float32": "float"}
PUNCH = Look(mode="punch-in", zoom=2.5, centre_x=0.4, centre_y=0.7)


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with Live("animevideov3", backend="cpu") as made:
        yield made


@pytest.fixture(scope="module")
def picture(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """48x64x3 in [0, 1]."""
    return crop[8:56].astype(np.float32) / 255


def layout(pixels: Pixels, **changes: Any) -> Layout:
    height, width, components = pixels.shape
    settings = {"premultiplied": False, "top_down": True, **changes}
    return Layout(width=width, height=height, depth=DEPTHS[pixels.dtype.name], components=components, **settings)  # type: ignore[arg-type]


def rendered(live: Live, pixels: Pixels, look: Look, **changes: Any) -> Pixels:
    """`pixels` (HxWxC) through the whole way, in the memory that they came in."""
    memory = torch.from_numpy(np.frombuffer(pixels.tobytes(), np.uint8).copy())
    raw = live.upload(memory)
    before = raw.clone()
    live.download(live.render(raw, layout(pixels, **changes), look), memory)
    assert torch.equal(raw, before), "what was uploaded was written to"
    return memory.numpy().view(pixels.dtype).reshape(pixels.shape)


def with_alpha(colour: Pixels, alpha: Pixels) -> Pixels:
    return np.dstack((colour, alpha)).astype(colour.dtype)


def engine(scale: float, small: Pixels) -> Pixels:
    with Upscaler("animevideov3", backend="cpu", scale=scale) as made:
        return made.upscale(small)


@pytest.mark.parametrize("top_down", [True, False])
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_restoring_is_what_the_engine_makes_of_the_shrunk_picture(
    factor: int, top_down: bool, live: Live, picture: NDArray[np.float32]
) -> None:
    height, width = picture.shape[:2]
    small = np.clip(resample(picture, width // factor, height // factor), 0, 1)
    expected = engine(factor, small)
    rows = slice(None, None, 1 if top_down else -1)
    result = rendered(live, picture[rows], Look(factor=factor), top_down=top_down)[rows]
    np.testing.assert_allclose(result, expected, atol=1e-5)
    for dtype, levels in ((np.uint8, 255), (np.uint16, 65535)):
        exact = np.rint(picture * 255).astype(dtype) * (levels // 255)
        whole = rendered(live, exact[rows], Look(factor=factor), top_down=top_down)[rows]
        assert np.abs(whole - np.rint(expected * levels)).max() <= 1


@pytest.mark.parametrize("factor", [1.5, 2.7, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (37, 5), (33, 47)])
@pytest.mark.parametrize("look", [Look(), PUNCH])
def test_any_size_and_factor(
    factor: float, size: tuple[int, int], look: Look, live: Live, picture: NDArray[np.float32]
) -> None:
    given = picture[: size[0], : size[1]]
    result = rendered(live, given, Look(mode=look.mode, factor=factor, zoom=2 * factor))
    assert np.isfinite(result).all()
    if look.mode == "restore" and min(size) > 8:
        assert np.abs(result.mean((0, 1)) - given.mean((0, 1))).max() < 0.01


def test_a_punch_in_is_a_part_of_the_enlarged_picture(live: Live, picture: NDArray[np.float32]) -> None:
    look = Look(mode="punch-in", zoom=4, centre_x=0.5, centre_y=0.25)
    result = rendered(live, picture, look)
    large = engine(4, picture)
    np.testing.assert_allclose(result, large[4 * 6 : 4 * 18, 4 * 24 : 4 * 40], atol=1e-5)


def test_a_punch_in_of_a_large_frame_looks_at_its_part_alone(live: Live, frame: NDArray[np.uint8]) -> None:
    given = frame[:200, 400:800]
    look = Look(mode="punch-in", zoom=4, centre_x=0.5, centre_y=0.5)
    large = engine(4, given)[4 * 75 : 4 * 125, 4 * 150 : 4 * 250]
    result = rendered(live, given, look)
    assert np.abs(result.astype(int) - large).max() <= 3


@pytest.mark.parametrize(("centre", "inside"), [((0, 0), (0, 0)), ((1, 1), (32, 24)), ((0.5, 1), (16, 24))])
def test_the_part_is_moved_inside_the_frame(
    centre: tuple[float, float], inside: tuple[int, int], live: Live, picture: NDArray[np.float32]
) -> None:
    look = Look(mode="punch-in", zoom=2, centre_x=centre[0], centre_y=centre[1])
    left, top = inside
    shown = resample(rendered(live, picture, look), 32, 24)
    expected = picture[top : top + 24, left : left + 32]
    assert np.abs(shown - expected).mean() < 0.03
    assert np.abs(shown.mean((0, 1)) - expected.mean((0, 1))).max() < 0.01


def test_a_punch_in_of_one_shows_the_whole_frame(live: Live, picture: NDArray[np.float32]) -> None:
    whole, same = (rendered(live, picture, look) for look in (Look(mode="punch-in", zoom=1), Look(factor=1)))
    np.testing.assert_allclose(whole, same, atol=1e-6)


@pytest.mark.parametrize("look", [Look(), PUNCH, Look(mode="punch-in", zoom=2, strength=0)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16])
def test_bottom_up_is_the_same_picture(
    look: Look, dtype: type, live: Live, picture: NDArray[np.float32]
) -> None:
    given = (picture * (255 if dtype is np.uint8 else 1)).astype(dtype)
    expected = rendered(live, given, look)
    np.testing.assert_array_equal(rendered(live, given[::-1], look, top_down=False)[::-1], expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16])
@pytest.mark.parametrize("look", [Look(), PUNCH])
def test_every_depth_means_the_same_picture(
    dtype: type, look: Look, live: Live, picture: NDArray[np.float32]
) -> None:
    levels = {np.uint8: 255, np.uint16: 65535, np.float16: 1}[dtype]
    given = picture * levels
    result = rendered(live, (np.rint(given) if levels > 1 else given).astype(dtype), look) / levels
    assert np.abs(result.astype(float) - rendered(live, picture, look)).max() < 0.006


def test_without_strength_nothing_changes_at_all(live: Live) -> None:
    random = np.random.default_rng(5)
    for dtype in DEPTHS:
        pixels = np.frombuffer(random.bytes(9 * 7 * 4 * np.dtype(dtype).itemsize), dtype).reshape(9, 7, 4)
        result = rendered(live, pixels, Look(strength=0), premultiplied=True)
        assert result.tobytes() == pixels.tobytes()


def test_without_strength_a_punch_in_is_enlarged_by_lanczos(live: Live, picture: NDArray[np.float32]) -> None:
    result = rendered(live, picture, Look(mode="punch-in", zoom=2, strength=0))
    large = resample(picture, 128, 96)
    np.testing.assert_allclose(result, large[24:72, 32:96], atol=1e-6)


@pytest.mark.parametrize("look", [Look(), PUNCH])
def test_strength_goes_evenly_between(look: Look, live: Live, picture: NDArray[np.float32]) -> None:
    given = {"mode": look.mode, "zoom": look.zoom}
    none, half, full = (rendered(live, picture, Look(strength=share, **given)) for share in (0, 0.5, 1))  # type: ignore[arg-type]
    assert np.abs(full - none).max() > 0.02
    np.testing.assert_allclose(half, (none + full) / 2, atol=1e-6)


@pytest.mark.parametrize("premultiplied", [True, False])
@pytest.mark.parametrize("dtype", DEPTHS)
def test_restoring_keeps_alpha_bit_by_bit(
    dtype: str, premultiplied: bool, live: Live, picture: NDArray[np.float32]
) -> None:
    size = np.dtype(dtype).itemsize
    pixels = np.zeros((*picture.shape[:2], 4), dtype)
    pixels[..., :3] = picture * (1 if dtype.startswith("float") else np.iinfo(dtype).max)
    bits = np.random.default_rng(6).bytes(pixels[..., 3].size * size)
    pixels[..., 3] = np.frombuffer(bits, dtype).reshape(picture.shape[:2])
    with np.errstate(invalid="ignore"):
        result = rendered(live, pixels, Look(), premultiplied=premultiplied)
    kind = f"u{size}"
    np.testing.assert_array_equal(result.view(kind)[..., 3], pixels.view(kind)[..., 3])
    finite = np.isfinite(pixels[..., 3])
    assert np.isfinite(result[finite]).all()


@pytest.mark.parametrize("look", [Look(), PUNCH])
def test_an_opaque_frame_is_the_one_without_alpha(look: Look, live: Live, picture: NDArray[np.float32]) -> None:
    expected = rendered(live, picture, look)
    opaque = with_alpha(picture, np.ones(picture.shape[:2]))
    for premultiplied in (True, False):
        result = rendered(live, opaque, look, premultiplied=premultiplied)
        np.testing.assert_allclose(result[..., :3], expected, atol=1e-6)
        np.testing.assert_array_equal(result[..., 3], 1)


@pytest.mark.parametrize("look", [Look(), PUNCH])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_premultiplied_colour_is_divided_and_multiplied_again(
    look: Look, dtype: type, live: Live, picture: NDArray[np.float32]
) -> None:
    alpha = np.clip(np.linspace(-0.5, 1.5, 64, dtype=np.float32), 0, 1)[None, :].repeat(48, 0)
    levels = 255 if dtype is np.uint8 else 1
    samples = with_alpha(picture * alpha[..., None], alpha) * levels
    given = (np.rint(samples) if levels > 1 else samples).astype(dtype)
    result = rendered(live, given, look, premultiplied=True).astype(np.float32) / levels
    straight = rendered(live, with_alpha(picture, alpha), look)
    matte = straight[..., 3:]
    assert np.abs(result[..., 3:] - matte).max() <= 1 / 255
    assert np.abs(result[..., :3] - straight[..., :3] * matte).max() < 0.06
    assert np.abs(result[..., :3] - straight[..., :3] * matte).mean() < 0.004
    assert not result[matte[..., 0] == 0].any()


def test_a_punch_in_enlarges_alpha_without_ringing(live: Live, picture: NDArray[np.float32]) -> None:
    alpha = np.zeros(picture.shape[:2], np.float32)
    alpha[:, 20:] = 0.8
    result = rendered(live, with_alpha(picture, alpha), Look(mode="punch-in", zoom=2))[..., 3]
    assert (result[:, 20:] == np.float32(0.8)).all()
    assert (result[:, :4] == 0).all()
    assert result.max() == np.float32(0.8)
    assert result.min() == 0


@pytest.mark.parametrize("look", [Look(), PUNCH, Look(factor=1), Look(strength=0.5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("level", [1.3, 4, 100, 60000, -0.25, -20])
def test_values_out_of_range_are_kept(
    look: Look, dtype: type, level: float, live: Live, picture: NDArray[np.float32]
) -> None:
    given = picture.astype(dtype)
    given[10:46, 4:50] = level
    result = rendered(live, given, look)
    inside = result[24:36, 16:38] if look.mode == "restore" else result[12:-12, 12:-12]
    np.testing.assert_allclose(inside.astype(float), level, rtol=0.05)
    assert np.isfinite(result).all()


def test_a_highlight_does_not_reach_the_rest_of_the_frame(live: Live, frame: NDArray[np.uint8]) -> None:
    given = frame[40:200, 500:700].astype(np.float32) / 255
    expected = rendered(live, given, Look())
    given[8:24, 8:24] = 100
    result = rendered(live, given, Look())
    far = np.ones(given.shape[:2], bool)
    far[:112, :112] = False
    assert np.abs(result[far] - expected[far]).max() < 1e-4


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_what_is_no_number_stays_where_it_is(dtype: type, live: Live, picture: NDArray[np.float32]) -> None:
    given = picture.astype(dtype)
    sound = given.copy()
    places = {(5, 6, 0): np.nan, (20, 30, 1): np.inf, (40, 50, 2): -np.inf}
    for place, value in places.items():
        given[place], sound[place] = value, 1 if value == np.inf else 0
    result, expected = rendered(live, given, Look()), rendered(live, sound, Look())
    for place, value in places.items():
        np.testing.assert_equal(result[place], value)
        result[place] = expected[place]
    np.testing.assert_array_equal(result, expected)


def test_what_is_no_number_is_enlarged_by_itself_alone(live: Live, picture: NDArray[np.float32]) -> None:
    given = with_alpha(picture, np.ones(picture.shape[:2]))
    given[24, 32, 1] = np.nan
    result = rendered(live, given, Look(mode="punch-in", zoom=4), premultiplied=True)
    lost = np.argwhere(np.isnan(result))
    assert lost.min(0).tolist() == [24, 32, 1]
    assert lost.max(0).tolist() == [27, 35, 1]
    assert len(lost) == 16


def test_a_frame_without_any_number(live: Live) -> None:
    given = np.full((20, 24, 4), np.nan, np.float32)
    for look in (Look(), PUNCH):
        assert np.isnan(rendered(live, given, look, premultiplied=True)).all()


def test_the_same_frame_gives_the_same_bytes_and_digest(live: Live, picture: NDArray[np.float32]) -> None:
    one, other = (rendered(live, picture, PUNCH) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    raw = torch.from_numpy(picture.copy()).view(torch.uint8).flatten()
    before = live.digest(live.upload(raw))
    assert before == live.digest(raw)
    raw[3] += 1
    assert live.digest(live.upload(raw)) != before


@pytest.mark.parametrize("look", [Look(), PUNCH, Look(strength=0)])
def test_progress_runs_from_start_to_end(look: Look, live: Live, picture: NDArray[np.float32]) -> None:
    seen: list[float] = []
    raw = torch.from_numpy(picture.copy()).view(torch.uint8).flatten()
    live.render(raw, layout(picture), look, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == 1
    assert len(seen) > 10 or look.strength == 0


def test_cancelling_leaves_it_usable(live: Live, picture: NDArray[np.float32]) -> None:
    expected = rendered(live, picture, Look())
    raw = torch.from_numpy(picture.copy()).view(torch.uint8).flatten()

    def cancel(share: float) -> None:
        if share > 0.3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        live.render(raw, layout(picture), Look(), progress=cancel)
    np.testing.assert_array_equal(rendered(live, picture, Look()), expected)


@pytest.mark.parametrize("depth", DEPTHS.values())
@pytest.mark.parametrize("look", [Look(strength=0.5), PUNCH])
def test_nothing_but_the_network_waits_for_the_device(
    depth: str, look: Look, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On this device no value is ever known, so that looking at one is an error."""

    def enlarged(planes: torch.Tensor, width: int, height: int, *_args: object) -> torch.Tensor:
        assert planes.device.type == "meta"
        return planes.new_empty((1, 3, height, width))

    monkeypatch.setitem(resize._POSITIONS, "meta", 16)
    monkeypatch.setattr(live._network, "enlarge_resized", enlarged)
    kind = Layout(width=64, height=48, depth=depth, components=4, premultiplied=True, top_down=False)  # type: ignore[arg-type]
    raw = torch.empty(kind.bytes, dtype=torch.uint8, device="meta")
    result = live.render(raw, kind, look)
    assert (result.device.type, result.dtype, result.numel()) == ("meta", torch.uint8, kind.bytes)


def test_running_out_of_memory_says_what_helps(
    live: Live, picture: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_settings: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(live._network, "enlarge_resized", fail)
    with pytest.raises(OutOfMemory) as caught:
        rendered(live, picture, Look())
    assert "timeline" in caught.value.hint


def test_it_says_what_runs() -> None:
    with Live("auto", backend="cpu", precision="fp32") as made, Upscaler("auto", backend="cpu") as other:
        assert (made.choice, made.weights_sha256) == (other.choice, other.weights_sha256)
        assert (made.model, made.backend, made.precision) == (other.model, "cpu", "fp32")
    made.close()
    for call in (lambda: made.upload(torch.zeros(1)), lambda: made.digest(torch.zeros(1))):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_denoise_reaches_the_network(make_model: Callable[..., Any], picture: NDArray[np.float32]) -> None:
    make_model("made", partner=True)
    results = []
    for strength in (1.0, 0.0):
        with Live("made", backend="cpu", denoise=strength) as made:
            results.append(rendered(made, picture[:16, :16], Look()))
    assert not np.array_equal(*results)


@pytest.mark.parametrize("look", [Look(factor=2), Look(mode="punch-in", zoom=2)])
def test_the_deep_networks_too(look: Look, crop: NDArray[np.uint8]) -> None:
    given = with_alpha(crop[:32, :40], np.full((32, 40), 255))
    with Live("x4plus-anime", backend="cpu") as made, Live("animevideov3", backend="cpu") as other:
        one, two = (rendered(each, given, look, premultiplied=True).astype(int) for each in (made, other))
    assert np.abs(one - two).mean() < 12
    assert np.abs(one.mean((0, 1)) - two.mean((0, 1))).max() < 2


def test_a_model_for_twice_the_size(make_model: Callable[..., Any], picture: NDArray[np.float32]) -> None:
    make_model("made", architecture="rrdb", blocks=1, scale=2)
    with Live("made", backend="cpu") as made, Upscaler("made", backend="cpu") as other:
        result = rendered(made, picture, Look(mode="punch-in", zoom=2))
        np.testing.assert_allclose(result, other.upscale(picture)[24:72, 32:96], atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [{"mode": "zoom"}, {"factor": 0.5}, {"factor": 5}, {"zoom": 9}, {"centre_x": -0.1}, {"strength": float("nan")}],
)
def test_looks_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Look(**settings)


@pytest.mark.parametrize("settings", [{"model": "none"}, {"backend": "lanczos"}, {"precision": "bf16"}, {"denoise": 2}])
def test_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Live(**{"backend": "cpu", **settings})


def test_bytes_of_another_size_are_refused(live: Live, picture: NDArray[np.float32]) -> None:
    with pytest.raises(SettingError, match="bytes"):
        live.render(torch.zeros(5, dtype=torch.uint8), layout(picture), Look(strength=0))

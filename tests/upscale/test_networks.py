from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from snapupscale.upscale import catalog, networks, weights
from snapupscale.upscale.catalog import ModelSpec
from snapupscale.upscale.networks import Compact, Network, Pace, RRDBNet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    State = dict[str, Tensor]

WHOLE = Pace(tick=lambda _: None)


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def spec(architecture: str, blocks: int, scale: int = 4) -> ModelSpec:
    return ModelSpec(
        name="",
        purpose="",
        architecture=architecture,
        blocks=blocks,
        scale=scale,
        licence="",
        files=(),  # type: ignore[arg-type]
    )


def random_network(model: ModelSpec) -> tuple[Network, State]:
    network = networks.build(model)
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.randn(value.shape, generator=generator) / max(3, value[0].numel()) ** 0.5
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(state, assign=True)
    return network.to(memory_format=torch.channels_last), state  # type: ignore[call-overload]


def run(network: Network, x: Tensor, pace: Pace = WHOLE) -> Tensor:
    return network.tail(network.features(x, pace), x, pace)


def conv(state: State, name: str, x: Tensor) -> Tensor:
    return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=1)


def leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def rrdb(state: State, blocks: int, x: Tensor) -> Tensor:
    """The network as the papers draw it, with concatenations."""
    if state["conv_first.weight"].shape[1] == 12:
        n, c, h, w = x.shape
        x = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)
    first = y = conv(state, "conv_first", x)
    for block in range(blocks):
        before = y
        for dense in (1, 2, 3):
            parts = [y]
            for index in range(1, 5):
                parts.append(leaky(conv(state, f"body.{block}.rdb{dense}.conv{index}", torch.cat(parts, 1))))
            y = conv(state, f"body.{block}.rdb{dense}.conv5", torch.cat(parts, 1)) * 0.2 + y
        y = y * 0.2 + before
    y = first + conv(state, "conv_body", y)
    for name in ("conv_up1", "conv_up2"):
        y = leaky(conv(state, name, F.interpolate(y, scale_factor=2, mode="nearest")))
    return conv(state, "conv_last", leaky(conv(state, "conv_hr", y)))


def compact(state: State, blocks: int, x: Tensor) -> Tensor:
    y = x
    for index in range(0, 2 * blocks + 2, 2):
        y = F.prelu(conv(state, f"body.{index}", y), state[f"body.{index + 1}.weight"])
    y = F.pixel_shuffle(conv(state, f"body.{2 * blocks + 2}", y), 4)
    return y + F.interpolate(x, scale_factor=4, mode="nearest")


@pytest.mark.parametrize("size", [(12, 20), (2, 2), (40, 6)])
@pytest.mark.parametrize(("blocks", "scale"), [(1, 4), (2, 4), (2, 2)])
def test_rrdb_is_the_network_of_the_papers(blocks: int, scale: int, size: tuple[int, int]) -> None:
    network, state = random_network(spec("rrdb", blocks, scale))
    x = torch.rand(1, 3, *size)
    expected = rrdb(state, blocks, x)
    assert expected.shape == (1, 3, size[0] * scale, size[1] * scale)
    torch.testing.assert_close(run(network, x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(12, 20), (1, 1), (40, 5)])
@pytest.mark.parametrize("blocks", [1, 3])
def test_compact_is_the_network_of_the_papers(blocks: int, size: tuple[int, int]) -> None:
    network, state = random_network(spec("compact", blocks))
    x = torch.rand(1, 3, *size)
    torch.testing.assert_close(run(network, x), compact(state, blocks, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "model", [spec("compact", 3), spec("rrdb", 1), spec("rrdb", 1, 2)], ids=["compact", "x4", "x2"]
)
@pytest.mark.parametrize("most", [1, 20_000, 100_000])
def test_bands_change_nothing(model: ModelSpec, most: int) -> None:
    network, _ = random_network(model)
    x = torch.rand(1, 3, 44, 30).to(memory_format=torch.channels_last)
    banded = run(network, x, Pace(tick=lambda _: None, most=most))
    torch.testing.assert_close(banded, run(network, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "model", [spec("compact", 3), spec("rrdb", 1), spec("rrdb", 1, 2)], ids=["compact", "x4", "x2"]
)
@pytest.mark.parametrize("most", [float("inf"), 20_000])
def test_every_operation_is_reported(model: ModelSpec, most: float) -> None:
    network, _ = random_network(model)
    x = torch.rand(1, 3, 32, 24)
    done: list[float] = []
    pace = Pace(tick=done.append, most=most)
    cells = 32 * 24 // network.cell**2
    features = network.features(x, pace)
    assert sum(done) == network.body_operations() * cells
    done.clear()
    network.tail(features, x, pace)
    assert sum(done) == network.tail_operations() * cells


@pytest.mark.parametrize(
    ("name", "operations"),
    [("x4plus", 35.85e6), ("x4plus-anime", 11.41e6), ("animevideov3", 1.238e6), ("x2plus", 8.97e6)],
)
def test_the_work_per_pixel_is_known(name: str, operations: float) -> None:
    network = networks.build(catalog.find(name))
    counted = (network.body_operations() + network.tail_operations()) / network.cell**2
    assert counted == pytest.approx(operations, rel=1e-3)


@pytest.mark.parametrize(
    "model", [spec("compact", 2), spec("rrdb", 1), spec("rrdb", 1, 2)], ids=["compact", "x4", "x2"]
)
def test_the_tail_can_run_in_pieces(model: ModelSpec) -> None:
    network, _ = random_network(model)
    x = torch.rand(1, 3, 48, 40)
    features = network.features(x, WHOLE)
    whole = network.tail(features, x, WHOLE)
    height, width = features.shape[2:]
    for top in range(0, height, 7):
        for left in range(0, width, 9):
            bottom, right = min(top + 7, height), min(left + 9, width)
            t, b = max(0, top - network.reach), min(height, bottom + network.reach)
            s, e = max(0, left - network.reach), min(width, right + network.reach)
            cell = network.cell
            piece = network.tail(features[:, :, t:b, s:e], x[:, :, t * cell : b * cell, s * cell : e * cell], WHOLE)
            inner = piece[:, :, (top - t) * 4 : (bottom - t) * 4, (left - s) * 4 : (right - s) * 4]
            expected = whole[:, :, top * 4 : bottom * 4, left * 4 : right * 4]
            torch.testing.assert_close(inner, expected, rtol=1e-4, atol=1e-5)


def test_the_reach_of_the_tail_is_not_larger_than_needed() -> None:
    """A piece with less around it differs, so that the test above can fail."""
    network, _ = random_network(spec("rrdb", 1))
    assert isinstance(network, RRDBNet)
    x = torch.rand(1, 3, 20, 20)
    features = network.features(x, WHOLE)
    whole = network.tail(features, x, WHOLE)
    near = network.tail(features[:, :, 4:16, 4:16], x, WHOLE)[:, :, 4:-4, 4:-4]
    assert (near - whole[:, :, 20:-20, 20:-20]).abs().max() > 1e-4


def ncnn_result(model: ModelSpec, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """`picture` (HxWx3) through the ncnn package in plain float32 on the CPU."""
    ncnn = pytest.importorskip("ncnn")
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    for option in dir(net.opt):
        if option.startswith(("use_fp16", "use_bf16", "use_int8")) or option in (
            "use_winograd_convolution",
            "use_sgemm_convolution",
            "use_packing_layout",
        ):
            setattr(net.opt, option, False)
    for role, load in (("graph", net.load_param), ("weights", net.load_model)):
        file = model.file(role)  # type: ignore[arg-type]
        assert file is not None
        assert load(str(weights.locate(file))) == 0
    extractor = net.create_extractor()
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1))
    extractor.input("data", ncnn.Mat(planes).clone())
    status, result = extractor.extract("output")
    assert status == 0
    return np.array(result).transpose(1, 2, 0)


@pytest.mark.parametrize(("name", "edge"), [("animevideov3", 64), ("x4plus-anime", 48), ("x4plus", 48)])
def test_the_real_weights_give_what_ncnn_gives(name: str, edge: int, crop: NDArray[np.uint8]) -> None:
    model = catalog.find(name)
    network = networks.build(model)
    loaded = weights.load(model).parameters
    network.load_state_dict({key: torch.from_numpy(values) for key, values in loaded.items()}, assign=True)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    picture = (crop[:edge, :edge] / 255).astype(np.float32)
    expected = ncnn_result(model, picture)
    actual = run(network, torch.from_numpy(picture).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    error = np.abs(actual - expected)
    assert error.max() < 1e-4
    assert -10 * np.log10(np.mean(np.square(error, dtype=float))) >= 110
    assert np.ptp(expected) > 0.5


def test_the_halo_of_compact_is_all_that_a_pixel_depends_on() -> None:
    network, _ = random_network(spec("compact", 4))
    assert isinstance(network, Compact)
    x = torch.rand(1, 3, 1, 41)
    whole = run(network, x)
    changed = x.clone()
    changed[..., 20 + network.halo + 1] += 1
    assert torch.equal(run(network, changed)[..., 80:84], whole[..., 80:84])
    changed[..., 20 + network.halo] += 1
    assert not torch.equal(run(network, changed)[..., 80:84], whole[..., 80:84])

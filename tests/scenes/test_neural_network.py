from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from snapupscale.scenes import neural_network
from snapupscale.scenes.neural_network import TransNet

if TYPE_CHECKING:
    from collections.abc import Iterator

CPU = torch.device("cpu")
CHANNELS = ((3, 16), (64, 32), (128, 64))
"""Of each stack: those that go in, and a quarter of those that come out of each layer."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On a busy machine threads of torch wait for each other longer than they compute what is this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made_up_weights() -> dict[str, torch.Tensor]:
    """Random weights by the names and of the shapes of the published ones."""
    generator = torch.Generator().manual_seed(7)

    def values(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * (0.5 / max(1, shape[-1] if len(shape) == 2 else 27)) ** 0.5

    state = {}
    for stack, (entering, width) in enumerate(CHANNELS):
        for layer, channels in enumerate((entering, 4 * width)):
            name = f"SDDCNN.{stack}.DDCNN.{layer}"
            for dilation in (1, 2, 4, 8):
                state[f"{name}.Conv3D_{dilation}.layers.0.weight"] = values(2 * width, channels, 1, 3, 3)
                state[f"{name}.Conv3D_{dilation}.layers.1.weight"] = values(width, 2 * width, 3, 1, 1)
            for part in ("weight", "bias", "running_mean"):
                state[f"{name}.bn.{part}"] = values(4 * width)
            state[f"{name}.bn.running_var"] = values(4 * width).abs() + 0.5
    sizes = {
        "frame_sim_layer.projection": (128, 448), "frame_sim_layer.fc": (128, 101), "color_hist_layer.fc": (128, 101),
        "fc1": (1024, 4864), "cls_layer1": (1, 1024), "cls_layer2": (1, 1024),
    }  # fmt: skip
    for name, size in sizes.items():
        state[f"{name}.weight"], state[f"{name}.bias"] = values(*size), values(size[0])
    return state


def compared(vectors: torch.Tensor) -> torch.Tensor:
    """Of each of T vectors the products with the 50 before it, itself and the 50 after it: T x 101."""
    rows = torch.zeros(len(vectors), 101)
    for frame in range(len(vectors)):
        for other in range(max(0, frame - 50), min(len(vectors), frame + 51)):
            rows[frame, other - frame + 50] = vectors[frame] @ vectors[other]
    return rows


def by_the_paper(state: dict[str, torch.Tensor], frames: torch.Tensor) -> torch.Tensor:
    """The network as its paper describes it, step by step, of one window; slow."""

    def linear(name: str, values: torch.Tensor) -> torch.Tensor:
        return functional.linear(values, state[f"{name}.weight"], state[f"{name}.bias"])

    def layer(name: str, values: torch.Tensor) -> torch.Tensor:
        branches = []
        for dilation in (1, 2, 4, 8):
            first, second = (state[f"{name}.Conv3D_{dilation}.layers.{part}.weight"] for part in (0, 1))
            inner = functional.conv3d(values, first, padding=(0, 1, 1))
            branches.append(functional.conv3d(inner, second, padding=(dilation, 0, 0), dilation=(dilation, 1, 1)))
        norm = nn.BatchNorm3d(sum(branch.shape[1] for branch in branches), eps=1e-3).eval()
        norm.load_state_dict({key.split(".")[-1]: state[key] for key in state if key.startswith(f"{name}.bn.")}, False)
        return norm(torch.cat(branches, 1))

    values = frames.permute(3, 0, 1, 2)[None].float() / 255
    means = []
    for stack in range(3):
        shortcut = functional.relu(layer(f"SDDCNN.{stack}.DDCNN.0", values))
        values = functional.relu(layer(f"SDDCNN.{stack}.DDCNN.1", shortcut)) + shortcut
        values = functional.avg_pool3d(values, (1, 2, 2))
        means.append(values.mean((3, 4))[0].T)
    colours = torch.zeros(len(frames), 512)
    for frame, pixels in enumerate(frames.flatten(1, 2).long() // 32):
        bins = pixels[:, 0] * 64 + pixels[:, 1] * 8 + pixels[:, 2]
        colours[frame] = functional.normalize(torch.bincount(bins, minlength=512).float(), dim=0)
    similar = functional.normalize(linear("frame_sim_layer.projection", torch.cat(means, 1)), dim=1)
    features = [
        functional.relu(linear("color_hist_layer.fc", compared(colours))),
        functional.relu(linear("frame_sim_layer.fc", compared(similar))),
        values[0].permute(1, 2, 3, 0).flatten(1),
    ]
    hidden = functional.relu(linear("fc1", torch.cat(features, 1)))
    return torch.sigmoid(torch.cat([linear("cls_layer1", hidden), linear("cls_layer2", hidden)], 1))


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return made_up_weights()


def some_frames(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, (*shape, 27, 48, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_the_network_is_that_of_the_paper(state: dict[str, torch.Tensor]) -> None:
    frames = some_frames(18)
    with torch.inference_mode():
        expected = by_the_paper(state, frames)
    found = TransNet(state, CPU)(frames[None])[0]
    assert found.shape == (18, 2)
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("length", [1, 50, 51, 102, 130])
def test_a_frame_is_compared_with_fifty_on_each_side(length: int) -> None:
    vectors = torch.randn(length, 4, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(neural_network._band(vectors[None])[0], compared(vectors), atol=1e-5, rtol=0)


def test_windows_of_a_batch_do_not_touch(state: dict[str, torch.Tensor]) -> None:
    frames = some_frames(2, 4)
    network = TransNet(state, CPU)
    torch.testing.assert_close(network(frames)[1], network(frames[1:])[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["fc1.weight", "SDDCNN.2.DDCNN.1.bn.bias"])
def test_weights_of_another_network_are_refused(state: dict[str, torch.Tensor], name: str) -> None:
    others: dict[str, Any] = {key: values for key, values in state.items() if key != name}
    with pytest.raises(KeyError):
        TransNet(others, CPU)

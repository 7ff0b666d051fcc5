"""On a GPU: each layer against torch in float32 with outputs poisoned first, whole networks against the plain ones."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from snapupscale.upscale import catalog, networks, weights
from snapupscale.upscale.kernels import networks as kernel_networks
from snapupscale.upscale.kernels import packing, source
from snapupscale.upscale.kernels.convolution import Convolution, Library
from snapupscale.upscale.kernels.gpu import gpu
from snapupscale.upscale.kernels.source import Card, Family, Layer
from snapupscale.upscale.kernels.torch_memory import TorchMemory
from snapupscale.upscale.networks import Pace
from upscale.kernels.test_source import CARDS, LAYERS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
SIZES = ((1, 1), (3, 5), (17, 193), (64, 128), (101, 259))


def _families() -> dict[str, Family]:
    """Those of the card that is here, and the generic one as on cards with less memory."""
    card = gpu(0).card
    small = {"small": CARDS["RTX 3090"], "middle": CARDS["A100"]}
    as_others = {
        name: Card(capability=card.capability, block_bytes=each.block_bytes, processor_bytes=each.processor_bytes)
        for name, each in small.items()
        if each.block_bytes <= card.block_bytes
    }
    found = {"own": source.choose(card), "generic": source.choose(card, generic=True)}
    found |= {name: source.choose(each, generic=True) for name, each in as_others.items()}
    return {name: family for name, family in found.items() if family is not None}


@pytest.mark.parametrize("name", ["own", "generic", "middle", "small"])
def test_each_layer_computes_what_torch_does(name: str) -> None:
    family = _families().get(name)
    if family is None:
        pytest.skip("not for this card")
    library = Library(gpu(0), family, LAYERS)
    torch.manual_seed(1)
    for (height, width), layer in itertools.product(SIZES, LAYERS):
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            result, expected = _both(library, layer, height, width)
        error = (result.float() - expected).norm() / expected.norm()
        assert error < 1e-3, (layer, height, width, error)


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize("model", ["animevideov3", "x4plus-anime"])
def test_a_network_computes_what_the_plain_one_does(model: str, generic: bool) -> None:
    spec = catalog.find(model)
    loaded = weights.load(spec).parameters
    parameters = {name: torch.tensor(values) for name, values in loaded.items()}
    device = torch.device("cuda", 0)
    plain = networks.build(spec)
    plain.load_state_dict(parameters, assign=True)
    plain.requires_grad_(requires_grad=False).to(device)
    fast = kernel_networks.build(spec, loaded, gpu(0), TorchMemory(device), generic=generic)
    pace = Pace(tick=lambda _: None)
    picture = torch.rand(1, 3, 20, 37, device=device)
    picture = F.interpolate(picture, scale_factor=4, mode="bicubic").clamp(0, 1)
    results = []
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for network in (plain, fast):
            features = network.features(picture, pace)
            results.append(network.tail(features[:, :, 3:70], picture[:, :, 3:70], pace).clamp(0, 1))
    assert -10 * torch.log10((results[0] - results[1]).square().mean()) > 70


def test_a_thread_that_is_new_to_the_device_can_launch() -> None:
    family = source.choose(gpu(0).card)
    assert family is not None
    library = Library(gpu(0), family, (source.PRELU,))
    planes, target = (torch.ones(1, 8, 8, 64, dtype=torch.float16, device="cuda") for _ in range(2))
    layer = Convolution(library, source.PRELU, np.zeros((64, 64, 3, 3)), np.full(64, 3.0), np.ones(64))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(layer.run, planes, target).result()
    torch.cuda.synchronize()
    assert (target == 3).all()


def _both(library: Library, layer: Layer, height: int, width: int) -> tuple[Tensor, Tensor]:
    """What the kernel makes of noise, and what torch does in float32."""
    channels = 64 if layer.outputs == 256 else layer.outputs
    weight = (torch.randn(channels, layer.inputs, 3, 3) / (9 * layer.inputs) ** 0.5).half()
    bias, slope = torch.randn(channels) * 0.1, torch.rand(channels) * 0.3
    picture = torch.randn(1, layer.inputs, height, width, device="cuda").half()
    planes = _poisoned(1 if layer.inputs <= 64 else 3, height, width, min(64, layer.inputs))
    for low in range(0, layer.inputs, 32):
        planes[low // 64, :, :, low % 64 : low % 64 + 32] = picture[0, low : low + 32].permute(1, 2, 0)
    large = picture.float()
    if layer.epilogue == "ENLARGED":
        large = F.interpolate(large, scale_factor=2, mode="nearest")
    expected = F.conv2d(large, weight.cuda().float(), bias.cuda(), padding=1)
    if layer.epilogue == "PIXELS":
        pixels = torch.full((3, height, width), float("nan"), device="cuda")
        Convolution(library, layer, weight.numpy(), bias.numpy()).run(planes, pixels)
        return pixels[None], expected[:, :3]
    if layer.epilogue == "ENLARGED":
        target = _poisoned(1, 2 * height, 2 * width, 64)
        Convolution(library, layer, packing.phases(weight.numpy()), bias.numpy()).run(planes, target)
        return target.permute(0, 3, 1, 2), F.leaky_relu(expected, 0.2)
    target, channel = _poisoned(2, height, width, 64), 64 if channels == 32 else 0
    first, second = (torch.randn(2, height, width, 64, device="cuda").half() for _ in range(2))
    residual = layer.epilogue == "RESIDUAL"
    Convolution(library, layer, weight.numpy(), bias.numpy(), slope.numpy() if layer.epilogue == "PRELU" else None).run(
        planes,
        target,
        channel=channel,
        first=first if residual else None,
        second=second if residual else None,
        scales=(0.2, 0.3),
    )
    if residual:
        expected = (expected * 0.2 + first[:1].permute(0, 3, 1, 2)) * 0.3 + second[:1].permute(0, 3, 1, 2)
    elif layer.epilogue == "PRELU":
        expected = F.prelu(expected, slope.cuda())
    else:
        expected = F.leaky_relu(expected, 0.2)
    return target[channel // 64 :][:1, :, :, :channels].permute(0, 3, 1, 2), expected


def _poisoned(planes: int, height: int, width: int, channels: int) -> Tensor:
    return torch.full((planes, height, width, channels), float("nan"), dtype=torch.float16, device="cuda")

"""TransNetV2, the network that finds transitions (Soucek & Lokoc 2020, arXiv 2008.04838), for inference in float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_DILATIONS = (1, 2, 4, 8)
_STACKS, _LAYERS = 3, 2
_REACH = 50
"""Frames to each side that a frame is compared with."""
_BATCH_NORM_EPSILON = 1e-3


class TransNet:
    """The network with its weights on a device; it keeps no state between calls."""

    def __init__(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """`state`: the published weights by name. Raises KeyError or RuntimeError for those of another network."""
        self._device = device
        self._stacks = [
            [_Layer(state, f"SDDCNN.{stack}.DDCNN.{layer}", device) for layer in range(_LAYERS)]
            for stack in range(_STACKS)
        ]
        self._project = _linear(state, "frame_sim_layer.projection", device)
        self._similar = _linear(state, "frame_sim_layer.fc", device)
        self._colours = _linear(state, "color_hist_layer.fc", device)
        self._hidden = _linear(state, "fc1", device)
        single, many = _linear(state, "cls_layer1", device), _linear(state, "cls_layer2", device)
        self._heads = torch.cat([single[0], many[0]]), torch.cat([single[1], many[1]])

    @torch.inference_mode()
    def __call__(self, frames: Tensor) -> Tensor:
        """Of B x T x 27 x 48 x 3 R'G'B' levels, uint8, for each frame the probability that a transition has its
        middle after it, and that it lies within one: float32, B x T x 2."""
        frames = frames.to(self._device)
        batch, length = frames.shape[:2]
        colours = _band(_colour_histograms(frames))
        values = frames.flatten(0, 1).permute(0, 3, 1, 2).float().div(255)
        means = []
        for first, second in self._stacks:
            shortcut = first(values, length).relu_()
            values = second(shortcut, length).relu_().add_(shortcut)
            values = functional.avg_pool2d(values, 2)
            means.append(values.mean((2, 3)))
        projected = functional.linear(torch.cat(means, 1), *self._project).view(batch, length, -1)
        similar = _band(functional.normalize(projected, dim=2))
        features = [
            functional.linear(colours, *self._colours).relu_(),
            functional.linear(similar, *self._similar).relu_(),
            values.permute(0, 2, 3, 1).reshape(batch, length, -1),
        ]
        hidden = functional.linear(torch.cat(features, 2), *self._hidden).relu_()
        return functional.linear(hidden, *self._heads).sigmoid_()


class _Layer:
    """3 x 3 convolutions of each frame, then over time at four dilations, then the batch norm, which is folded in."""

    def __init__(self, state: Mapping[str, Tensor], name: str, device: torch.device) -> None:
        scale = state[f"{name}.bn.weight"] / (state[f"{name}.bn.running_var"] + _BATCH_NORM_EPSILON).sqrt()
        bias = state[f"{name}.bn.bias"] - state[f"{name}.bn.running_mean"] * scale
        branches = [f"{name}.Conv3D_{dilation}.layers" for dilation in _DILATIONS]
        in_space = torch.cat([state[f"{branch}.0.weight"][:, :, 0] for branch in branches])
        over_time = torch.cat([state[f"{branch}.1.weight"][..., 0] for branch in branches]) * scale[:, None, None, None]
        self._in_space = in_space.to(device, memory_format=torch.channels_last)
        self._over_time = [part.to(device, memory_format=torch.channels_last) for part in over_time.chunk(4)]
        self._bias = [part.to(device) for part in bias.chunk(4)]

    def __call__(self, values: Tensor, length: int) -> Tensor:
        """B T x C x H x W in, as many out, with the layer's own number of channels."""
        values = functional.conv2d(values, self._in_space, padding=1)
        _, channels, height, width = values.shape
        # Time becomes the rows of a picture, the pixels of a frame its columns.
        values = values.permute(0, 2, 3, 1).reshape(-1, length, height * width, channels).permute(0, 3, 1, 2)
        parts = [
            functional.conv2d(part, weights, bias, padding=(dilation, 0), dilation=(dilation, 1))
            for part, weights, bias, dilation in zip(
                values.chunk(4, 1), self._over_time, self._bias, _DILATIONS, strict=True
            )
        ]
        joined = torch.cat(parts, 1)
        return joined.permute(0, 2, 3, 1).reshape(-1, height, width, joined.shape[1]).permute(0, 3, 1, 2)


def _linear(state: Mapping[str, Tensor], name: str, device: torch.device) -> tuple[Tensor, Tensor]:
    return state[f"{name}.weight"].to(device), state[f"{name}.bias"].to(device)


def _colour_histograms(frames: Tensor) -> Tensor:
    """The counts of 8 x 8 x 8 colours in each frame, as vectors of length 1: B x T x 512."""
    red, green, blue = (frames >> 5).long().flatten(2, 3).unbind(-1)
    bins = (red << 6) + (green << 3) + blue
    counts = torch.zeros(*bins.shape[:2], 512, device=frames.device)
    counts.scatter_add_(2, bins, torch.ones_like(bins, dtype=torch.float32))
    return functional.normalize(counts, dim=2)


def _band(vectors: Tensor) -> Tensor:
    """The dot products of each frame's vector with those of its neighbours, 0 outside: B x T x 101."""
    products = functional.pad(vectors @ vectors.transpose(1, 2), (_REACH, _REACH))
    length = vectors.shape[1]
    columns = torch.arange(length, device=vectors.device)[:, None] + torch.arange(2 * _REACH + 1, device=vectors.device)
    return products.gather(2, columns.expand(len(vectors), -1, -1))

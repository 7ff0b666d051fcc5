"""A fingerprint of bytes, computed on the device where they are: BLAKE2 on a CPU, elsewhere what suits a GPU.

That is words of 32 bits times random odd weights, added up modulo 2**64 over blocks, and their sums in the same way,
until one is left; two lanes with weights of their own (multilinear hashing: Carter and Wegman 1979). Bytes that differ
in one word of a block never agree in its sum. For others the chance is at most 2**-32 a lane and mostly far less; it
guards against confusing frames, not against an attacker who knows the weights.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK = 4096
_LANES = 2
_LEVELS = 4
_BLOCKS_AT_ONCE = {"cuda": 1 << 13, "mps": 1 << 11, "cpu": 1 << 5}
"""Many keep a GPU busy, few stay in the cache of a CPU."""


def fingerprint(raw: Tensor) -> bytes:
    """16 bytes for `raw` (uint8, one axis, any device), the same for the same bytes within this process."""
    if raw.device.type == "cpu":
        return hashlib.blake2b(raw.numpy().data, digest_size=16, key=_key()).digest()
    return multilinear(raw)


def multilinear(raw: Tensor) -> bytes:
    """The `fingerprint` of GPUs, which any device can compute."""
    length = raw.numel().to_bytes(8, "little")
    tail = list(length) if raw.numel() % 4 == 0 else [0] * (-raw.numel() % 4) + list(length)
    # The length is hashed too, apart from the frame, which is large and must not be copied for it.
    body = raw[: raw.numel() // 4 * 4].view(torch.int32)
    end = torch.cat((raw[body.numel() * 4 :], raw.new_tensor(tail))).view(torch.int32)
    sums = [_folded(body, end, lane) for lane in range(_LANES)]
    return torch.stack(sums).cpu().numpy().tobytes()


def _folded(body: Tensor, end: Tensor, lane: int) -> Tensor:
    weights = _weights(body.device)[lane]
    sums = torch.cat((_sums(body, weights[0]), _sums(end, weights[1])))
    level = 2
    while sums.numel() > 1:
        sums = _sums(sums.view(torch.int32), weights[min(level, _LEVELS - 1)])
        level += 1
    return sums[0]


def _sums(words: Tensor, weights: Tensor) -> Tensor:
    """One sum for each block of `words` (int32)."""
    many, most = words.numel() // _BLOCK, _BLOCKS_AT_ONCE[words.device.type]
    blocks = words[: many * _BLOCK].view(many, _BLOCK)
    sums = [(blocks[start : start + most] * weights).sum(1) for start in range(0, many, most)]
    rest = words[many * _BLOCK :]
    if rest.numel():
        sums.append((rest * weights[: rest.numel()]).sum(0, keepdim=True))
    return torch.cat(sums) if sums else weights.new_zeros(0)


@cache
def _key() -> bytes:
    return os.urandom(16)


@cache
def _weights(device: torch.device) -> Tensor:
    """Lanes x levels x words of a block, int64, odd."""
    return _random().to(device)


@cache
def _random() -> Tensor:
    count = _LANES * _LEVELS * _BLOCK
    values = torch.frombuffer(bytearray(os.urandom(8 * count)), dtype=torch.int64)
    return (values | 1).view(_LANES, _LEVELS, _BLOCK)

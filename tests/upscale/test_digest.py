from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, cast

import pytest
import torch

from snapupscale.upscale import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    Fingerprint = Callable[[torch.Tensor], bytes]


@pytest.fixture(params=["fingerprint", "multilinear"])
def fingerprint(request: pytest.FixtureRequest) -> Fingerprint:
    """That of this machine, and that of GPUs."""
    return cast("Fingerprint", getattr(digest, request.param))


def content(size: int) -> torch.Tensor:
    return torch.randint(0, 256, (size,), dtype=torch.uint8, generator=torch.Generator().manual_seed(size))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 16384, 16385, 16384 * 33 + 7])
def test_it_is_16_bytes_and_the_same_for_the_same(size: int, fingerprint: Fingerprint) -> None:
    data = content(size)
    found = fingerprint(data)
    assert len(found) == 16
    assert fingerprint(data.clone()) == found


def test_every_byte_counts(fingerprint: Fingerprint) -> None:
    data = content(1001)
    seen = {fingerprint(data)}
    for place in range(len(data)):
        for change in (1, 128):
            data[place] ^= change
            seen.add(fingerprint(data))
            data[place] ^= change
    assert len(seen) == 2003


def test_every_bit_of_a_large_frame_counts(fingerprint: Fingerprint) -> None:
    data = content(16384 * 40 + 3)
    seen = {fingerprint(data)}
    places = torch.randint(0, len(data), (300,), generator=torch.Generator().manual_seed(5)).tolist()
    for place in [*places, 0, len(data) - 1]:
        data[place] ^= 1 << place % 8
        seen.add(fingerprint(data))
        data[place] ^= 1 << place % 8
    assert len(seen) == len({*places, 0, len(data) - 1}) + 1


def test_changes_in_the_same_bits_of_several_words_do_not_cancel(fingerprint: Fingerprint) -> None:
    """As signs and alpha do; a sum of 64-bit words by odd weights would lose such pairs."""
    data = torch.zeros(1 << 17, dtype=torch.uint8)
    seen = {fingerprint(data)}
    for place in range(11, 4000, 8):
        changed = data.clone()
        changed[3] = changed[place] = 128
        seen.add(fingerprint(changed))
    assert len(seen) == len(range(11, 4000, 8)) + 1


def test_zeros_of_other_lengths_differ(fingerprint: Fingerprint) -> None:
    sizes = [0, 1, 2, 4, 8, 16384, 16388, 1 << 20]
    assert len({fingerprint(torch.zeros(size, dtype=torch.uint8)) for size in sizes}) == len(sizes)


def test_both_halves_depend_on_the_content(fingerprint: Fingerprint) -> None:
    one, other = fingerprint(torch.zeros(64, dtype=torch.uint8)), fingerprint(torch.ones(64, dtype=torch.uint8))
    assert one[:8] != other[:8]
    assert one[8:] != other[8:]
    assert one[:8] != one[8:]


def test_another_process_gives_another_one(fingerprint: Fingerprint) -> None:
    name = fingerprint.__name__
    code = f"import torch; from snapupscale.upscale.digest import {name} as f; print(f(torch.ones(9).byte()).hex())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert result.stdout.strip() != fingerprint(torch.ones(9).byte()).hex()

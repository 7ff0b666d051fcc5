from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from snapupscale.errors import SettingError
from snapupscale.upscale import layouts
from snapupscale.upscale.layouts import Layout, decoded, encoded

TYPES = {"byte": np.uint8, "short": np.uint16, "half": np.float16, "float": np.float32}


def layout(depth: str = "byte", components: int = 3, *, width: int = 5, height: int = 4, **changes: Any) -> Layout:
    settings = {"premultiplied": False, "top_down": True, **changes}
    return Layout(width=width, height=height, depth=depth, components=components, **settings)  # type: ignore[arg-type]


def frame(kind: Layout) -> np.ndarray:
    random, dtype = np.random.default_rng(3), TYPES[kind.depth]
    shape = (kind.height, kind.width, kind.components)
    if kind.unbounded:
        return random.normal(0.5, 2, shape).astype(dtype)
    return random.integers(0, np.iinfo(dtype).max + 1, shape, dtype)


def raw(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(pixels.tobytes(), np.uint8).copy())


@pytest.mark.parametrize("depth", TYPES)
@pytest.mark.parametrize("components", [3, 4])
@pytest.mark.parametrize("top_down", [True, False])
@pytest.mark.parametrize("size", [(5, 4), (1, 1), (1, 6)])
def test_every_layout_there_and_back(depth: str, components: int, top_down: bool, size: tuple[int, int]) -> None:
    kind = layout(depth, components, top_down=top_down, width=size[0], height=size[1])
    pixels = frame(kind)
    assert kind.bytes == pixels.nbytes
    given = raw(pixels)
    planes = decoded(given, kind)
    upright = pixels if top_down else pixels[::-1]
    full = 1 if kind.unbounded else np.iinfo(pixels.dtype).max
    np.testing.assert_array_equal(planes[0].permute(1, 2, 0).numpy(), upright.astype(np.float32) / np.float32(full))
    assert planes.is_contiguous()
    planes.add_(0)
    assert encoded(planes, kind).numpy().tobytes() == pixels.tobytes()
    planes.fill_(7)
    assert given.numpy().tobytes() == pixels.tobytes(), "the frame was written to"


def test_integers_are_clipped_and_rounded_half_to_even() -> None:
    kind = layout(width=2, height=1)
    values = torch.tensor([-1, 0.5, 2, 2.5, 3.5, 300]).view(1, 1, 2, 3).permute(0, 3, 1, 2) / 255
    assert encoded(values.clone(), kind).tolist() == [0, 0, 2, 2, 4, 255]
    assert encoded(values * 255 / 2**8, layout("short", width=2, height=1)).view(torch.int16)[-1] == -1


def test_half_stays_finite_where_the_values_are() -> None:
    values = torch.tensor([1e6, -1e6, float("inf"), float("-inf"), float("nan"), 65504]).view(1, 3, 1, 2)
    result = encoded(values, layout("half", width=2, height=1)).view(torch.float16).view(2, 3).T.flatten()
    assert result.tolist()[:4] == [65504, -65504, float("inf"), float("-inf")]
    assert result[4].isnan()


@pytest.mark.parametrize("depth", TYPES)
def test_alpha_is_copied_bit_by_bit(depth: str) -> None:
    kind = layout(depth, 4)
    given = torch.randint(0, 256, (kind.bytes,), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    result = torch.zeros_like(given)
    layouts.keep_alpha(result, given, kind)
    size = TYPES[depth]().itemsize
    assert torch.equal(result.view(-1, 4, size)[:, 3], given.view(-1, 4, size)[:, 3])
    assert not result.view(-1, 4, size)[:, :3].any()


def test_three_components_have_no_alpha_to_keep() -> None:
    kind = layout(premultiplied=True)
    result = torch.zeros(kind.bytes, dtype=torch.uint8)
    layouts.keep_alpha(result, torch.ones_like(result), kind)
    assert not result.any()
    assert not kind.matted
    assert layout(components=4, premultiplied=True).matted


@pytest.mark.parametrize("changes", [{"depth": "double"}, {"components": 1}, {"width": 0}, {"height": -1}])
def test_layouts_that_do_not_exist(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        layout(**changes)


def test_bytes_that_are_no_frame_of_the_layout() -> None:
    kind = layout()
    for wrong in (torch.zeros(59, dtype=torch.uint8), torch.zeros(60), torch.zeros((1, 60), dtype=torch.uint8)):
        with pytest.raises(SettingError, match="60"):
            layouts.check(wrong, kind)
    layouts.check(torch.zeros(60, dtype=torch.uint8), kind)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snapupscale.upscale.kernels.gpu import Gpu
from snapupscale.upscale.kernels.gpu_memory import GpuMemory
from upscale.kernels.host_cuda import FAILED, OUT_OF_MEMORY, HostCuda, install


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> HostCuda:
    found = install(monkeypatch, HostCuda())
    Gpu(0).activate()
    return found


@pytest.mark.parametrize(
    "index",
    [
        0,
        (slice(None), slice(2, 5)),
        (slice(None), slice(1, 100), slice(-3, None)),
        (1, slice(None), 4),
        (slice(None), slice(4, 2)),
    ],
)
def test_parts_are_those_of_numpy(index: Any, cuda: HostCuda) -> None:
    values = np.arange(2 * 6 * 7, dtype=np.float32).reshape(2, 6, 7)
    array = GpuMemory().uploaded(values)[index]
    expected = values[index]
    assert array.shape == expected.shape
    assert array.stride() == tuple(stride // 4 for stride in expected.strides)
    if expected.size:
        assert values.ravel()[(array.data_ptr() - array.block.address) // 4] == expected.ravel()[0]


def test_axes_change_places_without_a_copy(cuda: HostCuda) -> None:
    array = GpuMemory().halves(1, 4, 5, 64)
    other = array.permute(0, 3, 1, 2)
    assert (other.shape, other.stride()) == ((1, 64, 4, 5), (1280, 1, 320, 64))
    assert other.data_ptr() == array.data_ptr()
    assert array[:, 1:, 2:].data_ptr() - array.data_ptr() == 2 * (320 + 128)


def test_what_is_no_longer_used_is_used_again(cuda: HostCuda) -> None:
    memory = GpuMemory()
    address = memory.floats(3, 5).data_ptr()
    part = memory.floats(3, 5)[1:]
    assert part.data_ptr() == address + 20
    # The part keeps the whole.
    assert memory.floats(3, 5).data_ptr() != address
    assert memory.unused() == 60
    del part
    assert memory.unused() == 120
    memory.release()
    assert cuda.taken() == memory.unused() == 0


def test_what_is_kept_is_given_back_before_memory_runs_out(cuda: HostCuda) -> None:
    memory = GpuMemory()
    assert memory.floats(1000).shape == (1000,)
    cuda.room = 5000
    held = memory.floats(1100)
    assert cuda.taken() == 4400
    with pytest.raises(RuntimeError, match="out of memory"):
        memory.floats(200)
    assert held.shape == (1100,)


def test_other_errors_are_not_taken_for_a_lack_of_memory(cuda: HostCuda) -> None:
    cuda.failing["cuMemAlloc_v2"] = FAILED
    with pytest.raises(RuntimeError, match="cuMemAlloc_v2: CUDA_ERROR_LAUNCH_FAILED"):
        GpuMemory().floats(1)


def test_values_go_there_and_back(cuda: HostCuda) -> None:
    memory = GpuMemory()
    values = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    np.testing.assert_array_equal(memory.downloaded(memory.uploaded(values.transpose(0, 1, 2))), values)
    np.testing.assert_array_equal(memory.downloaded(memory.uploaded(values[:, ::2])), values[:, ::2])


def test_a_part_of_page_locked_memory_is_filled(cuda: HostCuda) -> None:
    memory = GpuMemory()
    values = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    canvas = memory.page_locked((5, 7, 3), np.uint8)
    canvas[:] = 9
    memory.fill(canvas[1:3, 2:5], memory.uploaded(values))
    expected = np.full((5, 7, 3), 9, np.uint8)
    expected[1:3, 2:5] = values
    np.testing.assert_array_equal(canvas, expected)


def test_page_locked_memory_lives_as_long_as_its_array(cuda: HostCuda) -> None:
    memory = GpuMemory()
    canvas = memory.page_locked((4, 4), np.uint8)
    part, address = canvas[1:], canvas.ctypes.data
    del canvas
    assert memory.page_locked((4, 4), np.uint8).ctypes.data != address
    del part
    assert address in {memory.page_locked((4, 4), np.uint8).ctypes.data for _ in range(2)}


def test_little_page_locked_memory_is_kept(cuda: HostCuda) -> None:
    memory = GpuMemory()
    canvases = [memory.page_locked((100, index), np.uint8) for index in range(1, 9)]
    assert cuda.taken() == 3600
    canvases.clear()
    assert memory.page_locked((1, 1), np.uint8).size == 1
    # The last two to be given back, and the new one.
    assert cuda.taken() == 200 + 100 + 1
    memory.release()
    assert cuda.taken() <= 1


def test_where_no_pages_can_be_locked_ordinary_memory_does(cuda: HostCuda) -> None:
    memory = GpuMemory()
    source = memory.uploaded(np.arange(12, dtype=np.uint8).reshape(3, 4))
    cuda.failing["cuMemHostAlloc"] = OUT_OF_MEMORY
    canvas = memory.page_locked((3, 4), np.uint8)
    memory.fill(canvas, source)
    assert canvas.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]

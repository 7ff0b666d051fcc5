from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from snapupscale.heap import give_back_large_blocks

GLIBC = platform.libc_ver()[0] == "glibc"
CHILD = """
import ctypes, sys
from snapupscale.heap import give_back_large_blocks
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
if sys.argv[1] == "1":
    assert give_back_large_blocks()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def block(size):
    address = libc.malloc(size)
    ctypes.memset(address, 1, size)
    return address
libc.free(block(30 << 20))
blocks = [block(1 << 20) for _ in range(60)]
before = resident()
for each in blocks[:-1]:
    libc.free(each)
print(before - resident())
"""


@pytest.mark.skipif(not GLIBC, reason="a matter of glibc")
def test_large_blocks_go_back_though_one_above_them_stays() -> None:
    kept, given = (
        int(subprocess.run([sys.executable, "-c", CHILD, asked], check=True, capture_output=True).stdout)
        for asked in "01"
    )
    assert kept < 10 << 20
    assert given > 50 << 20


def test_elsewhere_it_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert not give_back_large_blocks()

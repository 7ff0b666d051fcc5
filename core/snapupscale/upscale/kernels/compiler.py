"""CUDA C++ to machine code by NVRTC, which comes with torch; what was compiled is kept in the user's cache."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from snapupscale import files
from snapupscale.errors import KernelUnavailable, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snapupscale.upscale.kernels.source import Program

_NAMES = {"win32": ("nvrtc64_130_0.dll", "nvrtc64_120_0.dll")}
_USUAL_NAMES = ("libnvrtc.so.13", "libnvrtc.so.12")
_PLACES = ("nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib", "nvidia/cuda_nvrtc/bin", "torch/lib")
"""Beside torch, where the wheels put it."""
_DIGEST = hashlib.sha256().digest_size
_LOG_END = 500
_locks: dict[str, threading.Lock] = {}


def all_compiled(programs: Sequence[Program]) -> list[bytes]:
    """The machine code of each, on as many threads as there are cores. Raises KernelUnavailable."""
    with ThreadPoolExecutor(min(len(programs), os.cpu_count() or 1), "nvrtc") as pool:
        return list(pool.map(compiled, programs))


def compiled(program: Program) -> bytes:
    """The machine code of `program`; a second thread that asks for it waits for the first. Raises KernelUnavailable."""
    mark = hashlib.sha256("\0".join((program.text, program.architecture)).encode()).hexdigest()
    kept = user_cache_path("snapupscale") / "kernels" / f"{mark[:32]}.cubin"
    with _locks.setdefault(mark, threading.Lock()):
        with suppress(OSError):
            content = kept.read_bytes()
            if content[:_DIGEST] == hashlib.sha256(content[_DIGEST:]).digest():
                return content[_DIGEST:]
        code = _compile(program)
        # A cache that can't be written costs seconds at the next start, no more.
        with suppress(OutputError):
            files.make_folder(kept.parent)
            files.write_bytes(kept, hashlib.sha256(code).digest() + code)
        return code


def _compile(source: Program) -> bytes:
    library = nvrtc()
    program = ctypes.c_void_p()
    text = ctypes.c_char_p(source.text.encode())
    _check(library, library.nvrtcCreateProgram(ctypes.byref(program), text, b"snapupscale.cu", 0, None, None))
    try:
        options = (b"--std=c++17", b"--gpu-architecture=" + source.architecture.encode())
        code = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
        if code:
            log = _taken(library, library.nvrtcGetProgramLogSize, library.nvrtcGetProgramLog, program)
            end = log.rstrip(b"\0\n").decode("utf-8", "replace")[-_LOG_END:]
            raise KernelUnavailable(f"the kernels cannot be compiled for {source.architecture}: {end}")
        return _taken(library, library.nvrtcGetCUBINSize, library.nvrtcGetCUBIN, program)
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def _taken(library: ctypes.CDLL, measure: object, take: object, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    _check(library, measure(program, ctypes.byref(size)))  # type: ignore[operator]
    content = ctypes.create_string_buffer(size.value)
    _check(library, take(program, content))  # type: ignore[operator]
    return content.raw


def nvrtc() -> ctypes.CDLL:
    """NVRTC: from beside torch, else the system's. Raises KernelUnavailable."""
    names = _NAMES.get(sys.platform, _USUAL_NAMES)
    for place in (*_beside_torch(names), *names):
        with suppress(OSError):
            return ctypes.CDLL(place)
    raise KernelUnavailable(f"NVRTC is not there ({', '.join(names)})")


def _beside_torch(names: tuple[str, ...]) -> Iterator[str]:
    found = find_spec("torch")
    for package in found.submodule_search_locations or () if found else ():
        for place in _PLACES:
            for name in names:
                path = Path(package).parent / place / name
                if path.is_file():
                    yield str(path)


def _check(library: ctypes.CDLL, code: int) -> None:
    if code:
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise KernelUnavailable(f"NVRTC: {library.nvrtcGetErrorString(code).decode()}")

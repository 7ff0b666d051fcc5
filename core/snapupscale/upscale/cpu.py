"""Which library computes a network on the CPU: torch, or ncnn where it is there and was measured to be faster."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Literal

from snapupscale.upscale import vulkan

if TYPE_CHECKING:
    from snapupscale.upscale.catalog import ModelSpec

_FASTER_BY_NCNN = ("compact",)
"""Architectures, by tests/benchmarks/cpu.py on two cores: ncnn takes 0.90 of the time that torch does. It takes 0.86 to
0.89 for the others too, but a step of those can't be ended, and lasts seconds on large pictures; stopping must not."""
_MEASURED_ON = ("x86_64", "amd64")


def library(spec: ModelSpec, precision: str = "fp32", *, faithful: bool = False) -> Literal["ncnn", "torch"]:
    """What computes `spec` on this CPU. Nothing is imported."""
    suits = spec.architecture in _FASTER_BY_NCNN and platform.machine().lower() in _MEASURED_ON
    return "ncnn" if suits and precision == "fp32" and not faithful and vulkan.installed() else "torch"

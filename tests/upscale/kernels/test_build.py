"""The kernels compile for every kind of card, without what would make them slow: spilled registers, products that wait
for each other."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale.kernels import compiler, source
from upscale.kernels.test_source import CARDS, LAYERS

if TYPE_CHECKING:
    from pathlib import Path

    from snapupscale.upscale.kernels.source import Family

NVCC = shutil.which("nvcc")
SERIALISED = re.compile(r"C75\d\d")
SPILLS = re.compile(r"(\d+) bytes spill stores")


@pytest.mark.skipif(NVCC is None, reason="no nvcc")
@pytest.mark.parametrize("name", ["RTX 3090", "H200", "RTX 5090"])
def test_nvcc_compiles_them(name: str, tmp_path: Path) -> None:
    family = source.choose(CARDS[name])
    assert family is not None
    said = _built(_together(family), family.architecture, tmp_path)
    assert not SERIALISED.search(said), said
    spilled = SPILLS.findall(said)
    assert len(spilled) >= len(LAYERS) - 1
    assert set(spilled) == {"0"}


@pytest.mark.skipif(NVCC is None, reason="no nvcc")
@pytest.mark.parametrize("file", ["pixels.cu", "levels.cu"])
def test_nvcc_compiles_what_goes_between_pictures_and_planes(file: str, tmp_path: Path) -> None:
    assert "error" not in _built(source.read(file), "sm_80", tmp_path)


def test_nvrtc_compiles_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compiler, "user_cache_path", lambda _: tmp_path)
    family = source.choose(CARDS["A100"])
    assert family is not None
    programs = list(family.programs([source.PIXELS, source.LEAKY]).values())
    try:
        codes = compiler.all_compiled(programs)
    except KernelUnavailable as error:
        pytest.skip(str(error))
    assert [code[:4] for code in codes] == [b"\x7fELF"] * 2
    with pytest.raises(KernelUnavailable, match="cannot be compiled"):
        compiler.compiled(replace(programs[0], text=programs[0].text + "nonsense"))


def _together(family: Family) -> str:
    """All kernels of a family in one text: nvcc begins slowly."""
    first, *rest = (program.text for program in family.programs(LAYERS).values())
    return first + "".join(text.splitlines(keepends=True)[-1] for text in rest)


def _built(text: str, architecture: str, folder: Path) -> str:
    """What the compiler says."""
    file = folder / "kernels.cu"
    file.write_text(text, encoding="utf-8")
    code = f"-gencode=arch=compute_{architecture[3:]},code={architecture}"
    command = [str(NVCC), "-std=c++17", code, "-cubin", "-O3", "-Xptxas", "-v", str(file), "-o", str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr

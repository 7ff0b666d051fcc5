"""The link under sanitizers, for Windows, and for systems older than this one."""

from __future__ import annotations

import os
import re
import subprocess
from subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from openfx.conftest import mappings
from openfx.fake_sidecar import RENDER, FakeSidecar
from openfx.link_library import HERE, SOURCE, WARNINGS, build, has, sources

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS = "x86_64-w64-mingw32-gcc"
OLDEST = (2, 28)
"""The C library of Rocky Linux 8, for which Resolve is made."""


@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_sanitizers_find_nothing(tmp_path: Path, runtime: Path, sanitizer: str) -> None:
    flags = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all"]
    program = build(tmp_path / "stress", HERE / "link_stress.c", flags=flags)
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1", "ASAN_OPTIONS": "detect_leaks=1"}

    with FakeSidecar("dies-often", runtime) as sidecar:
        command = ["setarch", "--addr-no-randomize", program, "4", "100"]
        with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True, env=environment) as process:
            said, wrong = process.communicate(timeout=90)

    assert (process.returncode, wrong) == (0, ""), wrong
    assert said.startswith("0 wrong")
    assert sidecar.count(RENDER) >= 400
    assert not mappings(process.pid)


@pytest.mark.skipif(not has(WINDOWS), reason="no cross compiler")
def test_it_compiles_and_links_for_windows(tmp_path: Path) -> None:
    target = tmp_path / "link.dll"
    files = sources(windows=True)
    command = [WINDOWS, *WARNINGS, "-shared", f"-I{SOURCE}", "-o", target, *files, "-lws2_32", "-lshell32"]

    subprocess.run(command, check=True)

    assert target.stat().st_size > 10_000


def test_it_loads_with_the_c_library_of_older_systems(library: Path) -> None:
    symbols = subprocess.run(["nm", "-D", library], check=True, capture_output=True, text=True).stdout

    versions = {tuple(int(part) for part in found) for found in re.findall(r"@GLIBC_(\d+)\.(\d+)", symbols)}

    assert versions
    assert max(versions) <= OLDEST


def test_every_function_is_short() -> None:
    for path in sources() + sources(windows=True):
        lines = path.read_text().splitlines()
        assert len(lines) <= 400, path
        starts = [number for number, line in enumerate(lines) if re.match(r"\w.*\) \{$", line)]
        for start in starts:
            assert lines.index("}", start) - start <= 60, (path, lines[start])

"""Bundles to test with: the effect's own, built when it is missing or stale, and small effects made for tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from filelock import FileLock

from ofx_host.host import binary

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EFFECT = ROOT / "plugin" / "openfx"
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-O1")
BUNDLE = ROOT / "build" / "openfx" / "SnapUpscale.ofx.bundle"


def effect(sanitize: str = "") -> Path:
    """The effect's bundle; with `sanitize` ('address,undefined' or 'thread') one that is instrumented."""
    folder = BUNDLE.parent if not sanitize else BUNDLE.parent.with_name(f"openfx-{sanitize.replace(',', '-')}")
    bundle = folder / BUNDLE.name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".tests.lock"):
        if _is_stale(binary(bundle)):
            option = (f"-DSANITIZE={sanitize}",) if sanitize else ()
            _run("cmake", "-S", str(EFFECT), "-B", str(folder), "--log-level=WARNING", *option)
            _run("cmake", "--build", str(folder), "--parallel", "2")
    return bundle


def _run(*command: str) -> None:
    # In a build within a build, make would look for the jobs of the outer one.
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def _is_stale(library: Path) -> bool:
    if not library.exists():
        return True
    files = [EFFECT / "CMakeLists.txt", *(EFFECT / "source").iterdir()]
    return library.stat().st_mtime < max(path.stat().st_mtime for path in files)


def inverter(folder: Path, *flags: str) -> Path:
    """The bundle of the test's own effect, made in `folder`."""
    bundle = folder / "Inverter.ofx.bundle"
    library = binary(bundle)
    library.parent.mkdir(parents=True)
    _run("gcc", *FLAGS, "-fvisibility=hidden", "-shared", "-fPIC", *flags, "-o", str(library), str(HERE / "inverter.c"))
    return bundle


def mini_host(program: Path, sanitize: str) -> Path:
    """The host without Python, instrumented."""
    flags = ("-D_GNU_SOURCE", "-g", f"-fsanitize={sanitize}", "-fno-sanitize-recover=all", "-pthread")
    _run("gcc", *FLAGS, *flags, "-o", str(program), str(HERE / "mini_host.c"), "-ldl")
    return program

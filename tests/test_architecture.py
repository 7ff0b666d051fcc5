from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import snapupscale

ROOT = Path(snapupscale.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
HEAVY = {"torch", "av", "cv2", "requests", "rich", "opentimelineio", "OpenEXR"}


def imports_at_start(path: Path) -> set[str]:
    """First names of what a module imports when it is imported itself."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_torch_is_imported_at_start_by_upscale_and_the_network_alone(path: Path) -> None:
    network = path.stem in {"neural_loading", "neural_network"}
    assert "torch" not in imports_at_start(path) or network or "upscale" in path.relative_to(ROOT).parts


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in result.stdout.split()}


def test_help_loads_nothing_heavy() -> None:
    assert not loaded_by("import snapupscale.cli") & (HEAVY | {"numpy"})


def test_listing_models_and_detecting_load_no_torch() -> None:
    assert "torch" not in loaded_by("import snapupscale.upscale.weights, snapupscale.upscale.catalog")
    assert "torch" not in loaded_by("import snapupscale.scenes.signal, snapupscale.scenes.methods")
    assert "torch" not in loaded_by("import snapupscale.stills.pick, snapupscale.stills.images")
    assert "torch" not in loaded_by("import snapupscale.upscale.engine")


@pytest.mark.parametrize(
    "module", ["timecode", "scenes.cuts", "scenes.shots", "upscale.tiling", "timeline.exports", "timeline.actions"]
)
def test_arithmetic_loads_no_codec_and_no_pixels(module: str) -> None:
    assert not loaded_by(f"import snapupscale.{module}") & HEAVY

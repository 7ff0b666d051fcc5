from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from snapupscale.errors import SettingError
from snapupscale.upscale import catalog

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["x4plus", "x4plus-anime", "x2plus", "animevideov3", "general-x4v3"]


def test_the_models_are_these() -> None:
    assert list(catalog.catalog()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_file_can_be_found_and_checked(name: str) -> None:
    spec = catalog.find(name)
    assert spec.licence == "BSD-3-Clause"
    assert spec.file("weights") is not None
    for file in spec.files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.size > 0
        assert bool(file.package) != bool(file.urls)
        assert all(url.startswith("https://") for url in file.urls)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match="'x4'") as caught:
        catalog.find("x4")
    assert all(name in caught.value.hint for name in NAMES)


@pytest.mark.parametrize(("device", "name"), [("cuda", "x4plus"), ("mps", "x4plus"), ("cpu", "animevideov3")])
def test_auto_says_what_it_chose(device: str, name: str) -> None:
    chosen, sentence = catalog.auto_model(device)
    assert chosen == name
    assert sentence.startswith(name)
    assert sentence.endswith(".")


def test_an_installed_package_carries_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "manifest.toml").write_text("")
    monkeypatch.setattr(catalog, "__file__", str(tmp_path / "catalog.py"))
    assert catalog.manifest_path() == tmp_path / "manifest.toml"


def test_listing_models_needs_no_torch() -> None:
    code = """
import sys
from snapupscale.upscale import catalog, fetch, layers, tiling, weights
print([weights.installed(spec) for spec in catalog.catalog().values()])
weights.verify(catalog.find("animevideov3"))
assert "torch" not in sys.modules, "torch was imported"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[True, True")

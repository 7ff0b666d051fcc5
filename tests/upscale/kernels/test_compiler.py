"""What was compiled is kept and believed only when it is whole; without NVRTC there are no kernels, and no crash."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale.kernels import compiler
from snapupscale.upscale.kernels.source import Program

if TYPE_CHECKING:
    from pathlib import Path


A = Program(text="a", architecture="sm_80")


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Program]:
    """What was compiled anew."""
    done: list[Program] = []

    def compile_(program: Program) -> bytes:
        done.append(program)
        return f"code of {program.text} for {program.architecture}".encode()

    monkeypatch.setattr(compiler, "user_cache_path", lambda _: tmp_path)
    monkeypatch.setattr(compiler, "_compile", compile_)
    return done


def test_a_second_time_nothing_is_compiled(compilations: list[Program]) -> None:
    assert compiler.compiled(A) == compiler.compiled(A) == b"code of a for sm_80"
    assert compiler.compiled(Program(text="a", architecture="sm_90a")) == b"code of a for sm_90a"
    assert compiler.compiled(Program(text="b", architecture="sm_80")) == b"code of b for sm_80"
    assert len(compilations) == 3


def test_several_are_compiled_at_once_and_come_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    together = threading.Barrier(2)

    def compile_(program: Program) -> bytes:
        together.wait(10)
        return program.text.encode()

    monkeypatch.setattr(compiler, "user_cache_path", lambda _: tmp_path)
    monkeypatch.setattr(compiler, "_compile", compile_)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    programs = [Program(text=text, architecture="sm_80") for text in "abcd"]
    assert compiler.all_compiled(programs) == [b"a", b"b", b"c", b"d"]


def test_who_asks_for_what_is_being_compiled_waits_for_it(
    compilations: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = threading.Event(), threading.Event()
    compile_ = compiler._compile

    def slowly(program: Program) -> bytes:
        begun.set()
        assert go.wait(10)
        return compile_(program)

    monkeypatch.setattr(compiler, "_compile", slowly)
    codes: list[bytes] = []
    threads = [threading.Thread(target=lambda: codes.append(compiler.compiled(A))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert codes == [b"code of a for sm_80"] * 3
    assert compilations == [A]


def test_what_failed_for_one_is_tried_again_for_the_next(
    compilations: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(program: Program) -> bytes:
        raise KernelUnavailable("no")

    with monkeypatch.context() as patch:
        patch.setattr(compiler, "_compile", fail)
        with pytest.raises(KernelUnavailable):
            compiler.all_compiled([A, A])
    assert compiler.all_compiled([A]) == [b"code of a for sm_80"]


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_file_is_made_anew(damage: str, compilations: list[Program], tmp_path: Path) -> None:
    compiler.compiled(A)
    (kept,) = (tmp_path / "kernels").glob("*.cubin")
    whole = kept.read_bytes()
    kept.write_bytes({"cut": whole[:-1], "changed": whole[:-1] + b"?", "empty": b""}[damage])
    assert compiler.compiled(A) == b"code of a for sm_80"
    assert len(compilations) == 2
    assert kept.read_bytes() == whole


def test_a_cache_that_cannot_be_written_does_not_matter(
    compilations: list[Program], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setattr(compiler, "user_cache_path", lambda _: blocked)
    assert compiler.compiled(A) == b"code of a for sm_80"
    assert len(compilations) == 1


def test_without_the_library_there_are_no_kernels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compiler, "user_cache_path", lambda _: tmp_path)
    monkeypatch.setattr(compiler, "_NAMES", {})
    monkeypatch.setattr(compiler, "_USUAL_NAMES", ("libnothing.so.0",))
    with pytest.raises(KernelUnavailable, match=r"libnothing\.so\.0"):
        compiler.compiled(A)

"""Every card gets kernels that it has the memory for, or is told that there are none."""

from __future__ import annotations

import pytest

from snapupscale.errors import KernelUnavailable
from snapupscale.upscale.kernels import source
from snapupscale.upscale.kernels.source import Card

LAYERS = tuple(dict.fromkeys((*source.RRDB, *source.COMPACT)))
CARDS = {
    "A100": Card(capability=(8, 0), block_bytes=166_912, processor_bytes=167_936),
    "RTX 3090": Card(capability=(8, 6), block_bytes=101_376, processor_bytes=102_400),
    "RTX 4090": Card(capability=(8, 9), block_bytes=101_376, processor_bytes=102_400),
    "H200": Card(capability=(9, 0), block_bytes=232_448, processor_bytes=233_472),
    "B200": Card(capability=(10, 0), block_bytes=232_448, processor_bytes=233_472),
    "RTX 5090": Card(capability=(12, 0), block_bytes=101_376, processor_bytes=102_400),
}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
@pytest.mark.parametrize("generic", [False, True])
def test_a_card_has_the_memory_for_each_of_its_kernels(card: Card, generic: bool) -> None:
    family = source.choose(card, generic=generic)
    assert family is not None
    for layer in LAYERS:
        instance = family.instance(layer)
        assert instance.shared_bytes <= card.block_bytes
        assert instance.shared_bytes + 1024 <= card.processor_bytes
        assert instance.layer == layer
        assert layer.outputs % instance.outputs == 0
        assert instance.threads <= 512


def test_hopper_alone_has_kernels_of_its_own() -> None:
    names = {name: (family := source.choose(card)) and family.name for name, card in CARDS.items()}
    assert [name for name, kind in names.items() if kind == "hopper"] == ["H200"]
    forced = source.choose(CARDS["H200"], generic=True)
    assert forced is not None
    assert (forced.name, forced.architecture) == ("ampere", "sm_90")


@pytest.mark.parametrize("capability", [(7, 5), (7, 0), (6, 1)])
def test_cards_before_ampere_have_none(capability: tuple[int, int]) -> None:
    assert source.choose(Card(capability=capability, block_bytes=65_536, processor_bytes=65_536)) is None


def test_a_card_with_too_little_memory_is_told_so() -> None:
    family = source.choose(Card(capability=(8, 7), block_bytes=49_152, processor_bytes=49_152))
    assert family is not None
    with pytest.raises(KernelUnavailable, match="49152 bytes"):
        family.instance(source.DENSE[4])


def test_layers_that_differ_in_nothing_share_a_kernel() -> None:
    family = source.choose(CARDS["RTX 4090"])
    assert family is not None
    programs = family.programs(LAYERS)
    for kernel, program in programs.items():
        (line,) = (line for line in program.text.splitlines() if line.startswith("KERNEL("))
        assert line.startswith(f"KERNEL({kernel},")
    assert len(programs) == len(LAYERS) - 1


@pytest.mark.parametrize("card", [CARDS["H200"], CARDS["RTX 3090"]])
def test_both_networks_find_the_kernels_they_share_compiled(card: Card) -> None:
    family = source.choose(card)
    assert family is not None
    one, other = family.programs(source.RRDB), family.programs(source.COMPACT)
    shared = one.keys() & other.keys()
    assert shared
    assert all(one[kernel] == other[kernel] for kernel in shared)


def test_what_goes_beside_the_kernels_needs_nothing_of_the_family() -> None:
    assert [program.architecture for program in source.beside((9, 0))] == ["sm_90", "sm_90"]


def test_the_source_includes_nothing_that_a_system_may_lack() -> None:
    for card in (CARDS["H200"], CARDS["A100"]):
        family = source.choose(card)
        assert family is not None
        programs = [*family.programs(LAYERS).values(), *source.beside(card.capability)]
        assert not any("#include" in program.text for program in programs)

"""Reading JSON strictly."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from snapupscale.errors import SettingError
from snapupscale.timeline.wire import decode, encode


@dataclass(frozen=True, kw_only=True)
class Leaf:
    text: str
    number: float | None = None


@dataclass(frozen=True, kw_only=True)
class Tree:
    whole: int
    sure: bool
    leaves: tuple[Leaf, ...] = field(metadata={"most": 2})
    copy_from: str = field(default="", metadata={"key": "from"})


GOOD = {"whole": 3, "sure": True, "leaves": [{"text": "é", "number": 0.5}], "from": "x"}


def test_what_is_read_is_written_back() -> None:
    tree = decode(Tree, GOOD)

    assert tree == Tree(whole=3, sure=True, leaves=(Leaf(text="é", number=0.5),), copy_from="x")
    assert encode(tree) == GOOD


def test_keys_of_a_newer_client_are_left_out() -> None:
    assert decode(Tree, {**GOOD, "news": 1, "leaves": [{"text": "", "more": []}]}).leaves == (Leaf(text=""),)


def test_whole_numbers_may_be_written_as_lua_does() -> None:
    assert decode(Tree, {**GOOD, "whole": 86400.0}).whole == 86400


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"whole": 1.5}, "there.whole: "),
        ({"whole": True}, "there.whole: "),
        ({"whole": "3"}, "there.whole: "),
        ({"whole": 2**53 + 1}, "there.whole: "),
        ({"whole": float("nan")}, "there.whole: "),
        ({"whole": float("inf")}, "there.whole: "),
        ({"whole": None}, "there.whole: "),
        ({"sure": 1}, "there.sure: "),
        ({"leaves": {}}, "there.leaves: "),
        ({"leaves": [{"text": ""}] * 3}, "there.leaves: "),
        ({"leaves": [{"text": ""}, 5]}, "there.leaves[1]: "),
        ({"leaves": [{"text": ""}, {}]}, "there.leaves[1].text: "),
        ({"leaves": [{"text": "a\0b"}]}, "there.leaves[0].text: "),
        ({"leaves": [{"text": "\ud800"}]}, "there.leaves[0].text: "),
        ({"leaves": [{"text": "x" * 4097}]}, "there.leaves[0].text: "),
        ({"leaves": [{"text": "", "number": "1"}]}, "there.leaves[0].number: "),
        ({"from": 1}, "there.from: "),
    ],
)
def test_a_mistake_is_named_with_its_place(changes: dict[str, object], place: str) -> None:
    with pytest.raises(SettingError) as caught:
        decode(Tree, GOOD | changes, "there")
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_only_objects_are_taken(data: object) -> None:
    with pytest.raises(SettingError, match="the message: is no object"):
        decode(Tree, data)

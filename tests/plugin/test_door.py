"""How calls of the editor are judged: nothing raises there, and many answers are none."""

from __future__ import annotations

import math
from typing import Any

import pytest

from snapupscale_resolve import door


class Thing:
    """Answers with what it was told, one after the other, the last for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls = 0

    def ask(self, *arguments: object) -> Any:
        self.calls += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    ("read", "none"),
    [
        (door.agreed, False),
        (door.truth, None),
        (door.text, ""),
        (door.number, None),
        (door.whole, None),
        (door.thing, None),
        (door.things, []),
        (door.facts, {}),
    ],
)
def test_what_a_missing_method_and_every_refusal_give(read: Any, none: object) -> None:
    def raises() -> None:
        raise TypeError("'NoneType' object is not callable")

    assert read(None) == none
    assert read(raises) == none
    assert read(Thing(None).ask) == none
    assert read(Thing(object).ask if read in {door.agreed, door.truth} else Thing(False).ask) == none


def test_an_error_told_in_a_string_is_no_success() -> None:
    said = Thing("Error: the AI engine is not installed")
    assert not door.agreed(said.ask)
    assert door.truth(said.ask) is None
    assert door.number(said.ask) is None
    assert door.thing(said.ask) is None
    assert door.things(said.ask) == []
    assert door.facts(said.ask) == {}


def test_an_empty_answer_is_asked_for_once_more_and_an_order_is_not_given_twice() -> None:
    for read, answers, wanted in (
        (door.text, ("", "a"), "a"),
        (door.number, (None, 1.5), 1.5),
        (door.whole, (None, 0), 0),
        (door.things, ([], [door]), [door]),
        (door.facts, ({}, {1: 2}), {1: 2}),
        (door.thing, (None, door), door),
    ):
        thing = Thing(*answers)
        assert read(thing.ask) == wanted  # type: ignore[operator]
        assert thing.calls == 2
    order = Thing(False, True)
    assert not door.agreed(order.ask)
    assert order.calls == 1


def test_zero_is_an_answer() -> None:
    thing = Thing(0)
    assert door.whole(thing.ask) == 0
    assert thing.calls == 1


def test_numbers_are_whole_where_they_can_be() -> None:
    assert repr(door.number(Thing(24.0).ask)) == "24"
    assert door.number(Thing(23.976).ask) == 23.976
    assert door.whole(Thing(0.5).ask) is None
    for bad in (math.nan, math.inf, True, "12"):
        assert door.number(Thing(bad).ask) is None
    assert door.whole(Thing(10**400).ask) == 10**400


def test_text_can_be_sent() -> None:
    assert door.text(Thing("a\0b\ud800c").ask) == "ab?c"
    assert door.text(Thing(24.0).ask) == "24.0"
    assert door.text(Thing(True).ask) == ""


def test_numbered_lists_are_put_in_order() -> None:
    one, two = object(), object()
    assert door.things(Thing({2.0: two, 1.0: one}).ask) == [one, two]
    assert door.things(Thing([one, None, "Error"]).ask) == [one]


def test_the_end_of_the_script_passes_through() -> None:
    def ended() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        door.text(ended)


def test_what_an_object_can_is_asked_of_its_list_of_names() -> None:
    class Remote:
        def __getattr__(self, name: str) -> None:
            return None

        def __dir__(self) -> list[str]:
            return ["GetName"]

    assert hasattr(Remote(), "GetSelectedClips")
    assert not door.can(Remote(), "GetSelectedClips")
    assert door.can(Remote(), "GetName")

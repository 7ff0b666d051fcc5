from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from stress.edit import Edit
from stress.picture import Colour, flat, grade
from stress.shot import ENDLESS, Shot, angle, bounced, toned
from stress.transitions import MIXERS

if TYPE_CHECKING:
    from stress.picture import Picture


def coloured(colour: Colour) -> Shot:
    return Shot(name=str(colour), look="flat", length=ENDLESS, at=lambda _: flat(colour))


OLD, NEW = coloured((200, 60, 40)), coloured((30, 80, 220))


def same(one: Picture, other: Picture) -> bool:
    return np.array_equal(one, other)


def test_a_cut_is_the_first_frame_of_the_new_shot() -> None:
    edit = Edit()
    edit.cut(OLD, 10)
    edit.cut(NEW, 5)
    made = edit.made()
    assert (made.cuts, made.gradual, len(made)) == ((10,), (), 15)
    assert same(made.at(9), OLD.at(0))
    assert same(made.at(10), NEW.at(0))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", MIXERS)
def test_a_gradual_transition_is_where_it_is_said_to_be(name: str, seed: int) -> None:
    kind, maker = MIXERS[name]
    length = 5 + seed
    edit = Edit()
    edit.cut(OLD, 10)
    edit.mix(NEW, length, maker(np.random.default_rng(seed)), kind)
    edit.run(8)
    made = edit.made()
    ((start, end, said),) = made.gradual
    assert (start, end, said, made.cuts) == (10, 9 + length, kind, ())
    assert same(made.at(start - 1), OLD.at(0))
    assert all(not same(made.at(k), OLD.at(0)) and not same(made.at(k), NEW.at(0)) for k in (start, end))
    assert same(made.at(end + 1), NEW.at(0))


def test_the_shots_go_on_during_a_dissolve() -> None:
    clock = Shot(name="clock", look="clock", length=ENDLESS, at=lambda k: flat((k, k, k)))
    edit = Edit()
    edit.cut(clock, 10)
    edit.mix(clock.later(100), 9, lambda old, new, _: np.hstack([old[:, :1], new[:, :1]]), "dissolve")
    edit.run(5)
    made = edit.made()
    assert made.at(12)[0, :, 0].tolist() == [12, 102]
    assert made.at(19)[0, 0, 0] == 109
    assert edit.seen == 14


def test_fades_begin_and_end_in_the_colour() -> None:
    edit = Edit()
    edit.cut(OLD, 10)
    edit.fade_out(6, 4)
    edit.fade_in(NEW, 5, 7)
    made = edit.made()
    assert [entry[:2] for entry in made.gradual] == [(10, 15), (20, 24)]
    assert same(made.at(9), OLD.at(0))
    assert all(not made.at(k).any() for k in range(15, 20))
    assert made.at(20).any()
    assert not same(made.at(24), NEW.at(0))
    assert same(made.at(25), NEW.at(0))


def test_finishing_touches_every_frame_by_its_number() -> None:
    edit = Edit()
    edit.cut(OLD, 3)
    edit.cut(NEW, 3)
    made = edit.made().finished(lambda picture, k: grade(picture, (0, 0, 0), lift=k))
    assert [int(picture[0, 0, 0]) for picture in made.frames] == list(range(6))


def test_frames_outside_are_refused() -> None:
    edit = Edit()
    edit.cut(OLD, 3)
    for frame in (-1, 3):
        with pytest.raises(IndexError, match=f"no frame {frame} in 3"):
            edit.made().at(frame)


def test_time_turns_round_at_the_ends_of_footage() -> None:
    assert [bounced(k, 4) for k in range(9)] == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert [bounced(k, 1) for k in range(3)] == [0, 0, 0]


def test_another_angle_shows_less_of_the_same() -> None:
    field = np.random.default_rng(1).integers(0, 255, (180, 320, 3), dtype=np.uint8)
    shot = Shot(name="field", look="field", length=9, at=lambda _: field)
    seen = angle(shot, np.random.default_rng(2)).at(0)
    assert seen.shape == field.shape
    assert not same(seen, field)


def test_toning_gives_the_mean_of_the_pattern() -> None:
    pattern = flat((90, 120, 60))
    assert same(toned(OLD, pattern, 1.0).at(0), pattern)
    assert same(toned(OLD, pattern, 0.0).at(0), OLD.at(0))

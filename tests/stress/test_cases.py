from __future__ import annotations

import numpy as np
import pytest

from stress.cases import CASES, case, names
from stress.disturbances import DISTURBANCES, WITH_ANOTHER
from stress.material import FAMILIES, load
from stress.picture import HEIGHT, WIDTH, difference
from stress.programme import STYLES, compose

HELD, FIT = load(part="held"), load(part="fit")
WATCHED = (*range(10, 24), 31, 50, 69)


@pytest.mark.parametrize("name", CASES)
def test_the_truth_of_every_case(name: str) -> None:
    made = case(name, 3, HELD)
    assert 60 <= len(made) <= 320
    picture = made.at(len(made) - 1)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert picture.dtype == np.uint8
    assert list(made.cuts) == sorted(set(made.cuts))
    for cut in made.cuts:
        assert difference(made.at(cut - 1), made.at(cut)) > 2.5, f"nothing is to be seen of the cut at {cut}"
    for start, end, kind in made.gradual:
        assert kind in {"dissolve", "fade", "wipe"}
        assert 0 < start <= end < len(made)
        middle = made.at((start + end) // 2)
        assert max(difference(made.at(start - 1), middle), difference(middle, made.at(min(end + 1, len(made) - 1)))) > 2


@pytest.mark.parametrize("name", [*DISTURBANCES, *WITH_ANOTHER])
def test_every_disturbance_is_to_be_seen_and_repeats_exactly(name: str) -> None:
    plain = FAMILIES["room"](np.random.default_rng(5))

    def disturbed() -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        rng = np.random.default_rng(9)
        if name in DISTURBANCES:
            shot = DISTURBANCES[name](plain, rng, 10)
        else:
            shot = WITH_ANOTHER[name](plain, rng, 10, FAMILIES["face"](np.random.default_rng(6)))
        return [shot.at(k) for k in WATCHED]

    first, second = disturbed(), disturbed()
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert any(not np.array_equal(one, plain.at(k)) for one, k in zip(first, WATCHED, strict=True))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_many_shots_and_a_shot_is_always_the_same(name: str) -> None:
    shots = [FAMILIES[name](np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(shots[0].at(7), shots[1].at(7))
    assert difference(shots[0].at(7), shots[2].at(7)) > 2
    assert any(not np.array_equal(shots[0].at(7), shots[0].at(k)) for k in (12, 60, 140, 300))


@pytest.mark.parametrize("style", STYLES)
def test_programmes_repeat_exactly_and_differ_by_seed(style: str) -> None:
    one, again, other = (compose(seed, HELD, 0.12, style) for seed in (4, 4, 5))
    assert (one.cuts, one.gradual, len(one)) == (again.cuts, again.gradual, len(again))
    for frame in (0, len(one) // 2, len(one) - 1):
        assert np.array_equal(one.at(frame), again.at(frame))
    assert (one.cuts, len(one)) != (other.cuts, len(other))
    assert len(one) >= 7 * one.rate


def test_programmes_have_cuts_that_show_and_joins_that_do_not_overlap() -> None:
    shown = []
    for seed in range(4):
        made = compose(seed, FIT, 0.25, "music")
        taken = [set(range(start, end + 1)) for start, end, _ in made.gradual]
        assert sum(map(len, taken)) == len(set().union(*taken))
        assert not set(made.cuts) & set().union(*taken)
        shown += [difference(made.at(cut - 1), made.at(cut)) > 3 for cut in made.cuts]
    assert len(shown) > 20
    assert sum(shown) / len(shown) > 0.97


def test_the_parts_have_other_clips_for_the_same_seed() -> None:
    one, other = compose(4, HELD, 0.2, "film"), compose(4, FIT, 0.2, "film")
    assert not np.array_equal(one.at(0), other.at(0))
    assert set(names("fit")) < set(names("held"))
    assert set(FIT.families) < set(HELD.families)


def test_wrong_names_are_told_the_right_ones() -> None:
    with pytest.raises(ValueError, match="no case 'nothing' in held; there are cuts, "):
        case("nothing", 1, HELD)
    with pytest.raises(ValueError, match="no case 'slides' in fit"):
        case("slides", 1, FIT)
    with pytest.raises(ValueError, match="no style 'opera'; there are film"):
        compose(1, FIT, 0.1, "opera")

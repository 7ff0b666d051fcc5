"""Rates, timecode and the conversions, against opentimelineio and against counting by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentimelineio import opentime

from snapupscale.errors import SettingError
from snapupscale.timecode import (
    RATES,
    Timecode,
    can_drop,
    exact_rate,
    format_rate,
    frame_to_pts,
    frame_to_time,
    nearest_frame,
    nominal,
    pts_to_frame,
    time_to_frame,
)

FILM = Fraction(24000, 1001)
NTSC = Fraction(30000, 1001)
DOUBLE_NTSC = Fraction(60000, 1001)
FAST_NTSC = Fraction(120000, 1001)
BASES = [Fraction(1, n) for n in (1000, 90_000, 24_000, 30_000, 60_000, 12_800, 1_000_000)]

# The rates that opentimelineio has timecode for, with and without drop-frame.
REFERENCE = [
    *((rate, False) for rate in (FILM, Fraction(24), Fraction(25), NTSC, Fraction(30), Fraction(50), DOUBLE_NTSC)),
    (Fraction(60), False),
    (NTSC, True),
    (DOUBLE_NTSC, True),
]


def frames_of_a_day(rate: Fraction) -> int:
    """opentimelineio 0.18 wraps non-drop labels at 29.97 and 59.94 where a day of drop-frame ends, 86 seconds early."""
    dropped = nominal(rate) // 15 * 9 * 6 * 24 if can_drop(rate) else 0
    return nominal(rate) * 86_400 - dropped


@st.composite
def labelled_frames(draw: st.DrawFn) -> tuple[int, Fraction, bool]:
    rate, drop = draw(st.sampled_from(REFERENCE))
    return draw(st.integers(0, frames_of_a_day(rate) - 1)), rate, drop


@given(labelled_frames())
def test_timecode_agrees_with_opentimelineio(case: tuple[int, Fraction, bool]) -> None:
    frame, rate, drop = case

    timecode = Timecode(frame=frame, rate=rate, drop=drop)

    assert str(timecode) == opentime.RationalTime(frame, float(rate)).to_timecode(float(rate), drop)
    assert opentime.from_timecode(str(timecode), float(rate)).value == frame
    assert Timecode.parse(str(timecode), rate) == timecode


@pytest.mark.parametrize(("rate", "left_out"), [(NTSC, 2), (DOUBLE_NTSC, 4), (FAST_NTSC, 8)])
def test_drop_frame_leaves_out_the_first_labels_of_nine_minutes_in_ten(rate: Fraction, left_out: int) -> None:
    base = nominal(rate)
    labels = [
        f"00:{minute:02}:{second:02};{frame:0{3 if base > 100 else 2}}"
        for minute in range(12)
        for second in range(60)
        for frame in range(base)
        if second or frame >= left_out or minute % 10 == 0
    ]

    assert [str(Timecode(frame=frame, rate=rate, drop=True)) for frame in range(len(labels))] == labels


@pytest.mark.parametrize(
    ("text", "rate", "frame"),
    [
        ("00:00:59;29", NTSC, 1799),
        ("00:01:00;02", NTSC, 1800),
        ("00:10:00;00", NTSC, 17_982),
        ("01:00:00;00", NTSC, 107_892),
        ("01:00:00:00", NTSC, 108_000),
        ("23:59:59;29", NTSC, 2_589_407),
        ("23:59:59:29", NTSC, 2_591_999),
        ("23:59:59:59", DOUBLE_NTSC, 5_183_999),
        ("01:00:00;00", DOUBLE_NTSC, 215_784),
        ("10:11:12:13", FILM, 880_141),
        ("00:00:01:119", Fraction(120), 239),
        ("00:00:01:50", Fraction(100), 150),
    ],
)
def test_known_timecodes(text: str, rate: Fraction, frame: int) -> None:
    timecode = Timecode.parse(text, rate)

    assert timecode.frame == frame
    assert str(timecode) == text


@pytest.mark.parametrize("text", ["00:01:00;02", "00:01:00,02", "00:01:00.02", "00;01;00;02", " 00:01:00;02\n"])
def test_drop_frame_is_read_in_every_notation(text: str) -> None:
    assert Timecode.parse(text, NTSC) == Timecode(frame=1800, rate=NTSC, drop=True)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("00:01:00;00", NTSC),
        ("00:01:00;01", NTSC),
        ("00:09:00;03", DOUBLE_NTSC),
        ("00:00:00;00", Fraction(24)),
        ("00:00:00;00", Fraction(30)),
        ("00:00:00;00", FILM),
        ("00:00:00:24", FILM),
        ("00:00:60:00", FILM),
        ("00:60:00:00", FILM),
        ("24:00:00:00", FILM),
        ("-1:00:00:00", FILM),
        ("00:00:00", FILM),
        ("00:00:00:0", FILM),
        ("00:00:00:0000", FILM),
        ("٠٠:٠٠:٠٠:٠٠", FILM),
        ("", FILM),
    ],
)
def test_bad_timecodes_are_refused(text: str, rate: Fraction) -> None:
    with pytest.raises(SettingError):
        Timecode.parse(text, rate)


def test_labels_wrap_at_midnight_and_frames_go_on() -> None:
    last = Timecode.parse("23:59:59;29", NTSC)

    after = last.shifted(1)

    assert str(after) == "00:00:00;00"
    assert after.frame == last.frame + 1
    assert str(Timecode(frame=24 * 86_400, rate=Fraction(24))) == "00:00:00:00"


def test_timecodes_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingError):
        Timecode(frame=-1, rate=FILM)
    with pytest.raises(SettingError):
        Timecode(frame=0, rate=Fraction(0))
    with pytest.raises(SettingError):
        Timecode(frame=0, rate=Fraction(30), drop=True)
    with pytest.raises(SettingError):
        Timecode(frame=5, rate=FILM).shifted(-6)


@pytest.mark.parametrize("rate", RATES)
def test_a_rounded_rate_is_the_standard_rate(rate: Fraction) -> None:
    for given_rate in (rate, float(rate), f"{float(rate):.3f}", f"{float(rate):.2f}", round(float(rate), 2)):
        assert exact_rate(given_rate) == rate
    assert exact_rate(format_rate(rate)) == rate
    assert exact_rate(Fraction(rate) * (1 + Fraction(1, 5000))) == rate


def test_neighbouring_rates_are_never_confused() -> None:
    assert list(RATES) == sorted(RATES)
    assert all(upper / lower >= Fraction(1001, 1000) for lower, upper in pairwise(RATES))
    assert exact_rate("23.976") == exact_rate(23.98) == exact_rate("23.97") == exact_rate(Fraction(2997, 125)) == FILM
    assert exact_rate("29.97") == exact_rate(Fraction(10_000_000, 333_667)) == NTSC
    assert exact_rate(24) == exact_rate("24.0") == exact_rate(24.001) == 24
    assert exact_rate(30) == 30


def test_other_rates_are_kept() -> None:
    assert exact_rate(Fraction(1193, 40)) == Fraction(1193, 40)
    assert exact_rate("17.5") == Fraction(35, 2)
    assert exact_rate(33.333333) == Fraction(100, 3)
    assert exact_rate(1000) == 1000


@pytest.mark.parametrize(
    "value",
    [0, -24, 0.0, float("nan"), float("inf"), 90_000, "", "abc", "-24", "1/0", "0/1", "1e9", "9" * 5000, "24 fps"],
)
def test_absurd_rates_are_refused(value: float | str) -> None:
    with pytest.raises(SettingError) as caught:
        exact_rate(value)

    assert len(str(caught.value)) < 120
    assert "24000/1001" in caught.value.hint


def test_names_of_rates() -> None:
    assert format_rate(FILM) == "24000/1001"
    assert format_rate(Fraction(24)) == "24"
    assert [nominal(rate) for rate in (FILM, NTSC, DOUBLE_NTSC, Fraction(25), Fraction(1, 10))] == [24, 30, 60, 25, 1]
    assert [rate for rate in RATES if can_drop(rate)] == [NTSC, DOUBLE_NTSC, FAST_NTSC]


@given(st.integers(0, 10_000_000), st.sampled_from(RATES), st.sampled_from(BASES), st.integers(-(10**9), 10**9))
def test_pts_and_frame_are_inverse(frame: int, rate: Fraction, time_base: Fraction, start: int) -> None:
    pts = frame_to_pts(frame, rate, time_base, start)

    assert pts_to_frame(pts, rate, time_base, start) == frame
    assert abs((pts - start) * time_base - frame_to_time(frame, rate)) <= time_base / 2


def test_a_time_base_that_cannot_tell_frames_apart_is_refused() -> None:
    assert [frame_to_pts(frame, Fraction(25), Fraction(1, 25)) for frame in range(3)] == [0, 1, 2]
    for time_base in (Fraction(1, 24), Fraction(0), Fraction(-1, 1000)):
        with pytest.raises(SettingError):
            frame_to_pts(1, Fraction(25), time_base)
        with pytest.raises(SettingError):
            pts_to_frame(1, Fraction(25), time_base)


@given(st.integers(0, 10_000_000), st.sampled_from(RATES), st.fractions(0, Fraction(999, 1000)))
def test_a_frame_is_on_screen_until_the_next(frame: int, rate: Fraction, part: Fraction) -> None:
    assert time_to_frame(frame_to_time(frame, rate), rate) == frame
    assert time_to_frame((frame + part) / rate, rate) == frame


@given(st.integers(0, 10_000_000), st.sampled_from(RATES))
def test_rounded_seconds_still_find_their_frame(frame: int, rate: Fraction) -> None:
    assert nearest_frame(float(frame_to_time(frame, rate)), rate) == frame
    assert nearest_frame(round(float(frame_to_time(frame, rate)), 3), rate) == frame

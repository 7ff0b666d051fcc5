"""Names made safe."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from snapupscale.timeline.text import printable


@given(st.text(st.characters(), max_size=200))
def test_any_text_becomes_one_line_that_can_be_encoded(text: str) -> None:
    safe = printable(text)

    assert len(safe) == len(text)
    assert len(safe.splitlines()) <= 1
    assert safe.encode("utf-8").decode("utf-8") == safe
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in safe)
    assert printable(safe) == safe


def test_ordinary_names_stay() -> None:
    for text in ("A001_C002 (final).mov", "Ünïcödé 映画 🎬 עברית نَص", "=1", "<&>\"'", "👩\u200d🚀"):
        assert printable(text) == text


def test_what_breaks_a_line_or_turns_it_round_is_replaced() -> None:
    assert printable("a\nb\r\tc\x00\x85\u2028d\u202ee\ud800f\uffffg") == "a_b__c___d_e_f_g"

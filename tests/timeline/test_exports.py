"""The table of export formats."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapupscale.commands import DETECTION_FORMATS
from snapupscale.errors import SettingError
from snapupscale.timeline.exports import FORMATS, ON_REQUEST, export

if TYPE_CHECKING:
    from collections.abc import Callable

    from snapupscale.timeline.editlist import EditList


def test_the_formats_are_those_of_the_command_line() -> None:
    assert list(FORMATS) == ["csv", "edl", "otio", "fcpxml"]
    assert list(ON_REQUEST) == ["pyscenedetect-csv", "chapters", "ffmetadata"]
    assert set(DETECTION_FORMATS) == {"json", "pyscenedetect-stats", *FORMATS, *ON_REQUEST}


def test_an_unknown_format_names_those_there_are(edit_with: Callable[..., EditList]) -> None:
    with pytest.raises(SettingError) as caught:
        export(edit_with(), "xml")

    assert "'xml'" in str(caught.value)
    assert caught.value.hint == "Use one of csv, edl, otio, fcpxml, pyscenedetect-csv, chapters, ffmetadata."


@pytest.mark.parametrize("format", FORMATS | ON_REQUEST)
def test_an_export_is_the_same_text_each_time(edit: EditList, format: str) -> None:
    text = export(edit, format)

    assert text == export(edit, format)
    assert text.encode("utf-8").endswith(b"\n")


@pytest.mark.parametrize("format", FORMATS | ON_REQUEST)
@given(name=st.text(st.characters(), max_size=60))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_name_can_be_written(edit_with: Callable[..., EditList], format: str, name: str) -> None:
    file_name = "".join(
        character for character in name if character not in "/\0" and not "\ud800" <= character < "\ue000"
    )

    text = export(edit_with(name=name, source=Path("/footage") / f"x{file_name}"), format)

    assert text.encode("utf-8")


@pytest.mark.parametrize("format", FORMATS | ON_REQUEST)
def test_rates_that_are_no_standard_are_written(edit_with: Callable[..., EditList], format: str) -> None:
    assert export(edit_with(rate=Fraction(1193, 40)), format)


def test_loading_the_table_loads_nothing_heavy() -> None:
    code = (
        "import sys, snapupscale.timeline.exports as _;"
        "print(sorted({'torch', 'av', 'cv2', 'numpy', 'opentimelineio'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"

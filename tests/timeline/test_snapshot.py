"""What menu scripts send, read strictly and turned into exact values."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshots import make_item, make_json, make_marker, make_media, make_snapshot
from snapupscale.errors import SettingError
from snapupscale.timeline.snapshot import read_snapshot


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("24", Fraction(24)),
        ("24.0", Fraction(24)),
        (24, Fraction(24)),
        (23.976, Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("29.97 DF", Fraction(30000, 1001)),
        ("59.94 df ", Fraction(60000, 1001)),
    ],
)
def test_rates_are_exact(text: str | float, rate: Fraction) -> None:
    snapshot = make_snapshot(rate=text, media=[make_media(rate=text)])

    assert snapshot.timeline.rate == rate
    assert snapshot.media[0].rate == rate


@pytest.mark.parametrize(
    ("rate", "start_frame", "start_timecode", "frame", "expected"),
    [
        ("23.976", 86400, "01:00:00:00", 86424, "01:00:01:00"),
        ("29.97 DF", 107892, "01:00:00;00", 107892, "01:00:00;00"),
        ("29.97 DF", 107892, "01:00:00;00", 107892 + 1800, "01:01:00;02"),
        ("29.97", 108000, "01:00:00:00", 108030, "01:00:01:00"),
        ("25", 90000, "", 90025, "01:00:01:00"),
        ("25", 0, "nonsense", 50, "00:00:02:00"),
        ("24", 0, "00:00:00;00", 24, "00:00:01:00"),
    ],
)
def test_record_frames_have_the_timecode_that_the_editor_shows(
    rate: str, start_frame: int, start_timecode: str, frame: int, expected: str
) -> None:
    timeline = {"rate": rate, "start_frame": start_frame, "start_timecode": start_timecode, "end_frame": 200_000}

    assert make_snapshot(**timeline).timeline.timecode(frame) == expected


def test_source_timecode_counts_from_the_cameras_start() -> None:
    drop = make_media("a", rate="29.97", start_timecode="10:00:00;00")
    none = make_media("b", rate="25", start_timecode="")
    sound = make_media("c", rate="", start_timecode="10:00:00:00")
    snapshot = make_snapshot(media=[drop, none, sound])

    assert [media.timecode(1800) for media in snapshot.media] == ["10:01:00;02", "00:01:12:00", ""]


@pytest.mark.parametrize(
    ("frames", "expected"), [("120", 120), (120, 120), (120.0, 120), ("", None), ("many", None), ("-1", None)]
)
def test_the_number_of_frames_is_text_in_the_editor(frames: object, expected: int | None) -> None:
    assert make_snapshot(media=[make_media(frames=frames)]).media[0].frames == expected


def test_what_has_no_rate_is_no_mistake() -> None:
    medias = [make_media(f"m{number}", rate=rate) for number, rate in enumerate(["", "0", "N/A", "24"])]

    assert [media.rate for media in make_snapshot(media=medias).media] == [None, None, None, 24]


def test_online_unless_it_says_offline() -> None:
    medias = [make_media(text or "none", online=text) for text in ("Online", "", "Offline", "Media Offline")]

    assert [media.online for media in make_snapshot(media=medias).media] == [True, True, False, False]


def test_names_of_files_are_those_of_any_system() -> None:
    paths = ["/a/b c.mov", "C:\\clips\\d.mov", "\\\\server\\share\\e.mxf", "/x/turned \u202e.mov"]
    medias = [make_media(f"m{number}", path=path) for number, path in enumerate(paths)]

    assert [media.name for media in make_snapshot(media=medias).media] == ["b c.mov", "d.mov", "e.mxf", "turned _.mov"]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"rate": "fast"}, "timeline.rate: "),
        ({"rate": "1/0"}, "timeline.rate: "),
        ({"rate": None}, "timeline.rate: "),
        ({"rate": True}, "timeline.rate: "),
        ({"end_frame": 0}, "timeline.end_frame: "),
        ({"scope": "world"}, "scope: "),
        ({"tracks": []}, "items[0].track: "),
        ({"tracks": [{"index": 1, "name": "", "locked": False, "enabled": True}] * 2}, "tracks[1].index: "),
        ({"media": [make_media(), make_media()]}, "media[1].id: "),
        ({"media": [make_media(path=7)]}, "media[0].path: "),
        ({"media": [make_media(online=None)]}, "media[0].online: "),
        ({"markers": [make_marker(0) | {"frame": "0"}]}, "markers[0].frame: "),
        ({"items": [make_item("a", 0, 9), make_item("a", 9, 10)]}, "items[1].id: "),
        ({"items": [make_item("a", 9, 8)]}, "items[0].end: "),
        ({"items": [make_item("a", 0, 9, in_scope="yes")]}, "items[0].in_scope: "),
        ({"items": [make_item(f"{number}", 0, 9) for number in range(20_001)]}, "items: "),
    ],
)
def test_a_mistake_is_named_with_its_place(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(SettingError) as caught:
        make_snapshot(make_item("a", 86400, 86500), **changes) if "items" not in changes else read_snapshot(
            make_json() | changes
        )
    assert str(caught.value).startswith(place)


NEEDED = {"items": {"id", "name", "track", "start", "end"}, "media": {"id", "path", "type", "rate", "frames"}}
"""What must be told of an item and of a medium; all else has a usual value."""


def test_what_has_no_usual_value_is_needed() -> None:
    whole = make_json(make_item("a", 86400, 86500), markers=[make_marker(0)])
    parts: list[tuple[dict[str, Any], set[str]]] = [
        (whole, set(whole)),
        *((whole[name], set(whole[name])) for name in ("host", "project", "timeline")),
        *((whole[name][0], NEEDED.get(name, set(whole[name][0]))) for name in ("items", "media", "markers", "tracks")),
    ]
    for part, needed in parts:
        for key in needed:
            kept = part.pop(key)
            with pytest.raises(SettingError, match=f"{key}.*missing"):
                read_snapshot(whole)
            part[key] = kept
    read_snapshot(whole)


def test_what_has_its_usual_value_may_be_left_out() -> None:
    whole = make_json(make_item("a", 86400, 86500))
    for name, needed in NEEDED.items():
        whole[name] = [{key: part[key] for key in needed} for part in whole[name]]

    item = read_snapshot(whole).items[0]

    assert (item.media, item.source_start, item.enabled, item.takes, item.in_scope) == ("", None, True, 0, False)
    assert read_snapshot(whole).media[0].online


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@settings(deadline=None)
@given(value=values, data=st.data())
def test_nothing_but_a_setting_error_is_raised(value: object, data: st.DataObject) -> None:
    whole = make_json(make_item("a", 86400, 86500), markers=[make_marker(0)])
    place: Any = whole
    while isinstance(place, dict | list) and place:
        parent = place
        key: Any = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        place = place[key]
        if data.draw(st.booleans()):
            break
    parent[key] = value

    try:
        snapshot = read_snapshot(whole)
    except SettingError:
        pass
    else:
        assert snapshot.timeline.rate > 0
        snapshot.timeline.timecode(snapshot.timeline.end_frame)


def test_the_largest_timeline_is_read_in_time() -> None:
    items = [make_item(f"{number}", 86400 + number, 86401 + number) for number in range(20_000)]
    markers = [make_marker(number) for number in range(100_000)]
    data = json.loads(json.dumps(make_json(*items, markers=markers)))

    before = time.perf_counter()
    assert len(read_snapshot(data).items) == 20_000
    assert time.perf_counter() - before < 10


def test_names_that_people_typed_are_never_too_long() -> None:
    long, broken = "n" * 10_000, "a\0b\udcff"
    snapshot = make_snapshot(
        make_item("a", 86400, 86500) | {"name": long},
        name=broken,
        project={"id": "pr", "name": long},
        tracks=[{"index": 1, "name": broken, "locked": False, "enabled": True}],
        markers=[make_marker(0, name=long, note=broken)],
        media=[make_media(path="/x/" + long[:4000])],
    )

    assert len(snapshot.items[0].name) == len(snapshot.markers[0].name) == 4096
    assert snapshot.timeline.name == snapshot.tracks[0].name == snapshot.markers[0].note == "a_b_"
    assert len(snapshot.media[0].name) == 255


@pytest.mark.parametrize("changes", [{"id": ""}, {"project": {"id": "", "name": "Film"}}])
def test_what_is_made_needs_a_timeline_to_be_found_on(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="id: is empty"):
        make_snapshot(**changes)


def test_a_title_is_not_taken_for_media_without_an_id() -> None:
    assert make_snapshot(media=[make_media("", path="/x/a.mov"), make_media("m1")]).media_by_id.keys() == {"m1"}


def test_the_start_of_a_drop_frame_timeline_may_be_written_with_colons() -> None:
    timeline = {"rate": "29.97 DF", "start_frame": 107892, "start_timecode": "01:00:00:00", "end_frame": 200_000}

    assert make_snapshot(**timeline).timeline.timecode(107892 + 1800) == "01:01:00;02"

"""Which items are worked on, and the reasons for the others."""

from __future__ import annotations

from typing import Any

import pytest

from snapshots import make_item, make_media, make_snapshot
from snapupscale.timeline.mapping import FREEZE, RAMP, UNKNOWN
from snapupscale.timeline.scope import NO_FILE, TAKE, Wanted, scoped, wanted

OWN = make_media("own", path="C:\\stills\\a_s001.SNAPUPSCALE.mov")


def own_track(index: int = 2, name: str = "SnapUpscale") -> list[dict[str, Any]]:
    tracks = [{"index": number, "name": "", "locked": False, "enabled": True} for number in range(1, index)]
    return [*tracks, {"index": index, "name": name, "locked": False, "enabled": True}]


@pytest.mark.parametrize(
    ("item", "media", "reason"),
    [
        ({"type": "transition", "media": ""}, {}, "transition"),
        ({"type": "generator", "media": ""}, {}, "generator"),
        ({"type": "audio"}, {}, "sound alone"),
        ({"media": ""}, {}, NO_FILE),
        ({"media": "not listed"}, {}, NO_FILE),
        ({"id": ""}, {}, "no id"),
        ({"enabled": False}, {}, "disabled"),
        ({"fusion_comps": 1}, {}, "Fusion composition"),
        ({"source_start": 0, "source_end": 0}, {}, UNKNOWN),
        ({"speed": 0}, {}, FREEZE),
        ({"speed": 300}, {}, RAMP),
        ({"end": 86400}, {}, "no length"),
        ({}, {"type": "Compound", "path": ""}, "compound"),
        ({}, {"type": "Multicam", "path": ""}, "multicam"),
        ({}, {"type": "Timeline", "path": ""}, "nested timeline"),
        ({}, {"type": "Fusion Composition", "path": ""}, "Fusion clip"),
        ({}, {"type": "Generator", "path": ""}, "generator"),
        ({}, {"type": "Still"}, "still picture"),
        ({}, {"type": "Audio", "rate": ""}, "sound alone"),
        ({}, {"online": "Offline"}, "offline"),
        ({}, {"path": ""}, "no source file"),
        ({}, {"rate": ""}, "no video"),
        ({}, {"frames": "0"}, "no frame"),
        ({}, {"path": "/x/shot.snapupscale.mov"}, TAKE),
    ],
)
def test_the_reason_names_what_is_in_the_way(item: dict[str, Any], media: dict[str, Any], reason: str) -> None:
    item = make_item("bad", 86400, 86500) | {"track": 2} | item
    snapshot = make_snapshot(item, make_item("good", 86500, 86600), media=[make_media(**media), make_media("m2")])
    scope = scoped(snapshot)

    skip = scope.skipped[0]
    assert (skip.item, skip.track, skip.at) == ("bad", 2, "01:00:00:00")
    assert reason in skip.reason
    assert skip.reason.endswith(".")


def test_a_good_clip_beside_is_worked_on() -> None:
    scope = scoped(make_snapshot(make_item("bad", 0, 9, enabled=False), make_item("good", 9, 20)))

    assert [target.item.name for target in scope.targets] == ["good"]
    assert [item.name for item in scope.items] == ["bad", "good"]


def test_items_out_of_scope_are_not_spoken_of() -> None:
    snapshot = make_snapshot(make_item("a", 0, 9, in_scope=False, enabled=False), make_item("b", 9, 20, in_scope=False))

    assert scoped(snapshot).items == scoped(snapshot).skipped == ()


def test_a_disabled_track_is_left_alone() -> None:
    tracks = [{"index": 1, "name": "", "locked": False, "enabled": False}]

    assert "track is disabled" in scoped(make_snapshot(make_item("a", 0, 9), tracks=tracks)).skipped[0].reason


def test_the_types_of_another_language_are_taken_by_their_files() -> None:
    assert scoped(make_snapshot(make_item("a", 0, 9), media=[make_media(type="Vidéo + audio")])).targets


def test_overlays_of_our_own_are_left_out_silently() -> None:
    overlay = make_item("o", 0, 9, track=2, media="own")
    snapshot = make_snapshot(make_item("a", 0, 9), overlay, tracks=own_track(), media=[make_media(), OWN])

    scope = scoped(snapshot)

    assert [item.name for item in scope.items] == ["a"]
    assert scope.skipped == ()


def test_the_editors_clips_on_a_track_of_our_name_are_the_editors() -> None:
    snapshot = make_snapshot(make_item("a", 0, 9, track=2), tracks=own_track())

    assert [target.item.name for target in scoped(snapshot).targets] == ["a"]


@pytest.mark.parametrize("name", ["SnapUpscale", "SnapUpscale 2", "SnapUpscale 14"])
def test_with_an_overlay_under_the_playhead_the_clip_under_it_is_meant(name: str) -> None:
    snapshot = make_snapshot(
        make_item("deep", 0, 50, in_scope=False),
        make_item("meant", 0, 50, in_scope=False, track=2),
        make_item("o", 10, 19, track=3, media="own"),
        make_item("above", 0, 50, in_scope=False, track=4),
        tracks=[*own_track(3, name), {"index": 4, "name": "", "locked": False, "enabled": True}],
        media=[make_media(), OWN],
        scope="playhead",
    )

    assert [target.item.name for target in scoped(snapshot).targets] == ["meant"]


def test_wanted_are_the_used_ranges_of_each_source() -> None:
    snapshot = make_snapshot(
        make_item("a", 0, 50, source_start=100),
        make_item("b", 50, 90, source_start=140),
        make_item("c", 90, 100, source_start=500),
        make_item("d", 100, 110, media="m2"),
        make_item("e", 110, 120, media="m3"),
        media=[make_media(), make_media("m2"), make_media("m3", online="Offline")],
    )

    assert wanted(snapshot, "mark") == (
        Wanted(media="m1", path="/footage/m1.mov", ranges=((100, 180), (500, 510))),
        Wanted(media="m2", path="/footage/m2.mov", ranges=((0, 10),)),
    )
    assert wanted(snapshot, "stills") == wanted(snapshot, "mark")
    assert wanted(snapshot, "undo") == wanted(snapshot, "remove_markers") == ()


def test_what_lies_on_a_disabled_track_is_not_what_is_seen_under_an_overlay() -> None:
    tracks = own_track(3)
    tracks[1]["enabled"] = False
    snapshot = make_snapshot(
        make_item("seen", 0, 50, in_scope=False),
        make_item("off", 0, 50, in_scope=False, track=2),
        make_item("o", 10, 19, track=3, media="own"),
        tracks=tracks,
        media=[make_media(), OWN],
        scope="playhead",
    )

    assert [item.name for item in scoped(snapshot).items] == ["seen"]

"""What is read of the emulated editor's timeline, and with how many calls."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from plugin.hosts import EVERYTHING, PROFILES
from snapupscale import protocol
from snapupscale.timeline.mapping import map_item
from snapupscale.timeline.snapshot import read_snapshot
from snapupscale_resolve.editor import Editor
from snapupscale_resolve.editor_faults import EditorFault, NotAnswering, NothingChosen, NothingOpen, TooOld
from snapupscale_resolve.kept import Kept
from snapupscale_resolve.snapshot_taker import NOTHING, choose, take_snapshot

from resolve_emulator.quirks import read_quirks  # isort: skip  # plugin.hosts puts their folder on the path
from workbench import Bench, quit_application  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEDIA = {"rate": Fraction(24), "frames": 1000, "width": 1920, "height": 1080, "audio_channels": 2}


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Make an editor; it is ended with the test."""
    yield Bench
    quit_application()


def filled(bench: Bench, items: int = 3) -> list[Any]:
    """Clips of 100 frames that follow each other, all of one source."""
    media = bench.add_media("/footage/a.mov", **MEDIA)
    return [bench.add_item(media, 86400 + 100 * number, 100, source=10 * number) for number in range(items)]


def snapshot_of(bench: Bench, chosen: Any = EVERYTHING) -> Any:
    """Taken, sent and read, as the sidecar reads it."""
    raw = take_snapshot(Editor(bench.resolve), chosen)
    sent = protocol.encode({"snapshot": raw})
    return read_snapshot(protocol.read_snapshot(protocol.decode(sent)["snapshot"]))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_timeline_is_read_in_every_version(bench: Callable[..., Bench], profile: str) -> None:
    work = bench(profile)
    filled(work)
    work.add_transition(86500, 8)
    work.add_item(None, 86700, 50, kind="title", track=2)
    work.lock("video", 2)
    work.resolve.GetProjectManager().GetCurrentProject().GetCurrentTimeline().AddMarker(5, "Red", "n", "o", 2, "c")
    found = snapshot_of(work)
    assert found.host.product.startswith("DaVinci Resolve")
    assert (found.timeline.start_frame, found.timeline.start_timecode) == (86400, "01:00:00:00")
    assert found.timeline.rate == 24
    assert (found.timeline.width, found.timeline.height, found.timeline.playhead) == (1920, 1080, "01:00:00:00")
    assert [(track.name, track.locked, track.enabled) for track in found.tracks] == [
        ("Video 1", False, True),
        ("Video 2", True, True),
    ]
    clips = [item for item in found.items if item.media]
    assert [(item.start, item.end, item.left_offset) for item in clips] == [
        (86400, 86500, 0),
        (86500, 86600, 10),
        (86600, 86700, 20),
    ]
    assert all(item.in_scope and item.enabled for item in found.items)
    assert len(found.items) == 5
    assert [(media.path, media.rate, media.frames) for media in found.media] == [("/footage/a.mov", 24, 1000)]
    assert found.markers[0].frame == 5
    for item in clips:
        frames = map_item(item, found.media[0], Fraction(24))
        assert not isinstance(frames, str)
        assert frames.source_at(item.start) == item.left_offset


def test_drop_frame_and_other_rates(bench: Callable[..., Bench]) -> None:
    work = bench(rate=Fraction(30000, 1001), drop=True)
    media = work.add_media("/footage/a.mov", **{**MEDIA, "rate": Fraction(25)})
    work.add_item(media, 107892, 60, source=Fraction(1, 2))
    found = snapshot_of(work)
    assert (found.timeline.start_frame, found.timeline.start_timecode) == (107892, "01:00:00;00")
    assert found.timeline.rate == Fraction(30000, 1001)
    assert found.timeline.timecode(107892) == "01:00:00;00"
    assert found.media[0].rate == 25
    assert found.items[0].left_offset != round(found.items[0].left_offset or 0), "parts of frames are told"


def test_speeds_are_read_where_they_are_told(bench: Callable[..., Bench]) -> None:
    for profile, told in (("21.0-studio", None), ("21.1-studio", 200)):
        work = bench(profile)
        work.add_item(work.add_media("/footage/a.mov", **MEDIA), 86400, 50, speed=2)
        assert snapshot_of(work).items[0].speed == told
        quit_application()


def test_takes_compositions_and_disabled_items_are_told(bench: Callable[..., Bench]) -> None:
    work = bench()
    one, two, three = filled(work)
    work.add_takes(one, work.add_media("/footage/b.mov", **MEDIA))
    work.add_comp(two)
    three.enabled = False
    found = snapshot_of(work).items
    assert [(item.takes, item.take, item.fusion_comps, item.enabled) for item in found] == [
        (2, 1, 0, True),
        (0, 0, 1, True),
        (0, 0, 0, False),
    ]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_selection_counts_then_the_playhead_then_the_timeline(bench: Callable[..., Bench], profile: str) -> None:
    work = bench(profile)
    one, two, three = filled(work)
    work.select(one, three)
    work.move_playhead(86550)
    editor = Editor(work.resolve)
    can = profile in {"21.0.4-studio", "21.1-studio"}
    chosen = choose(editor)
    assert (chosen.scope, chosen.ids) == (("selection", {one.id, three.id}) if can else ("playhead", {two.id}))
    assert choose(editor, "playhead").ids == {two.id}
    if not can:
        assert "21.0.4" in choose(editor, "selection").said
    found = snapshot_of(work, chosen)
    assert [item.id for item in found.items if item.in_scope] == sorted(chosen.ids or ())
    assert [item.left_offset is None for item in found.items] == [not item.in_scope for item in found.items]
    work.select()
    work.move_playhead(90000)
    chosen = choose(editor)
    assert (chosen.scope, chosen.ids) == ("timeline", None)
    assert "none is under the playhead" in chosen.said
    with pytest.raises(NothingChosen, match="under the playhead"):
        choose(editor, "playhead")
    assert choose(editor, "timeline").ids is None


def test_what_a_chosen_item_covers_is_read_whole(bench: Callable[..., Bench]) -> None:
    work = bench()
    one, two, _ = filled(work)
    over = work.add_item(work.add_media("/footage/b.mov", **MEDIA), 86550, 10, track=2)
    work.move_playhead(86550)
    found = snapshot_of(work, choose(Editor(work.resolve))).items
    assert [item.id for item in found if item.in_scope] == [over.id]
    assert [item.id for item in found if item.left_offset is not None] == [two.id, over.id]
    assert one.id not in {item.id for item in found if item.source_end is not None}


def test_the_playhead_is_read_on_the_edit_page_and_the_page_comes_back(bench: Callable[..., Bench]) -> None:
    work = bench()
    _, two, _ = filled(work)
    work.move_playhead(86550)
    work.app.page = "media"
    editor = Editor(work.resolve)
    with Kept(editor, ("edit",)):
        assert work.app.page == "edit"
        assert choose(editor).ids == {two.id}
    assert work.app.page == "media"


def test_an_empty_timeline_and_selected_sound_are_told_of(bench: Callable[..., Bench]) -> None:
    work = bench("21.1-studio")
    work.add_timeline("Empty")
    with pytest.raises(NothingChosen, match="no clip on a video track"):
        snapshot_of(work)
    sound = work.add_item(work.add_media("/footage/a.mov", **MEDIA), 86400, 100, kind="audio")
    work.select(sound)
    with pytest.raises(NothingChosen):
        snapshot_of(work, choose(Editor(work.resolve)))
    assert snapshot_of(work, NOTHING).items == ()


def test_what_is_missing_in_the_editor_is_named(bench: Callable[..., Bench]) -> None:
    work = bench()
    with pytest.raises(NothingOpen, match="no timeline is open") as raised:
        Editor(work.resolve)
    assert "Open a timeline" in raised.value.hint
    filled(work)
    work.app.quirks = read_quirks("modal")
    with pytest.raises(NotAnswering, match="a dialog of it may be open") as raised_busy:
        Editor(work.resolve)
    assert "Close every open dialog" in raised_busy.value.hint


class Old:
    """A version that is too old."""

    def GetProductName(self) -> str:
        return "DaVinci Resolve"

    def GetVersion(self) -> list[Any]:
        return [18, 1, 4, 9, ""]

    def GetVersionString(self) -> str:
        return "18.1.4.9"


def test_versions_that_are_too_old_are_refused() -> None:
    with pytest.raises(TooOld, match=r"needs DaVinci Resolve 18\.5 or later; this is 18\.1\.4\.9"):
        Editor(Old())  # type: ignore[arg-type]


def test_every_call_may_fail_once(bench: Callable[..., Bench]) -> None:
    work = bench("21.1-studio")
    filled(work)
    whole = take_snapshot(Editor(work.resolve), EVERYTHING)
    for number in range(1, len(work.app.log) + 1):
        work.forget_calls()
        work.app.quirks = read_quirks(f"fail={number}")
        try:
            found = take_snapshot(Editor(work.resolve), EVERYTHING)
        except EditorFault:
            continue
        assert found == whole, (number, work.app.log[number - 1])


def test_five_hundred_items_cost_few_calls(bench: Callable[..., Bench]) -> None:
    work = bench("21.1-studio")
    items = filled(work, 500)
    work.forget_calls()
    take_snapshot(Editor(work.resolve), EVERYTHING)
    every = len(work.app.log)
    assert len(work.calls("MediaPoolItem.GetClipProperty")) == 1
    assert every <= 17 * 500 + 40, every
    work.move_playhead(86450)
    work.forget_calls()
    editor = Editor(work.resolve)
    take_snapshot(editor, choose(editor))
    assert len(work.app.log) <= 11 * 500 + 50, "of neighbours less is read"
    work.forget_calls()
    take_snapshot(Editor(work.resolve), NOTHING, with_items=False)
    assert len(work.app.log) < 40
    assert items


def test_three_thousand_items_fit_into_one_request(bench: Callable[..., Bench]) -> None:
    work = bench("21.1-studio")
    filled(work, 3000)
    raw = take_snapshot(Editor(work.resolve), EVERYTHING)
    assert len(protocol.encode({"action": "mark", "snapshot": raw, "options": {}})) < 1 << 20


def test_long_and_odd_texts_are_cut(bench: Callable[..., Bench]) -> None:
    work = bench()
    items = filled(work, 1)
    items[0].name = "n\0" * 5000
    timeline = work.resolve.GetProjectManager().GetCurrentProject().GetCurrentTimeline()
    timeline.AddMarker(5, "Red", "n" * 9000, "o\ud800" * 9000, 2, "")
    found = snapshot_of(work)
    assert found.items[0].name == "n" * 200
    assert (len(found.markers[0].name), len(found.markers[0].note)) == (1000, 1000)

from __future__ import annotations

import shutil
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from snapupscale.errors import SourceTruncated
from snapupscale.media.decoder import Decoder
from snapupscale.media.packets import is_intra, read_packets
from snapupscale.media.source import probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOOTAGE: dict[str, dict[str, Any]] = {
    "packets.mp4": {"frames": 60, "options": {"g": "20", "bf": "3", "x264-params": "scenecut=0:b-pyramid=2"}},
    "packets.ts": {"frames": 60, "options": {"g": "20", "bf": "3", "x264-params": "scenecut=0:open-gop=1"}},
    "packets_late.mkv": {
        "frames": 30,
        "time_base": Fraction(1, 1000),
        "pts": [5000 + number * 40 + number // 10 * 300 for number in range(30)],
    },
}


@pytest.mark.parametrize("name", FOOTAGE)
def test_packets_have_the_times_and_keyframes_of_the_frames(clip: Callable[..., Path], name: str) -> None:
    source = probe(clip(name, **FOOTAGE[name]))
    decoder = Decoder(source)
    frames = list(decoder.frames())
    packets = read_packets(source)
    assert [ticks * packets.tick for ticks in packets.ticks.tolist()] == [frame.time for frame in frames]
    assert packets.keys.tolist() == decoder.index().keyframes.tolist()
    assert packets.sizes.sum() <= source.path.stat().st_size
    assert packets.sizes[packets.keys].min() > packets.sizes[~packets.keys].mean()


def test_a_raw_stream_counts_its_packets(clip: Callable[..., Path]) -> None:
    packets = read_packets(probe(clip("packets.h264", frames=20, container="h264"), rate=Fraction(25)))
    assert packets.ticks.tolist() == list(range(20))
    assert packets.tick == Fraction(1, 25)


def test_a_cut_off_file_gives_what_is_there(clip: Callable[..., Path], tmp_path: Path) -> None:
    whole = clip("packets_mov.mp4", frames=60, container_options={"movflags": "faststart"})
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 5 < len(read_packets(probe(path))) < 60


def test_a_file_that_lost_its_content_is_an_error(clip: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "clip.ts"
    shutil.copy(clip("packets.ts", **FOOTAGE["packets.ts"]), path)
    source = probe(path)
    path.write_bytes(path.read_bytes()[: 188 * 3])
    with pytest.raises(SourceTruncated):
        read_packets(source)


@pytest.mark.parametrize(
    ("name", "recipe", "expected"),
    [
        ("intra_mjpeg.mov", {"codec": "mjpeg", "pixel_format": "yuvj420p"}, True),
        ("intra_h264.mp4", {"options": {"g": "1"}}, True),
        ("packets.mp4", FOOTAGE["packets.mp4"], False),
    ],
)
def test_footage_whose_frames_stand_alone_is_told(
    clip: Callable[..., Path], name: str, recipe: dict[str, Any], expected: bool
) -> None:
    assert is_intra(probe(clip(name, **recipe))) is expected

"""The menu scripts as installed, run by the host of the Scripts menu, with the real sidecar that they start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from footage import long_footage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
SNAPUPSCALE = [sys.executable, "-m", "snapupscale"]
EMULATOR = Path(__file__).parents[1] / "emulator"

# Run by a Python that knows nothing of the scripts but where they were installed.
_DRIVER = """
import contextlib, io, json, sys
from pathlib import Path
import python_host
from workbench import Bench

menu, profile, clip, *entries = sys.argv[1:]
bench = Bench(profile, project="Film")
pool = bench.resolve.GetProjectManager().GetCurrentProject().GetMediaPool()
pool.CreateEmptyTimeline("Schnitt")
media = pool.ImportMedia([clip])[0]
for first, end, record in ((0, 40, 0), (100, 130, 60)):
    pool.AppendToTimeline([{"mediaPoolItem": media, "startFrame": first, "endFrame": end, "mediaType": 1,
                            "trackIndex": 1, "recordFrame": bench.timeline.start + record}])
bench.move_playhead(bench.timeline.start + 10_000)  # no clip is there: all are meant
told = []
for entry in ("", *entries):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        if entry == "Show Shots":
            bench.move_playhead(bench.timeline.start)
        if entry:
            python_host.run(Path(menu) / (entry + ".py"))
    told.append({
        "said": said.getvalue(),
        "markers": sorted([int(frame), marker["customData"]] for frame, marker in bench.timeline.markers.items()),
        "tracks": [[track.name, [[int(item.start), int(item.duration), item.clip.asset.path] for item in track.items]]
                   for track in bench.timeline.tracks["video"]],
        "timelines": len(bench.project.timelines),
        "faults": [str(fault) for fault in bench.app.faults],
        "loaded": [sys.modules["snapupscale_resolve"].__file__] if entry else [],
    })
print(json.dumps(told))
"""


class Home:
    """A user's home with the scripts installed, and an editor that runs them."""

    def __init__(self, folder: Path, clip: Path) -> None:
        self.folder = folder
        self.clip = clip
        names = {
            "HOME": "",
            "XDG_DATA_HOME": ".local/share",
            "XDG_CONFIG_HOME": ".config",
            "XDG_CACHE_HOME": ".cache",
            "XDG_STATE_HOME": ".local/state",
            "XDG_RUNTIME_DIR": "run",
            "XDG_VIDEOS_DIR": "Videos",
            "TMPDIR": "tmp",
        }
        for name in names.values():
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        own = {name: str(folder / path) for name, path in names.items()}
        self.env = {**os.environ, **own, "BROWSER": "true", "PYTHONPATH": str(EMULATOR), "PYTHONUTF8": "1"}

    def command(self, *words: str) -> str:
        done = subprocess.run([*SNAPUPSCALE, *words], env=self.env, capture_output=True, text=True, check=True)
        return done.stdout

    def choose(self, profile: str, *entries: str) -> list[Any]:
        """What the timeline is like before, and after each of the entries."""
        menu = self.folder / ".local/share/DaVinciResolve/Fusion/Scripts/Utility/SnapUpscale"
        words = [sys.executable, "-c", _DRIVER, str(menu), profile, str(self.clip), *entries]
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told: list[Any] = json.loads(done.stdout)
        return told


@pytest.fixture
def home(tmp_path: Path, clip: Callable[..., Path]) -> Iterator[Home]:
    film = tmp_path / "Ünser Film & mehr"
    film.mkdir()
    copy = film / "ä clip #1 100%.mp4"
    copy.write_bytes(clip("menu_installed.mp4", frames=140, picture=long_footage).read_bytes())
    made = Home(tmp_path / "Zuhause von Jörg", copy)
    made.command("install", "--user")
    yield made
    subprocess.run([*SNAPUPSCALE, "sidecar", "stop"], env=made.env, capture_output=True, check=False)


def check_marks(home: Home, profile: str) -> None:
    entries = ["Mark Scene Cuts"] * 2 + ["Undo Last SnapUpscale", "Mark Scene Cuts", "Remove SnapUpscale Markers"]
    before, first, second, undone, again, removed = home.choose(profile, *entries)
    assert [frame for frame, _ in first["markers"]] == [20, 80], first["said"]
    assert second["markers"] == first["markers"], "nothing is doubled"
    assert undone["markers"] == [], "the run that made nothing is passed over"
    assert "Undone." in undone["said"]
    assert [frame for frame, _ in again["markers"]] == [20, 80]
    assert "2 markers removed." in removed["said"]
    for state in (first, undone, removed):
        assert (state["tracks"], state["timelines"], state["faults"]) == (before["tracks"], 1, [])
    assert str(home.folder) in first["loaded"][0], "not those of this checkout"


def test_installed_scripts_mark_a_film_in_a_folder_with_an_odd_name(home: Home) -> None:
    check_marks(home, "19.1.3-studio")
    home.command("uninstall", "--user")
    assert not [*home.folder.rglob("*SnapUpscale.py")]


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["18.6-studio", "21.0-free", "21.1-studio"])
def test_installed_scripts_work_in_other_versions(home: Home, profile: str) -> None:
    check_marks(home, profile)
    before, stills, shown, undone = home.choose(
        profile, "Upscale Shots to Stills", "Show Shots", "Undo Last SnapUpscale"
    )
    name, placed = stills["tracks"][1]
    assert (name, [item[:2] for item in placed]) == (
        "SnapUpscale",
        [[86400, 20], [86420, 20], [86460, 20], [86480, 10]],
    ), stills["said"]
    assert all(path.startswith(str(home.folder)) for _, _, path in placed)
    assert "the report is open in the browser" in shown["said"]
    assert undone["tracks"] == before["tracks"]
    assert (undone["timelines"], undone["faults"]) == (2, []), "the copy of the timeline stays"


def test_where_python_scripts_do_not_run_there_is_no_entry_of_them(home: Home) -> None:
    with pytest.raises(AssertionError, match="is not in the Scripts menu of this edition"):
        home.choose("21.1-free", "Mark Scene Cuts")

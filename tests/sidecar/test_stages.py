from __future__ import annotations

from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from snapshots import make_item, make_media, make_snapshot
from snapupscale.errors import DiskFull, SettingError, SnapUpscaleError, SourceMissing
from snapupscale.sidecar.stages import (
    Known,
    Task,
    Work,
    advanced,
    first_fault,
    held,
    hold_tasks,
    project_folder,
    read_work,
    upscale_tasks,
    with_faults,
)
from snapupscale.timeline.found import Found
from snapupscale.timeline.pieces import Held, pieces
from snapupscale.timeline.plan import Plan, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable

FILM = Fraction(24)
CUTS = Found(rate=FILM, frames=1000, cuts=(20, 40))
NO_ROOM = {"code": "disk-full", "message": "no space", "hint": "Free some."}


def known(*items: dict[str, Any], found: Found | str = CUTS, **changes: Any) -> Known:
    """Items of `m1`, in which `found` was found."""
    options = changes.pop("options", {})
    return Known(
        snapshot=make_snapshot(*items, **changes),
        findings={"m1": found},
        memory=(),
        options=options,
        folder=Path("/films/Film"),
    )


def upscaled(tasks: Iterable[Task], *stills: tuple[int, int]) -> tuple[Task, ...]:
    """The tasks, done with `stills`: the shot and the frame of each."""
    made = [{"name": f"s{shot}_f{number}.png", "shot": shot, "number": number} for shot, number in stills]
    return tuple(replace(task, result={"made": made}) for task in tasks)


def moved(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """The tasks that hold, done."""
    return tuple(
        replace(task, result={"movie": f"{Path(task.request['source']).stem}.mov", "frames": task.request["frames"]})
        for task in tasks
    )


def test_each_range_of_an_item_is_upscaled_once() -> None:
    there = known(
        make_item("a", 86400, 86450, source_start=10),
        make_item("b", 86450, 86460, source_start=100),
        make_item("c", 86460, 86510, source_start=10),
        options={"scale": 2, "backend": "lanczos"},
    )

    first, second = (task.request for task in upscale_tasks(there))

    assert Path(first["folder"]).parent == there.folder
    assert Path(first["folder"]).name.startswith("m1-")
    assert first == {
        "kind": "upscale",
        "source": "/footage/m1.mov",
        "first": 10,
        "end": 60,
        "counted": "frames",
        "folder": first["folder"],
        "scale": 2,
        "backend": "lanczos",
    }
    assert (second["first"], second["end"], second["folder"]) == (100, 110, first["folder"])


def test_clips_of_one_name_do_not_share_a_folder() -> None:
    media = [make_media("m1", path="/a/clip.mov"), make_media("m2", path="/b/clip.mov")]
    there = known(make_item("a", 0, 50), make_item("b", 50, 90, media="m2"), media=media)
    there = replace(there, findings={"m1": CUTS, "m2": CUTS})

    folders = {task.request["folder"] for task in upscale_tasks(there)}

    assert len(folders) == 2
    assert folders == {task.request["folder"] for task in upscale_tasks(there)}


def test_a_source_that_could_not_be_used_is_left_out() -> None:
    there = known(make_item("a", 86400, 86450), found="No film.")

    assert upscale_tasks(there) == ()
    assert hold_tasks(there, ()) == ()
    assert held(there, (), ()) == {}


def test_each_piece_is_held_for_its_length_from_the_timecode_of_its_frame() -> None:
    media = [make_media("m1", start_timecode="10:00:00:00", rate="25", frames="1000")]
    there = known(make_item("a", 86400, 86450, source_start=0), media=media, rate="25")
    ups = upscaled(upscale_tasks(there), (1, 5), (2, 33), (3, 44))

    tasks = hold_tasks(there, ups)

    folder = Path(upscale_tasks(there)[0].request["folder"])
    assert [task.request for task in tasks] == [
        {
            "kind": "hold",
            "source": str(folder / name),
            "rate": "25",
            "frames": frames,
            "start": start,
            "start_rate": "25",
        }
        for name, frames, start in (
            ("s1_f5.png", 20, "10:00:00:05"),
            ("s2_f33.png", 20, "10:00:01:08"),
            ("s3_f44.png", 10, "10:00:01:19"),
        )
    ]
    assert held(there, ups, moved(tasks)) == {
        piece: Held(path=str(folder / f"s{piece.shot}_f{frame}.mov"), frames=piece.frames)
        for piece, frame in zip(pieces(there.snapshot, there.findings), (5, 33, 44), strict=True)
    }


def test_pieces_of_the_same_still_and_length_share_a_movie() -> None:
    there = known(
        make_item("a", 86400, 86420, source_start=0),
        make_item("b", 86420, 86440, source_start=0),
        make_item("c", 86440, 86455, source_start=0),
    )
    ups = tuple(upscaled([task], (1, 5))[0] for task in upscale_tasks(there))

    tasks = hold_tasks(there, ups)

    assert [task.request["frames"] for task in tasks] == [20, 15]
    assert len(held(there, ups, moved(tasks))) == 3


def test_a_still_from_outside_the_piece_is_not_taken() -> None:
    there = known(make_item("a", 86400, 86450, source_start=0))

    assert hold_tasks(there, upscaled(upscale_tasks(there), (1, 20), (2, 19), (9, 45))) == ()


def test_a_shot_without_a_still_and_a_job_that_failed_leave_the_others() -> None:
    there = known(make_item("a", 86400, 86450, source_start=0), make_item("b", 86450, 86460, source_start=100))
    good, bad = upscale_tasks(there)
    ups = (*upscaled([good], (2, 30)), replace(bad, error=NO_ROOM))

    tasks = hold_tasks(there, ups)
    found = held(there, ups, moved(tasks))

    assert [piece.shot for piece in found] == [2]
    assert held(there, ups, [replace(tasks[0], error=NO_ROOM)]) == {}
    assert first_fault(Work(upscale=ups)) == NO_ROOM
    assert first_fault(Work()) is None
    plan = Plan(session="s", action="stills", operations=(), summary=Summary(warnings=("first",)))
    assert with_faults(plan, Work(upscale=(*ups, *ups))).summary.warnings == (
        "first",
        "Some stills could not be made: no space. Free some.",
    )


def test_frames_of_a_variable_source_are_counted_as_times() -> None:
    found = Found(rate=Fraction(20), frames=1000, cuts=(20, 40), variable=True)
    there = known(make_item("a", 86400, 86460, source_start=0), found=found, media=[make_media(rate="24")])

    (task,) = upscale_tasks(there)
    ups = upscaled([task], (1, 10), (2, 25), (3, 45))
    tasks = hold_tasks(there, ups)

    assert (task.request["first"], task.request["end"], task.request["counted"]) == (0, 50, "times")
    assert [(task.request["frames"], task.request["start"]) for task in tasks] == [
        (24, "00:00:00:12"),
        (24, "00:00:01:06"),
        (12, "00:00:02:06"),
    ]


def test_a_clip_of_another_rate_is_held_at_the_rate_of_the_timeline() -> None:
    there = known(
        make_item("a", 0, 48, source_start=0, source_end=49, right_offset=None),
        media=[make_media(rate="25", frames="50")],
        found=Found(rate=Fraction(25), frames=50, cuts=()),
        rate="23.976",
        start_frame=0,
        start_timecode="00:00:00:00",
    )

    (task,) = hold_tasks(there, upscaled(upscale_tasks(there), (1, 24)))

    assert (task.request["rate"], task.request["start_rate"]) == ("24000/1001", "25")
    assert (task.request["frames"], task.request["start"]) == (48, "00:00:00:24")


def test_work_is_kept_as_json() -> None:
    work = Work(upscale=(Task(request={"kind": "upscale"}, job="j1", result={"made": []}),), hold=(Task(request={}),))

    assert read_work({name: list(map(asdict, getattr(work, name))) for name in ("upscale", "hold")}) == work
    assert read_work(None) == Work()
    assert work.tasks("cuts") == ()
    assert work.with_tasks("hold", ()).hold == ()
    with pytest.raises(SettingError):
        read_work({"upscale": [{"request": 3}]})


@pytest.mark.parametrize("name", ["Film", "A/B: ..\\", "..", "CON"])
def test_the_folder_of_a_project_lies_under_the_base(tmp_path: Path, name: str) -> None:
    snapshot = make_snapshot(project={"id": "p", "name": name})

    folder = project_folder(tmp_path, snapshot)

    assert folder.parent == tmp_path
    folder.mkdir()
    assert folder.resolve().parent == tmp_path.resolve()


def test_tasks_are_handed_in_and_their_ends_are_noted() -> None:
    jobs: dict[str, dict[str, Any]] = {"j3": {"state": "done", "result": {"made": []}, "error": None}}
    jobs["j4"] = {"state": "failed", "result": None, "error": NO_ROOM}
    jobs["j5"] = {"state": "failed", "error": None, "result": None}
    handed: list[Any] = []

    def submit(request: Any) -> str | None:
        handed.append(request)
        return None if request["n"] == 2 else f"j{request['n']}"

    before = [Task(request={"n": 1}), Task(request={"n": 2}), *(Task(request={}, job=f"j{n}") for n in (3, 4, 5, 6))]
    after = advanced(before, submit, jobs.get)

    assert [each["n"] for each in handed] == [1, 2]
    assert [task.job for task in after] == ["j1", "", "j3", "j4", "j5", "j6"]
    assert [task.ended for task in after] == [False, False, True, True, True, False]
    assert after[2].result == {"made": []}
    assert after[3].error == NO_ROOM
    assert after[4].error is not None
    assert "forgotten" in after[4].error["message"]
    assert advanced(after[2:5], submit, jobs.get) == after[2:5]


@pytest.mark.parametrize(("error", "passed_on"), [(SourceMissing("gone"), False), (DiskFull("full"), True)])
def test_a_source_that_went_away_costs_its_task_alone(error: SnapUpscaleError, passed_on: bool) -> None:
    def submit(request: Any) -> str | None:
        raise error

    if passed_on:
        with pytest.raises(DiskFull):
            advanced([Task(request={})], submit, lambda job: None)
        return
    (task,) = advanced([Task(request={})], submit, lambda job: None)
    assert task.error is not None
    assert task.error["code"] == "source-missing"

"""Stills that can't be made, jobs that are forgotten, and queues, disks and folders that take nothing."""

from __future__ import annotations

import pytest

from sidecar.bench import ENDED, Bench, bench
from snapupscale.errors import DiskFull, SourceMissing

__all__ = ["bench"]
"""The fixture."""


def test_jobs_that_are_forgotten_after_they_were_noted_are_not_missed(bench: Bench) -> None:
    name = bench.begin("/a.mov", "/b.mov")
    for kind in ("cuts", "upscale", "hold"):
        bench.jobs.end(kind)
        bench.timelines.advance()
        bench.jobs.table = {key: job for key, job in bench.jobs.table.items() if job["state"] not in ENDED}
        for number in range(20):
            bench.jobs.table.setdefault(f"j{number}", {"id": "x", "state": "done", "asked": {"kind": "probe"}})

    assert bench.plan(name)["summary"]["stills"] == 6


def test_a_job_that_was_forgotten_before_costs_its_stills(bench: Bench) -> None:
    name = bench.begin("/a.mov", "/b.mov")
    bench.jobs.end("cuts")
    bench.timelines.advance()
    first, _ = bench.jobs.waiting("upscale")
    del bench.jobs.table[first["id"]]
    bench.timelines.advance()
    bench.jobs.table[first["id"]] = {"id": "x", "state": "done", "asked": {"kind": "probe"}}
    bench.finish()

    summary = bench.plan(name)["summary"]
    assert summary["stills"] == 3
    assert "forgotten" in summary["warnings"][0]
    assert {each["reason"] for each in summary["skipped"]} == {"No still was made of it."}


@pytest.mark.parametrize("stage", ["upscale", "hold"])
def test_when_no_still_could_be_made_the_session_fails_with_the_reason(bench: Bench, stage: str) -> None:
    name = bench.begin()
    for kind in ("cuts", "upscale", "hold"):
        bench.jobs.end(kind, error="disk-full" if kind == stage else "")
        bench.timelines.advance()

    session = bench.session(name)
    assert (session["state"], session["error"]["code"]) == ("failed", "disk-full")
    assert session["error"]["hint"] == "Mend it."


def test_what_failed_is_told_and_the_rest_is_planned(bench: Bench) -> None:
    name = bench.begin("/a.mov", "/b.mov", "/c.mov")
    bench.jobs.end("cuts", most=1, error="not-a-video")
    bench.jobs.end("cuts")
    bench.timelines.advance()
    bench.jobs.end("upscale", most=1, error="out-of-memory")
    bench.jobs.end("upscale")
    bench.timelines.advance()
    bench.jobs.end("hold", most=1, error="disk-full")
    bench.jobs.end("hold")

    summary = bench.plan(name)["summary"]
    assert summary["stills"] == 2
    assert [each["reason"].split(".")[0] for each in summary["skipped"]] == [
        "Its source could not be used: it is not-a-video",
        *["No still was made of it"] * 4,
    ]
    assert summary["warnings"] == [
        "Some stills could not be made: it is out-of-memory. Mend it.",
        "Some stills could not be made: it is disk-full. Mend it.",
    ]


def test_a_shot_without_a_picture_worth_keeping_is_left_out_with_the_reason(bench: Bench) -> None:
    name = bench.begin()
    bench.jobs.end("cuts")
    bench.timelines.advance()
    (asked,) = [job["asked"] for job in bench.jobs.waiting("upscale")]
    bench.jobs.end("upscale")
    done = next(job for job in bench.jobs.table.values() if job["asked"] is asked)
    done["result"]["made"] = done["result"]["made"][1:]
    bench.timelines.advance()
    bench.jobs.end("hold")

    summary = bench.plan(name)["summary"]
    assert (summary["stills"], summary["warnings"]) == (2, [])
    (skipped,) = summary["skipped"]
    assert "each is black, white, flat or part of a transition" in skipped["reason"]


def test_footage_of_which_nothing_can_be_used_is_planned_at_once(bench: Bench) -> None:
    bench.jobs.error = SourceMissing("no file")
    name = bench.begin()

    assert bench.jobs.table == {}
    summary = bench.plan(name)["summary"]
    assert (summary["stills"], len(summary["skipped"])) == (0, 1)


def test_a_full_queue_is_waited_for(bench: Bench) -> None:
    name = bench.begin(*(f"/{number}.mov" for number in range(5)))
    bench.jobs.end("cuts")
    bench.jobs.room = 2
    done = 0
    for _ in range(30):
        bench.timelines.advance()
        assert len(bench.jobs.waiting("upscale") + bench.jobs.waiting("hold")) <= 2
        done += bench.jobs.end("upscale", most=1) + bench.jobs.end("hold", most=1)

    assert done == 5 + 15
    assert bench.plan(name)["summary"]["stills"] == 15


def test_a_disk_that_is_full_for_a_while_stops_no_session_for_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bench.begin()
    bench.jobs.end("cuts")
    bench.jobs.error = DiskFull("no space for the list of jobs")
    bench.timelines.advance()
    with pytest.raises(DiskFull):
        bench.timelines.session(name)

    bench.jobs.error = None
    bench.timelines.advance()
    bench.finish()

    assert bench.plan(name)["summary"]["stills"] == 3


def test_a_folder_that_cannot_be_made_is_named(bench: Bench) -> None:
    bench.stills.write_text("in the way")
    name = bench.begin()
    bench.jobs.end("cuts")

    session = bench.session(name)

    assert (session["state"], session["error"]["code"]) == ("failed", "output-unwritable")
    assert str(bench.stills) in session["error"]["hint"]

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sidecar.stores import add, kinds, path, state, store
from snapupscale.sidecar import store as store_module
from snapupscale.sidecar.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["path", "store"]
"""The fixtures."""
ERROR = {"code": "x", "message": "y", "hint": "z"}


def claimed(store: Store) -> str | None:
    job = store.claim()
    return job.id if job else None


def test_the_life_of_a_job(store: Store) -> None:
    job_id = add(store, rate="24/1")
    assert state(store, job_id) == ("queued", None)
    job = store.claim()
    assert job
    assert (job.id, job.state, job.params) == (job_id, "running", {"source": "/a", "rate": "24/1"})
    assert store.claim() is None
    store.progress(job_id, {"done": 1})
    store.still(job_id, 0, {"name": "a.png"})
    store.say(job_id, "hello")
    assert store.unfinished() == 1
    store.finish(job_id, {"frames": 5})
    job = store.job(job_id)
    assert job
    assert (job.state, job.progress, job.result) == ("done", {"done": 1}, {"frames": 5})
    assert store.stills(job_id) == [{"name": "a.png"}]
    assert kinds(store) == ["state", "state", "progress", "still", "log", "state"]
    assert store.unfinished() == 0
    assert store.jobs()[0].result is None


def test_a_job_is_queued_to_who_adds_it_also_when_it_is_claimed_at_once(store: Store) -> None:
    ends = threading.Event()

    def claim() -> None:
        while not ends.is_set():
            store.claim()

    thread = threading.Thread(target=claim)
    thread.start()
    states = {store.add("probe", {"source": "/a"}, "batch").state for _ in range(200)}
    ends.set()
    thread.join()
    assert states == {"queued"}


def test_interactive_before_batch_then_the_oldest(store: Store) -> None:
    batch, batch2 = add(store), add(store)
    quick, quick2 = add(store, "interactive"), add(store, "interactive")
    assert [claimed(store) for _ in range(5)] == [quick, quick2, batch, batch2, None]


def test_ids_are_unguessable_and_unknown_ones_are_none(store: Store) -> None:
    ids = {add(store) for _ in range(50)}
    assert len(ids) == 50
    assert all(len(job_id) == 16 for job_id in ids)
    assert store.job("nothing") is None
    assert store.cancel("nothing") is None


def test_cancelling(store: Store) -> None:
    waits, runs = add(store), add(store, "interactive")
    assert claimed(store) == runs
    assert store.cancel(waits) == "failed"
    assert state(store, waits) == ("failed", "cancelled")
    assert store.cancel(runs) == "cancelling"
    assert store.cancel(runs) == "cancelling"
    store.died(runs, "signal 9")
    assert state(store, runs) == ("failed", "cancelled")
    assert store.cancel(runs) == "failed"


def test_two_deaths_are_the_end(store: Store) -> None:
    job_id = add(store)
    store.claim()
    store.died(job_id, "signal 11")
    assert state(store, job_id) == ("queued", None)
    assert claimed(store) == job_id
    store.died(job_id, "signal 11")
    assert state(store, job_id) == ("failed", "poisoned")
    job = store.job(job_id)
    assert job
    assert job.error
    assert "signal 11" in job.error["message"]


def test_a_process_that_ends_leaves_interrupted_jobs(store: Store, path: Path) -> None:
    runs, waits = add(store), add(store)
    store.claim()
    store.close()
    again = Store(path)
    assert state(again, runs) == ("interrupted", None)
    assert state(again, waits) == ("queued", None)
    assert claimed(again) == runs
    again.close()
    third = Store(path)
    assert state(third, runs) == ("failed", "poisoned")
    third.close()


def test_a_job_that_gets_on_is_never_poisoned_by_restarts(store: Store, path: Path) -> None:
    job_id = add(store)
    for number in range(4):
        assert claimed(store) == job_id
        store.still(job_id, number, {"name": f"{number}.png"})
        store.close()
        store = Store(path)
    assert state(store, job_id) == ("interrupted", None)
    assert len(store.stills(job_id)) == 4
    store.close()


def test_an_orderly_end_is_no_death(store: Store, path: Path) -> None:
    job_id = add(store)
    for _ in range(4):
        assert claimed(store) == job_id
        store.interrupt(job_id)
        store.close()
        store = Store(path)
    job = store.job(job_id)
    assert job
    assert (job.state, job.attempts) == ("interrupted", 0)
    store.close()


def test_what_was_to_be_cancelled_is_not_taken_up_again(store: Store, path: Path) -> None:
    job_id = add(store)
    store.claim()
    store.cancel(job_id)
    store.close()
    again = Store(path)
    assert state(again, job_id) == ("failed", "cancelled")
    again.close()


def test_a_still_is_told_of_once(store: Store) -> None:
    job_id = add(store)
    for data in ({"name": "a"}, {"name": "a"}, {"name": "b"}):
        store.still(job_id, 0, data)
    assert store.stills(job_id) == [{"name": "b"}]
    assert kinds(store).count("still") == 2


def test_events_go_on_after_the_last_one_seen(store: Store) -> None:
    first, second = add(store), add(store)
    seen = store.events(0, None, 1)
    assert [event["job"] for event in seen] == [first]
    assert [event["job"] for event in store.events(seen[0]["id"], None, 10)] == [second]
    assert [event["job"] for event in store.events(0, second, 10)] == [second]
    store.progress(second, {"done": 1})
    store.progress(second, {"done": 2})
    events = store.events(seen[0]["id"], second, 10)
    assert [event["data"] for event in events] == [{"state": "queued"}, {"done": 2}]
    assert events[0]["id"] < events[1]["id"]


def test_old_events_and_old_jobs_are_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "KEPT_EVENTS", 20)
    monkeypatch.setattr(store_module, "KEPT_JOBS", 5)
    waits = add(store)
    for _ in range(30):
        job_id = add(store, "interactive")
        store.claim()
        store.still(job_id, 0, {"name": "a"})
        store.finish(job_id, {})
    assert len(store.events(0, None, 1000)) == 20
    assert len(store.jobs()) == 6
    assert state(store, waits) == ("queued", None)


def test_the_list_holds_the_newest_and_what_has_not_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "LISTED", 3)
    waits = add(store)
    ended = [add(store, "interactive") for _ in range(10)]
    for job_id in ended:
        assert claimed(store) == job_id
        store.finish(job_id, {})
    assert [job.id for job in store.jobs()] == [*reversed(ended[-3:]), waits]


def test_ids_of_events_rise_even_when_the_file_is_lost(store: Store, path: Path) -> None:
    add(store)
    last = store.events(0, None, 10)[-1]["id"]
    store.close()
    for part in path.parent.iterdir():
        part.unlink()
    again = Store(path)
    add(again)
    assert again.events(0, None, 10)[0]["id"] >= last - 1
    again.close()


def stills_job(store: Store, folder: str | None, priority: str = "batch") -> str:
    return store.add("upscale", {"source": "/a", "folder": folder}, priority).id


def test_two_never_make_stills_in_one_folder(store: Store) -> None:
    first, second, other = stills_job(store, "/x"), stills_job(store, "/x"), stills_job(store, "/y")
    assert [claimed(store) for _ in range(3)] == [first, other, None]
    store.cancel(first)
    assert claimed(store) is None
    store.died(first, "signal 9")
    assert claimed(store) == second
    third = stills_job(store, "/x")
    assert claimed(store) is None
    store.fail(second, ERROR)
    assert claimed(store) == third


def test_a_folder_matters_to_stills_alone(store: Store) -> None:
    first = stills_job(store, "/x")
    exports = store.add("export", {"source": "/a", "folder": "/x"}, "interactive").id
    without, without2 = stills_job(store, None), stills_job(store, None)
    assert [claimed(store) for _ in range(5)] == [exports, without, without2, None, None]
    store.finish(exports, {})
    assert claimed(store) == first


def test_one_that_gave_way_goes_on_before_those_that_came_later(store: Store) -> None:
    batch, waits = stills_job(store, "/x"), stills_job(store, "/w")
    assert claimed(store) == batch
    first, second = stills_job(store, "/1", "interactive"), stills_job(store, "/2", "interactive")
    assert [job.id for job in store.urgent()] == [first, second]
    store.give_way(batch)
    job = store.job(batch)
    assert job
    assert (job.state, job.attempts, job.error) == ("interrupted", 0, None)
    later = stills_job(store, "/3", "interactive")
    assert [claimed(store) for _ in range(5)] == [first, second, batch, later, waits]


def test_giving_way_again_takes_a_still(store: Store) -> None:
    job_id = stills_job(store, "/x")
    store.claim()
    store.still(job_id, 0, {"name": "a"})
    for number in range(1, 4):
        assert store.may_give_way(job_id)
        store.give_way(job_id)
        assert claimed(store) == job_id
        store.still(job_id, 0, {"name": "a"})
        assert not store.may_give_way(job_id)
        store.still(job_id, number, {"name": str(number)})


def test_what_was_to_be_cancelled_gives_way_for_good(store: Store) -> None:
    job_id = stills_job(store, "/x")
    store.claim()
    store.cancel(job_id)
    store.give_way(job_id)
    assert state(store, job_id) == ("failed", "cancelled")


def test_no_job_is_claimed_twice(store: Store) -> None:
    ids = [add(store) for _ in range(100)]
    taken: list[str] = []

    def work() -> None:
        while (job := store.claim()) is not None:
            taken.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(ids)


def test_many_threads(store: Store) -> None:
    ids = [add(store) for _ in range(8)]
    errors: list[BaseException] = []

    def work(job_id: str) -> None:
        try:
            for number in range(50):
                store.still(job_id, number, {"name": str(number)})
                store.events(0, job_id, 10)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(job_id,)) for job_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert all(len(store.stills(job_id)) == 50 for job_id in ids)


def test_stills_of_an_attempt_that_began_anew_are_forgotten(store: Store) -> None:
    job = store.add("upscale", {}, "batch").id
    store.claim()
    for index in range(3):
        store.still(job, index, {"name": f"{index}.png"})

    store.finish(job, {"stills": ["0.png", "1.png"]})

    assert [still["name"] for still in store.stills(job)] == ["0.png", "1.png"]

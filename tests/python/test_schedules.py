"""Schedules: runs enqueued again and again."""

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sprongus


def test_from_put_to_delete(face):
    made = face.schedules.put("nightly", "report", {"a": 1}, cron="0 3 * * *", tz="Europe/Berlin", project="p")
    assert (made.name, made.kind, made.input, made.cron, made.every) == ("nightly", "report", {"a": 1}, "0 3 * * *", None)
    assert (made.tz, made.project_id, made.overlap, made.catch_up, made.paused) == ("Europe/Berlin", "p", "skip", 0.0, False)
    assert made.next_at > dt.datetime.now(dt.UTC)
    assert face.schedules.get("nightly") == made
    changed = face.schedules.put("nightly", "report", every=dt.timedelta(hours=1), overlap="queue", project="p")
    assert (changed.every, changed.cron, changed.overlap, changed.input) == (3600.0, None, "queue", None)
    assert face.schedules.list() == [changed]
    paused = face.schedules.pause("nightly")
    assert (paused.paused, paused.next_at) == (True, None)
    assert face.schedules.pause("nightly") == paused
    assert face.schedules.resume("nightly").paused is False
    face.schedules.delete("nightly")
    for call in (face.schedules.get, face.schedules.pause, face.schedules.resume, face.schedules.delete):
        with pytest.raises(sprongus.NotFoundError):
            call("nightly")
    assert face.schedules.list() == []


def test_the_next_times(face):
    face.schedules.put("noon", "k", cron="0 12 * * *", tz="America/New_York")
    times = face.schedules.next_times("noon", limit=400)
    assert len(times) == 400
    assert {at.utcoffset() for at in times} == {dt.timedelta(0)}
    assert {at.hour for at in times} == {16, 17}  # with and without summer time
    assert times == sorted(set(times))


def test_the_same_name_in_two_projects(face):
    for project in ("p", "q"):
        face.schedules.put("s", "k", every=60, project=project)
    with pytest.raises(sprongus.SprongusError):
        face.schedules.get("s")
    assert face.schedules.get("s", project="q").project_id == "q"
    face.schedules.delete("s", project="p")
    assert face.schedules.get("s").project_id == "q"


def test_a_worker_ticks(store):
    store.schedules.put("often", "k", {"n": 1}, every=1)
    seen = []
    worker = store.worker(poll_interval=0.05)
    worker.handler("k")(lambda context: seen.append(context.input))
    worker.start()
    end = time.monotonic() + 20
    while len(seen) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    assert worker.stop()
    assert seen[:2] == [{"n": 1}] * 2
    store.schedules.pause("often")
    assert store.schedules.tick() == 0


def test_a_slot_has_one_run_however_many_tick(store):
    store.schedules.put("s", "k", every=1, overlap="queue", catch_up=60)
    made = 0
    end = time.monotonic() + 120
    with ThreadPoolExecutor(4) as several:
        while made < 2 and time.monotonic() < end:
            made += sum(several.map(lambda _: store.schedules.tick(limit=10), range(8)))
            time.sleep(0.05)
    slots = [run.run_at for run in store.runs.list(kind="k", limit=1000)]
    assert made >= 2
    assert len(set(slots)) == len(slots) == made


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({}, sprongus.InvalidArgumentError),
        ({"cron": "0 3 * * *", "every": 60}, sprongus.InvalidArgumentError),
        ({"cron": "every day"}, sprongus.InvalidArgumentError),
        ({"cron": "61 * * * *"}, sprongus.InvalidArgumentError),
        ({"every": 0.5}, sprongus.InvalidArgumentError),
        ({"every": 0}, sprongus.InvalidArgumentError),
        ({"every": -1}, sprongus.InvalidArgumentError),
        ({"every": "60"}, TypeError),
        ({"cron": "@daily", "tz": "Mars/Olympus"}, sprongus.InvalidArgumentError),
        ({"every": 60, "overlap": "both"}, sprongus.InvalidArgumentError),
        ({"every": 60, "catch_up": -1}, sprongus.InvalidArgumentError),
        ({"every": 60, "name": ""}, sprongus.InvalidArgumentError),
        ({"every": 60, "kind": "k/*"}, sprongus.InvalidArgumentError),
        ({"every": 60, "input": {1}}, sprongus.ValidationError),
        ({"every": 60, "input": "x" * (2 << 20)}, sprongus.TooLargeError),
    ],
)
def test_bad_schedules(store, wrong, error):
    with pytest.raises(error):
        store.schedules.put(**{"name": "s", "kind": "k", **wrong})
    assert store.schedules.list() == []

"""Runs: a core of the conformance suite, on every store and in every host's own transaction."""

import datetime as dt

import pytest
import sprongus

UTC = dt.UTC


def test_from_the_queue_to_success(face):
    run = face.runs.enqueue("resize", {"file": "a.png"}, project="p", requested_by="ada", priority=5)
    assert (run.state, run.attempt, run.lease, run.project_id, run.deduplicated) == ("queued", 0, 0, "p", False)
    [claimed] = face.runs.claim_next("w", ["resize"], lease=dt.timedelta(minutes=2))
    assert (claimed.id, claimed.state, claimed.attempt, claimed.claimed_by) == (run.id, "running", 1, "w")
    assert claimed.lease > run.lease
    assert claimed.lease_until > claimed.claimed_at
    beat = face.runs.heartbeat(sprongus.Lease(run.id, claimed.lease), progress={"done": 1})
    assert beat.progress == {"done": 1}
    assert face.runs.heartbeat(claimed).progress == {"done": 1}
    assert face.runs.heartbeat(claimed, progress=None).progress is None
    done = face.runs.succeed(claimed, output=["out", 1.5, None])
    assert (done.state, done.output_ref[:9]) == ("succeeded", "artifact:")
    assert face.runs.output(run.id) == ["out", 1.5, None]
    assert face.runs.succeed(claimed, output="another").output_ref == done.output_ref
    assert face.runs.get(run.id) == done
    events = face.runs.events(run.id)
    assert [event.type for event in events] == ["run.enqueued", "run.started", "run.succeeded"]
    assert [event.seq for event in events] == [1, 2, 3]
    assert [event.older_name for event in events] == ["RunCreated", "ExecutionStarted", "ExecutionSucceeded"]
    assert events[1].payload["from"] == "queued"
    assert events[0].run_id == run.id


def test_an_output_may_be_null_or_elsewhere(face):
    for number, report in enumerate([{"output": None}, {"output_ref": "s3://bucket/key"}, {}]):
        run = face.runs.enqueue("k", number)
        [claimed] = face.runs.claim_next("w")
        done = face.runs.succeed(claimed, **report)
        assert (done.output_ref is None) == (report == {})
        if "output" in report:
            assert face.runs.output(run.id) is None
        else:
            with pytest.raises(sprongus.NotFoundError):
                face.runs.output(run.id)


def test_idempotency(face):
    first = face.runs.enqueue("k", {"a": 1}, idempotency_key="key")
    again = face.runs.enqueue("k", {"a": 1}, idempotency_key="key")
    assert again.deduplicated
    assert again.id == first.id
    with pytest.raises(sprongus.ConflictError):
        face.runs.enqueue("k", {"a": 1.0}, idempotency_key="key")
    assert face.runs.enqueue("k", {"a": 1}, idempotency_key="key", project="p").id != first.id


def test_failures_and_retries(face):
    face.runs.enqueue("k", max_attempts=2)
    [first] = face.runs.claim_next("w")
    failed = face.runs.fail(first, "it broke\0 in two", retry_in=0)
    assert (failed.state, failed.error) == ("queued", "it broke\ufffd in two")
    [second] = face.runs.claim_next("w")
    assert (second.attempt, second.lease > first.lease) == (2, True)
    with pytest.raises(sprongus.LeaseLostError):
        face.runs.succeed(first)
    assert face.runs.fail(second, "again").state == "failed"
    face.runs.enqueue("k")
    [claimed] = face.runs.claim_next("w")
    assert face.runs.fail(claimed, "x", retryable=False).state == "failed"


def test_cancel(face):
    run = face.runs.enqueue("k")
    [claimed] = face.runs.claim_next("w")
    assert face.runs.cancel(run.id, reason="not wanted").state == "canceled"
    assert face.runs.cancel(run.id).state == "canceled"
    assert face.runs.heartbeat(claimed).state == "canceled"
    with pytest.raises(sprongus.LeaseLostError):
        face.runs.succeed(claimed)
    ended = face.runs.enqueue("k")
    face.runs.succeed(face.runs.claim_next("w")[0])
    with pytest.raises(sprongus.InvalidStateError):
        face.runs.cancel(ended.id)


def test_order_of_claims_and_kinds(face):
    now = dt.datetime.now(UTC)
    face.runs.enqueue("b", "later", run_at=now + dt.timedelta(hours=1))
    face.runs.enqueue("b", "delayed", delay=dt.timedelta(hours=1))
    face.runs.enqueue("b", "low", priority=-1)
    face.runs.enqueue("b", "old", run_at=(now - dt.timedelta(hours=1)).isoformat())
    face.runs.enqueue("a", "high", priority=9)
    face.runs.enqueue("sync/x", "prefixed")
    assert [run.input for run in face.runs.claim_next("w", ["sync/*"], 10)] == ["prefixed"]
    assert [run.input for run in face.runs.claim_next("w", limit=2)] == ["high", "old"]
    assert [run.input for run in face.runs.claim_next("w", limit=1000)] == ["low"]
    assert face.runs.claim_next("w") == []
    assert face.runs.rescue() == 0


def test_a_claim_reports_the_run_before(face):
    made = face.runs.enqueue_many([{"kind": "k", "input": n} for n in range(3)])
    [first] = face.runs.claim_next("w")
    with pytest.raises(sprongus.LeaseLostError):
        face.runs.claim_next("w", succeeded=sprongus.Lease(first.id, 9))
    with pytest.raises(sprongus.InvalidArgumentError):
        face.runs.claim_next("w", output=1)
    [second] = face.runs.claim_next("w", succeeded=first, output={"n": 1})
    assert (second.id, face.runs.get(first.id).state) == (made[1].id, "succeeded")
    assert face.runs.output(first.id) == {"n": 1}
    [third] = face.runs.claim_next("w", succeeded=sprongus.Lease(second.id, second.lease))
    assert face.runs.claim_next("w", succeeded=third) == []
    assert face.runs.get(third.id).state == "succeeded"


def test_dispatch_and_start(face):
    run = face.runs.enqueue("k")
    [claimed] = face.runs.claim_next("w", dispatch=True)
    assert claimed.state == "dispatching"
    with pytest.raises(sprongus.InvalidStateError):
        face.runs.succeed(claimed)
    assert face.runs.start(claimed).state == "running"
    assert face.runs.start(claimed).state == "running"
    assert face.runs.succeed(claimed).id == run.id


def test_lists_and_pages(face):
    made = face.runs.enqueue_many(
        [{"kind": "a" if n % 2 else "b", "input": n, "project": "p", "channel_id": "c"} for n in range(7)]
    )
    assert [run.input for run in made] == list(range(7))
    page = face.runs.list(limit=3, order="oldest")
    assert isinstance(page, sprongus.Page)
    assert [run.id for run in page] == [run.id for run in made[:3]]
    assert face.runs.list(limit=3, order="oldest", cursor=page.next_cursor)[0].id == made[3].id
    assert list(face.runs.iter(limit=2, order="oldest")) == made
    assert len(face.runs.list(kind=["a", "b"], state=["queued"], project="p", channel_id="c")) == 7
    assert len(face.runs.list(kind="a")) == 3
    assert face.runs.list(state="running") == []
    assert face.runs.list(limit=0) == []
    assert face.runs.list(since=made[0].created_at)[-1].id == made[0].id
    assert face.runs.list(before=made[0].created_at) == []
    with pytest.raises(sprongus.InvalidArgumentError):
        face.runs.list(limit=3, cursor=page.next_cursor)


def test_enqueue_many_is_all_or_none(face):
    good = {"kind": "k", "input": {"a": 1}, "run_at": "2024-01-01T00:00:00Z", "delay": None}
    for bad, error in [
        ({}, sprongus.InvalidArgumentError),
        ({"kind": "k", "prio": 1}, sprongus.InvalidArgumentError),
        ({"kind": "k", 1: 2}, sprongus.InvalidArgumentError),
        ({"kind": "k", "input": float("nan")}, sprongus.ValidationError),
        ({"kind": "k", "priority": "high"}, TypeError),
        ({"kind": ""}, sprongus.InvalidArgumentError),
        (7, sprongus.InvalidArgumentError),
    ]:
        with pytest.raises(error) as raised:
            face.runs.enqueue_many(iter([good, bad]))
        assert "item 1" in f"{raised.value} {getattr(raised.value, '__notes__', '')}"
        if isinstance(raised.value, sprongus.SprongusError):
            assert raised.value.details["item"] == 1
    assert face.runs.list() == []
    assert face.runs.enqueue_many([]) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"kind": ""}, sprongus.InvalidArgumentError),
        ({"kind": "a" * 513}, sprongus.InvalidArgumentError),
        ({"kind": "a\nb"}, sprongus.InvalidArgumentError),
        ({"kind": "\ud800"}, sprongus.InvalidArgumentError),
        ({"kind": 7}, TypeError),
        ({"kind": None}, TypeError),
        ({"max_attempts": 0}, sprongus.InvalidArgumentError),
        ({"max_attempts": 2**70}, sprongus.InvalidArgumentError),
        ({"priority": 1.5}, TypeError),
        ({"delay": -1}, sprongus.InvalidArgumentError),
        ({"delay": float("nan")}, sprongus.InvalidArgumentError),
        ({"delay": 10**400}, sprongus.InvalidArgumentError),
        ({"delay": dt.timedelta.max}, sprongus.InvalidArgumentError),
        ({"run_at": "\ud800"}, sprongus.InvalidArgumentError),
        ({"run_at": dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))}, sprongus.ValidationError),
        ({"delay": 1, "run_at": "2024-01-01T00:00:00Z"}, sprongus.InvalidArgumentError),
        ({"run_at": "tomorrow"}, sprongus.ValidationError),
        ({"run_at": dt.datetime(2024, 1, 1)}, sprongus.ValidationError),
        ({"run_at": 0}, TypeError),
        ({"project": "p\0"}, sprongus.InvalidArgumentError),
        ({"idempotency_key": ""}, sprongus.InvalidArgumentError),
        ({"no_such": 1}, TypeError),
    ],
)
def test_bad_arguments(store, arguments, error):
    with pytest.raises(error):
        store.runs.enqueue(**{"kind": "k", **arguments})
    assert store.runs.list() == []


def test_bad_calls(store):
    run = store.runs.enqueue("k")
    with pytest.raises(sprongus.InvalidStateError):
        store.runs.succeed(run)
    for report in (run.id, None, {"id": run.id, "lease": 1}):
        with pytest.raises(TypeError):
            store.runs.succeed(report)
    for id in ("none", "x" * 26, run.id + "0"):
        with pytest.raises(sprongus.NotFoundError) as raised:
            store.runs.get(id)
        assert isinstance(raised.value, LookupError)
    for wrong in ({"limit": -1}, {"limit": 1001}, {"limit": 2**80}, {"state": "done"}, {"order": "up"}, {"cursor": "x"}):
        with pytest.raises(sprongus.InvalidArgumentError):
            store.runs.list(**wrong)
        with pytest.raises(sprongus.InvalidArgumentError):
            store.runs.iter(**wrong)
    with pytest.raises(TypeError):
        store.runs.iter(colour="red")
    [claimed] = store.runs.claim_next("w")
    with pytest.raises(sprongus.InvalidArgumentError):
        store.runs.succeed(claimed, "s3://x", output=1)
    with pytest.raises(sprongus.TooLargeError):
        store.runs.succeed(claimed, output="x" * (65 << 20))
    assert store.runs.get(run.id).state == "running"


def test_an_expired_lease_is_rescued(store):
    import time

    store.runs.enqueue("k")
    [lost] = store.runs.claim_next("w1", lease=0.05)
    time.sleep(0.1)
    [again] = store.runs.claim_next("w2")
    assert (again.id, again.attempt, again.claimed_by) == (lost.id, 2, "w2")
    with pytest.raises(sprongus.LeaseLostError):
        store.runs.heartbeat(lost)

"""The queue, whole: putting off, retrying, batches, steps, idempotency, limits, figures, retention."""

import datetime as dt
import threading
import time

import pytest
import sprongus


def claimed(face, kind="k", input=None, **enqueue):
    """A run in the hands of a worker."""
    made = face.runs.enqueue(kind, input, **enqueue)
    [run] = face.runs.claim_next("w", [kind])
    assert run.id == made.id
    return run


def types(face, run):
    return [event.type for event in face.runs.events(run.id)]


def test_snooze_gives_the_attempt_back(face):
    run = claimed(face)
    put_off = face.runs.snooze(run, dt.timedelta(minutes=1))
    assert (put_off.state, put_off.attempt, put_off.lease) == ("queued", 0, run.lease)
    assert put_off.run_at > run.run_at + dt.timedelta(seconds=50)
    assert face.runs.claim_next("w") == []
    assert face.runs.snooze(run, 5) == put_off
    assert types(face, run)[-1] == "run.snoozed"
    with pytest.raises(sprongus.LeaseLostError):
        face.runs.succeed(run)


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), dt.timedelta(days=-1), 1e300, 10**400])
def test_a_run_is_not_put_off_by_nonsense(store, delay):
    run = claimed(store)
    with pytest.raises(sprongus.InvalidArgumentError):
        store.runs.snooze(run, delay)
    assert store.runs.get(run.id) == run
    for wrong in (None, "1"):
        with pytest.raises(TypeError):
            store.runs.snooze(run, wrong)


def test_retry_starts_a_new_series(face):
    run = claimed(face, max_attempts=2)
    failed = face.runs.fail(run, "no", retryable=False)
    again = face.runs.retry(run.id)
    assert (again.state, again.attempt, again.series, again.max_attempts) == ("queued", 0, failed.series + 1, 2)
    assert types(face, run)[-1] == "run.retried"
    with pytest.raises(sprongus.InvalidStateError):
        face.runs.retry(run.id)
    with pytest.raises(sprongus.NotFoundError):
        face.runs.retry("none")


def test_a_timeout_ends_an_attempt(store):
    run = claimed(store, timeout=0.05, max_attempts=1)
    time.sleep(0.1)
    store.runs.rescue()
    ended = store.runs.get(run.id)
    assert (ended.state, ended.timeout) == ("timed_out", 0.05)
    with pytest.raises(sprongus.LeaseLostError):
        store.runs.succeed(run)
    assert store.runs.retry(run.id).state == "queued"


def test_batches_report_each_for_itself(face):
    face.runs.enqueue_many([{"kind": "k", "input": n} for n in range(4)])
    runs = face.runs.claim_next("w", limit=4)
    stale = sprongus.Lease(runs[1].id, runs[1].lease - 1)
    told = face.runs.succeed_many(iter([runs[0], stale, runs[2], sprongus.Lease("none", 1)]))
    assert [getattr(one, "state", None) or one.code for one in told] == [
        "succeeded",
        "lease_lost",
        "succeeded",
        "not_found",
    ]
    assert isinstance(told[1], sprongus.LeaseLostError)
    assert face.runs.get(runs[1].id) == runs[1]
    failed = face.runs.fail_many([(runs[1], "broke\0"), (runs[0], "late"), (runs[3], "x" * 20_000)])
    assert [type(one) for one in failed] == [sprongus.Run, sprongus.LeaseLostError, sprongus.Run]
    assert (failed[0].state, failed[0].error) == ("queued", "broke\ufffd")
    assert failed[2].error.endswith("… (truncated)")
    assert face.runs.succeed_many([]) == face.runs.fail_many([]) == []


def test_bad_batches_write_nothing(store):
    run = claimed(store)
    for call, bad in [
        (store.runs.succeed_many, [run, run.id]),
        (store.runs.succeed_many, [run, None]),
        (store.runs.fail_many, [(run, "x"), (run, 7)]),
        (store.runs.fail_many, [(run, "x"), (run,)]),
        (store.runs.fail_many, [(run, "x"), run]),
    ]:
        with pytest.raises((TypeError, ValueError)) as raised:
            call(bad)
        assert "item 1" in f"{raised.value} {getattr(raised.value, '__notes__', '')}"
    for call in (store.runs.succeed_many, store.runs.fail_many):
        with pytest.raises(TypeError):
            call(run)
    assert store.runs.get(run.id) == run


def test_ensure_idempotent_asks_the_factory_once(face):
    asked = []

    def factory():
        asked.append(face.runs.list())  # nothing is locked: it may ask the face itself
        return {"kind": "report", "input": {"n": 1}, "priority": 3}

    first = face.runs.ensure_idempotent("key", factory, project="p")
    again = face.runs.ensure_idempotent("key", factory, project="p")
    assert (first.kind, first.priority, first.idempotency_key, first.project_id) == ("report", 3, "key", "p")
    assert (again.id, len(asked)) == (first.id, 1)
    assert face.runs.ensure_idempotent("key", factory).id != first.id


def test_ensure_idempotent_takes_only_what_fits(store):
    def raises():
        raise KeyError("mine")

    for factory, error in [
        (raises, KeyError),
        (lambda: None, sprongus.InvalidArgumentError),
        (dict, sprongus.InvalidArgumentError),
        (lambda: {"kind": "k", "colour": 1}, sprongus.InvalidArgumentError),
        (lambda: {"kind": "k", "input": {1}}, sprongus.ValidationError),
        (lambda: {"kind": "k", "idempotency_key": "other"}, sprongus.InvalidArgumentError),
        (7, TypeError),
        (lambda more: {}, TypeError),
    ]:
        with pytest.raises(error):
            store.runs.ensure_idempotent("key", factory)
    for key in ("", "a\0", "x" * 513):
        with pytest.raises(sprongus.InvalidArgumentError):
            store.runs.ensure_idempotent(key, lambda: {"kind": "k"})
    assert store.runs.list() == []


def test_ensure_idempotent_in_a_race(shared_place):
    with shared_place.open() as store:
        barrier, made = threading.Barrier(8), []

        def race(number):
            def factory():
                barrier.wait(20)  # all eight have seen no run before the first one is there
                return {"kind": "k", "input": number}

            made.append(store.runs.ensure_idempotent("key", factory))

        threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(made) == 8
        assert {run.id for run in made} == {run.id for run in store.runs.list()}
        assert len({run.id for run in made}) == 1


def test_steps_are_kept_and_fenced(face):
    run = claimed(face, max_attempts=3)
    assert face.runs.step(run, "a", lambda: {"n": [1, None]}) == {"n": [1, None]}
    assert face.runs.step(run, "a", lambda: pytest.fail("it is stored")) == {"n": [1, None]}
    with pytest.raises(ZeroDivisionError):
        face.runs.step(run, "b", lambda: 1 / 0)
    face.runs.fail(run, "again", retry_in=0)
    [later] = face.runs.claim_next("w")
    assert face.runs.step(later, "a", lambda: pytest.fail("it is stored")) == {"n": [1, None]}
    with pytest.raises(sprongus.LeaseLostError):
        face.runs.step(run, "b", lambda: pytest.fail("fenced before it works"))
    assert face.runs.step(sprongus.Lease(later.id, later.lease), "b", lambda: None) is None
    steps = face.runs.steps(run.id)
    assert [(step.name, step.output, step.attempt) for step in steps] == [("a", {"n": [1, None]}, 1), ("b", None, 2)]
    assert steps[0].at <= steps[1].at
    assert "<table>" in steps._repr_html_()
    with pytest.raises(sprongus.NotFoundError):
        face.runs.steps("none")


def test_a_step_may_use_the_store(face):
    run = claimed(face)

    def work():
        return face.runs.enqueue("child", parent=run.id).id

    child = face.runs.step(run, "enqueue", work)
    assert face.runs.get(child).parent_id == run.id


def test_bad_steps(store):
    run = claimed(store)
    for name in ("", "a\0", "x" * 513):
        with pytest.raises(sprongus.InvalidArgumentError):
            store.runs.step(run, name, lambda: 1)
    with pytest.raises(sprongus.ValidationError):
        store.runs.step(run, "a", lambda: object())
    with pytest.raises(sprongus.TooLargeError):
        store.runs.step(run, "a", lambda: "x" * (2 << 20))
    for wrong in (7, None, "f"):
        with pytest.raises(TypeError):
            store.runs.step(run, "a", wrong)
    with pytest.raises(TypeError):
        store.runs.step(run.id, "a", lambda: 1)
    assert store.runs.steps(run.id) == []


def test_children_are_listed(face):
    parent = face.runs.enqueue("parent")
    children = face.runs.enqueue_many([{"kind": "child", "input": n, "parent": parent.id} for n in range(3)])
    assert face.runs.list(parent=parent.id, order="oldest") == children
    assert list(face.runs.iter(parent=parent.id, limit=1, order="oldest")) == children


def test_wait_gives_the_run_at_its_end(store):
    run = store.runs.enqueue("k")

    def work():
        time.sleep(0.1)
        [mine] = store.runs.claim_next("w")
        time.sleep(0.1)
        store.runs.succeed(mine, output=1)

    thread = threading.Thread(target=work)
    thread.start()
    ended = store.runs.wait(run.id, timeout=20)
    thread.join()
    assert (ended.state, ended) == ("succeeded", store.runs.get(run.id))
    assert store.runs.wait(run.id) == ended
    other = store.runs.enqueue("k")
    with pytest.raises(sprongus.TimeoutError):
        store.runs.wait(other.id, dt.timedelta(milliseconds=20))
    with pytest.raises(sprongus.TimeoutError):
        store.runs.wait(other.id, 0)
    with pytest.raises(sprongus.NotFoundError):
        store.runs.wait("none", 1)
    with pytest.raises(sprongus.InvalidArgumentError):
        store.runs.wait(other.id, -1)
    with store.transaction() as tx, pytest.raises(sprongus.MisuseError):
        tx.runs.wait(run.id, 1)


def test_explain_says_what_would_help(face):
    gated = face.runs.enqueue("k", needs_approval=True)
    later = face.runs.enqueue("k", delay=3600)
    assert "approv" in face.runs.explain(gated.id)
    assert "due" in face.runs.explain(later.id)
    assert "w" in face.runs.explain(claimed(face, "held").id)
    with pytest.raises(sprongus.NotFoundError):
        face.runs.explain("none")


def test_stats(face):
    face.runs.enqueue("a", project="p")
    face.runs.succeed(claimed(face, "b"))
    face.runs.fail(claimed(face, "b"), "no", retryable=False)
    stats = face.runs.stats(window=dt.timedelta(minutes=5))
    assert {state: stats.by_state.get(state) for state in ("queued", "succeeded", "failed")} == {
        "queued": 1,
        "succeeded": 1,
        "failed": 1,
    }
    assert stats.by_kind["b"]["succeeded"] == 1
    assert (stats.success_rate, stats.window, stats.sampled) == (0.5, 300.0, False)
    assert set(stats.wait) == set(stats.run) == {"p50", "p95", "p99"}
    assert stats.oldest_due_age >= 0
    assert face.runs.stats(project="p").by_state.get("succeeded", 0) == 0
    for wrong in (-1, float("nan")):
        with pytest.raises(sprongus.InvalidArgumentError):
            face.runs.stats(window=wrong)


def test_limits_hold_and_are_lifted(face):
    face.runs.limit_kind("k", concurrency=1)
    face.runs.enqueue_many([{"kind": "k"}] * 3)
    [first] = face.runs.claim_next("w", ["k"], 10)
    assert face.runs.claim_next("w", ["k"], 10) == []
    face.runs.succeed(first)
    assert len(face.runs.claim_next("w", ["k"], 10)) == 1
    face.runs.limit_kind("k", rate=5, per=dt.timedelta(minutes=1))
    [limit] = face.runs.limits()
    assert (limit.kind, limit.concurrency, limit.rate, limit.per) == ("k", None, 5, 60.0)
    face.runs.limit_kind("k")
    assert face.runs.limits() == []
    assert len(face.runs.claim_next("w", ["k"], 10)) == 1


@pytest.mark.parametrize(
    ("limit", "error"),
    [
        ({"concurrency": 0}, sprongus.InvalidArgumentError),
        ({"concurrency": -1}, sprongus.InvalidArgumentError),
        ({"rate": 0}, sprongus.InvalidArgumentError),
        ({"rate": 1, "per": 0}, sprongus.InvalidArgumentError),
        ({"rate": 2**70}, sprongus.InvalidArgumentError),
        ({"rate": "1"}, TypeError),
        ({"concurrency": 1.5}, TypeError),
        ({"kind": ""}, sprongus.InvalidArgumentError),
        ({"kind": "a/*", "rate": 1}, sprongus.InvalidArgumentError),
    ],
)
def test_bad_limits(store, limit, error):
    with pytest.raises(error):
        store.runs.limit_kind(**{"kind": "k", **limit})
    assert store.runs.limits() == []


def test_limits_belong_to_the_store(store):
    with pytest.raises(sprongus.PermissionDeniedError):
        store.scoped("p").runs.limit_kind("k", concurrency=1)


def test_prune_takes_what_ended_long_ago(face):
    done, live = claimed(face), face.runs.enqueue("k")
    face.runs.succeed(done, output=1)
    assert face.runs.prune() == 0
    assert face.runs.prune(succeeded_after=0, limit=0) == 0
    assert face.runs.prune(succeeded_after=dt.timedelta(0)) == 1
    assert [run.id for run in face.runs.list()] == [live.id]
    for wrong in ({"limit": -1}, {"limit": 10_001}, {"failed_after": -1}):
        with pytest.raises(sprongus.InvalidArgumentError):
            face.runs.prune(**wrong)

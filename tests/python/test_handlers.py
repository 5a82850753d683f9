"""Handlers: what they may raise, approvals in the middle, steps, async ones, and how they hear that they are to end."""

import asyncio
import contextlib
import datetime as dt
import threading
import time

import pytest
import sprongus


def working(store, kind, function, **options):
    worker = store.worker("w", **{"poll_interval": 0.05, **options})
    worker.handler(kind)(function)
    return worker


def works(store, kind, function, **options):
    """Until nothing is left to do."""
    worker = working(store, kind, function, **options)
    worker.run(until_idle=True, patience=0)
    return worker


def types(store, run):
    return [event.type.removeprefix("run.") for event in store.runs.events(run.id)]


def eventually(seen):
    """What comes, though not at once."""
    end = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_snooze_gives_the_attempt_back(store):
    tries = []

    def handle(context):
        tries.append(context.run.attempt)
        if len(tries) < 3:
            raise sprongus.Snooze(dt.timedelta(milliseconds=10) if len(tries) == 1 else 0.01)
        return "done"

    run = store.runs.enqueue("k", max_attempts=1)
    worker = working(store, "k", handle)
    worker.run(until_idle=True, patience=2)
    assert (tries, store.runs.output(run.id)) == ([1, 1, 1], "done")
    assert types(store, run).count("snoozed") == 2
    assert (worker.metrics().snoozed, worker.metrics().succeeded) == (2, 1)


@pytest.mark.parametrize("delay", ["soon", -1, float("nan"), None, 1e300])
def test_a_snooze_by_nonsense_fails_for_good(store, delay):
    def handle(context):
        raise sprongus.Snooze(delay)

    run = store.runs.enqueue("k")
    works(store, "k", handle)
    ended = store.runs.get(run.id)
    assert (ended.state, ended.attempt) == ("failed", 1)
    assert "Snooze" in ended.error


def test_a_snooze_beyond_what_is_taken_does_not_come_back_for_ever(store):
    def handle(context):
        raise sprongus.Snooze(dt.timedelta(days=365_000))

    run = store.runs.enqueue("k", max_attempts=1)
    works(store, "k", handle)
    assert store.runs.get(run.id).state == "failed"


def test_approvals_in_the_middle(store):
    begun, rendered, left = [], [], []

    def handle(context):
        begun.append(context.run.attempt)
        body = context.step("render", lambda: rendered.append(1) or {"pages": 3})
        try:
            leave = context.approval("mail.send", f"{body['pages']} pages to ada", metadata={"a": 1})
            second = context.approval("mail.send", "and to bob", step="bob")
        except Exception:
            pytest.fail("no Exception is raised to leave a handler")
        finally:
            left.append(True)
        return [leave.decided_by, leave.note, leave.metadata, second.decision]

    run = store.runs.enqueue("k", max_attempts=1)
    worker = working(store, "k", handle)
    worker.run(until_idle=True, patience=0)
    waiting = store.runs.get(run.id)
    assert (waiting.state, waiting.attempt, waiting.lease_until) == ("awaiting_approval", 0, None)
    [pending] = store.approvals.list(decision="pending")
    assert (pending.scope, pending.intent_summary, pending.metadata) == ("mail.send", "3 pages to ada", {"a": 1})
    store.approvals.approve(run.id, scope="mail.send", by="ada", note="go")
    worker.run(until_idle=True, patience=0)
    assert store.runs.get(run.id).state == "awaiting_approval"
    store.approvals.approve(run.id, scope="mail.send", step="bob", by="ada")
    worker.run(until_idle=True, patience=0)
    assert store.runs.output(run.id) == ["ada", "go", {"a": 1}, "approved"]
    assert (begun, rendered, left) == ([1, 1, 1], [1], [True] * 3)
    assert worker.metrics().awaiting == 2
    assert types(store, run).count("approval_requested") == types(store, run).count("approved") == 2
    assert "failed" not in types(store, run)


def test_a_refused_run_ends_denied(store):
    after = []

    def handle(context):
        context.approval("deploy", "to production")
        after.append(True)

    run = store.runs.enqueue("k")
    worker = working(store, "k", handle)
    worker.run(until_idle=True, patience=0)
    store.approvals.deny(run.id, scope="deploy", by="ada")
    worker.run(until_idle=True, patience=0)
    assert (store.runs.get(run.id).state, after) == ("denied", [])


def swallows(context):
    with contextlib.suppress(BaseException):
        context.approval("deploy", "x")
    with pytest.raises(sprongus.LeaseLostError):
        context.step("after", lambda: 1)
    return "nobody hears it"


def turns_into_another(context):
    try:
        context.approval("deploy", "x")
    except BaseException:
        raise ValueError("mine") from None


async def gathers(context):
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(context.approval, "deploy", "x"))
        group.create_task(asyncio.sleep(60))


@pytest.mark.parametrize("handle", [swallows, turns_into_another, gathers])
def test_a_run_that_waits_is_left_alone_whatever_the_handler_does(store, handle):
    run = store.runs.enqueue("k")
    works(store, "k", handle)
    waiting = store.runs.get(run.id)
    assert (waiting.state, waiting.error) == ("awaiting_approval", None)


def test_an_approval_is_not_asked_for_inside_a_transaction(store):
    def handle(context):
        with context.transaction() as tx:
            tx.runs.enqueue("other")
            with pytest.raises(sprongus.MisuseError):
                context.approval("deploy", "x")
            with pytest.raises(sprongus.MisuseError):
                context.step("a", lambda: 1)
        return "done"

    run = store.runs.enqueue("k")
    works(store, "k", handle)
    assert store.runs.output(run.id) == "done"


def test_bad_calls_in_a_handler_fail_the_attempt(store):
    def handle(context):
        for wrong in ({"scope": ""}, {"scope": "run"}, {"metadata": 7}):
            with pytest.raises(sprongus.InvalidArgumentError):
                context.approval(**{"scope": "deploy", "intent_summary": "x", **wrong})
        with pytest.raises(TypeError):
            context.approval("deploy")
        with pytest.raises(TypeError):
            context.step("a", 7)
        with pytest.raises(sprongus.InvalidArgumentError):
            context.step("", lambda: 1)
        with pytest.raises(ZeroDivisionError):
            context.step("a", lambda: 1 / 0)
        with pytest.raises(sprongus.InvalidArgumentError):
            context.wait_canceled(-1)
        return "still mine"

    run = store.runs.enqueue("k")
    works(store, "k", handle)
    assert store.runs.output(run.id) == "still mine"


def test_steps_resume_after_a_failure(place):
    with place.open(backoff_base=0.01) as store:
        done = []

        def handle(context):
            for number in range(4):
                context.step(f"part {number}", lambda number=number: done.append(number) or number)
                if number == context.run.attempt:
                    raise ConnectionError("away")
            return [context.step("last", lambda: "end"), done]

        run = store.runs.enqueue("k", max_attempts=9)
        working(store, "k", handle).run(until_idle=True, patience=2)
        assert store.runs.output(run.id) == ["end", [0, 1, 2, 3]]
        assert [(step.name, step.attempt) for step in store.runs.steps(run.id)] == [
            ("part 0", 1),
            ("part 1", 1),
            ("part 2", 2),
            ("part 3", 3),
            ("last", 4),
        ]


def test_async_handlers_ask_and_step(store):
    async def handle(context):
        part = context.step("part", lambda: 1)
        await asyncio.sleep(0)
        leave = context.approval("deploy", "x")
        other = await asyncio.to_thread(context.approval, "other", "y")
        await asyncio.to_thread(context.heartbeat, {"done": part})
        return [part, leave.decision, other.decision]

    run = store.runs.enqueue("k")
    worker = working(store, "k", handle)
    for scope in ("deploy", "other"):
        worker.run(until_idle=True, patience=0)
        assert store.runs.get(run.id).state == "awaiting_approval"
        store.approvals.approve(run.id, scope=scope, by="ada")
    worker.run(until_idle=True, patience=0)
    assert store.runs.output(run.id) == [1, "approved", "approved"]


def test_async_handlers_run_side_by_side(store):
    both = threading.Barrier(4)

    async def handle(context):
        await asyncio.to_thread(both.wait, 20)
        return threading.current_thread().name

    runs = store.runs.enqueue_many([{"kind": "k"}] * 4)
    works(store, "k", handle, concurrency=4)
    assert {store.runs.output(run.id) for run in runs} == {"sprongus-handler"}


async def async_sleeps(context, ended):
    try:
        await asyncio.sleep(60)
    finally:
        ended.append(context.canceled)


def plain_sleeps(context, ended):
    ended.append(context.wait_canceled(60))


@pytest.mark.parametrize("handle", [async_sleeps, plain_sleeps])
def test_a_canceled_handler_is_told(store, handle):
    ended = []
    worker = working(store, "k", lambda context: handle(context, ended))
    run = store.runs.enqueue("k")
    worker.start()
    eventually(lambda: store.runs.get(run.id).state == "running" and worker.metrics().running == 1)
    begun = time.monotonic()
    store.runs.cancel(run.id)
    eventually(lambda: ended)
    assert worker.stop() is True
    assert time.monotonic() - begun < 5
    assert (ended, store.runs.get(run.id).state, worker.metrics().canceled) == ([True], "canceled", 1)


@pytest.mark.parametrize("handle", [async_sleeps, plain_sleeps])
def test_a_handler_over_its_time_is_told(store, handle):
    ended, left = [], []

    def handles(context):
        left.append(context.time_left)
        return handle(context, ended)

    run = store.runs.enqueue("k", timeout=0.2, max_attempts=1)
    worker = works(store, "k", handles)
    assert store.runs.get(run.id).state == "timed_out"
    assert ended == [True]
    assert 0 < left[0] <= 0.2
    assert worker.metrics().timed_out == 1


def test_an_async_handler_that_cancels_itself_fails(store):
    async def handle(context):
        raise asyncio.CancelledError

    run = store.runs.enqueue("k", max_attempts=1)
    works(store, "k", handle)
    assert (store.runs.get(run.id).state, store.runs.get(run.id).error) == ("failed", "CancelledError")


def test_an_interrupted_async_handler_gives_its_run_back(store):
    ended = []
    worker = working(store, "k", lambda context: async_sleeps(context, ended))
    run = store.runs.enqueue("k", max_attempts=1)
    worker.start()
    eventually(lambda: worker.metrics().running == 1)
    assert worker.stop(timeout=0.05) is False
    eventually(lambda: store.runs.get(run.id).state == "queued")
    assert (store.runs.get(run.id).attempt, ended) == (0, [True])


def test_metrics_count(store):
    def handle(context):
        if context.input == "bad":
            raise sprongus.Fatal("no")

    store.runs.enqueue_many([{"kind": "k", "input": "good"}] * 3 + [{"kind": "k", "input": "bad"}])
    worker = works(store, "k", handle)
    metrics = worker.metrics()
    assert (metrics.worker_id, metrics.claimed, metrics.succeeded, metrics.failed) == ("w", 4, 3, 1)
    assert (metrics.running, metrics.waiting, metrics.reporting) == (0, 0, 0)
    assert metrics.run["count"] == 4
    assert metrics.run["p50"] <= metrics.run["p99"]
    assert metrics.to_dict()["workerId"] == "w"
    assert store.worker().metrics().claimed == 0

"""The worker: handlers, failures, heartbeats, transactions, drain."""

import asyncio
import gc
import logging
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
import sprongus
from processes import run as run_script


def worked(store, kind, function, input=None, **enqueue):
    """What becomes of one run under that handler."""
    run = store.runs.enqueue(kind, input, **enqueue)
    worker = store.worker("w", poll_interval=0.05)
    assert worker.handler(kind)(function) is function
    worker.run(until_idle=True, patience=0)
    return store.runs.get(run.id)


def test_what_a_handler_gives_is_the_output(store):
    for given in ("text", {"a": [1, None]}, 7, False):
        run = worked(store, "k", lambda context, given=given: given)
        assert (run.state, store.runs.output(run.id)) == ("succeeded", given)
    nothing = worked(store, "k", lambda context: None)
    assert (nothing.state, nothing.output_ref) == ("succeeded", None)
    assert worked(store, "k", lambda context: sprongus.Ref("s3://b/k")).output_ref == "s3://b/k"


def test_async_handlers(store):
    async def slow(context):
        await asyncio.sleep(0.01)
        return context.input["n"] + 1

    run = worked(store, "k", slow, {"n": 1})
    assert store.runs.output(run.id) == 2


def test_failures(store):
    def broken(context):
        raise ValueError("it broke")

    def hopeless(context):
        raise sprongus.Fatal("never")

    once = worked(store, "once", broken, max_attempts=1)
    assert (once.state, once.error, once.attempt) == ("failed", "ValueError: it broke", 1)
    fatal = worked(store, "fatal", hopeless)
    assert (fatal.state, fatal.error, fatal.attempt) == ("failed", "never", 1)
    unfit = worked(store, "unfit", lambda context: object())
    assert (unfit.state, unfit.attempt) == ("failed", 1)
    assert "JSON" in unfit.error


def test_a_failed_attempt_is_tried_again(place):
    with place.open(backoff_base=0.01) as store:
        tries = []

        def flaky(context):
            tries.append(context.run.attempt)
            if len(tries) < 3:
                raise ConnectionError("away")
            return "done"

        run = store.runs.enqueue("k")
        worker = store.worker(poll_interval=0.02)
        worker.handler("k")(flaky)
        worker.run(until_idle=True, patience=2)
        assert tries == [1, 2, 3]
        types = [event.type for event in store.runs.events(run.id)]
        assert types.count("run.retry_scheduled") == 2
        assert types[-1] == "run.succeeded"


def test_the_context(store):
    seen = {}

    def handle(context):
        seen.update(run=context.run, input=context.input, canceled=context.canceled)
        context.heartbeat({"done": 1})
        context.heartbeat()
        seen["progress"] = store.runs.get(context.run.id).progress
        with context.transaction() as tx:
            tx.aux("p", "assets").create({"title": "x"}, id="a")
            tx.runs.enqueue("next")
        with pytest.raises(KeyError), context.transaction() as tx:
            tx.aux("p", "assets").delete("a")
            raise KeyError
        return "ok"

    run = worked(store, "k", handle, [1, 2])
    assert (seen["run"].id, seen["input"], seen["canceled"], seen["progress"]) == (run.id, [1, 2], False, {"done": 1})
    assert store.aux("p", "assets").get("a").version == 1
    assert store.runs.list(kind="next")[0].state == "queued"


def test_a_canceled_run_commits_nothing_more(store):
    lost = []

    def handle(context):
        store.runs.cancel(context.run.id)
        with pytest.raises(sprongus.LeaseLostError), context.transaction() as tx:
            tx.aux("p", "assets").create({}, id="a")
        with pytest.raises(sprongus.LeaseLostError):
            context.heartbeat()
        lost.append(context.canceled)
        return "too late"

    assert worked(store, "k", handle).state == "canceled"
    assert lost == [True]
    assert store.aux("p", "assets").count() == 0


def test_prefixes_and_threads(store):
    store.runs.enqueue_many([{"kind": f"sync/{n}", "input": n} for n in range(12)])
    threads, seen = set(), []
    worker = store.worker(concurrency=4, poll_interval=0.05)

    @worker.handler("sync/*")
    def handle(context):
        threads.add(threading.get_ident())
        seen.append(context.input)
        time.sleep(0.02)

    worker.run(until_idle=True, patience=0)
    assert sorted(seen) == list(range(12))
    assert threading.get_ident() not in threads
    assert len(threads) > 1


def test_a_busy_pool_of_one(shared_place):
    with shared_place.open(pool_size=1) as store:
        store.runs.enqueue_many([{"kind": "k", "input": n} for n in range(16)])
        worker = store.worker(concurrency=8, lease=1.0, poll_interval=0.05)

        @worker.handler("k")
        def handle(context):
            with context.transaction() as tx:
                tx.aux("p", "assets").upsert({"id": f"a{context.input}"})
            time.sleep(0.05)

        worker.run(until_idle=True, patience=0)
        assert {run.state for run in store.runs.iter()} == {"succeeded"}
        assert store.aux("p", "assets").count() == 16


def test_start_and_stop(store):
    worker = store.worker("background", poll_interval=0.05)
    done = threading.Event()

    @worker.handler("k")
    def handle(context):
        done.set()

    worker.start()
    with pytest.raises(sprongus.MisuseError):
        worker.start()
    with pytest.raises(sprongus.MisuseError):
        worker.handler("other")(handle)
    store.runs.enqueue("k")
    assert done.wait(10)
    assert worker.stop() is True
    assert worker.stop(timeout=0) is True
    assert store.runs.list()[0].claimed_by == worker.worker_id == "background"


def test_stop_does_not_wait_for_ever(store):
    entered, leave = threading.Event(), threading.Event()
    worker = store.worker(poll_interval=0.05)

    @worker.handler("k")
    def handle(context):
        entered.set()
        leave.wait(20)

    store.runs.enqueue("k")
    worker.start()
    assert entered.wait(10)
    assert worker.stop(timeout=0.1) is False
    leave.set()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"concurrency": 0}, sprongus.InvalidArgumentError),
        ({"concurrency": -1}, sprongus.InvalidArgumentError),
        ({"lease": 0}, sprongus.InvalidArgumentError),
        ({"poll_interval": 0}, sprongus.InvalidArgumentError),
        ({"worker_id": ""}, sprongus.InvalidArgumentError),
        ({"projects": ["a\0"]}, sprongus.InvalidArgumentError),
        ({"projects": "p"}, TypeError),
        ({"concurrency": "4"}, TypeError),
    ],
)
def test_bad_options(store, options, error):
    with pytest.raises(error):
        store.worker(**options)


def test_bad_handlers(store):
    worker = store.worker()
    with pytest.raises(TypeError):
        worker.handler("k")(7)
    with pytest.raises(sprongus.InvalidArgumentError):
        worker.handler("")(print)
    with pytest.raises(sprongus.MisuseError, match="handler"):
        worker.run(until_idle=True)
    with pytest.raises(sprongus.MisuseError):
        worker.start()


# A shell starts background jobs with SIGINT ignored, and so would every child of such a test run be.
DRAINS = """
    import signal, sys, time, sprongus
    signal.signal(signal.SIGINT, signal.default_int_handler)
    store = sprongus.open(sys.argv[1])
    worker = store.worker(poll_interval=0.05)
    @worker.handler("k")
    def handle(context):
        print("began", flush=True)
        time.sleep(0.7)
        return "ended"
    store.runs.enqueue("k")
    store.runs.enqueue("k", delay=30)
    try:
        worker.run()
    except KeyboardInterrupt:
        print([run.state for run in store.runs.list(order="oldest")], flush=True)
"""


def test_ctrl_c_drains(tmp_path):
    script = [sys.executable, "-c", textwrap.dedent(DRAINS), str(tmp_path / "app.db")]
    child = subprocess.Popen(script, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "began\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "['succeeded', 'queued']\n"
        assert child.wait(10) == 0
    finally:
        child.kill()
        child.stdout.close()
        child.wait(30)


def test_a_worker_left_running_ends_with_the_interpreter(tmp_path):
    code = """
        import sys, threading, time, sprongus
        store = sprongus.open(sys.argv[1])
        worker = store.worker(poll_interval=0.05)
        entered = threading.Event()
        @worker.handler("k")
        def handle(context):
            entered.set()
            time.sleep(0.2)
            return "ended"
        store.runs.enqueue("k")
        worker.start()
        entered.wait()
    """
    assert run_script(code, tmp_path / "app.db").stderr == ""
    with sprongus.open(tmp_path / "app.db") as store:
        assert store.runs.list()[0].state == "succeeded"


def test_a_handler_does_not_wait_for_itself(store):
    stopped = []

    def handle(context):
        with pytest.raises(sprongus.MisuseError, match="another thread"):
            worker.stop(timeout=None)
        thread = threading.Thread(target=lambda: stopped.append(worker.stop()))
        thread.start()
        return "stopping"

    worker = store.worker(poll_interval=0.05)
    worker.handler("k")(handle)
    run = store.runs.enqueue("k")
    worker.run()
    while not stopped:
        time.sleep(0.01)
    assert (stopped, store.runs.get(run.id).state) == ([True], "succeeded")


LET_GO = """
    import os, signal, sys, threading, time, sprongus
    signal.signal(signal.SIGINT, signal.default_int_handler)
    store = sprongus.open(sys.argv[1])
    worker = store.worker(poll_interval=0.05)
    entered = threading.Event()
    @worker.handler("k")
    def handle(context):
        entered.set()
        while True:
            if sys.argv[2] == "sleeps":
                time.sleep(0.001)
    store.runs.enqueue_many([{"kind": "k"}] * 3)
    if sys.argv[3] == "stop":
        worker.start()
        entered.wait()
        assert worker.stop(timeout=0.1) is False
    else:
        def interrupt():
            entered.wait()
            for _ in range(2):
                time.sleep(0.3)
                os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            worker.run()
        except KeyboardInterrupt:
            pass
    print("left")
"""


@pytest.mark.parametrize("by", ["stop", "ctrl-c"])
@pytest.mark.parametrize("how", ["sleeps", "spins"])
def test_handlers_that_were_let_go_do_not_crash_the_exit(tmp_path, how, by):
    done = run_script(LET_GO, tmp_path / "app.db", how, by)
    assert (done.stdout, done.stderr) == ("left\n", "")


def test_a_worker_that_its_handler_knows_is_collected(tmp_path):
    with sprongus.open(tmp_path / "app.db") as store:

        def made():
            worker = store.worker()

            @worker.handler("k")
            def handle(context):
                worker.stop()

            return weakref.ref(worker)

        reference = made()
        gc.collect()
        assert reference() is None


def test_a_worker_after_fork(tmp_path):
    # Many threads that just begin: some of the forks meet one with the worker's lock.
    code = """
        import os, sys, sprongus
        store = sprongus.open(sys.argv[1])
        worker = store.worker(poll_interval=0.01, concurrency=64)
        worker.handler("k")(lambda context: None)
        for _ in range(10):
            worker.start()
            child = os.fork()
            if child == 0:
                for call in (worker.start, worker.run, worker.stop, lambda: worker.handler("j")):
                    try:
                        call()
                        os._exit(1)
                    except sprongus.ForkedError:
                        pass
                sys.exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert worker.stop() is True
    """
    assert run_script(code, tmp_path / "app.db").stderr == ""


def test_log_lines_name_the_run_and_hold_no_input(store, caplog):
    caplog.set_level(logging.DEBUG, "sprongus")
    run = worked(store, "k", lambda context: "the output", "the input")
    said = [(record.name, record.getMessage()) for record in caplog.records if run.id in record.getMessage()]
    assert any("a run began" in line for _, line in said)
    assert any("a run ended" in line and "succeeded" in line and "run_ms" in line for _, line in said)
    assert all(name.startswith("sprongus.") for name, _ in said)
    assert not any("the input" in record.getMessage() or "the output" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("returned", [sprongus.Ref(7), sprongus.Ref("\ud800"), {1, 2}, float("nan")])
def test_what_no_attempt_could_return_is_not_tried_again(store, returned):
    run = worked(store, "k", lambda context: returned)
    assert (run.state, run.attempt) == ("failed", 1)
    assert "not its output" in run.error


def test_ctrl_c_ends_the_wait_for_handlers(tmp_path):
    code = """
        import os, signal, sys, threading, time, sprongus
        signal.signal(signal.SIGINT, signal.default_int_handler)
        store = sprongus.open(sys.argv[1])
        worker = store.worker(poll_interval=0.05)
        entered, leave = threading.Event(), threading.Event()
        @worker.handler("k")
        def handle(context):
            entered.set()
            leave.wait(30)
        run = store.runs.enqueue("k")
        worker.start()
        entered.wait()
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        begun = time.monotonic()
        try:
            worker.stop(timeout=None)
        except KeyboardInterrupt:
            assert time.monotonic() - begun < 5
        leave.set()
        assert worker.stop() is True
        print(store.runs.get(run.id).state)
    """
    assert run_script(code, tmp_path / "app.db").stdout == "succeeded\n"


WAKES = """
    import sys, threading, time, sprongus
    store = sprongus.open(sys.argv[1], schema=sys.argv[2] or None, listen_url=sys.argv[1] if sys.argv[2] else None)
    begun = []
    worker = store.worker(poll_interval=30)
    @worker.handler("k")
    def handle(context):
        begun.append(time.time() - context.input)
    worker.start()
    print("ready", flush=True)
    deadline = time.monotonic() + 20
    while len(begun) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.stop()
    print(len(begun) == 5 and sorted(begun)[2] < 5, flush=True)
"""


def test_an_idle_worker_of_another_process_is_woken(shared_place):
    arguments = [shared_place.url, shared_place.options.get("schema", "")]
    with shared_place.open() as store:
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WAKES), *arguments], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "ready\n"
            for _ in range(5):
                time.sleep(0.3)
                store.runs.enqueue("k", time.time())
            assert child.stdout.readline() == "True\n"
            assert child.wait(20) == 0
        finally:
            child.kill()
            child.stdout.close()
            child.wait(30)


SHARE = """
    import sys, sprongus
    with sprongus.open(sys.argv[1], schema=sys.argv[2] or None) as store:
        worker = store.worker(concurrency=4, poll_interval=0.05)
        @worker.handler("k")
        def handle(context):
            sys.stdout.write(f"{context.step('worked', lambda: context.input)}\\n")
        worker.run(until_idle=True, patience=0)
"""


def test_two_processes_share_the_work(shared_place):
    with shared_place.open() as store:
        store.runs.enqueue_many([{"kind": "k", "input": number} for number in range(200)])
        arguments = [shared_place.url, shared_place.options.get("schema", "")]
        children = [
            subprocess.Popen([sys.executable, "-c", textwrap.dedent(SHARE), *arguments], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        said = [child.communicate(timeout=120)[0].split() for child in children]
        assert [child.returncode for child in children] == [0, 0]
        assert sorted(int(line) for lines in said for line in lines) == list(range(200))
        assert {run.state for run in store.runs.iter(limit=1000)} == {"succeeded"}
        assert {run.lease for run in store.runs.iter(limit=1000)} == {1}

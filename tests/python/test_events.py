"""The feed of events: read, followed, subscribed to."""

import logging
import pickle
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import sprongus
from processes import run as run_script


def read_on(store, cursor=None, **filters):
    """Everything after a cursor, and the cursor after it."""
    events = []
    while True:
        batch = store.events.read(after=cursor, **filters)
        events += batch
        if batch.cursor == cursor:
            return events, cursor
        cursor = batch.cursor


def test_read_from_the_beginning_and_on(store):
    run = store.runs.enqueue("k", project="p")
    batch = store.events.read()
    assert isinstance(batch, sprongus.EventBatch)
    assert isinstance(batch, list)
    assert [(event.type, event.run_id, event.seq) for event in batch] == [("run.enqueued", run.id, 1)]
    assert store.events.read(after=batch.cursor) == []
    store.aux("p", "assets").create({"title": "x"}, id="a")
    store.runs.cancel(run.id)
    events, cursor = read_on(store, batch.cursor)
    assert [event.type for event in events] == ["aux.created", "run.canceled"]
    assert events[0].subject == "aux:p/assets/a"
    assert [event.type for event in read_on(store, types=["aux.*"])[0]] == ["aux.created"]
    assert [event.type for event in read_on(store, types=["run.enqueued", "run.canceled"])[0]] == [
        "run.enqueued",
        "run.canceled",
    ]
    assert read_on(store, project="q")[0] == []
    assert store.events.position() == cursor
    pages = []
    after = None
    for _ in range(3):
        page = store.events.read(after=after, limit=1)
        after = page.cursor
        pages += page
    assert [event.type for event in pages] == ["run.enqueued", "aux.created", "run.canceled"]


def test_a_batch_is_a_list_that_shows_and_pickles(store):
    store.runs.enqueue("<k>")
    batch = store.events.read()
    again = pickle.loads(pickle.dumps(batch))
    assert (again, again.cursor, type(again)) == (batch, batch.cursor, sprongus.EventBatch)
    assert batch._repr_html_().count("<tr>") == 2
    empty = store.events.read(after=batch.cursor)
    assert (empty, bool(empty.cursor)) == ([], True)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"after": "nonsense"}, sprongus.InvalidArgumentError),
        ({"after": ""}, sprongus.InvalidArgumentError),
        ({"after": 7}, TypeError),
        ({"types": "run.*"}, TypeError),
        ({"types": [""]}, sprongus.InvalidArgumentError),
        ({"project": "a\0"}, sprongus.InvalidArgumentError),
    ],
)
def test_bad_questions(store, wrong, error):
    with pytest.raises(error):
        store.events.read(**wrong)
    with pytest.raises(error):
        store.events.follow(**wrong)
    for limit in (-1, 1001, 2**70):
        with pytest.raises(sprongus.InvalidArgumentError):
            store.events.read(limit=limit)


def test_what_a_transaction_cannot_do(store):
    with store.transaction() as tx:
        tx.runs.enqueue("k")
        with pytest.raises(sprongus.MisuseError):
            tx.events.follow()
        with pytest.raises(sprongus.MisuseError):
            tx.events.subscribe(print)
    assert len(store.events.read()) == 1


def test_follow_waits_for_what_is_committed_later(store):
    store.runs.enqueue("before")
    feed = store.events.follow(types=["run.*"])
    assert iter(feed) is feed

    def commit():
        for number in range(3):
            time.sleep(0.05)
            store.runs.enqueue("k", number)

    thread = threading.Thread(target=commit)
    thread.start()
    seen = [next(feed) for _ in range(3)]
    thread.join()
    assert [store.runs.get(event.run_id).input for event in seen] == [0, 1, 2]
    store.runs.enqueue("later")
    assert store.runs.get(next(store.events.follow(after=feed.cursor)).run_id).kind == "later"
    assert store.runs.get(next(feed).run_id).kind == "later"


def test_follow_ends_when_it_is_closed(store):
    feed = store.events.follow()
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(feed))
    thread.start()
    store.runs.enqueue("k")
    while not seen:
        time.sleep(0.01)
    with pytest.raises(sprongus.MisuseError, match="another thread"):
        next(feed)
    feed.close()
    thread.join(20)
    assert not thread.is_alive()
    assert [event.type for event in seen] == ["run.enqueued"]
    assert list(feed) == []
    with pytest.raises(sprongus.MisuseError, match="cursor"):
        pickle.dumps(feed)


def test_follow_ends_with_the_store(place):
    store = place.open()
    feed = store.events.follow()
    thread = threading.Timer(0.2, store.close)
    thread.start()
    with pytest.raises(sprongus.MisuseError):
        next(feed)
    thread.join()


def test_follow_sees_another_process(shared_place):
    with shared_place.open() as store:
        feed = store.events.follow(types=["run.succeeded"])
        code = """
            import sys, sprongus
            with sprongus.open(sys.argv[1], schema=sys.argv[2] or None) as store:
                for number in range(3):
                    store.runs.enqueue("k", number)
                    [run] = store.runs.claim_next("w")
                    store.runs.succeed(run)
        """
        run_script(code, shared_place.url, shared_place.options.get("schema", ""))
        assert [store.runs.get(next(feed).run_id).input for _ in range(3)] == [0, 1, 2]


def test_subscribers_are_told_in_order(store):
    told = queue.Queue()
    subscription = store.events.subscribe(told.put)
    runs = store.runs.enqueue_many([{"kind": "k", "input": number} for number in range(20)])
    for run in store.runs.claim_next("w", limit=20):
        store.runs.succeed(run)
    seen = [told.get(timeout=20) for _ in range(60)]
    for run in runs:
        assert [event.seq for event in seen if event.run_id == run.id] == [1, 2, 3]
    assert subscription.missed == 0
    subscription.close()
    subscription.close()
    store.runs.enqueue("after")
    time.sleep(0.1)
    assert told.empty()


def test_subscribers_hear_only_what_they_asked_for_and_what_is_committed(store):
    told = queue.Queue()
    with store.events.subscribe(told.put, types=["run.canceled"], project="p"):
        with pytest.raises(KeyError), store.transaction() as tx:
            tx.runs.cancel(tx.runs.enqueue("k", project="p").id)
            raise KeyError
        store.runs.cancel(store.runs.enqueue("other", project="q").id)
        with store.transaction() as tx:
            run = tx.runs.enqueue("k", project="p")
            tx.runs.cancel(run.id)
        assert told.get(timeout=20).run_id == run.id
    assert told.empty()


def test_a_subscriber_may_raise_use_the_store_and_close_itself(store, caplog):
    caplog.set_level(logging.INFO, "sprongus.events")
    done = threading.Event()
    seen = []

    def tell(event):
        seen.append(store.runs.get(event.run_id).input)
        if len(seen) == 1:
            raise ValueError("a secret")
        subscription.close()
        done.set()

    subscription = store.events.subscribe(tell, types=["run.enqueued"])
    store.runs.enqueue_many([{"kind": "k", "input": number} for number in range(9)])
    assert done.wait(20)
    time.sleep(0.05)
    assert seen == [0, 1]
    [line] = [record for record in caplog.records if record.name == "sprongus.events"]
    assert "ValueError" in line.getMessage()
    assert "secret" not in line.getMessage()
    assert line.exc_info is None


def test_close_waits_for_a_call_under_way(store):
    entered, ended = threading.Event(), []

    def tell(event):
        entered.set()
        time.sleep(0.3)
        ended.append(event)

    subscription = store.events.subscribe(tell)
    store.runs.enqueue_many([{"kind": "k"}] * 3)
    assert entered.wait(20)
    subscription.close()
    assert len(ended) == 1


def test_a_slow_subscriber_holds_nobody_up(store):
    entered, leave = threading.Event(), threading.Event()

    def tell(event):
        entered.set()
        leave.wait(60)

    subscription = store.events.subscribe(tell)
    store.runs.enqueue("k")
    assert entered.wait(20)
    store.runs.enqueue_many([{"kind": "k"}] * 10_100)
    # 10,000 wait, and one or two are on their way.
    assert 98 <= subscription.missed <= 100
    leave.set()
    subscription.close()


def test_bad_subscribers(store):
    for wrong in (7, None, "print"):
        with pytest.raises(TypeError):
            store.events.subscribe(wrong)
    with pytest.raises(sprongus.InvalidArgumentError):
        store.events.subscribe(print, types=[""])
    store.close()
    with pytest.raises(sprongus.MisuseError):
        store.events.subscribe(print)


def test_a_subscription_that_nobody_keeps_goes_on_until_the_store_closes(store):
    told = queue.Queue()
    store.events.subscribe(told.put)
    store.runs.enqueue("k")
    assert told.get(timeout=20).type == "run.enqueued"
    store.close()
    end = time.monotonic() + 20
    while any(thread.name == "sprongus-events" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_scoped_handle_reads_its_own(store):
    store.runs.enqueue("k", project="p")
    store.runs.enqueue("k", project="q")
    mine = store.scoped("p", ["runs:read"])
    assert len(mine.events.read()) == 1
    with pytest.raises(sprongus.PermissionDeniedError):
        mine.events.read(project="q")
    told = queue.Queue()
    with mine.events.subscribe(told.put):
        store.runs.enqueue("k", project="q")
        run = store.runs.enqueue("k", project="p")
        assert told.get(timeout=20).run_id == run.id


# A shell starts background jobs with SIGINT ignored, and so would every child of such a test run be.
WAITS = """
    import signal, sys, sprongus
    signal.signal(signal.SIGINT, signal.default_int_handler)
    store = sprongus.open(sys.argv[1], schema=sys.argv[2] or None)
    run = store.runs.enqueue("k")
    feed = store.events.follow()
    print("ready", flush=True)
    try:
        next(feed) if sys.argv[3] == "follow" else store.runs.wait(run.id)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    store.runs.enqueue("after")
    print(next(feed).type, flush=True)
"""


@pytest.mark.parametrize("what", ["follow", "wait"])
def test_ctrl_c_ends_the_wait(shared_place, what):
    arguments = [shared_place.url, shared_place.options.get("schema", ""), what]
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(WAITS), *arguments], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.5)
        begun = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "interrupted\n"
        assert time.monotonic() - begun < 5
        assert child.stdout.readline() == "run.enqueued\n"
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.stdout.close()
        child.wait(30)


EXITS = """
    import sys, threading, time, sprongus
    store = sprongus.open(sys.argv[1], schema=sys.argv[2] or None)
    run = store.runs.enqueue("k")
    entered = threading.Event()
    def follow():
        for event in store.events.follow():
            entered.set()
    def tell(event):
        entered.set()
        time.sleep(60)
    what = sys.argv[3]
    if what == "follow":
        threading.Thread(target=follow, daemon=True).start()
    elif what == "wait":
        threading.Thread(target=store.runs.wait, args=[run.id], daemon=True).start()
        entered.set()
    else:
        subscription = store.events.subscribe(tell)
    deadline = time.monotonic() + 20
    while not entered.wait(0.05) and time.monotonic() < deadline:
        store.runs.enqueue("k")
    assert entered.is_set()
    time.sleep(0.1)
    print("left")
"""


@pytest.mark.parametrize("what", ["follow", "wait", "subscribe"])
def test_the_interpreter_may_end_meanwhile(shared_place, what):
    done = run_script(EXITS, shared_place.url, shared_place.options.get("schema", ""), what)
    assert (done.stdout, done.stderr) == ("left\n", "")


FORKS = """
    import os, sys, threading, sprongus
    url, schema = sys.argv[1], sys.argv[2] or None
    store = sprongus.open(url, schema=schema)
    told = threading.Event()
    subscription = store.events.subscribe(lambda event: told.set())
    feed = store.events.follow()
    run = store.runs.enqueue("k")
    assert told.wait(20)
    child = os.fork()
    if child == 0:
        wrong = []
        calls = (lambda: next(feed), store.events.read, store.events.follow, lambda: store.events.subscribe(print),
                 lambda: store.runs.wait(run.id, 1), lambda: store.inbox.accept("c", "1"), store.schedules.list,
                 store.approvals.list, store.runs.stats)
        for call in calls:
            try:
                call()
                wrong.append(call)
            except sprongus.ForkedError:
                pass
        subscription.close()
        feed.close()
        del subscription, feed
        os._exit(len(wrong))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.runs.succeed(store.runs.claim_next("w")[0])
    assert store.runs.wait(run.id, 20).state == "succeeded"
    assert [next(feed).type for _ in range(3)] == ["run.enqueued", "run.started", "run.succeeded"]
    subscription.close()
"""


def test_after_fork(shared_place):
    run_script(FORKS, shared_place.url, shared_place.options.get("schema", ""))

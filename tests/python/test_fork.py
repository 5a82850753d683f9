"""After os.fork: an inherited Store is answered, children that open their own work, ids stay distinct."""

from concurrent.futures import ThreadPoolExecutor

import sprongus
from processes import run

INHERITED = """
    import os, sys, sprongus
    url, schema = sys.argv[1], sys.argv[2] or None
    store = sprongus.open(url, schema=schema)
    made = store.runs.enqueue("before")
    block = store.transaction()
    tx = block.__enter__()
    tx.runs.enqueue("within")
    inner = tx.transaction()
    inner.__enter__().runs.enqueue("inner")
    child = os.fork()
    if child == 0:
        wrong = []
        for call in (store.runs.list, lambda: store.query("SELECT 1"), tx.runs.list, lambda: store.runs.enqueue("k"),
                     lambda: store.transaction().__enter__(), lambda: store.aux("p", "assets").count(),
                     lambda: inner.__exit__(None, None, None), lambda: block.__exit__(None, None, None)):
            try:
                call()
                wrong.append(call)
            except sprongus.ForkedError as error:
                assert error.code == "forked"
        del tx, inner, block
        store.close()
        del store
        with sprongus.open(url, schema=schema) as own:
            assert own.runs.get(made.id) == made
        os._exit(1 if wrong else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    tx.runs.enqueue("after")
    inner.__exit__(None, None, None)
    block.__exit__(None, None, None)
    assert sorted(run.kind for run in store.runs.list()) == ["after", "before", "inner", "within"]
"""

CHILDREN = """
    import os, sys, sprongus
    url, schema, count = sys.argv[1], sys.argv[2] or None, 200
    store = sprongus.open(url, schema=schema)
    store.runs.enqueue("parent")
    children = []
    for number in range(2):
        child = os.fork()
        if child == 0:
            with sprongus.open(url, schema=schema) as own:
                own.runs.enqueue_many([{"kind": f"child{number}"}] * count)
                for _ in range(20):
                    own.runs.enqueue(f"child{number}")
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    ids = [run.id for run in store.runs.iter(limit=1000)]
    assert len(ids) == len(set(ids)) == 2 * (count + 20) + 1
"""

MANY = """
    import os, sys, sprongus
    url, schema = sys.argv[1], sys.argv[2] or None
    for number in range(10):
        with sprongus.open(url, schema=schema) as store:
            store.runs.enqueue("parent")
            children = []
            for _ in range(3):
                child = os.fork()
                if child == 0:
                    with sprongus.open(url, schema=schema) as own:
                        own.runs.enqueue("child")
                    os._exit(0)
                children.append(child)
            for child in children:
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""

WAITING = """
    import os, sys, sprongus
    url, schema = sys.argv[1], sys.argv[2] or None
    store = sprongus.open(url, schema=schema)
    worker = store.worker(poll_interval=60)
    worker.handler("parent")(lambda ctx: None)
    worker.start()
    first = store.runs.enqueue("parent")
    assert store.runs.wait(first.id, timeout=20).state == "succeeded"
    children = []
    for number in range(5):
        child = os.fork()
        if child == 0:
            try:
                store.runs.wait(first.id, timeout=1)
                os._exit(1)
            except sprongus.ForkedError:
                pass
            store.close()
            del worker, store
            with sprongus.open(url, schema=schema) as own:
                mine = own.worker(poll_interval=60)
                mine.handler(f"child{number}")(lambda ctx: None)
                mine.start()
                run = own.runs.enqueue(f"child{number}")
                assert own.runs.wait(run.id, timeout=20).state == "succeeded"
                assert mine.stop(timeout=20)
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    last = store.runs.enqueue("parent")
    assert store.runs.wait(last.id, timeout=20).state == "succeeded"
    assert worker.stop(timeout=20)
"""

# No worker: before Python 3.12 a child hangs in the interpreter itself where another thread attaches to it just then.
BUSY = """
    import logging, os, signal, sys, threading, sprongus
    url, elsewhere, forks = sys.argv[1], sys.argv[2], 100
    heard = []
    noted = logging.Handler()
    noted.emit = lambda record: heard.append(record.getMessage())
    logging.getLogger("sprongus").addHandler(noted)
    # No fsync: none lasts as long as a fork waits.
    store = sprongus.open(url, durability="normal")
    over = threading.Event()
    seen = []
    feed = store.events.follow()
    def follow():
        for event in feed:
            seen.append(event)
    def commit():
        while not over.is_set():
            store.runs.enqueue("parent")
    threads = [threading.Thread(target=follow, daemon=True), threading.Thread(target=commit, daemon=True)]
    for thread in threads:
        thread.start()
    well = 0
    for _ in range(forks):
        child = os.fork()
        if child == 0:
            # Ends one that hangs.
            signal.alarm(60)
            with sprongus.open(elsewhere) as own:
                own.runs.enqueue("child")
            os._exit(0)
        went_well = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        # On a machine that is too busy a fork may go on without waiting longer; it says so.
        went_on = any("fork went on" in line for line in heard)
        heard.clear()
        assert went_well or went_on
        well += went_well and not went_on
    over.set()
    feed.close()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert seen
    assert well >= forks * 0.9
    with sprongus.open(elsewhere) as other:
        assert well <= len(list(other.runs.iter(kind="child", limit=1000))) <= forks
"""

BEFORE = """
    import os, sys, sprongus
    url, schema = sys.argv[1], sys.argv[2] or None
    child = os.fork()
    with sprongus.open(url, schema=schema) as store:
        store.runs.enqueue("child" if child == 0 else "parent")
    if child == 0:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with sprongus.open(url, schema=schema) as store:
        assert sorted(run.kind for run in store.runs.list()) == ["child", "parent"]
"""


def test_an_inherited_store_is_answered(shared_place):
    run(INHERITED, shared_place.url, shared_place.options.get("schema", ""))


def test_children_make_distinct_ids(shared_place):
    run(CHILDREN, shared_place.url, shared_place.options.get("schema", ""))


def test_children_of_many_processes_come_to_an_end(shared_place):
    # Processes that start at once, on a place that is new to all: there the threads of a pool would be caught at work.
    where = shared_place.url, shared_place.options.get("schema", "")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: run(MANY, *where), range(6)))
    with shared_place.open() as store:
        assert len(list(store.runs.iter(kind="child"))) == 6 * 10 * 3


def test_children_of_a_process_that_waits_wait_for_themselves(shared_place):
    run(WAITING, shared_place.url, shared_place.options.get("schema", ""))


def test_a_fork_waits_for_the_threads_inside_sqlite(tmp_path):
    # Another file: what a child knows of locks on its parent's is not its own.
    run(BUSY, tmp_path / "parent.db", tmp_path / "child.db", timeout=300)


def test_forking_before_opening_is_fine(shared_place):
    shared_place.open().close()
    run(BEFORE, shared_place.url, shared_place.options.get("schema", ""))


def test_the_class_says_what_it_is():
    assert issubclass(sprongus.ForkedError, sprongus.MisuseError)

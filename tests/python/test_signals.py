"""Ctrl-C ends a wait."""

import signal
import subprocess
import sys
import tempfile
import textwrap
import time

import pytest
import sprongus
from conftest import fresh
from processes import run

# A shell starts background jobs with SIGINT ignored, and so would every child of such a test run be.
WAITS = """
    import signal, sys, sprongus
    signal.signal(signal.SIGINT, signal.default_int_handler)
    url, schema = sys.argv[1], sys.argv[2] or None
    store = sprongus.open(url, schema=schema, busy_timeout=25)
    print("ready", flush=True)
    try:
        store.execute("UPDATE held SET n = n + 1")
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        print(store.query("SELECT n FROM held"), flush=True)
"""


@pytest.mark.parametrize("backend", ["sqlite-file", "postgres"])
def test_ctrl_c_while_another_holds_the_lock(backend, tmp_path):
    place = fresh(backend, tmp_path)
    with place.open() as store:
        store.execute("CREATE TABLE held (n bigint)")
        store.execute("INSERT INTO held VALUES (1)")
        with store.transaction() as tx:
            tx.execute("UPDATE held SET n = n")
            child = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(WAITS), place.url, place.options.get("schema", "")],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert child.stdout is not None
            try:
                assert child.stdout.readline() == "ready\n"
                time.sleep(0.5)
                begun = time.monotonic()
                child.send_signal(signal.SIGINT)
                assert child.stdout.readline() == "interrupted\n"
                assert time.monotonic() - begun < 5
                assert child.stdout.readline() == "[{'n': 1}]\n"
            finally:
                child.kill()
                child.stdout.close()
                child.wait(30)


def test_a_handler_of_the_hosts_may_raise_its_own():
    code = """
        import signal, sprongus, sys, threading, os, time
        store = sprongus.open(sys.argv[1], busy_timeout=20)
        other = sprongus.open(sys.argv[1])
        class Enough(Exception): pass
        def enough(*_): raise Enough
        signal.signal(signal.SIGALRM, enough)
        with other.transaction() as tx:
            tx.execute("CREATE TABLE t (n INTEGER)")
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            try:
                store.runs.enqueue("k")
            except Enough:
                print("enough")
        print(store.runs.list())
    """
    with tempfile.TemporaryDirectory() as folder:
        done = run(code, f"{folder}/app.db")
    assert done.stdout == "enough\n[]\n"
    assert sprongus.TimeoutError("x").retryable


LONG = """
    import os, signal, sys, threading, time, sprongus
    signal.signal(signal.SIGINT, signal.default_int_handler)
    url, schema, what = sys.argv[1], sys.argv[2] or None, sys.argv[3]
    store = sprongus.open(url, schema=schema)
    assets = store.aux("p", "assets")
    rows = [{"id": str(n), "title": "x" * 40} for n in range(300_000)]
    if what == "export":
        assets.bulk_upsert(rows[:5000])
    if what == "import":
        with open("rows.csv", "w") as file:
            file.write("id,title\\n" + "".join(f"{row['id']},{row['title']}\\n" for row in rows))

    def interrupt_at_first(done, total):
        os.kill(os.getpid(), signal.SIGINT)

    sql = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 400000000) SELECT count(*) AS n FROM c"
    calls = {
        "query": lambda: store.query(sql),
        "bulk": lambda: assets.bulk_upsert(rows),
        "import": lambda: assets.import_("rows.csv"),
        "export": lambda: assets.export("out.csv", progress=interrupt_at_first),
    }
    if what != "export":
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()
    try:
        calls[what]()
    except KeyboardInterrupt:
        took = time.monotonic() - begun
        print("interrupted", took < 5 or took, assets.count() in (0, 5000), os.path.exists("out.csv"))
    store.runs.enqueue("after")
"""


@pytest.mark.parametrize("what", ["query", "bulk", "import", "export"])
def test_ctrl_c_in_long_work(shared_place, what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(LONG, shared_place.url, shared_place.options.get("schema", ""), what, timeout=120)
    assert done.stdout == "interrupted True True False\n"

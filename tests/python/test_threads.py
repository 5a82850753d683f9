"""The GIL is released, log lines take no part in a deadlock, importing is quick."""

import logging
import subprocess
import sys
import threading
import time

import sprongus
from processes import run


def test_a_thread_goes_on_while_another_waits(shared_place):
    with shared_place.open() as store, shared_place.open() as other:
        store.execute("CREATE TABLE held (n bigint)")
        store.execute("INSERT INTO held VALUES (0)")
        waited = []

        def wait():
            begun = time.monotonic()
            other.execute("UPDATE held SET n = n + 1")
            waited.append(time.monotonic() - begun)

        with store.transaction() as tx:
            tx.execute("UPDATE held SET n = n + 1")
            thread = threading.Thread(target=wait)
            thread.start()
            turns, until = 0, time.monotonic() + 0.5
            while time.monotonic() < until:
                turns += 1
        thread.join()
        assert turns > 10_000
        assert waited[0] > 0.4
        assert store.query("SELECT n FROM held") == [{"n": 2}]


def test_many_threads_on_one_store(store):
    done = []

    def work(number):
        for turn in range(10):
            run = store.runs.enqueue("k", {"thread": number, "turn": turn})
            assert store.runs.get(run.id).input["turn"] == turn
            with store.transaction() as tx:
                tx.aux("p", "assets").upsert({"id": "shared", "title": f"{number}"})
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8
    assert store.runs.list(limit=1000).next_cursor is None
    assert len(store.runs.list(limit=1000)) == 80


def test_log_lines_come_under_the_librarys_name(tmp_path):
    code = """
        import logging, sys, threading, sprongus
        class Held(logging.Handler):
            lines = []
            def emit(self, record): self.lines.append(record.name)
        logging.getLogger("sprongus").addHandler(Held())
        logging.getLogger("sprongus").setLevel(logging.DEBUG)
        store = sprongus.open(sys.argv[1])
        worker = store.worker("w")
        worker.handler("k")(lambda context: None)
        for n in range(20): store.runs.enqueue("k", {"note": "s3cr3t"})
        worker.run(until_idle=True, patience=0)
        assert Held.lines and all(name.startswith("sprongus") for name in Held.lines), Held.lines
    """
    run(code, tmp_path / "app.db")
    assert logging.getLogger("sprongus").parent is logging.getLogger()


def test_importing_is_quick():
    def seconds(code):
        # Of the processor: what else the machine does is none of ours.
        script = f"import time; begun = time.process_time(); {code}; print(time.process_time() - begun)"
        times = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(5)]
        return min(float(done.stdout) for done in times)

    assert seconds("import sprongus") < 0.03


def test_no_heavy_module_is_imported():
    heavy = {"asyncio", "logging", "decimal", "dataclasses", "sqlite3", "pandas", "uuid"}
    code = f"import sys, sprongus; print(sorted({heavy!r} & set(sys.modules)))"
    assert run(code).stdout == "[]\n"
    assert sprongus.__all__

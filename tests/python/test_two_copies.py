"""The hazard of a second SQLite in the process: never acknowledged, never silent. In child processes alone."""

import json
import sys

import sprongus
from processes import run

HAZARD = """
    import json, os, sqlite3, sys, warnings, sprongus
    path = sys.argv[1]
    store = sprongus.open(path)
    told = [store.runs.enqueue("k", n).id for n in range(50)]
    caught = None
    for n in range(200):
        # What a host might do by the way: its close() drops the locks of the library's own connections.
        other = sqlite3.connect(path)
        other.execute("SELECT 1 FROM sprongus_runs").fetchall()
        other.close()
        if n == 3:
            # Any other process, now sure to be alone, resets the log.
            os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", sys.argv[2], path])
        try:
            told.append(store.runs.enqueue("k", n).id)
        except sprongus.SplitBrainError as error:
            caught = error.code
            break
    print(json.dumps({"told": told, "caught": caught}), flush=True)
    os._exit(0)
"""

ALONE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT 1 FROM sprongus_runs").fetchall()
connection.close()
"""

PLAIN = """
    import json, os, sqlite3, sys, sprongus
    store = sprongus.open(sys.argv[1])
    told = [store.runs.enqueue("k").id]
    other = sqlite3.connect(sys.argv[1])
    other.execute("select 1").fetchall()
    other.close()
    caught = None
    for _ in range(20):
        try:
            told.append(store.runs.enqueue("k").id)
        except sprongus.SplitBrainError as error:
            caught = error.code
            break
    print(json.dumps({"told": told, "caught": caught}), flush=True)
    os.kill(os.getpid(), 9)
"""

LOOK = """
    import json, sys, sprongus
    with sprongus.open(sys.argv[1]) as store:
        print(json.dumps([run.id for run in store.runs.iter(limit=1000)]))
"""

SEEN = """
    import json, os, sqlite3, sys, sprongus
    stores = [sprongus.open(sys.argv[1]) for _ in range(2)]
    for store in stores:
        store.runs.enqueue("k")
    codes = lambda: [finding["code"] for finding in stores[0].doctor().findings]
    alone = codes()
    other = sqlite3.connect(sys.argv[1])
    other.execute("SELECT 1 FROM sprongus_runs").fetchall()
    print(json.dumps({"alone": alone, "beside": codes()}), flush=True)
    os._exit(0)
"""

# What the finding tells: the store's own query instead, or another process.
TOLD = """
    import json, subprocess, sys, sprongus
    store = sprongus.open(sys.argv[1])
    store.runs.enqueue("k")
    store.query("SELECT 1 FROM sprongus_runs")
    subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[1]], check=True)
    print(json.dumps([finding["code"] for finding in store.doctor().findings]))
"""


def kept(path):
    return set(json.loads(run(LOOK, path).stdout))


def test_a_replaced_log_is_not_acknowledged(tmp_path):
    path = tmp_path / "app.db"
    seen = json.loads(run(HAZARD, path, ALONE).stdout)
    assert seen["caught"] == "split_brain"
    assert len(seen["told"]) >= 50
    assert set(seen["told"]) <= kept(path)


def test_what_was_acknowledged_survives_a_plain_connect_and_close(tmp_path):
    path = tmp_path / "app.db"
    seen = json.loads(run(PLAIN, path, check=False).stdout)
    assert set(seen["told"]) <= kept(path)


def test_the_doctor_sees_a_second_copy_and_takes_no_store_for_one(tmp_path):
    seen = json.loads(run(SEEN, tmp_path / "app.db").stdout)
    assert "second_sqlite" not in seen["alone"]
    # Elsewhere a process does not tell what it has mapped (docs/doctor.md).
    assert ("second_sqlite" in seen["beside"]) == (sys.platform == "linux")
    assert "second_sqlite" not in json.loads(run(TOLD, tmp_path / "told.db", ALONE).stdout)


def test_the_class_says_what_it_is():
    assert issubclass(sprongus.SplitBrainError, sprongus.StorageError)

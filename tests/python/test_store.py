"""Opening, closing, and what a Store is."""

import os
import pickle
import stat
from pathlib import Path

import processes
import pytest
import sprongus


def test_what_it_says_of_itself(store, place):
    assert store.backend == ("postgres" if place.backend == "postgres" else "sqlite")
    assert store.schema_version >= 1
    assert store.migrate() == store.schema_version
    assert "password" not in store.url
    assert store.url in repr(store)
    assert sprongus.__version__


def test_paths_and_urls(tmp_path):
    for url in (tmp_path / "a.db", str(tmp_path / "b.db"), f"sqlite:{tmp_path}/c.db"):
        with sprongus.open(url) as store:
            store.execute("CREATE TABLE t (n INTEGER)")
    assert {path.name for path in tmp_path.glob("*.db")} == {"a.db", "b.db", "c.db"}
    assert stat.S_IMODE(os.stat(tmp_path / "a.db").st_mode) == 0o600


def test_what_is_there_stays(shared_place):
    with shared_place.open() as store:
        run = store.runs.enqueue("k", {"n": 1})
    with shared_place.open(migrate=False) as store:
        assert store.runs.get(run.id) == run


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("", sprongus.InvalidArgumentError),
        ("mysql://host/db", sprongus.InvalidArgumentError),
        ("file:app.db?mode=ro", sprongus.InvalidArgumentError),
        ("a\0b", sprongus.InvalidArgumentError),
        ("\ud800.db", sprongus.InvalidArgumentError),
        (b"\xff\xfe.db", sprongus.InvalidArgumentError),
        (17, TypeError),
        (None, TypeError),
    ],
)
def test_what_is_no_url(url, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        sprongus.open(url)
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_a_store(tmp_path):
    with pytest.raises(sprongus.InvalidArgumentError):
        sprongus.open(tmp_path)
    with pytest.raises(sprongus.NotFoundError):
        sprongus.open(tmp_path / "none" / "app.db")
    text = tmp_path / "text"
    text.write_text("not a database, though long enough to be looked at as one: " * 40)
    with pytest.raises(sprongus.CorruptError):
        sprongus.open(text)


def test_a_server_that_is_not_there_keeps_the_password():
    with pytest.raises(sprongus.UnavailableError) as raised:
        sprongus.open("postgresql://somebody:s3cr3t-word@127.0.0.1:1/db", call_timeout=2)
    assert raised.value.retryable
    assert isinstance(raised.value, ConnectionError)
    assert "s3cr3t-word" not in f"{raised.value} {raised.value.details} {raised.value!r}"


@pytest.mark.parametrize(
    "option",
    [
        {"durability": "none"},
        {"pool_size": 0},
        {"pool_size": 2**70},
        {"pool_size": -1},
        {"busy_timeout": -1},
        {"busy_timeout": float("nan")},
        {"call_timeout": 0},
        {"call_timeout": float("inf")},
        {"max_payload_bytes": -5},
        {"actor": ""},
        {"actor": "\ud800"},
    ],
)
def test_options_out_of_range(option, tmp_path):
    with pytest.raises(sprongus.InvalidArgumentError):
        sprongus.open(tmp_path / "app.db", **option)
    assert not (tmp_path / "app.db").exists()


def test_options_of_the_wrong_type_or_name(tmp_path):
    for option in ({"pool_size": "4"}, {"busy_timeout": "soon"}, {"migrate": 1}, {"no_such_option": 1}):
        with pytest.raises(TypeError):
            sprongus.open(tmp_path / "app.db", **option)


def test_a_closed_store(place):
    store = place.open()
    runs, scoped = store.runs, store.scoped("p")
    store.close()
    store.close()
    for call in (lambda: store.query("SELECT 1"), runs.list, lambda: scoped.runs.list(), lambda: store.transaction().__enter__()):
        with pytest.raises(sprongus.MisuseError):
            call()
    assert store.schema_version >= 1


def test_read_only(shared_place):
    with shared_place.open() as store:
        run = store.runs.enqueue("k")
    with shared_place.open(read_only=True) as store:
        assert store.runs.get(run.id).kind == "k"
        with pytest.raises(sprongus.PermissionDeniedError) as raised:
            store.runs.enqueue("k")
        assert isinstance(raised.value, PermissionError)
        with pytest.raises(sprongus.PermissionDeniedError):
            store.execute("CREATE TABLE t (n INTEGER)")


def test_a_schema_that_is_not_there(shared_place):
    with pytest.raises(sprongus.SchemaVersionError):
        shared_place.open(migrate=False)


def test_scoped_handles_see_their_project_alone(store):
    own, other = store.scoped("a"), store.scoped("b")
    run = own.runs.enqueue("k")
    assert run.project_id == "a"
    with pytest.raises(sprongus.NotFoundError):
        other.runs.get(run.id)
    assert other.runs.list() == []
    with pytest.raises(sprongus.PermissionDeniedError):
        other.runs.enqueue("k", project="a")
    with pytest.raises(sprongus.PermissionDeniedError):
        own.query("SELECT 1")
    with pytest.raises(sprongus.PermissionDeniedError):
        own.scoped("b")
    with pytest.raises(sprongus.PermissionDeniedError):
        store.scoped("a", ["runs:read"]).runs.enqueue("k")
    with pytest.raises(sprongus.InvalidArgumentError):
        store.scoped("a", ["runs:everything"])


def test_acting_as_is_in_the_events(store):
    run = store.acting_as("ada", "spring cleaning").runs.enqueue("k")
    assert [event.actor for event in store.runs.events(run.id)] == ["ada"]


def test_a_snapshot_is_a_store(tmp_path):
    with sprongus.open(tmp_path / "app.db") as store:
        run = store.runs.enqueue("k")
        store.snapshot(tmp_path / "copy.db")
        with pytest.raises(sprongus.InvalidArgumentError):
            store.snapshot(tmp_path / "copy.db")
    with sprongus.open(tmp_path / "copy.db") as copy:
        assert copy.runs.get(run.id) == run


def test_a_server_makes_no_snapshot(shared_place, tmp_path):
    with shared_place.open() as store:
        if store.backend == "postgres":
            with pytest.raises(sprongus.UnsupportedError, match="pg_dump"):
                store.snapshot(tmp_path / "copy.db")
        else:
            store.snapshot(Path(tmp_path / "copy.db"))


def test_neither_store_nor_transaction_pickles(store):
    with pytest.raises(sprongus.MisuseError):
        pickle.dumps(store)
    with store.transaction() as tx, pytest.raises(sprongus.MisuseError):
        pickle.dumps(tx)


def test_the_schema_as_sql():
    assert "sprongus_runs" in sprongus.migration_sql("sqlite")
    assert "JSONB" in sprongus.migration_sql("postgres").upper()
    with pytest.raises(sprongus.InvalidArgumentError):
        sprongus.migration_sql("oracle")


def test_two_stores_of_ours_are_no_second_copy(tmp_path):
    code = """
        import sys, sprongus
        with sprongus.open(sys.argv[1]) as first, sprongus.open(sys.argv[1]) as second:
            run = first.runs.enqueue("k")
            assert second.runs.get(run.id) == run
        import sqlite3
        other = sqlite3.connect(sys.argv[1])
        other.execute("SELECT count(*) FROM sprongus_runs").fetchall()
        if sys.argv[2] == "two copies":
            sprongus.open(sys.argv[1]).close()
        other.close()
    """
    assert processes.run(code, tmp_path / "app.db", "one after the other").stderr == ""
    assert "another copy" in processes.run(code, tmp_path / "app.db", "two copies").stderr

"""The host's own transaction, by every driver."""

import contextlib

import pytest
import sprongus
from conftest import DRIVERS, lent


def one(connection, sql):
    cursor = connection.cursor()
    cursor.execute(sql)
    row = cursor.fetchone()
    cursor.close()
    return tuple(row) if row else None


def test_the_host_rolls_back_ours_too(connection):
    tx = sprongus.attach(connection)
    tx.execute("CREATE TABLE own (n bigint)")
    run = tx.runs.enqueue("k", {"%": "100 %", "f": 1e16})
    assert tx.runs.get(run.id).input == {"%": "100 %", "f": 1e16}
    assert one(connection, "SELECT count(*) FROM sprongus_runs") == (1,)
    connection.rollback()
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("BEGIN")
    assert one(connection, "SELECT count(*) FROM sprongus_runs") == (0,)


def test_host_sql_in_every_style(connection):
    tx = sprongus.attach(connection)
    tx.execute("CREATE TABLE own (n bigint UNIQUE, t text)")
    sql = "INSERT INTO own /* $9 'x */ VALUES ($2, $1), (7, '$3 %s % ''') -- $4; %"
    assert tx.execute(sql, ["a", 1]) == 2
    assert tx.query('SELECT n AS "%", t, $1 AS x FROM own ORDER BY n', ["y"]) == [
        {"%": 1, "t": "a", "x": "y"},
        {"%": 7, "t": "$3 %s % '", "x": "y"},
    ]
    assert tx.query("SELECT n FROM own WHERE t LIKE 'a%'") == [{"n": 1}]
    for sql, params in (("SELECT $1", []), ("SELECT 1", [1]), ("SELECT 1; SELECT 2", []), ("COMMIT", [])):
        with pytest.raises(sprongus.InvalidArgumentError), tx.transaction() as inner:
            inner.query(sql, params)
    assert tx.query("SELECT n FROM own WHERE n = $1;", [7]) == [{"n": 7}]


def test_errors_of_the_driver_are_ours(connection):
    tx = sprongus.attach(connection)
    tx.execute("CREATE TABLE own (n bigint UNIQUE NOT NULL)")
    tx.execute("INSERT INTO own VALUES (424242)")
    with pytest.raises(sprongus.ConflictError) as raised, tx.transaction() as inner:
        inner.execute("INSERT INTO own VALUES ($1)", [424242])
    assert raised.value.__cause__ is not None
    assert "424242" not in str(raised.value)
    with pytest.raises(sprongus.ValidationError), tx.transaction() as inner:
        inner.execute("INSERT INTO own VALUES (NULL)")
    with pytest.raises(sprongus.InvalidArgumentError), tx.transaction() as inner:
        inner.execute("SELEKT 1")
    assert tx.query("SELECT n FROM own") == [{"n": 424242}]


def test_the_hosts_settings_neither_act_nor_change(connection):
    if type(connection).__module__.startswith("sqlite3"):
        import sqlite3

        connection.row_factory = factory = sqlite3.Row
    elif type(connection).__module__.startswith("psycopg2"):
        from psycopg2.extras import DictCursor

        connection.cursor_factory = factory = DictCursor
    else:
        from psycopg.rows import dict_row

        connection.row_factory = factory = dict_row
    tx = sprongus.attach(connection)
    run = tx.runs.enqueue("k", {"a": [1, 2.0, {"b": None}]})
    assert tx.runs.get(run.id) == run
    assert factory in (getattr(connection, "row_factory", None), getattr(connection, "cursor_factory", None))


def test_no_open_transaction(connection):
    tx = sprongus.attach(connection)
    connection.rollback()
    if type(connection).__module__.startswith("sqlite3"):
        with pytest.raises(sprongus.MisuseError):
            tx.runs.enqueue("k")
        connection.execute("BEGIN")
    connection.rollback()
    if not type(connection).__module__.startswith("sqlite3"):
        connection.autocommit = True
    with pytest.raises(sprongus.MisuseError, match="begin"):
        sprongus.attach(connection)
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("BEGIN")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_closed_connection(driver, tmp_path):
    gone = (sprongus.MisuseError, sprongus.UnavailableError)
    ended = False
    # The host's own commit fails at the end, on the closed connection.
    with contextlib.suppress(Exception), lent(driver, tmp_path) as connection:
        tx = sprongus.attach(connection)
        connection.close()
        for call in (tx.runs.list, lambda: tx.execute("SELECT 1"), lambda: sprongus.attach(connection)):
            with pytest.raises(gone):
                call()
        ended = True
    assert ended


def test_a_database_without_the_schema():
    import sqlite3

    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("BEGIN")
    with pytest.raises(sprongus.SchemaVersionError):
        sprongus.attach(connection)
    connection.text_factory = bytes
    with pytest.raises(sprongus.MisuseError, match="text_factory"):
        sprongus.attach(connection)
    connection.close()


@pytest.mark.parametrize("wrong", [None, 7, "app.db", object(), type("Connection", (), {})()])
def test_what_is_no_connection(wrong):
    with pytest.raises(sprongus.InvalidArgumentError):
        sprongus.attach(wrong)


def test_the_connection_a_pool_lent(connection):
    class Lent:
        driver_connection = connection

    assert sprongus.attach(Lent()).runs.enqueue("k").state == "queued"


def test_savepoints_and_acting_as(connection):
    tx = sprongus.attach(connection).acting_as("ada")
    kept = tx.runs.enqueue("k")
    with pytest.raises(KeyError), tx.transaction() as inner:
        inner.runs.enqueue("k")
        raise KeyError
    assert tx.runs.list() == [kept]
    assert tx.runs.events(kept.id)[0].actor == "ada"

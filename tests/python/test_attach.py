"""The host's own transaction, by every driver."""

import contextlib
import datetime as dt
from decimal import Decimal

import pytest
import sprongus
from conftest import DRIVERS, lent
from test_host_sql import TYPES, VALUES


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


def test_every_kind_of_value(connection):
    sqlite = type(connection).__module__.startswith("sqlite3")
    tx = sprongus.attach(connection)
    tx.execute(f"CREATE TABLE kinds ({TYPES['sqlite' if sqlite else 'postgres']})")
    marks = ", ".join(f"${n}" for n in range(1, len(VALUES) + 1))
    assert tx.execute(f"INSERT INTO kinds VALUES ({marks})", list(VALUES.values())) == 1
    [row] = tx.query("SELECT * FROM kinds")
    if sqlite:
        # The module tells no declared types: SQLite's storage classes come back.
        assert (row["n"], row["y"], row["u"]) == (VALUES["n"], VALUES["y"], str(VALUES["u"]))
    else:
        assert row == VALUES
        ids = [VALUES["u"], None]
        assert tx.query("SELECT $1::uuid[] AS u", [ids]) == [{"u": ids}]
        assert tx.query("SELECT ARRAY['{\"a\": 1}'::jsonb] AS j, interval '1 day' AS i") == [{"j": [{"a": 1}], "i": "1 day"}]


def test_times_beyond_pythons_are_text(connection):
    if not type(connection).__module__.startswith("sqlite3"):
        sql = "SELECT 'infinity'::timestamptz AS z, '-infinity'::timestamp AS t, date '0044-03-15 BC' AS d, now() AS n"
        [row] = sprongus.attach(connection).query(sql)
        assert (row["z"], row["t"], row["d"]) == ("infinity", "-infinity", "0044-03-15 BC")
        assert row["n"].utcoffset() == dt.timedelta(0)


def test_types_that_the_host_registered_do_not_act(connection):
    if type(connection).__module__.startswith("sqlite3"):
        return
    if type(connection).__module__.startswith("psycopg2"):
        from psycopg2 import extensions

        for oid in (16, 20, 1184, 1700):
            extensions.register_type(extensions.new_type((oid,), "OWN", lambda value, cursor: f"own {value}"), connection)
    else:
        from psycopg.adapt import Dumper
        from psycopg.types.string import TextLoader

        class Loud(Dumper):
            def dump(self, value):
                return value.upper().encode()

        connection.adapters.register_dumper(str, Loud)
        for name in ("bool", "int8", "timestamptz", "numeric"):
            connection.adapters.register_loader(name, TextLoader)
    tx = sprongus.attach(connection)
    made = tx.runs.enqueue("k", {"a": 1})
    [claimed] = tx.runs.claim_next("w", ["k"])
    assert (claimed.id, claimed.kind, claimed.created_at) == (made.id, "k", made.created_at)
    assert tx.query("SELECT 1.5::numeric AS d, 2::bigint AS n, true AS b") == [{"d": Decimal("1.5"), "n": 2, "b": True}]


def test_pipeline_mode_is_refused(tmp_path):
    with lent("psycopg", tmp_path) as connection:
        tx = sprongus.attach(connection)
        with connection.pipeline():
            for call in (lambda: sprongus.attach(connection), tx.runs.list, lambda: tx.query("SELECT 1")):
                with pytest.raises(sprongus.MisuseError, match="pipeline"):
                    call()
        connection.rollback()
        assert sprongus.attach(connection).runs.enqueue("k").state == "queued"


def test_what_another_try_would_not_help_is_not_retryable(tmp_path):
    with lent("psycopg", tmp_path) as connection:
        connection.execute("SET client_encoding TO latin1")
        with pytest.raises(sprongus.InvalidArgumentError) as raised:
            sprongus.attach(connection).runs.enqueue("k", {"a": "𝄞"})
        assert not raised.value.retryable
        connection.execute("SET client_encoding TO utf8")
        connection.execute("SET DateStyle TO 'SQL, DMY'")
        with pytest.raises(sprongus.MisuseError, match="DateStyle"):
            sprongus.attach(connection).runs.enqueue("k")
        connection.rollback()

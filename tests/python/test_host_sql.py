"""The host's own SQL: values both ways, the same shapes from both databases."""

import datetime as dt
import enum
import uuid
from decimal import Decimal

import pytest
import sprongus

UTC = dt.UTC
TYPES = {
    "postgres": "b boolean, n bigint, f double precision, d numeric, t text, y bytea, da date, ti time, ts timestamp, "
    "tz timestamptz, u uuid, j jsonb, a bigint[]",
    "sqlite": "b boolean, n bigint, f double precision, d decimal, t text, y blob, da date, ti time, ts timestamp, "
    "tz timestamptz, u uuid, j jsonb, a json",
}
VALUES = {
    "b": True,
    "n": -(2**63),
    "f": 1e16,
    "d": Decimal("12.25"),
    "t": "naïve 𝄞 'quoted' %s $1",
    "y": b"\x00\xff",
    "da": dt.date(2024, 2, 29),
    "ti": dt.time(23, 59, 59, 999999),
    "ts": dt.datetime(2024, 2, 29, 12, 0, 0, 1),
    "tz": dt.datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=UTC),
    "u": uuid.UUID("0f4fa85f-2f2b-452b-b1e2-0ad2bc1adcfd"),
    "j": {"b": [1, 2.5, None, {"x": "é"}], "a": 1e16},
    "a": [1, 2, None],
}


def test_values_come_back_as_they_went(store):
    store.execute(f"CREATE TABLE kinds ({TYPES[store.backend]})")
    marks = ", ".join(f"${n}" for n in range(1, len(VALUES) + 1))
    assert store.execute(f"INSERT INTO kinds VALUES ({marks})", list(VALUES.values())) == 1
    [row] = store.query("SELECT * FROM kinds")
    assert row == VALUES
    assert {name: type(value) for name, value in row.items()} == {n: type(v) for n, v in VALUES.items()}
    assert store.execute(f"INSERT INTO kinds VALUES ({marks})", [None] * len(VALUES)) == 1
    assert store.query("SELECT * FROM kinds WHERE n IS NULL") == [dict.fromkeys(VALUES)]


def test_an_aware_time_is_an_instant(store):
    store.execute("CREATE TABLE times (at timestamptz)")
    there = dt.timezone(dt.timedelta(hours=5, minutes=45))
    store.execute("INSERT INTO times VALUES ($1)", [dt.datetime(2024, 1, 1, 5, 45, tzinfo=there)])
    [row] = store.query("SELECT at FROM times")
    assert row["at"] == dt.datetime(2024, 1, 1, tzinfo=UTC)
    assert row["at"].utcoffset() == dt.timedelta(0)


def test_parameters_by_number(store):
    store.execute("CREATE TABLE pairs (a text, n bigint)")
    assert store.execute("INSERT INTO pairs VALUES ($2, $1), ($2, $1)", [7, "x"]) == 2
    assert store.query("SELECT a, n FROM pairs WHERE n = $1 AND a = $2", (7, "x")) == [{"a": "x", "n": 7}] * 2
    for params in ([], [1, 2, 3], [7]):
        with pytest.raises(sprongus.InvalidArgumentError):
            store.query("SELECT a FROM pairs WHERE n = $1 AND a = $2", params)


def test_query_only_reads(store):
    store.execute("CREATE TABLE t (n bigint)")
    for sql in ("INSERT INTO t VALUES (1)", "COMMIT", "", "SELECT 1; SELECT 2", "SELEKT", "ROLLBACK", "DROP TABLE t"):
        with pytest.raises(sprongus.InvalidArgumentError):
            store.query(sql)
    assert store.query("SELECT n FROM t") == []


class Colour(enum.Enum):
    RED = "red"


def test_enums_go_as_their_value(store):
    store.execute("CREATE TABLE t (c text, y bytea)")
    store.execute("INSERT INTO t VALUES ($1, $2)", [Colour.RED, memoryview(b"ab")])
    assert store.query("SELECT c, y FROM t") == [{"c": "red", "y": b"ab"}]


def nested(depth):
    value = [1]
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        object(),
        2**70,
        "\ud800",
        {1: 2},
        {"x": object()},
        dt.time(1, tzinfo=UTC),
        dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))),
        nested(9),
        1j,
        {1, 2},
    ],
)
def test_what_is_no_value(store, value):
    with pytest.raises((sprongus.InvalidArgumentError, sprongus.ValidationError)):
        store.execute("CREATE TABLE t (n bigint)")
        store.execute("INSERT INTO t VALUES ($1)", [value])
    assert store.query("SELECT n FROM t") == []


@pytest.mark.parametrize("params", ["text", {"a": 1}, b"x", bytearray(b"x"), {1}, frozenset([1])])
def test_parameters_are_a_sequence(store, params):
    for sql in ("SELECT 1", "SELECT $1 AS a"):
        with pytest.raises(sprongus.InvalidArgumentError):
            store.query(sql, params)
    assert store.query("SELECT $1 AS a", {"a": "x"}.values()) == [{"a": "x"}]


def test_constraints(store):
    store.execute("CREATE TABLE t (n bigint UNIQUE, m text NOT NULL)")
    store.execute("INSERT INTO t VALUES (1, 'a')")
    with pytest.raises(sprongus.ConflictError):
        store.execute("INSERT INTO t VALUES (1, 'b')")
    with pytest.raises(sprongus.ValidationError):
        store.execute("INSERT INTO t VALUES (2, NULL)")
    assert len(store.query("SELECT n FROM t")) == 1

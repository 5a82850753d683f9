"""Custom tables: a core of the conformance suite, on every store and in every host's own transaction."""

import dataclasses
import datetime as dt
import enum
import math
import threading
import types
import uuid
from decimal import Decimal

import pandas
import polars
import pytest
import sprongus
from processes import run

EVERY = {
    "name": "things",
    "columns": [
        {"name": "id", "type": "text", "constraints": ["primary_key"]},
        {"name": "words", "type": "text"},
        {"name": "whole", "type": "integer"},
        {"name": "long", "type": "bigint"},
        {"name": "broken", "type": "real"},
        {"name": "raw", "type": "blob"},
        {"name": "doc", "type": "json"},
        {"name": "flag", "type": "boolean"},
    ],
}
NUMBERED = {
    "name": "numbered",
    "columns": [
        {"name": "n", "type": "integer", "constraints": ["primary_key", "auto_increment"]},
        {"name": "label", "type": "text", "constraints": ["not_null", "unique"]},
    ],
}


@pytest.fixture
def tables(face):
    face.tables.create(EVERY)
    face.tables.create(NUMBERED)
    return face.tables


def refused(call, *arguments, **named):
    with pytest.raises(sprongus.ValidationError) as raised:
        call(*arguments, **named)
    return {error["path"] for error in raised.value.errors}


def test_from_create_to_drop(face):
    assert face.tables.names() == []
    assert face.tables.create(NUMBERED) is None
    face.tables.create(NUMBERED)  # the same again is nothing
    assert face.tables.names() == ["numbered"]
    assert (face.tables.exists("numbered"), face.tables.exists("NUMBERED"), face.tables.exists("no")) == (True, True, False)
    described = face.tables.describe("numbered")
    assert described["name"] == "numbered"
    assert [(column["name"], column["type"]) for column in described["columns"]] == [("n", "integer"), ("label", "text")]
    with pytest.raises(sprongus.ConflictError) as raised:
        face.tables.create({**NUMBERED, "columns": NUMBERED["columns"][:1]})
    assert "label" in str(raised.value.details)
    face.tables.drop("numbered")
    face.tables.drop("numbered")
    with pytest.raises(sprongus.NotFoundError):
        face.tables.describe("numbered")


def test_values_go_in_and_come_out_as_they_are(tables):
    row = {
        "id": "a",
        "words": "Größe 𝄞",
        "whole": -(2**40),
        "long": 2**63 - 1,
        "broken": 16777217.5,
        "raw": b"\x00\xff",
        "doc": {"b": [1, 2.5, None, True, "x"], "a": {}},
        "flag": True,
    }
    assert tables.insert("things", row) == "a"
    [kept] = tables.query("things")
    assert kept == row
    assert list(kept) == [column["name"] for column in EVERY["columns"]]
    assert [type(value) for value in kept.values()] == [str, str, int, int, float, bytes, dict, bool]
    tables.insert("things", {"id": "b"})
    assert tables.query("things", where={"id": "b"}) == [{**dict.fromkeys(row), "id": "b"}]


class Colour(enum.Enum):
    RED = "red"
    RAW = b"\x01"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Point:
    x: int


AT = dt.datetime(2024, 2, 29, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))


FORMS = [
    ("words", Decimal("1.50"), "1.50"),
    ("words", AT, "2024-02-29T10:00:00.000000Z"),
    ("words", dt.date(2024, 2, 29), "2024-02-29"),
    ("words", uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ("words", Colour.RED, "red"),
    ("words", "", ""),
    ("whole", Level.HIGH, 3),
    ("whole", 3.0, 3),
    ("whole", -0.0, 0),
    ("long", -(2**63), -(2**63)),
    ("broken", 2, 2.0),
    ("broken", 2**63, 2.0**63),
    ("broken", 5e-324, 5e-324),
    ("broken", 1e308, 1e308),
    ("raw", bytearray(b"\x01"), b"\x01"),
    ("raw", memoryview(b"\x02\x03")[1:], b"\x03"),
    ("raw", Colour.RAW, b"\x01"),
    ("raw", b"", b""),
    ("doc", {"p": Point(1), "t": (2,), "m": types.MappingProxyType({"a": AT})},
     {"m": {"a": "2024-02-29T10:00:00.000000Z"}, "p": {"x": 1}, "t": [2]}),
    ("doc", [1, [2.5]], [1, [2.5]]),
    ("doc", {"$bytes": "AQ=="}, {"$bytes": "AQ=="}),
    ("doc", "text", "text"),
    ("doc", 2**64 - 1, 2**64 - 1),
    ("doc", 1.0, 1.0),
    ("doc", False, False),
    ("flag", False, False),
]


def test_values_in_their_obvious_form(tables):
    for column, given, kept in FORMS:
        tables.insert("things", {"id": "a", column: given})
        [row] = tables.query("things")
        assert (row[column], type(row[column])) == (kept, type(kept)), (column, given)
        sought = [given] if isinstance(given, list) else given
        assert tables.count("things", where={column: sought}) == 1, (column, given)
        tables.update("things", "a", {column: None})
        assert tables.query("things")[0][column] is None
        tables.update("things", "a", {column: given})
        assert tables.query("things") == [row]
        tables.delete("things", "a")


MISFITS = [
    ("words", 1),
    ("words", b"x"),
    ("words", True),
    ("words", dt.datetime(2024, 2, 29)),
    ("words", "\ud800"),
    ("words", "a\x00b"),
    ("words", ["x"]),
    ("whole", 2**63),
    ("whole", 2**64),
    ("whole", -(10**30)),
    ("whole", True),
    ("whole", 1.5),
    ("whole", "1"),
    ("whole", Decimal(1)),
    ("long", 2**63),
    ("long", math.nan),
    ("broken", math.inf),
    ("broken", "1.5"),
    ("broken", True),
    ("broken", 10**400),
    ("broken", 2**53 + 1),
    ("raw", "text"),
    ("raw", [1, 2]),
    ("flag", 1),
    ("flag", "true"),
    ("doc", math.nan),
    ("doc", {1: 2}),
    ("doc", {"a": object()}),
    ("doc", {"a": b"x"}),
    ("doc", {"a": [2**64]}),
    ("doc", {"a": "\x00"}),
    ("doc", b"x"),
]


def test_what_does_not_fit_names_its_column_and_writes_nothing(tables):
    tables.insert("things", {"id": "z"})
    for column, given in MISFITS:
        for paths in (
            refused(tables.insert, "things", {"id": "a", column: given}),
            refused(tables.update, "things", "z", {column: given}),
            refused(tables.insert_many, "things", [{"id": "a"}, {"id": "b", column: given}]),
            refused(tables.count, "things", where={column: [[given]] if isinstance(given, list) else given}),
        ):
            assert [path.split("/")[1] for path in paths] == [column], (given, paths)
    assert tables.query("things") == [{**dict.fromkeys(column["name"] for column in EVERY["columns"]), "id": "z"}]


def test_every_row_that_does_not_fit_is_told_of(tables):
    rows = [{"id": "a"}, {"whole": math.nan}, {"id": "b"}, 7, {"words": object(), "raw": [object()]}, {"flag": {1}}]
    with pytest.raises(sprongus.ValidationError) as raised:
        tables.insert_many("things", iter(rows))
    assert [(error["row"], error["path"]) for error in raised.value.errors] == [(2, "/whole"), (4, ""), (5, "/words"), (5, "/raw/0"), (6, "/flag")]
    with pytest.raises(sprongus.ValidationError) as raised:
        tables.insert_many("things", [{"id": "a"}, {"whole": "1", "flag": 1}, {"colour": "red"}])
    assert [(error["row"], error["path"]) for error in raised.value.errors] == [(2, "/whole"), (2, "/flag"), (3, "/colour")]
    assert tables.count("things") == 0


def test_rows_that_are_none(tables):
    for row in (None, 1, "id", ["id"], {"id"}):
        with pytest.raises((TypeError, sprongus.ValidationError)):
            tables.insert("things", row)
    for rows in (None, 1, "rows", {"id": "a"}, b"rows"):
        with pytest.raises(TypeError):
            tables.insert_many("things", rows)
    assert refused(tables.insert, "things", {"id": "a", "colour": 1}) == {"/colour"}
    with pytest.raises(sprongus.ValidationError):
        tables.insert("things", {1: "a"})
    with pytest.raises(sprongus.ValidationError):
        tables.insert_many("things", [{"id": "a"}, 7])
    with pytest.raises(sprongus.ValidationError):
        tables.insert_many("things", [{"id": "a"}, None])
    assert tables.count("things") == 0


def test_rows_of_mappings_and_dataclasses(tables):
    @dataclasses.dataclass
    class Numbered:
        label: str

    assert tables.insert("numbered", types.MappingProxyType({"label": "a"})) == "1"
    assert tables.insert("numbered", Numbered("b")) == "2"
    assert tables.insert_many("numbered", (Numbered(label) for label in "cd")) == ["3", "4"]


def test_ids(tables):
    made = tables.insert("things", {})
    assert len(made) == 26
    assert tables.query("things", where={"id": made})
    assert tables.insert("numbered", {"label": "a"}) == "1"
    assert tables.insert("numbered", {"n": 7, "label": "b"}) == "7"
    assert tables.insert("numbered", {"label": "c"}) == "8"
    assert tables.insert_many("numbered", [{"label": "d"}, {"label": "e"}]) == ["9", "10"]
    assert tables.insert_many("numbered", []) == []
    tables.update("numbered", "8", {"label": "C"})
    assert tables.query("numbered", where={"n": 8}) == [{"n": 8, "label": "C"}]
    tables.delete("numbered", "8")
    for call in (lambda: tables.update("numbered", "8", {"label": "x"}), lambda: tables.delete("numbered", "8")):
        with pytest.raises(sprongus.NotFoundError):
            call()
    tables.update("numbered", "9", {})
    for label in ("d", "e"):
        with pytest.raises(sprongus.ConflictError) as raised:
            tables.insert("numbered", {"label": label})
        assert "label" in str(raised.value)
    assert refused(tables.insert, "numbered", {"label": None}) == {"/label"}
    assert refused(tables.update, "numbered", "9", {"label": None}) == {"/label"}


def test_queries(tables):
    tables.insert_many("things", ({"id": f"t{n}", "whole": n % 3 or None, "doc": {"n": n}} for n in range(10)))
    ids = lambda **asked: [row["id"] for row in tables.query("things", **asked)]  # noqa: E731
    assert ids(where={"whole": None}) == ["t0", "t3", "t6", "t9"]
    assert ids(where={"whole": 1}, order_by=[("id", "desc")]) == ["t7", "t4", "t1"]
    assert ids(where={"whole": [1, 2]}, limit=2) == ["t1", "t2"]
    assert ids(where={"whole": (1, 2)}, limit=2) == ["t1", "t2"]
    assert ids(where={"id": {"t1", "t2"}, "whole": frozenset([2, None])}) == ["t2"]
    assert ids(where={"doc": {"n": 4}}) == ["t4"]
    assert ids(where={}) == [f"t{n}" for n in range(10)]
    assert ids(order_by=[("whole", "desc"), ("id", "asc")], limit=3) == ["t2", "t5", "t8"]
    assert ids(order_by=[["whole", "asc"]], offset=8) == ["t5", "t8"]
    assert (ids(limit=0), ids(offset=8), ids(offset=99)) == ([], ["t8", "t9"], [])
    assert tables.count("things") == 10
    assert tables.count("things", where={"whole": None}) == 4
    assert tables.query("things", limit=1)._repr_html_().count("<tr>") == 2


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"limit": -1}, sprongus.InvalidArgumentError),
        ({"offset": -1}, sprongus.InvalidArgumentError),
        ({"limit": 2**70}, sprongus.InvalidArgumentError),
        ({"order_by": [("nothing", "asc")]}, sprongus.InvalidArgumentError),
        ({"order_by": [("id", "up")]}, sprongus.InvalidArgumentError),
        ({"order_by": ["id"]}, (TypeError, ValueError)),
        ({"order_by": "id"}, (TypeError, ValueError)),
        ({"order_by": [("id",)]}, (TypeError, ValueError)),
        ({"order_by": [(1, "asc")]}, TypeError),
        ({"where": {"nothing": 1}}, sprongus.SprongusError),
        ({"where": {"whole": "1"}}, sprongus.SprongusError),
        ({"where": {"whole": object()}}, sprongus.ValidationError),
        ({"where": ["id"]}, TypeError),
        ({"where": "id = 1"}, TypeError),
    ],
)
def test_bad_queries(store, asked, error):
    store.tables.create(EVERY)
    with pytest.raises(error):
        store.tables.query("things", **asked)


def test_an_order_by_no_column_is_told_of_by_the_tables_own(store):
    store.tables.create(EVERY)
    with pytest.raises(sprongus.InvalidArgumentError, match="^the order names a column .* things does not have; it has id"):
        store.tables.query("things", order_by=[("nothing", "asc")])


@pytest.mark.parametrize("name", ["SPRONGUS_runs", "", 'x"; DROP TABLE things; --', "x" * 64, "sqlite_x", "é"])
def test_names_that_are_refused(store, name):
    tables = store.tables
    calls = [
        lambda: tables.create({**NUMBERED, "name": name}),
        lambda: tables.drop(name),
        lambda: tables.describe(name),
        lambda: tables.insert(name, {}),
        lambda: tables.insert_many(name, [{}]),
        lambda: tables.update(name, "1", {"a": 1}),
        lambda: tables.query(name),
        lambda: tables.count(name),
        lambda: tables.delete(name, "1"),
    ]
    for call in calls:
        with pytest.raises((sprongus.InvalidArgumentError, sprongus.ValidationError)):
            call()
    assert tables.names() == []


@pytest.mark.parametrize(
    "schema",
    [
        None,
        1,
        "things",
        [],
        {},
        {"name": "t", "columns": {}},
        {"name": "t", "columns": [{"name": "a", "type": "money"}]},
        {"name": "t", "columns": [{"name": "a"}]},
        {"name": "t", "columns": [{"name": "a", "type": "text"}, {"name": "A", "type": "text"}]},
        {"name": "t", "columns": [{"name": "a", "type": "text", "constraints": ["shiny"]}]},
        {"name": "t", "columns": [{"name": "a", "type": "text", "colour": "red"}]},
        {"name": "t", "columns": [{"name": "a", "type": "text"}], "indexes": [{"name": "i", "columns": ["b"]}]},
        {"name": "t", "columns": [{"name": object(), "type": "text"}]},
    ],
)
def test_bad_schemas(store, schema):
    with pytest.raises((sprongus.InvalidArgumentError, sprongus.ValidationError, TypeError)):
        store.tables.create(schema)
    assert store.tables.names() == []


def test_tables_of_ones_own_are_seen_and_not_touched(store):
    store.execute("CREATE TABLE orders (id TEXT PRIMARY KEY)")
    assert (store.tables.exists("orders"), store.tables.exists("ORDERS"), store.tables.exists("sprongus_runs")) == (True, True, False)
    assert store.tables.names() == []
    with pytest.raises(sprongus.NotFoundError):
        store.tables.insert("orders", {"id": "a"})
    with pytest.raises(sprongus.SprongusError):
        store.tables.create({"name": "orders", "columns": [{"name": "id", "type": "text"}]})
    assert store.query("SELECT * FROM orders") == []


def test_many_rows_are_all_or_none_and_drawn_while_nothing_is_locked(store):
    store.tables.create(NUMBERED)

    def rows():
        for number in range(2_000):
            if number == 1_000:  # another thread writes meanwhile
                other = threading.Thread(target=store.runs.enqueue, args=("meanwhile",))
                other.start()
                other.join(20)
                assert not other.is_alive()
            yield {"label": f"l{number}"}

    ids = store.tables.insert_many("numbered", rows())
    assert ids == [str(number) for number in range(1, 2_001)]
    assert len(store.runs.list(kind="meanwhile")) == 1

    def broken():
        yield {"label": "new"}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.tables.insert_many("numbered", broken())
    with pytest.raises(sprongus.ConflictError):
        store.tables.insert_many("numbered", [{"label": "new"}, {"label": "l7"}])
    with pytest.raises(sprongus.ValidationError) as raised:
        store.tables.insert_many("numbered", [{"label": "new"}, {"label": 7}, {}])
    assert {error["row"] for error in raised.value.errors} == {2, 3}
    assert store.tables.count("numbered") == 2_000


def test_rows_of_frames(store):
    store.tables.create(EVERY)
    frame = pandas.DataFrame({"id": ["a", "b"], "whole": [1, None], "flag": [True, False]})
    assert store.tables.insert_many("things", frame) == ["a", "b"]
    assert store.tables.insert_many("things", polars.DataFrame({"id": ["c"], "broken": [1.5], "words": [None]})) == ["c"]
    kept = store.tables.query("things")
    assert [(row["id"], row["whole"], row["flag"], row["broken"]) for row in kept] == [
        ("a", 1, True, None),
        ("b", None, False, None),
        ("c", None, None, 1.5),
    ]
    store.tables.create({**EVERY, "name": "again"})
    assert store.tables.insert_many("again", kept.to_polars()) == ["a", "b", "c"]
    assert store.tables.query("again") == kept


def test_within_a_transaction(store):
    store.tables.create(NUMBERED)
    with store.transaction() as tx:
        tx.tables.create(EVERY)
        tx.tables.insert("things", {"id": "a"})
        tx.runs.enqueue("k")
        with pytest.raises(sprongus.ValidationError):
            tx.tables.insert("things", {"id": 1})
        tx.tables.insert("numbered", {"label": "a"})
        with pytest.raises(sprongus.ConflictError):
            tx.tables.insert("numbered", {"label": "a"})
        with pytest.raises(sprongus.MisuseError):
            tx.tables.insert_many("numbered", ({"label": str(tx.tables.count("numbered"))} for _ in range(2)))
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.tables.insert("numbered", {"label": "b"})
        tx.tables.drop("things")
        raise ZeroDivisionError
    assert (store.tables.count("numbered"), store.tables.count("things")) == (1, 1)


def test_two_processes_fill_one_table(shared_place):
    code = """
        import sys, sprongus
        with sprongus.open(sys.argv[1], schema=sys.argv[2] if sys.argv[2:] else None) as store:
            store.tables.create({"name": "n", "columns": [{"name": "id", "type": "integer",
                                 "constraints": ["primary_key", "auto_increment"]}, {"name": "at", "type": "text"}]})
            for _ in range(20):
                store.tables.insert("n", {"at": "x"})
                store.tables.insert_many("n", [{"at": "y"}] * 3)
    """
    from concurrent.futures import ThreadPoolExecutor

    with shared_place.open() as store, ThreadPoolExecutor(2) as two:
        for done in [two.submit(run, code, shared_place.url, *shared_place.options.values()) for _ in range(2)]:
            done.result()
        assert sorted(row["id"] for row in store.tables.query("n")) == list(range(1, 161))


def test_scopes_keep_them_for_the_store(store):
    store.tables.create(NUMBERED)
    scoped = store.scoped("p")
    for call in (lambda: scoped.tables.create(EVERY), lambda: scoped.tables.drop("numbered")):
        with pytest.raises(sprongus.PermissionDeniedError):
            call()
    admin = store.scoped("p", ["admin"])
    admin.tables.insert("numbered", {"label": "a"})
    assert admin.tables.count("numbered") == 1

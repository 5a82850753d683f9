"""Python objects to JSON and back: what has an obvious form is taken, all else is refused with its place."""

import dataclasses
import datetime as dt
import enum
import json
import math
import types
import uuid
from collections import OrderedDict, namedtuple
from decimal import Decimal

import pytest
import sprongus
from conftest import data


class Level(enum.IntEnum):
    HIGH = 3


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    tags: list


Pair = namedtuple("Pair", "a b")

TAKEN = [
    (None, None),
    (True, True),
    (-(2**63), -(2**63)),
    (2**64 - 1, 2**64 - 1),
    (1.5, 1.5),
    (-0.0, 0.0),
    (1e16, 1e16),
    (5e-324, 5e-324),
    ("é𝄞\u2028", "é𝄞\u2028"),
    ((1, [2, ()]), [1, [2, []]]),
    ({"b": 1, "a": {}}, {"a": {}, "b": 1}),
    (OrderedDict(b=1), {"b": 1}),
    (types.MappingProxyType({"a": (1,)}), {"a": [1]}),
    (dt.datetime(2024, 2, 29, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2024-02-29T10:00:00.000000Z"),
    (dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, dt.timezone(-dt.timedelta(microseconds=1))), "1970-01-01T00:00:00.000000Z"),
    (dt.datetime.max.replace(tzinfo=dt.UTC), "9999-12-31T23:59:59.999999Z"),
    (dt.datetime.min.replace(tzinfo=dt.UTC), "0001-01-01T00:00:00.000000Z"),
    (dt.date(2024, 2, 29), "2024-02-29"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Decimal("1.50"), "1.50"),
    (Colour.RED, "red"),
    (Level.HIGH, 3),
    (Point(1, [Colour.RED]), {"x": 1, "tags": ["red"]}),
    (Pair(1, 2), [1, 2]),
]


@pytest.mark.parametrize(("given", "kept"), TAKEN, ids=lambda value: type(value).__name__)
def test_what_is_taken(store, given, kept):
    run = store.runs.enqueue("k", {"v": given})
    for read in (run, store.runs.get(run.id), *store.runs.list()):
        value = read.input["v"]
        assert value == kept
        assert type(value) is type(kept)
        assert math.copysign(1, value) == 1 if kept == 0.0 and isinstance(kept, float) else True


def ring():
    value = []
    value.append(value)
    return value


def deep(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


class Raises:
    @property
    def __dataclass_fields__(self):
        return {}


REFUSED = [
    object(),
    {1, 2},
    b"bytes",
    1j,
    2**64,
    -(2**63) - 1,
    float("nan"),
    float("-inf"),
    "a\0b",
    "\ud800",
    {"a\0": 1},
    {"\udfff": 1},
    {1: 2},
    {None: 1},
    dt.datetime(2024, 1, 1),
    dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))),
    dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-1))),
    type("NotATime", (dt.datetime,), {"year": float("nan")})(2024, 1, 1),
    dt.time(12),
    dt.timedelta(1),
    ring(),
    deep(200),
    deep(100_000),
    Point,
    print,
    iter([]),
]


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_what_is_refused_with_its_place(store, value):
    with pytest.raises(sprongus.ValidationError) as raised:
        store.runs.enqueue("k", {"a/b": [0, {"v": value}]})
    [error] = raised.value.errors
    assert error["path"].startswith("/a~1b/1/v")
    assert error["keyword"] == "json"
    assert store.runs.list() == []


def test_depth_counts_the_document_itself(store):
    assert store.runs.enqueue("k", deep(128)).input == deep(128)
    with pytest.raises(sprongus.ValidationError):
        store.runs.enqueue("k", deep(129))


def test_lists_that_hold_one_another_do_not_fill_the_memory(store):
    value = ["x" * 100]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(sprongus.TooLargeError):
        store.runs.enqueue("k", value)
    with pytest.raises(sprongus.TooLargeError):
        store.runs.enqueue("k", "x" * (2 << 20))


def test_what_an_object_raises_is_passed_on(store):
    class Broken(dict):
        def items(self):
            raise LookupError("mine")

    class Mapped(types.SimpleNamespace):
        pass

    @dataclasses.dataclass
    class Lazy:
        x: int

        def __getattribute__(self, name):
            if name == "x":
                raise LookupError("mine")
            return super().__getattribute__(name)

    with pytest.raises(LookupError, match="mine"):
        store.runs.enqueue("k", Lazy.__new__(Lazy))
    with pytest.raises(sprongus.ValidationError):
        store.runs.enqueue("k", Mapped(a=1))


def test_naughty_strings_everywhere(store):
    strings = json.loads(data("blns/blns.even.json").read_text(encoding="utf-8"))
    assert len(strings) > 200
    assets = store.aux("p", "assets")
    table = [{"id": f"n{index}", "title": text, text or "empty": index} for index, text in enumerate(strings)]
    usable = [row for row, text in zip(table, strings, strict=True) if text not in ("id", "title") and "\0" not in text]
    assert assets.bulk_upsert(usable).created == len(usable)
    for row in usable[::25]:
        assert assets.get(row["id"]).payload == {name: value for name, value in row.items() if name != "id"}
    for text in strings[::10]:
        assets.list(q=text, limit=1)
        assets.count(filter={"title": text})
        for call in (assets.get, store.runs.get, store.presets.get):
            with pytest.raises((sprongus.NotFoundError, sprongus.InvalidArgumentError)):
                call(text)
        try:
            run = store.runs.enqueue(text, text, idempotency_key=text)
        except sprongus.InvalidArgumentError:
            continue
        assert (run.kind, run.input, run.idempotency_key) == (text, text, text)

"""Presets made of dataclasses and Pydantic models."""

import collections.abc
import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, NewType, Optional

import pydantic
import pytest
import sprongus
from annotated_types import Ge, Interval, Len, Lt


class Medium(enum.Enum):
    OIL = "oil"
    INK = "ink"


class Grade(enum.IntEnum):
    ONE = 1
    TWO = 2


AssetId = NewType("AssetId", str)


@dataclass
class Maker:
    name: Annotated[str, Len(1, 40)]
    born: dt.date | None = None
    taught_by: Optional["Maker"] = None


@dataclass
class Work:
    __json_schema_extra__: ClassVar[dict[str, Any]] = {"x-index": [["year", "title"]], "title": "A work"}

    title: Annotated[str, pydantic.Field(min_length=1, pattern="^[A-Z]", description="As it is signed")]
    year: Annotated[int, Ge(1000), Lt(3000)]
    makers: list[Maker]
    code: str = field(default="", metadata={"x-unique": True, "other": object()})
    medium: Medium = Medium.OIL
    grade: Grade | None = None
    size: Literal["s", "m", 7] = "m"
    rating: Annotated[float, Interval(ge=0, le=5)] = 0.5
    tags: set[str] = field(default_factory=set)
    notes: dict[str, list[int]] = field(default_factory=dict)
    place: tuple[float, float] | None = None
    asset: AssetId | None = field(default=None, metadata={"x-ref": "assets"})
    strict: list[AssetId] = field(default_factory=list, metadata={"x-ref": {"table": "assets", "strict": True}})
    number: uuid.UUID = field(default_factory=uuid.uuid4)
    price: decimal.Decimal = decimal.Decimal("1.50")
    at: dt.datetime | None = None
    links: Annotated[collections.abc.Sequence[str], {"maxItems": 2, "items": {"type": "string", "format": "uri"}}] = ()
    anything: Any = None
    summary: str | None = field(default=None, metadata={"json_schema_extra": {"maxLength": 5, "x-search": True}})


@pytest.fixture
def works(store):
    store.presets.create("works", "custom", Work)
    store.presets.bind("works", "works")
    return store.aux("p", "works")


def broken(table, document):
    with pytest.raises(sprongus.ValidationError) as raised:
        table.create(document)
    return {error["path"] for error in raised.value.errors}


def test_a_dataclass_and_what_it_makes_fit(works):
    work = Work("Coburg", 1863, [Maker("Ada", dt.date(1840, 1, 2), taught_by=Maker("Grace"))], code="c-1")
    made = works.create(dataclasses.asdict(work) | {"tags": ["x"]}, id="a")
    assert made.payload["makers"][0]["taught_by"] == {"born": None, "name": "Grace", "taught_by": None}
    assert (made.payload["medium"], made.payload["price"]) == ("oil", "1.50")
    whole = works.create({"title": "B", "year": 1900, "makers": []}, id="b").payload
    given = {"title", "year", "makers"}
    assert {name: value for name, value in whole.items() if name not in given} == {
        "code": "",
        "links": [],
        "medium": "oil",
        "notes": {},
        "price": "1.50",
        "rating": 0.5,
        "size": "m",
        "strict": [],
        "tags": [],
    }


def test_its_types_and_bounds_hold(works):
    good = {"title": "B", "year": 1900, "makers": []}
    bad = {
        "title": "b",
        "year": 3000,
        "makers": [{"name": ""}, {"name": "x", "taught_by": {"name": 7}}],
        "medium": "chalk",
        "grade": 3,
        "size": 8,
        "rating": 5.5,
        "tags": ["x", "x"],
        "notes": {"a": ["b"]},
        "place": [1],
        "number": "x",
        "at": "soon",
        "links": ["https://example.org"] * 3,
        "summary": "longer",
        "more": 1,
    }
    for name, value in bad.items():
        assert {path.split("/")[1] for path in broken(works, {**good, name: value})} == {name}
    assert {"/makers/0/name", "/makers/1/taught_by"} <= broken(works, {**good, **bad})
    assert broken(works, {"title": "B"}) == {"/year", "/makers"}
    assert works.count() == 0


def test_its_keywords_act(works, store):
    store.aux("p", "assets").create({"title": "x"}, id="a")
    good = {"title": "B", "year": 1900, "makers": []}
    works.create({**good, "code": "c", "asset": "a", "strict": ["a"], "summary": "tram"}, id="a")
    with pytest.raises(sprongus.ConflictError):
        works.create({**good, "code": "c"})
    [warning] = works.create({**good, "code": "d", "asset": "none"}).warnings
    assert (warning["keyword"], warning["path"]) == ("dangling_ref", "/asset")
    assert broken(works, {**good, "code": "e", "strict": ["none"]}) == {"/strict/0"}
    assert {each["field"] for each in store.aux("p", "assets").referrers("a")} >= {"asset"}
    assert [entry.id for entry in works.list(q="TRAM")] == ["a"]
    assert works.count(q="B") == 0  # only what is marked is searched
    definition = store.presets.get("works").definition
    assert (definition["title"], definition["x-index"]) == ("A work", [["year", "title"]])
    assert definition["properties"]["title"]["description"] == "As it is signed"
    assert "other" not in definition["properties"]["code"]
    assert "default" not in definition["properties"]["number"]


def test_rows_of_a_csv_are_typed_by_it(works, tmp_path):
    path = tmp_path / "works.csv"
    path.write_text('id,title,year,makers,grade,place\na,Coburg,1863,"[{""name"":""007""}]",2,"[0.5,1]"\n', encoding="utf-8")
    assert works.import_(path).errors == []
    payload = works.get("a").payload
    assert (payload["year"], payload["grade"], payload["makers"], payload["place"]) == (1863, 2, [{"name": "007"}], [0.5, 1])


@pytest.mark.parametrize(
    "hint",
    [
        bytes,
        complex,
        object(),
        dict[int, str],
        collections.abc.Callable[[], None],
        list[bytes],
        "NoSuchName",
        type,
        dt.timedelta,
    ],
)
def test_types_without_a_json_form_are_named(store, hint):
    model = dataclasses.make_dataclass("Model", [("good", int), ("bad", hint)])
    with pytest.raises(sprongus.InvalidArgumentError, match=r"Model"):
        store.presets.create("model", "custom", model)
    assert store.presets.list(label_prefix="model") == []


def test_dataclasses_of_one_name_stay_apart(store):
    def shape(kind):
        return dataclasses.make_dataclass("Shape", [("side", kind)])

    both = dataclasses.make_dataclass("Both", [("one", shape(int)), ("other", shape(str)), ("again", list[int])])
    store.presets.create("both", "custom", both)
    good = {"one": {"side": 1}, "other": {"side": "x"}, "again": []}
    assert store.presets.validate("both", good) == []
    errors = store.presets.validate("both", {**good, "one": {"side": "x"}, "other": {"side": 1}})
    assert {error["path"] for error in errors} == {"/one/side", "/other/side"}


class PydanticMaker(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=1)
    born: dt.date | None = None


class PydanticWork(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(json_schema_extra={"x-index": [["year", "title"]]}, extra="forbid")

    title: str = pydantic.Field(json_schema_extra={"x-search": True})
    code: str = pydantic.Field(alias="theCode", json_schema_extra={"x-unique": True})
    year: int | None = pydantic.Field(default=None, ge=1000, lt=3000)
    maker: PydanticMaker
    others: list[PydanticMaker] = pydantic.Field(default_factory=list)
    medium: Medium = Medium.OIL
    size: Literal["s", "m"] = "m"
    price: Annotated[decimal.Decimal, pydantic.Field(gt=0)] | None = None
    at: dt.datetime | None = None
    took: dt.timedelta | None = None
    number: uuid.UUID = pydantic.Field(default_factory=uuid.uuid4)
    url: pydantic.HttpUrl | None = None
    asset: str | None = pydantic.Field(default=None, json_schema_extra={"x-ref": "assets"})
    assets: list[str] = pydantic.Field(default_factory=list, json_schema_extra={"x-ref": {"table": "assets", "strict": True}})
    part_of: Optional["PydanticWork"] = None


def test_a_pydantic_model_and_what_it_dumps_fit(store):
    store.presets.create("works", "custom", PydanticWork)
    store.presets.bind("works", "works")
    works = store.aux("p", "works")
    store.aux("p", "assets").create({"title": "x"}, id="a")
    work = PydanticWork(
        title="Coburg",
        theCode="c-1",
        maker=PydanticMaker(name="Ada", born=dt.date(1840, 1, 2)),
        price="1.50",
        at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        took=dt.timedelta(hours=2),
        url="https://example.org/x",
        asset="a",
        assets=["a"],
        part_of=PydanticWork(title="All", theCode="c-0", maker=PydanticMaker(name="Ada")),
    )
    made = works.create(work.model_dump(mode="json", by_alias=True), id="a")
    assert PydanticWork.model_validate(made.payload) == work
    assert works.get("a").payload["part_of"]["theCode"] == "c-0"
    good = {"title": "x", "theCode": "c-2", "maker": {"name": "x"}}
    assert works.create(good).payload["medium"] == "oil"
    bad = {"year": 3000, "maker": {}, "medium": "x", "size": "z", "url": 3, "more": 1, "part_of": {"title": 1}, "price": True}
    for name, value in bad.items():
        assert {path.split("/")[1] for path in broken(works, {**good, "theCode": "c-3", name: value})} == {name}
    assert broken(works, {**good, "theCode": "c-3", "assets": ["none"]}) == {"/assets/0"}
    with pytest.raises(sprongus.ConflictError):
        works.create({**good, "theCode": "c-1"})
    assert [entry.id for entry in works.list(q="cob", sort=["year", "title"])] == ["a"]


def test_pydantic_dataclasses_too(store):
    @pydantic.dataclasses.dataclass
    class Point:
        x: Annotated[int, pydantic.Field(ge=0)]

    store.presets.create("points", "custom", Point)
    assert {error["path"] for error in store.presets.validate("points", {"x": -1})} == {"/x"}


def test_pydantic_models_without_a_json_form(store):
    class Bad(pydantic.BaseModel):
        call: collections.abc.Callable[[], None]

    with pytest.raises(sprongus.InvalidArgumentError, match="Bad"):
        store.presets.create("bad", "custom", Bad)


def test_an_input_of_runs(store):
    @dataclass
    class Resize:
        file: Annotated[str, Len(1)]
        width: int = 100

    store.presets.create("resize-input", "run_input", Resize)
    store.presets.bind_run("resize", "resize-input")
    assert store.runs.enqueue("resize", {"file": "cat.png"}).state == "queued"
    with pytest.raises(sprongus.ValidationError):
        store.runs.enqueue("resize", {"file": ""})


def test_the_same_class_is_the_same_definition(store):
    first = store.presets.create("works", "custom", Work)
    assert store.presets.create("works", "custom", Work).definition == first.definition
    assert store.presets.import_(store.presets.export(label_prefix="works"))["unchanged"] == 2

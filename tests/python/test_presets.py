"""Presets: a core of the conformance suite, on every store and in every host's own transaction."""

import dataclasses
import datetime as dt
import enum
from typing import Literal

import pytest
import sprongus

FIELDS = {"fields": [{"name": "title", "type": "string", "required": True}, {"name": "year", "type": "integer"}]}


def test_create_publish_get_list_delete(face):
    draft = face.presets.create("work", "custom", FIELDS, publish=False)
    assert (draft.label, draft.kind, draft.version, draft.published_at) == ("work", "custom", 1, None)
    assert draft.definition == FIELDS
    with pytest.raises(sprongus.NotFoundError):
        face.presets.get("work")
    assert face.presets.publish("work@1").published_at is not None
    assert face.presets.get("work") == face.presets.get("work@1") == face.presets.get(draft.id)
    assert face.presets.create("work", "custom", FIELDS).version == 2
    assert [preset.version for preset in face.presets.list(label_prefix="work")] == [1, 2]
    assert {preset.label for preset in face.presets.list(kind="assets")} == {"assets"}
    with pytest.raises(sprongus.ConflictError):
        face.presets.create("work", "custom", FIELDS, version=2)
    face.presets.delete("work@2")
    with pytest.raises(sprongus.NotFoundError):
        face.presets.get("work@2")


def test_every_violation_with_its_place(face):
    face.presets.create("work", "custom", FIELDS)
    assert face.presets.validate("work", {"title": "x", "year": 1900}) == []
    errors = face.presets.validate("work", {"year": "x", "more": 1})
    assert {(error["path"], error["keyword"]) for error in errors} == {
        ("/title", "required"),
        ("/year", "type"),
        ("/more", "additionalProperties"),
    }


def test_bind_and_bound(face):
    face.presets.create("work", "custom", FIELDS)
    with pytest.raises(sprongus.NotFoundError):
        face.aux("p", "works").create({"title": "x"})
    report = face.presets.bind("works", "work", project="p")
    assert report == {"checked": 0, "failing": 0, "errors": [], "bound": True}
    assert face.presets.bound("works", project="p").label == "work"
    face.aux("p", "works").create({"title": "x"}, id="a")
    narrow = {"fields": [{"name": "title", "type": "integer"}]}
    face.presets.create("narrow", "custom", narrow)
    dry = face.presets.bind("works", "narrow", project="p", dry_run=True)
    assert (dry["checked"], dry["failing"], dry["bound"]) == (1, 1, False)
    with pytest.raises(sprongus.ConflictError) as raised:
        face.presets.bind("works", "narrow", project="p")
    assert raised.value.details["failing"] == 1
    assert face.presets.bind("works", "narrow", project="p", force=True)["bound"] is True
    with pytest.raises(sprongus.ConflictError):
        face.presets.delete("narrow")


def test_bind_run_checks_inputs(face):
    face.presets.create("resize-input", "run_input", FIELDS)
    face.presets.bind_run("resize", "resize-input")
    assert face.runs.enqueue("resize", {"title": "x"}).state == "queued"
    with pytest.raises(sprongus.ValidationError) as raised:
        face.runs.enqueue("resize", {"year": "x"})
    assert {error["path"] for error in raised.value.errors} == {"/title", "/year"}


def test_export_and_import(face):
    face.presets.create("work", "custom", FIELDS)
    [item] = items = face.presets.export(label_prefix="work")
    assert (item["label"], item["definition"]) == ("work", FIELDS)
    assert face.presets.import_(items) == {"created": 0, "updated": 0, "unchanged": 1, "deleted": 0}
    other = [{**item, "label": "other"}]
    assert face.presets.import_(iter(other), mode="replace") == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "deleted": 1,
    }
    with pytest.raises(sprongus.ConflictError):
        face.presets.import_([{**other[0], "definition": {"fields": []}}])
    with pytest.raises(sprongus.InvalidArgumentError, match="kind"):
        face.presets.import_([{"label": "x"}])


class Medium(enum.Enum):
    OIL = "oil"
    INK = "ink"


@dataclasses.dataclass
class Maker:
    name: str


@dataclasses.dataclass
class Work:
    title: str
    makers: list[Maker]
    medium: Medium
    made: dt.date | None = None
    size: Literal["s", "m"] = "m"
    tags: dict[str, int] = dataclasses.field(default_factory=dict)


class Model:
    """What a Pydantic model looks like from here."""

    @classmethod
    def model_json_schema(cls):
        return {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_classes_as_definitions(store):
    store.presets.create("works", "custom", Work)
    store.presets.bind("works", "works")
    works = store.aux("p", "works")
    made = works.create(dataclasses.asdict(Work("x", [Maker("ada")], Medium.OIL, dt.date(1900, 1, 2))), id="a")
    assert made.payload["made"] == "1900-01-02"
    assert works.create({"title": "y", "makers": [], "medium": "ink"}, id="b").payload["size"] == "m"
    with pytest.raises(sprongus.ValidationError) as raised:
        works.create({"makers": [{}], "medium": "chalk", "tags": {"a": "b"}, "size": "xl", "made": "soon"})
    assert {error["path"].split("/")[1] for error in raised.value.errors} == {
        "title",
        "makers",
        "medium",
        "tags",
        "size",
        "made",
    }
    store.presets.create("model", "custom", Model)
    assert store.presets.validate("model", {})[0]["path"] == "/n"


@pytest.mark.parametrize("definition", [None, 7, "x", [1], object, int])
def test_what_is_no_definition(store, definition):
    with pytest.raises(sprongus.InvalidArgumentError):
        store.presets.create("work", "custom", definition)


@pytest.mark.parametrize(
    ("label", "kind", "definition", "error"),
    [
        ("a b", "custom", FIELDS, sprongus.InvalidArgumentError),
        ("", "custom", FIELDS, sprongus.InvalidArgumentError),
        ("x" * 65, "custom", FIELDS, sprongus.InvalidArgumentError),
        ("a", "other", FIELDS, sprongus.InvalidArgumentError),
        ("a", "custom", {"fields": [{"name": "n", "type": "text"}]}, sprongus.ValidationError),
        ("a", "custom", {"$ref": "https://example.org/schema"}, sprongus.ValidationError),
        ("a", "custom", {"type": "strin"}, sprongus.ValidationError),
    ],
)
def test_bad_presets(store, label, kind, definition, error):
    before = store.presets.list()
    with pytest.raises(error):
        store.presets.create(label, kind, definition)
    assert store.presets.list() == before

"""Aux tables: a core of the conformance suite, on every store and in every host's own transaction."""

import csv
import json

import pytest
import sprongus
from conftest import data


@pytest.fixture
def assets(face):
    return face.aux("p", "assets")


def test_one_entry(assets):
    made = assets.create({"title": "Coburg", "year": 1900}, id="a")
    assert (made.id, made.project_id, made.table_name, made.version) == ("a", "p", "assets", 1)
    assert assets.get("a") == made
    assert assets.update("a", {"year": None, "more": {"x": 1}}).payload == {"title": "Coburg", "more": {"x": 1}}
    assert assets.update("a", {"more": {"x": 1}}).version == 2
    assert assets.update("a", {"year": None}, nulls="keep").payload["year"] is None
    assert assets.upsert({"id": "a", "title": "New"}).payload["more"] == {"x": 1}
    assert assets.upsert({"title": "Whole"}, id="a", replace=True).payload == {"title": "Whole"}
    version = assets.get("a").version
    with pytest.raises(sprongus.ConflictError):
        assets.update("a", {"title": "z"}, if_version=version - 1)
    assert assets.update("a", {"title": "z"}, if_version=version, replace=True).version == version + 1
    with pytest.raises(sprongus.ConflictError):
        assets.create({"title": "twice"}, id="a")
    assert assets.delete("a") == []
    for call in (assets.get, assets.delete, lambda id: assets.update(id, {})):
        with pytest.raises(sprongus.NotFoundError):
            call("a")
    assert assets.create({"title": "made anew"}).id
    assert assets.count() == 1


def test_lists_filters_and_searches(assets):
    rows = [{"id": f"i{n}", "title": f"Größe {n}", "year": 1900 + n, "tags": ["even"][n % 2 :]} for n in range(6)]
    assert assets.bulk_upsert(rows).created == 6
    assert [entry.id for entry in assets.list(limit=2)] == ["i0", "i1"]
    assert [entry.id for entry in assets.list(q="GRÖSSE 3")] == ["i3"]
    assert [entry.id for entry in assets.list(filter={"year": {"gte": 1904}}, sort="-year")] == ["i5", "i4"]
    assert [entry.id for entry in assets.list(filter={"tags": {"contains": "even"}}, sort=["-id"])] == ["i4", "i2", "i0"]
    assert [entry.id for entry in assets.list(sort="year", offset=4)] == ["i4", "i5"]
    assert assets.count(q="größe", filter={"year": {"lt": 1902}}) == 2
    assert [entry.id for entry in assets.iter(limit=4, sort="-year")] == ["i5", "i4", "i3", "i2", "i1", "i0"]
    page = assets.list(limit=4)
    assert [entry.id for entry in assets.list(limit=4, cursor=page.next_cursor)] == ["i4", "i5"]


@pytest.mark.parametrize(
    "query",
    [
        {"filter": {"year": {"above": 1}}},
        {"filter": {"year": {}}},
        {"filter": [1]},
        {"filter": "year"},
        {"limit": -1},
        {"limit": 1001},
        {"offset": -1},
        {"cursor": "x"},
    ],
)
def test_bad_queries(store, query):
    with pytest.raises(sprongus.InvalidArgumentError):
        store.aux("p", "assets").list(**query)


def test_bulk_reports_or_aborts(assets):
    rows = [{"id": "a", "title": "x"}, {"id": "b", "title": 7}, {"id": "a", "title": "y"}, {"id": "c", "v": float("inf")}]
    with pytest.raises(sprongus.ValidationError) as raised:
        assets.bulk_upsert(rows)
    assert {error["row"] for error in raised.value.errors} == {2, 4}
    assert assets.count() == 0
    told = []
    report = assets.bulk_upsert(iter(rows), on_error="report", progress=lambda done, total: told.append((done, total)))
    assert (report.created, report.updated, report.unchanged, report.dry_run) == (1, 0, 0, False)
    assert {(error["row"], error["path"]) for error in report.errors} == {(2, "/title"), (4, "/v")}
    assert [warning["keyword"] for warning in report.warnings] == ["duplicate_id"]
    assert told[-1][0] == 4
    assert assets.get("a").payload == {"title": "y"}
    dry = assets.bulk_upsert([{"id": "z"}], dry_run=True)
    assert (dry.created, dry.dry_run, assets.count()) == (1, True, 1)


def test_what_a_source_or_progress_raises_ends_the_call(assets):
    def rows():
        yield {"id": "a"}
        raise ZeroDivisionError("mine")

    def progress(done, total):
        raise KeyError("stop")

    with pytest.raises(ZeroDivisionError, match="mine"):
        assets.bulk_upsert(rows())
    with pytest.raises(KeyError):
        assets.bulk_upsert([{"id": "a"}], progress=progress)
    for wrong in (7, "rows", {"id": "a"}, None):
        with pytest.raises(TypeError):
            assets.bulk_upsert(wrong)
    assert assets.count() == 0


def test_references(face):
    face.aux("p", "assets").create({"title": "x"}, id="a")
    board = face.aux("p", "storyboard")
    assert board.create({"assetIds": ["a"]}, id="s").warnings == []
    dangling = board.create({"assetIds": ["none"]}, id="t")
    assert [warning["keyword"] for warning in dangling.warnings] == ["dangling_ref"]
    with pytest.raises(sprongus.ReferencedError) as raised:
        face.aux("p", "assets").delete("a")
    assert raised.value.referrers == [{"table": "storyboard", "id": "s", "field": raised.value.referrers[0]["field"]}]
    [referrer] = face.aux("p", "assets").delete("a", on_referenced="unlink")
    assert referrer["id"] == "s"
    assert board.get("s").payload["assetIds"] == []


def test_files(assets, tmp_path):
    source = data("assets/tate_artworks_500.csv")
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = len(list(csv.DictReader(file)))
    report = assets.import_(source)
    assert (report.created, report.errors) == (rows, [])
    assert assets.import_(str(source)).unchanged == rows
    for format in ("csv", "json", "ndjson"):
        path = tmp_path / f"out.{format}"
        assert assets.export(path) == rows
        assert assets.import_(path, mode="replace").unchanged == rows
        again = tmp_path / f"again-{format}"
        assets.export(again, format=format)
        assert again.read_bytes() == path.read_bytes()
    documents = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert assets.import_(documents[:10], mode="replace").deleted == rows - 10


def test_bad_files(store, tmp_path):
    assets = store.aux("p", "assets")
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"id,title\na,\xff\n")
    with pytest.raises(sprongus.ValidationError):
        assets.import_(bad)
    with pytest.raises(sprongus.NotFoundError):
        assets.import_(tmp_path / "none.csv")
    with pytest.raises(sprongus.InvalidArgumentError):
        assets.import_(tmp_path)
    with pytest.raises(sprongus.InvalidArgumentError):
        assets.import_(bad, format="xls")
    with pytest.raises(sprongus.InvalidArgumentError):
        assets.import_(bad, delimiter="ab")
    with pytest.raises(sprongus.NotFoundError):
        assets.export(tmp_path / "none" / "out.csv")
    assert assets.count() == 0


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda t: t.create([1]), sprongus.SprongusError),
        (lambda t: t.create({"title": 7}), sprongus.ValidationError),
        (lambda t: t.create({"lastUpdated": "x"}), sprongus.ReservedFieldError),
        (lambda t: t.create({"projectId": "other"}), sprongus.ReservedFieldError),
        (lambda t: t.create({"title": "x" * (2 << 20)}), sprongus.TooLargeError),
        (lambda t: t.create({}, id="a\0"), sprongus.InvalidArgumentError),
        (lambda t: t.create({}, id="x" * 129), sprongus.InvalidArgumentError),
        (lambda t: t.create({}, id=5), TypeError),
        (lambda t: t.update("a", {}, nulls="drop"), sprongus.InvalidArgumentError),
        (lambda t: t.delete("a", on_referenced="cascade"), sprongus.InvalidArgumentError),
        (lambda t: t.bulk_upsert([], mode="append"), sprongus.InvalidArgumentError),
        (lambda t: t.bulk_upsert([], on_error="ignore"), sprongus.InvalidArgumentError),
        (lambda t: t.list(q=7), TypeError),
        (lambda t: t.iter(q=7), TypeError),
    ],
)
def test_bad_calls(store, call, error):
    with pytest.raises(error):
        call(store.aux("p", "assets"))
    assert store.aux("p", "assets").count() == 0


def test_names_of_projects_and_tables(store):
    for project, table in (("", "assets"), ("p\n", "assets"), ("p" * 129, "assets"), ("p", ""), ("p", "a\0")):
        with pytest.raises(sprongus.InvalidArgumentError):
            store.aux(project, table).count()
    with pytest.raises(sprongus.NotFoundError, match="bind"):
        store.aux("p", "unbound").create({})
    assert repr(store.aux("p", "assets")) == '<sprongus.AuxTable "assets" of project "p">'


def test_any_iterable_is_drawn_to_its_end(assets):
    class Rows:
        """What iter() gives need not be an iterable itself."""

        def __init__(self):
            self.left = iter([{"id": "a"}, {"id": "b"}, {"id": "c"}])

        def __next__(self):
            return next(self.left)

    class Table:
        def __iter__(self):
            return Rows()

    assert assets.bulk_upsert(Table()).created == 3
    assert assets.import_(Table(), mode="replace").unchanged == 3
    assert assets.import_(filter(None, [{"id": "d"}]), mode="replace").deleted == 3


def test_rows_may_come_from_the_store_itself(store):
    assets = store.aux("p", "assets")
    assets.bulk_upsert([{"id": f"a{n}"} for n in range(7)])
    assert assets.bulk_upsert({"id": f"copy of {entry.id}"} for entry in assets.iter(limit=2)).created == 7
    told = []
    assets.bulk_upsert([{"id": "b"}], progress=lambda done, total: told.append(assets.count()))
    assert told == [14]


def test_progress_may_be_a_falsy_callable(store):
    class Told(list):
        def __call__(self, done, total):
            self.append((done, total))

    told = Told()
    store.aux("p", "assets").bulk_upsert([{"id": "a"}], progress=told)
    assert told == [(1, 1)]
    store.aux("p", "assets").bulk_upsert([{"id": "a"}], progress=None)

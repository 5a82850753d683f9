"""Tables of pandas, polars and Arrow, both ways."""

import datetime as dt

import pandas
import polars
import pyarrow
import pytest
import sprongus

ROWS = [
    {"id": "a", "title": "Größe", "year": 1899, "rating": 0.5, "open": True, "tags": ["x", "y"], "size": {"w": 1, "h": 2}},
    {"id": "b", "title": "", "year": 1901, "tags": [], "size": {"w": 3}},
    {"id": "c", "rating": 2.5, "open": False, "big": 2**53 + 1},
    {"id": "d"},
]


@pytest.fixture
def works(face):
    """A table that takes anything."""
    face.presets.create("works", "custom", {"type": "object"})
    face.presets.bind("works", "works")
    return face.aux("p", "works")


@pytest.fixture
def filled(works):
    assert works.bulk_upsert(ROWS).created == len(ROWS)
    return works


@pytest.mark.parametrize("form", ["to_pandas", "to_polars", "to_arrow"])
def test_a_table_comes_back_as_it_was(filled, form):
    table = getattr(filled, form)()
    columns = list(table.column_names if form == "to_arrow" else table.columns)
    assert columns[0] == "id" and columns[-2:] == ["$version", "lastUpdated"]
    assert len(table) == len(ROWS)
    report = filled.bulk_upsert(table)
    assert (report.unchanged, report.updated, report.errors) == (len(ROWS), 0, [])
    assert filled.import_(table, mode="replace").unchanged == len(ROWS)
    assert {entry.id: entry.payload for entry in filled.list()} == {
        row["id"]: {name: value for name, value in row.items() if name != "id"} for row in ROWS
    }


def test_the_types_of_columns(filled):
    frame = filled.to_pandas(sort="id")
    assert (str(frame["year"].dtype), str(frame["rating"].dtype), str(frame["open"].dtype)) == ("Int64", "float64", "boolean")
    assert frame["big"][2] == 2**53 + 1
    assert str(frame["lastUpdated"].dtype) == "datetime64[us, UTC]"
    assert frame["tags"].tolist()[:2] == [["x", "y"], []]
    assert filled.to_polars().schema["year"] == polars.Int64
    assert filled.to_arrow().schema.field("size").type == pyarrow.struct([("h", pyarrow.int64()), ("w", pyarrow.int64())])


@pytest.mark.parametrize("form", ["to_pandas", "to_polars", "to_arrow"])
def test_queries_choose_what_a_table_holds(filled, form):
    def ids(**query):
        table = getattr(filled, form)(**query)
        return table["id"].to_pylist() if form == "to_arrow" else list(table["id"])

    assert ids(sort="-id", limit=2) == ["d", "c"]
    assert ids(filter={"year": {"gte": 1900}}) == ["b"]
    assert ids(q="GRÖSSE") == ["a"]
    assert ids(limit=0) == ids(filter={"year": 1}) == []
    assert len(getattr(filled.list(limit=3), form)()) == 3
    for wrong in ({"filter": {"year": {"above": 1}}}, {"limit": -1}):
        with pytest.raises(sprongus.InvalidArgumentError):
            ids(**wrong)
    for wrong in ({"limit": "x"}, {"colour": "red"}):
        with pytest.raises(TypeError):
            ids(**wrong)


def test_more_entries_than_a_page_has(store):
    assets = store.aux("p", "assets")
    assets.bulk_upsert({"id": f"{n:04}"} for n in range(2500))
    assert len(assets.to_pandas()) == 2500
    assert len(assets.to_polars(limit=1500)) == 1500


@pytest.mark.parametrize("form", ["to_pandas", "to_polars", "to_arrow"])
def test_columns_of_several_types(works, form):
    rows = [{"id": "a", "n": 1, "s": {"x": 1}, "big": 2**64 - 1}, {"id": "b", "n": "x", "s": {"x": "y"}, "l": [1, 0.5]}]
    works.bulk_upsert([*rows, {"id": "c", "n": None, "s": {}, "empty": {}}])
    table = getattr(works, form)(sort="id")
    values = table["n"].to_pylist() if form == "to_arrow" else list(table["n"])
    assert values[:2] == ([1, "x"] if form == "to_pandas" else ["1", '"x"'])


def test_an_empty_table_has_the_columns_of_entries(works):
    assert list(works.to_pandas().columns) == ["id", "$version", "lastUpdated"]
    assert works.to_polars().columns == works.to_arrow().column_names == ["id", "$version", "lastUpdated"]
    assert works.bulk_upsert(works.to_pandas()).created == 0


def test_every_list_is_a_table_too(face):
    face.runs.enqueue_many([{"kind": "k", "input": {"a": 1}}] * 2)
    for listed in (face.runs.list(), face.presets.list(kind="assets"), face.query("SELECT 1 AS n, 'x' AS t")):
        assert len(listed.to_pandas()) == len(listed.to_polars()) == listed.to_arrow().num_rows == len(listed)


def test_frames_as_they_are_made_elsewhere(works):
    moment = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
    columns = {"id": ["a", "b"], "n": [1, None], "t": [None, "x"], "at": [moment, None]}
    expected = [{"n": 1, "at": "2026-01-02T03:04:00Z"}, {"t": "x"}]
    frames = [
        pandas.DataFrame(columns).astype({"n": "Int64"}),
        pandas.DataFrame(columns).astype({"n": "Int64"}).set_index("id"),
        pandas.DataFrame(columns, dtype="object"),
        polars.DataFrame(columns),
        polars.LazyFrame(columns),
        pyarrow.table(columns),
        pyarrow.table(columns).to_batches()[0],
        pyarrow.table(columns).to_reader(),
    ]
    for frame in frames:
        report = works.import_(frame, mode="replace")
        assert report.errors == [] and report.created + report.unchanged == 2, type(frame)
        assert [{**entry.payload, **at(entry)} for entry in works.list()] == expected, type(frame)
    categories = pandas.DataFrame({"id": ["c"], "kind": pandas.Categorical(["x"]), "list": [pandas.array([1, 2]).to_numpy()]})
    works.bulk_upsert(categories)
    assert works.get("c").payload == {"kind": "x", "list": [1, 2]}


def at(entry):
    """Its time, which may have been written with more digits."""
    given = entry.payload.get("at")
    return {} if given is None else {"at": dt.datetime.fromisoformat(given).strftime("%Y-%m-%dT%H:%M:%SZ")}


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: pandas.DataFrame([["a", "b"]], columns=["id", "id"]), sprongus.InvalidArgumentError),
        (lambda: pyarrow.table([["a"], ["b"]], names=["id", "id"]), sprongus.InvalidArgumentError),
        (lambda: pandas.DataFrame([["a"]]), sprongus.ValidationError),
        (lambda: pandas.DataFrame({"id": ["a"], "at": [dt.datetime(2026, 1, 2)]}), sprongus.ValidationError),
        (lambda: pandas.DataFrame({"id": ["a"], "n": [float("inf")]}), sprongus.ValidationError),
        (lambda: pandas.DataFrame({"id": ["a"], "n": [1j]}), sprongus.ValidationError),
        (lambda: pyarrow.table({"id": ["a"], "raw": [b"\xff"]}), sprongus.ValidationError),
        (lambda: pandas.Series(["a"]), sprongus.ValidationError),
        (lambda: polars.Series(["a"]), sprongus.ValidationError),
        (lambda: pyarrow.array(["a"]), TypeError),
    ],
)
def test_bad_frames_write_nothing(works, make, error):
    with pytest.raises(error):
        works.bulk_upsert(make())
    assert works.count() == 0


def test_a_bad_row_is_named(works):
    frame = pandas.DataFrame({"id": ["a", "b", "c"], "n": [1.0, float("inf"), 2.0]})
    report = works.bulk_upsert(frame, on_error="report")
    assert (report.created, [(error["row"], error["path"]) for error in report.errors]) == (2, [(2, "/n")])


def test_progress_knows_how_many_rows_a_table_has(works):
    tables = [pandas.DataFrame({"id": ["a", "b"]}), polars.DataFrame({"id": ["a", "b"]}), pyarrow.table({"id": ["a", "b"]})]
    for table in tables:
        told = []
        works.bulk_upsert(table, progress=lambda done, total, told=told: told.append((done, total)))
        assert told[-1] == (2, 2)


def test_none_of_the_libraries_is_required(tmp_path):
    from processes import run

    code = """
        import sys

        class Refused:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("pandas", "polars", "pyarrow", "pydantic", "tqdm", "numpy"):
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Refused())
        import sprongus
        with sprongus.open(sys.argv[1]) as store:
            assets = store.aux("p", "assets")
            assets.bulk_upsert([{"id": "a"}, {"id": "b"}], progress=True)
            for form in ("to_pandas", "to_polars", "to_arrow"):
                try:
                    getattr(assets, form)()
                except ModuleNotFoundError as error:
                    print(error.name)
            print(assets.list()._repr_html_().count("<tr>"))
    """
    done = run(code, tmp_path / "a.db")
    assert done.stdout.split() == ["pandas", "polars", "pyarrow", "3"]
    assert "2 of 2 rows" in done.stderr

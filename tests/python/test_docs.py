"""What the docstrings show is what happens; every public name has one."""

import doctest
import inspect
import re
import sys
import types
from pathlib import Path

import psycopg
import pytest
import sprongus
from conftest import fresh

CLASSES = [member for _, member in inspect.getmembers(sprongus, inspect.isclass)]
FUNCTIONS = [sprongus.open, sprongus.attach, sprongus.migration_sql]
METHODS = [
    getattr(kind, name)
    for kind in CLASSES
    for name in vars(kind)
    if not name.startswith("_") and kind.__module__.startswith("sprongus")
]
EXAMPLES = [
    example
    for each in [sprongus, *CLASSES, *FUNCTIONS, *METHODS]
    for example in doctest.DocTestFinder(recurse=False).find(each, getattr(each, "__qualname__", "sprongus"))
    if example.examples
]


def test_every_public_name_is_documented():
    missing = [each for each in [*CLASSES, *FUNCTIONS, *METHODS] if not inspect.getdoc(each)]
    assert missing == []
    assert len(METHODS) > 100


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_examples_run(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = fresh("postgres", tmp_path)
    url = f"{place.url}{'&' if '?' in place.url else '?'}options=-csearch_path%3D{place.options['schema']}"
    with sprongus.open(":memory:") as store, place.open() as server:
        for each in (store, server):
            each.execute("CREATE TABLE orders (id TEXT, cents BIGINT, paid BOOLEAN)")
        store.runs.enqueue("mail.send", {"to": "orders@example.org"})
        example.globs = {"sprongus": sprongus, "store": store, "psycopg": psycopg, "url": url}
        said = []
        assert doctest.DocTestRunner().run(example, out=said.append).failed == 0, "".join(said)


def test_the_main_calls_show_an_example():
    assert {"sprongus", "open", "attach", "Store", "AuxTable", "Worker"} <= {example.name for example in EXAMPLES}


DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["aux-tables.md", "cookbook.md", "presets.md", "schedules.md", "scopes.md"]


@pytest.mark.parametrize("page", PAGES)
def test_the_programs_of_the_pages_run(page, shared_place):
    programs = programs_of((DOCS / page).read_text(encoding="utf-8"))
    with shared_place.open() as store:
        names = {"sprongus": sprongus, "store": store}
        for program in programs:
            exec(compile(program, page, "exec"), names)


def test_the_programs_about_aux_tables_run_one_after_the_other(shared_place, monkeypatch, capsys):
    monkeypatch.setenv("SHELF_TOKEN", "x")
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    section = text[text.index("## Aux tables") : text.index("## Workers and handlers")]
    # As a module, for a dataclass looks its types up there.
    module = types.ModuleType("program")
    monkeypatch.setitem(sys.modules, "program", module)
    with shared_place.open() as store:
        vars(module).update(sprongus=sprongus, store=store)
        for program in programs_of(section):
            exec(compile(program, "python.md", "exec"), vars(module))
        assert [run.state for run in store.runs.list()] == ["succeeded"] * 2, store.runs.list()
    assert capsys.readouterr().out.splitlines() == [
        "{'scans': [], 'tags': [], 'title': 'Harbour at dawn', 'year': 1961}",
        "2",
        "succeeded 1",
    ]


def programs_of(text):
    programs = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert programs
    return programs

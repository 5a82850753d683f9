"""The places where cases run: a store on each database, and a host's own transaction by each driver."""

import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sprongus

sys.path.insert(0, str(Path(__file__).parent))

BACKENDS = ["sqlite-file", "sqlite-memory", "postgres"]
DRIVERS = ["sqlite3", "psycopg", "psycopg2"]
_numbers = itertools.count()


def postgres_url() -> str:
    url = os.environ.get("SPRONGUS_TEST_PG_URL")
    if not url:
        pytest.fail("SPRONGUS_TEST_PG_URL is not set: run `make test-python`, or `target/debug/with-postgres pytest …`")
    return url


def data(name: str) -> Path:
    """A file or folder of the test data."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("SPRONGUS_TEST_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.fail(f"{folder} is not there: set SPRONGUS_TEST_DATA to the folder of the test data")
    return folder / name


@dataclass
class Place:
    """A fresh place for a store; no other case sees what is in it."""

    backend: str
    url: str
    options: dict[str, Any] = field(default_factory=dict)

    def open(self, **options: Any) -> sprongus.Store:
        return sprongus.open(self.url, **self.options, **options)


def fresh(backend: str, folder: Path) -> Place:
    if backend == "sqlite-memory":
        return Place(backend, ":memory:")
    if backend == "sqlite-file":
        return Place(backend, str(folder / f"store{next(_numbers)}.db"))
    return Place(backend, postgres_url(), {"schema": f"py_{os.getpid()}_{next(_numbers)}"})


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return fresh(request.param, tmp_path)


@pytest.fixture(params=["sqlite-file", "postgres"])
def shared_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place that several processes can open."""
    return fresh(request.param, tmp_path)


@pytest.fixture
def store(place: Place) -> Iterator[sprongus.Store]:
    with place.open() as opened:
        yield opened


@contextmanager
def lent(driver: str, folder: Path) -> Iterator[Any]:
    """A host's connection with a transaction open and the schema there; committed at the end."""
    if driver == "sqlite3":
        import sqlite3

        # Its schema comes as SQL: this process opens no file with both copies of SQLite.
        connection = sqlite3.connect(folder / f"host{next(_numbers)}.db", isolation_level=None)
        connection.executescript(sprongus.migration_sql("sqlite"))
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()
        return
    place = fresh("postgres", folder)
    place.open().close()
    module = __import__(driver)
    connection = module.connect(place.url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET search_path TO {place.options['schema']}")
        connection.commit()
        yield connection
        connection.commit()
    finally:
        connection.close()


@pytest.fixture(params=DRIVERS)
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with lent(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture(params=BACKENDS + DRIVERS)
def face(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """One API in or out of a transaction: a store, or the host's own transaction."""
    if request.param in DRIVERS:
        with lent(request.param, tmp_path) as opened:
            yield sprongus.attach(opened)
    else:
        with fresh(request.param, tmp_path).open() as opened:
            yield opened

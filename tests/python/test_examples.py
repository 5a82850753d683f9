"""The examples run, and print what they say they do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import fresh

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "python"


def run(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_the_first_ten_lines(tmp_path: Path) -> None:
    for _ in range(2):  # the idempotency key makes the second the first
        done = run(tmp_path, "quickstart.py")
        assert (done.returncode, done.stdout) == (0, "succeeded sent to orders@example.org\n"), done.stderr


@pytest.mark.parametrize("store", ["demo.db", os.environ.get("SPRONGUS_TEST_PG_URL", "")])
def test_the_demo_imports_shows_searches_and_exports(tmp_path: Path, store: str) -> None:
    assert store, "run it beside a PostgreSQL: make test-python"
    done = run(tmp_path, "demo.py", "--db", store, "--out", "out", "--search", "TRAM")
    assert done.returncode == 0, done.stderr
    for said in (
        "bound to the preset assets-preset@1",
        "simulated: the source broke off after 106 of 212 lines",
        "attempt 2 of 3",
        '"created": 200',
        "run.retry_scheduled",
        "The first of 200 entries",
        "A search for 'TRAM': ",
        "200 entries, ",
    ):
        assert said in done.stdout
    assert (tmp_path / "out" / "assets-export.csv").stat().st_size > 40_000
    again = run(tmp_path, "demo.py", "--db", store, "--out", "out", "--steady")
    assert again.returncode == 0 and '"unchanged": 200' in again.stdout, again.stderr


def test_the_demo_says_what_is_wrong_and_fails(tmp_path: Path) -> None:
    missing = run(tmp_path, "demo.py", "--csv", "no-such.csv")
    assert missing.returncode == 2 and "no-such.csv is not a file" in missing.stderr
    (tmp_path / "ragged.csv").write_text("id,title\n1,a\n2\n")
    ragged = run(tmp_path, "demo.py", "--csv", "ragged.csv", "--steady")
    assert ragged.returncode == 1 and "line 3 has 1 fields" in ragged.stderr, ragged.stderr
    assert "attempt 2" not in ragged.stdout
    away = run(tmp_path, "demo.py", "--db", "postgresql://u:hidden@127.0.0.1:1/x")
    assert away.returncode == 1 and "Connection refused" in away.stderr and "hidden" not in away.stderr


def lines(tmp_path: Path, name: str, store: str) -> list[str]:
    """What an example prints, on a place of its own."""
    place = fresh(store, tmp_path)
    done = run(tmp_path, name, place.url, *place.options.values())
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("store", ["sqlite-file", "postgres"])
def test_a_handler_that_asks_for_leave(tmp_path: Path, store: str) -> None:
    assert lines(tmp_path, "approvals.py", store) == [
        "building",
        "awaiting_approval",
        "asked: deploys app:7 to all hosts",
        "app:7 deployed, with leave of ada",
    ]


@pytest.mark.parametrize("store", ["sqlite-file", "postgres"])
def test_periodic_work(tmp_path: Path, store: str) -> None:
    said = lines(tmp_path, "periodic.py", store)
    assert said[0].startswith("the next report is due at 2")
    assert said[1:3] == ["checking the disk"] * 2


@pytest.mark.parametrize("store", ["sqlite-file", "postgres"])
def test_custom_tables(tmp_path: Path, store: str) -> None:
    assert lines(tmp_path, "tables.py", store) == [
        "token 1",
        "refused: conflict",
        "mail ada b'\\x02\\xfd' ['read', 'send']",
        "2 [{'key': 'theme', 'value': {'dark': True, 'size': 12}, 'enabled': True}]",
        "refused: /enabled",
        "False",
        "inserted updated",
        "[{'id': 'web-1', 'load': 0.5, 'cores': 4}]",
    ]


@pytest.mark.parametrize("store", ["sqlite-file", "postgres"])
def test_a_project_from_beginning_to_end(tmp_path: Path, store: str) -> None:
    assert lines(tmp_path, "projects.py", store) == [
        "notes.txt version 1: 3 parts created, 0 unchanged",
        "notes.txt version 1: 0 parts created, 3 unchanged",
        "refused: conflict",
        "refused: referenced",
        "0 files, 0 settings left",
    ]


@pytest.mark.parametrize("store", ["sqlite-file", "postgres"])
def test_following_events(tmp_path: Path, store: str) -> None:
    said = lines(tmp_path, "follow.py", store)
    assert said[:4] == [
        "1 run.enqueued queued",
        "2 run.started running",
        "3 run.succeeded succeeded",
        "hello, world",
    ]
    assert said[4].startswith("followed to ")

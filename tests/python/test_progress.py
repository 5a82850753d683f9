"""Bars and progress functions of long calls."""

import sys
import threading

import pytest
import sprongus
from processes import run

ROWS = [{"id": f"{n:04}", "title": "x"} for n in range(2500)]


@pytest.fixture
def assets(store):
    return store.aux("p", "assets")


def test_a_bar_of_tqdm_on_standard_error(assets, capsys, tmp_path):
    assets.bulk_upsert(ROWS, progress=True)
    said = capsys.readouterr()
    assert "2500/2500" in said.err and said.out == ""
    assets.export(tmp_path / "out.csv", progress=True)
    assert "2500" in capsys.readouterr().err
    assets.import_(tmp_path / "out.csv", progress=True)
    assert "2500" in capsys.readouterr().err


def test_a_plain_line_where_tqdm_is_not_there(assets, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assets.bulk_upsert(ROWS, progress=True)
    assert capsys.readouterr().err.endswith("2500 of 2500 rows\n")
    assets.bulk_upsert(iter(ROWS), progress=True)
    assert capsys.readouterr().err.endswith("\r2500 rows\n")


def test_a_bar_is_closed_by_a_failure(assets, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(sprongus.ValidationError):
        assets.bulk_upsert([*ROWS, {"id": "bad", "title": 7}], progress=True)
    assert capsys.readouterr().err.endswith("rows\n")
    assert assets.count() == 0


@pytest.mark.parametrize("progress", [None, False, 0, ""])
def test_no_progress_is_silent(assets, capsys, progress):
    assets.bulk_upsert(ROWS, progress=progress)
    assert capsys.readouterr() == ("", "")


def test_what_is_told_rises_to_the_total(assets, tmp_path):
    for call, total in (
        (lambda told: assets.bulk_upsert(ROWS, progress=told), 2500),
        (lambda told: assets.bulk_upsert(iter(ROWS), progress=told), None),
        (lambda told: assets.export(tmp_path / "out.ndjson", progress=told), 2500),
        (lambda told: assets.import_(tmp_path / "out.ndjson", progress=told), None),
    ):
        told = []
        call(lambda done, total, told=told: told.append((done, total)))
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert told[-1][0] == 2500
        assert {total for _, total in told} <= {total, 2500}


class Enough(Exception):
    pass


@pytest.mark.parametrize("after", [1, 1000, 2500])
@pytest.mark.parametrize("call", ["bulk_upsert", "import_", "file"])
def test_an_exception_in_it_leaves_nothing(assets, tmp_path, call, after):
    assets.bulk_upsert([{"id": "there"}])

    def progress(done, total):
        if done >= after:
            raise Enough

    source = ROWS
    if call == "file":
        source, call = tmp_path / "rows.csv", "import_"
        source.write_text("id,title\n" + "".join(f"{row['id']},x\n" for row in ROWS), encoding="utf-8")
    with pytest.raises(Enough):
        getattr(assets, call)(source, mode="replace", progress=progress)
    assert [entry.id for entry in assets.list()] == ["there"]
    assert getattr(assets, call)(source).created == 2500


def test_an_export_that_ends_early_leaves_no_file(assets, tmp_path):
    assets.bulk_upsert(ROWS)

    def progress(done, total):
        raise Enough

    with pytest.raises(Enough):
        assets.export(tmp_path / "out.csv", progress=progress)
    assert list(tmp_path.glob("out*")) == []


def test_other_threads_go_on_meanwhile(shared_place):
    with shared_place.open() as store:
        counted, stop = [], threading.Event()

        def count():
            while not stop.wait(0.005):
                counted.append(store.aux("p", "assets").count())

        other = threading.Thread(target=count)
        other.start()
        try:
            for _ in range(3):
                store.aux("p", "assets").bulk_upsert({**row, "title": str(len(counted))} for row in ROWS)
        finally:
            stop.set()
            other.join()
        assert len(counted) > 3
        assert set(counted) <= {0, 2500}


def test_two_processes_write_many_at_once(shared_place):
    code = """
        import sys, sprongus
        with sprongus.open(sys.argv[1], schema=sys.argv[3] if sys.argv[3:] else None) as store:
            rows = [{"id": f"{n:04}", "title": sys.argv[2]} for n in range(200)]
            for _ in range(2):
                print(store.aux("p", "assets").bulk_upsert(rows).errors)
    """
    with shared_place.open() as store:
        done = []

        def child(name):
            done.append(run(code, shared_place.url, name, *shared_place.options.values()).stdout)

        children = [threading.Thread(target=child, args=(name,)) for name in ("one", "two")]
        for each in children:
            each.start()
        for each in children:
            each.join()
        assert done == ["[]\n" * 2] * 2
        titles = {entry.payload["title"] for entry in store.aux("p", "assets").iter(limit=1000)}
        assert store.aux("p", "assets").count() == 200
        assert len(titles) == 1, "each call is one commit"

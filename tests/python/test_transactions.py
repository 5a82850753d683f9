"""One commit for the host's writes and ours; savepoints; what poisons."""

import threading

import pytest
import sprongus


@pytest.fixture(autouse=True)
def table(store):
    store.execute("CREATE TABLE t (n bigint UNIQUE)")


def numbers(on):
    return [row["n"] for row in on.query("SELECT n FROM t ORDER BY n")]


def insert(on, n):
    return on.execute("INSERT INTO t VALUES ($1)", [n])


def test_all_or_nothing(store):
    with store.transaction() as tx:
        insert(tx, 1)
        run = tx.runs.enqueue("k")
        tx.aux("p", "assets").create({"title": "x"}, id="a")
        assert numbers(tx) == [1]
    assert numbers(store) == [1]
    assert store.runs.get(run.id) == run
    with pytest.raises(KeyError), store.transaction() as tx:
        insert(tx, 2)
        lost = tx.runs.enqueue("k")
        tx.aux("p", "assets").delete("a")
        raise KeyError("mine")
    assert numbers(store) == [1]
    assert store.aux("p", "assets").get("a").version == 1
    with pytest.raises(sprongus.NotFoundError):
        store.runs.get(lost.id)


def test_savepoints_nest(store):
    with store.transaction() as tx:
        insert(tx, 1)
        with pytest.raises(ZeroDivisionError), tx.transaction() as inner:
            insert(inner, 2)
            with inner.transaction() as innermost:
                insert(innermost, 3)
            raise ZeroDivisionError
        with tx.transaction() as inner:
            insert(inner, 4)
    assert numbers(store) == [1, 4]


def test_our_failures_leave_the_transaction_usable(store):
    with store.transaction() as tx:
        insert(tx, 1)
        with pytest.raises(sprongus.NotFoundError):
            tx.runs.get("none")
        with pytest.raises(sprongus.ValidationError):
            tx.aux("p", "storyboard").create({"assetIds": 5})
        tx.runs.enqueue("k")
    assert numbers(store) == [1]
    assert len(store.runs.list()) == 1


def test_a_failed_statement_of_the_hosts_poisons(store):
    with pytest.raises(sprongus.MisuseError), store.transaction() as tx:
        insert(tx, 1)
        with pytest.raises(sprongus.ConflictError):
            insert(tx, 1)
        with pytest.raises(sprongus.MisuseError):
            tx.runs.enqueue("k")
    assert numbers(store) == []
    with store.transaction() as tx:
        insert(tx, 1)
        with pytest.raises(sprongus.ConflictError), tx.transaction() as inner:
            insert(inner, 1)
        insert(tx, 2)
    assert numbers(store) == [1, 2]


def test_the_store_inside_its_own_transaction(store):
    with store.transaction():
        with pytest.raises(sprongus.MisuseError):
            store.query("SELECT 1")
        with pytest.raises(sprongus.MisuseError):
            store.runs.list()
        with pytest.raises(sprongus.MisuseError), store.transaction():
            pass
    assert store.query("SELECT 1 AS one") == [{"one": 1}]


def test_an_ended_transaction(store):
    with store.transaction() as tx:
        runs, other = tx.runs, tx.acting_as("ada")
        insert(other, 5)
    for call in (lambda: numbers(tx), runs.list, lambda: insert(other, 6), lambda: tx.transaction().__enter__()):
        with pytest.raises(sprongus.MisuseError):
            call()
    assert numbers(store) == [5]


def test_a_block_is_entered_and_left_once(store):
    block = store.transaction()
    with pytest.raises(sprongus.MisuseError):
        block.__exit__(None, None, None)
    with block as tx:
        insert(tx, 1)
        with pytest.raises(sprongus.MisuseError):
            block.__enter__()
    with block as tx:
        insert(tx, 2)
    assert numbers(store) == [1, 2]


def test_dropped_without_an_end_it_is_rolled_back(store):
    tx = store.transaction().__enter__()
    insert(tx, 1)
    del tx
    assert numbers(store) == []


def test_no_control_statements(store):
    with store.transaction() as tx:
        for sql in ("COMMIT", "ROLLBACK", "SAVEPOINT a", "BEGIN"):
            with pytest.raises(sprongus.InvalidArgumentError), tx.transaction() as inner:
                inner.execute(sql)
        insert(tx, 1)
    assert numbers(store) == [1]


def test_the_hosts_code_within_a_call_does_not_call_the_transaction(store, tmp_path):
    with store.transaction() as tx:
        assets = tx.aux("p", "assets")
        assets.create({"title": "x"}, id="a")

        def rows():
            yield {"id": "b"}
            tx.runs.list()

        for call in (
            lambda: assets.bulk_upsert(rows()),
            lambda: assets.export(tmp_path / "out.csv", progress=lambda done, total: numbers(tx)),
        ):
            with pytest.raises(sprongus.MisuseError, match="already"):
                call()
        insert(tx, 1)
    assert store.aux("p", "assets").count() == 1
    assert numbers(store) == [1]


def test_a_block_entered_by_many_threads_opens_once(store):
    """None of them waits for another with the GIL in hand."""
    block = store.transaction()
    barrier, opened, refused = threading.Barrier(8), [], []

    def enter():
        barrier.wait()
        try:
            opened.append(block.__enter__())
        except sprongus.MisuseError:
            refused.append(True)

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(opened), len(refused)) == (1, 7)
    insert(opened[0], 1)
    block.__exit__(None, None, None)
    assert numbers(store) == [1]


def test_left_on_another_thread_than_entered(store):
    block = store.transaction()
    insert(block.__enter__(), 1)
    thread = threading.Thread(target=block.__exit__, args=(None, None, None))
    thread.start()
    thread.join(20)
    assert numbers(store) == [1]

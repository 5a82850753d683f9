"""The inbox: a message is processed once."""

import threading

import pytest
import sprongus


def test_a_message_is_taken_once(face):
    message = {"kind": "reply", "input": {"text": "hello"}, "priority": 2}
    first = face.inbox.accept("telegram", "42", message, project="p")
    assert (first.first, first.run.kind, first.run.project_id, first.run.priority) == (True, "reply", "p", 2)
    again = face.inbox.accept("telegram", "42", {"kind": "other"}, project="p")
    assert (again.first, again.run.id) == (False, first.run.id)
    assert face.inbox.accept("telegram", "42", message).first
    assert face.inbox.accept("mail", "42", message, project="p").first
    assert len(face.runs.list()) == 3


def test_a_message_without_a_run(face):
    assert face.inbox.accept("c", "1").run is None
    assert face.inbox.accept("c", "1") == face.inbox.accept("c", "1", {"kind": "k"})
    assert face.inbox.accept("c", "1").to_dict() == {"run": None, "first": False}
    assert face.runs.list() == []


def test_in_the_commit_of_the_hosts_own_rows(store):
    store.execute("CREATE TABLE seen (id TEXT)")
    with pytest.raises(KeyError), store.transaction() as tx:
        assert tx.inbox.accept("c", "1", {"kind": "k"}).first
        tx.execute("INSERT INTO seen VALUES ($1)", ["1"])
        raise KeyError
    assert store.inbox.accept("c", "1", {"kind": "k"}).first
    assert store.query("SELECT * FROM seen") == []


def test_in_a_race_there_is_one_first(shared_place):
    with shared_place.open() as store:
        told = []

        def take(number):
            told.append(store.inbox.accept("c", "1", {"kind": "k", "input": number}))

        threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert sorted(one.first for one in told) == [False] * 7 + [True]
        assert {one.run.id for one in told} == {run.id for run in store.runs.list()}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("", "1"), sprongus.InvalidArgumentError),
        (("c", "a\0"), sprongus.InvalidArgumentError),
        (("c" * 513, "1"), sprongus.InvalidArgumentError),
        (("c", 1), TypeError),
        (("c",), TypeError),
        (("c", "1", "k"), sprongus.InvalidArgumentError),
        (("c", "1", {}), sprongus.InvalidArgumentError),
        (("c", "1", {"kind": "k", "colour": 1}), sprongus.InvalidArgumentError),
        (("c", "1", {"kind": "k", "input": {1}}), sprongus.ValidationError),
        (("c", "1", {"kind": "k", "project": "q"}), sprongus.InvalidArgumentError),
    ],
)
def test_bad_messages(store, arguments, error):
    with pytest.raises(error):
        store.inbox.accept(*arguments)
    assert store.runs.list() == []
    assert store.inbox.accept("c", "1").first

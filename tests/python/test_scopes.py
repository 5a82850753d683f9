"""Scoped handles: the wall, rates, and row-level security beneath."""

import threading
from datetime import timedelta

import pytest
import sprongus
from conftest import fresh


def test_a_handle_sees_its_own_project(store):
    mine, theirs = store.scoped("p1"), store.scoped("p2")
    run = mine.runs.enqueue("mail")
    assert run.project_id == "p1"
    with pytest.raises(sprongus.NotFoundError):
        theirs.runs.get(run.id)
    with pytest.raises(sprongus.PermissionDeniedError):
        theirs.runs.list(project="p1")
    for refused in (theirs.doctor, theirs.migrate, lambda: theirs.query("SELECT 1"), lambda: theirs.scoped("p1")):
        with pytest.raises(sprongus.PermissionDeniedError):
            refused()
    with theirs.transaction() as tx, pytest.raises(sprongus.NotFoundError):
        tx.runs.cancel(run.id)


def test_over_a_rate_nothing_is_enqueued(store):
    plugin = store.scoped("p1", rate={"enqueue": (3, timedelta(hours=1)), "cancel": (1, 3600)})
    runs = plugin.runs.enqueue_many([{"kind": "a"}, {"kind": "a", "idempotency_key": "k"}])
    plugin.runs.enqueue("a")
    with pytest.raises(sprongus.RateLimitedError) as refused:
        plugin.runs.enqueue("a")
    details = refused.value.details
    assert (details["operation"], details["count"], details["per"]) == ("enqueue", 3, 3600.0)
    assert refused.value.retryable and 1100 < details["retryIn"] <= 1200
    assert plugin.runs.enqueue("a", idempotency_key="k").id == runs[1].id
    with pytest.raises(sprongus.TooLargeError):
        plugin.runs.enqueue_many([{"kind": "a"}] * 4)
    plugin.runs.cancel(runs[0].id)
    with pytest.raises(sprongus.RateLimitedError):
        plugin.runs.cancel(runs[1].id)
    with pytest.raises(sprongus.RateLimitedError):
        plugin.scoped("p1", rate={"enqueue": (1000, 1.0)}).runs.enqueue("a")
    assert len(store.runs.list()) == 3
    store.runs.enqueue("a", project="p1")


def test_threads_share_a_rate(store):
    got = []

    def enqueue():
        handle = store.scoped("p1", ["runs:write"], rate={"enqueue": (10, 3600.0)})
        for _ in range(5):
            try:
                got.append(handle.runs.enqueue("a"))
            except sprongus.RateLimitedError:
                pass

    threads = [threading.Thread(target=enqueue) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(got) == len(store.runs.list()) == 10


@pytest.mark.parametrize(
    ("rate", "error"),
    [
        ({"delete": (1, 1.0)}, sprongus.InvalidArgumentError),
        ({"enqueue": (0, 1.0)}, sprongus.InvalidArgumentError),
        ({"enqueue": (1, 0.0)}, sprongus.InvalidArgumentError),
        ({"enqueue": (1, -1.0)}, sprongus.InvalidArgumentError),
        ({"enqueue": 1}, TypeError),
        ({"enqueue": ("1", 1.0)}, TypeError),
        ({"enqueue": (1, "1")}, TypeError),
        ([("enqueue", (1, 1.0))], TypeError),
    ],
)
def test_what_is_no_rate_is_refused(store, rate, error):
    with pytest.raises(error):
        store.scoped("p1", rate=rate)


def test_a_string_is_no_list_of_strings(store):
    wrong = [
        ("scopes", lambda: store.scoped("p", "admin")),
        ("projects", lambda: store.grant_projects("reader", "p")),
        ("projects", lambda: store.worker("w", projects="p")),
        ("kinds", lambda: store.runs.claim_next("w", "mail")),
        ("types", lambda: store.events.read(types="run.*")),
        ("ids", lambda: store.aux("p", "assets").resolve_refs("a")),
    ]
    for argument, call in wrong:
        with pytest.raises(TypeError, match=f"^a list of strings is wanted\nwhile processing '{argument}'$"):
            call()
    with pytest.raises(sprongus.InvalidArgumentError, match="lone surrogate"):
        store.scoped("p", ["\ud800"])


def test_row_security_is_of_postgresql(store):
    if store.backend == "sqlite":
        with pytest.raises(sprongus.UnsupportedError):
            store.enable_row_security()
        with pytest.raises(sprongus.UnsupportedError):
            store.grant_projects("app", ["*"])
        with pytest.raises(sprongus.UnsupportedError):
            sprongus.open(":memory:", row_security=True)
        return
    with pytest.raises(sprongus.PermissionDeniedError):
        store.scoped("p1").enable_row_security()
    store.enable_row_security()
    with pytest.raises(sprongus.NotFoundError):
        store.grant_projects("no_such_role", ["p1"])


def test_a_role_sees_what_it_is_granted(tmp_path):
    place = fresh("postgres", tmp_path)
    with place.open() as owner:
        role = place.options["schema"] + "_app"
        owner.execute(f"CREATE ROLE {role} LOGIN")
        owner.enable_row_security()
        owner.grant_projects(role, ["p1"])
        foreign = owner.runs.enqueue("a", project="p2")
    url = place.url.replace("user=postgres", f"user={role}").replace("postgres@", f"{role}@")
    with sprongus.open(url, row_security=True, **place.options) as store:
        run = store.scoped("p1").runs.enqueue("a")
        assert [each.id for each in store.runs.list()] == [run.id]
        assert store.query("SELECT id FROM sprongus_runs") == [{"id": run.id}]
        with pytest.raises(sprongus.NotFoundError):
            store.runs.get(foreign.id)

"""A program in types, for mypy --strict: every call with what it gives."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

import sprongus


def opened() -> sprongus.Store:
    return sprongus.open("app.db", durability="normal", busy_timeout=timedelta(seconds=1), pool_size=2)


def runs(store: sprongus.Store) -> None:
    run = store.runs.enqueue("k", {"a": 1}, run_at=datetime.now(UTC), timeout=1.5)
    assert_type(run, sprongus.Run)
    assert_type(run.finished_at, datetime | None)
    claimed = store.runs.claim_next("w", ["k"], 5, lease=timedelta(minutes=1))
    assert_type(claimed, list[sprongus.Run])
    assert_type(store.runs.succeed(sprongus.Lease(run.id, run.lease), output=None), sprongus.Run)
    assert_type(store.runs.list(state=["queued", "running"], order="oldest"), sprongus.Page[sprongus.Run])
    assert_type(store.runs.list().next_cursor, str | None)
    assert_type([event.type for event in store.runs.events(run.id)], list[str])
    for each in store.runs.iter(kind="k"):
        assert_type(each, sprongus.Run)


def queue(store: sprongus.Store, run: sprongus.Run) -> None:
    assert_type(store.runs.ensure_idempotent("key", lambda: {"kind": "k"}), sprongus.Run)
    for outcome in store.runs.succeed_many([run, sprongus.Lease(run.id, run.lease)]):
        assert_type(outcome, sprongus.Run | sprongus.SprongusError)
    assert_type(store.runs.fail_many([(run, "x")]), list[sprongus.Run | sprongus.SprongusError])
    assert_type(store.runs.snooze(run, timedelta(minutes=1)).run_at, datetime)
    assert_type([step.name for step in store.runs.steps(run.id)], list[str])
    assert_type(store.runs.wait(run.id, timeout=1).parent_id, str | None)
    assert_type(store.runs.stats().by_kind, dict[str, dict[str, int]])
    assert_type(store.runs.limits(), list[sprongus.KindLimit])
    assert_type(store.approvals.approve(run.id, by="ada"), sprongus.Approval)
    assert_type(store.approvals.list(decision="pending"), sprongus.Page[sprongus.Approval])
    assert_type(store.inbox.accept("c", "1", {"kind": "k"}).run, sprongus.Run | None)
    assert_type(store.schedules.put("s", "k", cron="@daily").next_at, datetime | None)
    assert_type(store.schedules.next_times("s"), list[datetime])


def events(store: sprongus.Store) -> None:
    batch = store.events.read(types=["run.*"])
    assert_type(batch, sprongus.EventBatch)
    feed: Iterator[sprongus.Event] = store.events.follow(after=batch.cursor)
    assert_type(next(feed).seq, int)
    with store.events.subscribe(lambda event: print(event.type)) as subscription:
        assert_type(subscription, sprongus.Subscription)


def documents(store: sprongus.Store) -> None:
    assets = store.aux("p", "assets")
    assert_type(assets.create({"title": "x"}).payload, dict[str, Any])
    assert_type(assets.list(filter={"year": {"gte": 1900}}, sort=["-year"]), sprongus.Page[sprongus.Entry])
    assert_type(assets.import_("a.csv", mode="replace", progress=lambda done, total: None), sprongus.BulkReport)
    assert_type(assets.export("a.json"), int)
    assert_type(store.presets.create("work", "custom", {"fields": []}), sprongus.Preset)


def past(store: sprongus.Store) -> None:
    assets = store.aux("p", "assets")
    assert_type(assets.history("a")[0].snapshot, dict[str, Any] | None)
    assert_type(assets.diff("a", 1, datetime.now(UTC))[0], dict[str, Any])
    assert_type(assets.as_of(datetime.now(UTC)), sprongus.Page[sprongus.Entry])
    assert_type(assets.restore("a", 1), sprongus.Entry)
    assert_type([view.label for view in assets.resolve_refs(["a"])], list[str | None])
    assert_type(assets.referrers("a"), sprongus.Page[dict[str, Any]])
    assert_type(store.stats(), dict[str, Any])
    assert_type(store.doctor().ok, bool)


def artifacts(store: sprongus.Store) -> None:
    kept = store.artifacts.put("report", "sales", {"total": 1}, if_changed=True)
    assert_type(kept.content, bytes | None)
    assert_type(store.artifacts.versions("report", "sales"), sprongus.Page[sprongus.Artifact])
    assert_type(store.artifacts.export_zip("a.zip"), int)


def tables(store: sprongus.Store) -> None:
    store.tables.create({"name": "hosts", "columns": [{"name": "load", "type": "real"}]})
    assert_type(store.tables.insert("hosts", {"id": "a", "load": 0.5}), str)
    assert_type(store.tables.insert_many("hosts", ({"id": str(n)} for n in range(3))), list[str])
    rows = store.tables.query("hosts", where={"load": None}, order_by=[("id", "desc")], limit=10)
    assert_type(rows, list[dict[str, Any]])
    assert_type(store.tables.count("hosts", where={"id": ["a", "b"]}), int)
    assert_type(store.tables.exists("hosts"), bool)
    assert_type(store.tables.names(), list[str])
    assert_type(store.tables.describe("hosts"), dict[str, Any])
    store.tables.update("hosts", "a", {"load": 1.5})
    store.tables.delete("hosts", "a")


def projects(store: sprongus.Store) -> None:
    project = store.projects.create("Harbour archive", owner="ada")
    assert_type(project, sprongus.Project)
    assert_type(project.owner, str | None)
    assert_type(project.updated_at, datetime)
    assert_type(store.projects.list(owner="ada"), sprongus.Page[sprongus.Project])
    assert_type(store.projects.install(project.id), list[str])
    store.config.set("theme", {"dark": True}, project=project.id)
    assert_type(store.config.list(prefix="theme"), dict[str, Any])
    store.projects.delete(project.id, cascade=True)


class Shelf(sprongus.Provider):
    read, write = True, False

    def __init__(self, config: dict[str, Any]) -> None:
        self.title = config["title"]

    def pull(self, project: str, table: str) -> Iterator[dict[str, Any]]:
        yield {"id": "a", "title": self.title}


class Plain:
    """No subclass: its shape is enough."""

    read = True
    write = True

    def pull(self, project: str, table: str) -> list[dict[str, Any]]:
        return []

    def push(self, project: str, table: str, changes: Mapping[str, Sequence[Any]]) -> None: ...


def syncs(store: sprongus.Store) -> None:
    store.providers.register("shelf", Shelf)
    store.providers.put("studio", "shelf", {"title": "x"})
    assert_type(store.aux("p", "assets").sync("studio", policy="newest"), sprongus.Run)
    assert_type(store.aux("p", "assets").sync(Plain()), sprongus.Run)
    assert_type(store.providers.list(), sprongus.Page[dict[str, Any]])


def transactions(store: sprongus.Store, connection: Any) -> None:
    assert_type(store.transaction(), AbstractContextManager[sprongus.Transaction])
    with store.transaction() as tx, tx.transaction() as inner:
        assert_type(inner.query("SELECT $1", [1]), list[dict[str, Any]])
        assert_type(inner.runs.enqueue("k"), sprongus.Run)
    assert_type(sprongus.attach(connection), sprongus.Transaction)
    try:
        store.execute("SELECT 1")
    except sprongus.ValidationError as error:
        assert_type(error.errors, list[dict[str, Any]])


def works(store: sprongus.Store) -> None:
    worker = store.worker(concurrency=2, projects=["p"])

    @worker.handler("k")
    def handle(context: sprongus.Context) -> Any:
        context.heartbeat({"done": 1})
        context.step("part", lambda: 1)
        assert_type(context.approval("deploy", "all hosts").decided_by, str | None)
        assert_type(context.time_left, float | None)
        assert_type(context.secret({"$secret": "TOKEN"}), str)
        assert_type(context.artifact("log", "lines", "text"), sprongus.Artifact)
        if context.wait_canceled(timedelta(seconds=1)):
            raise sprongus.Snooze(60)
        if context.canceled:
            raise sprongus.Fatal("not wanted")
        with context.transaction() as tx:
            tx.runs.enqueue("next", context.input)
        return sprongus.Ref(f"s3://bucket/{context.run.id}")

    worker.serve_sync()
    worker.run(until_idle=True, patience=timedelta(seconds=1))
    worker.start()
    assert_type(worker.stop(timeout=None), bool)
    assert_type(worker.metrics().run["p95"], float)

"""Syncs: with files, with profiles, with providers written in Python, in place and by a worker."""

import json
import threading
import time

import pytest
import sprongus
from processes import run as run_process


class Shelf:
    """A source in memory that can be read and written."""

    def __init__(self, documents=(), log=None):
        self.documents = {document["id"]: document for document in documents}
        self.calls = [] if log is None else log

    def pull(self, project, table):
        self.calls.append(("pull", project, table))
        yield from [dict(document) for document in self.documents.values()]

    def push(self, project, table, changes):
        self.calls.append(("push", {name: len(items) for name, items in changes.items()}))
        for document in [*changes["created"], *changes["updated"]]:
            self.documents[document["id"]] = document
        for id in changes["deleted"]:
            self.documents.pop(id, None)


def titles(table):
    return {entry.id: entry.payload.get("title") for entry in table.list()}


def diff_of(store, run):
    return store.artifacts.get(run.output_ref.removeprefix("artifact:")).json()


def test_an_object_is_synced_both_ways(store):
    assets = store.aux("p", "assets")
    shelf = Shelf([{"id": "a", "title": "one"}, {"id": "b", "title": "two"}])
    run = assets.sync(shelf)
    assert (run.state, run.kind, run.project_id) == ("succeeded", "sync.aux/assets", "p")
    assert run.input == {"provider": "Shelf", "policy": "manual", "dryRun": False, "force": False}
    assert titles(assets) == {"a": "one", "b": "two"}
    assert diff_of(store, run)["counts"]["created"] == 2
    assets.update("a", {"title": "mine"})
    assets.create({"title": "new"}, id="c")
    shelf.documents["b"] = {"id": "b", "title": "theirs"}
    counts = diff_of(store, assets.sync(shelf))["counts"]
    assert (counts["updated"], counts["pushedUpdated"], counts["pushedCreated"], counts["conflicts"]) == (1, 1, 1, 0)
    assert titles(assets) == {"a": "mine", "b": "theirs", "c": "new"}
    assert {id: document["title"] for id, document in shelf.documents.items()} == titles(assets)
    assets.delete("a")
    assets.sync(shelf)
    assert "a" not in shelf.documents
    calls = len(shelf.calls)
    assert diff_of(store, assets.sync(shelf))["items"] == []
    assert shelf.calls[calls:] == [("pull", "p", "assets")]
    assert store.stats()["syncs"]["count"] == 4


def test_conflicts_and_policies(store):
    assets = store.aux("p", "assets")
    shelf = Shelf([{"id": "a", "title": "one"}])
    assets.sync(shelf)

    def both_change():
        assets.update("a", {"title": f"mine {time.monotonic()}"})
        shelf.documents["a"] = {"id": "a", "title": f"theirs {time.monotonic()}"}

    both_change()
    run = assets.sync(shelf)
    assert diff_of(store, run)["counts"]["unresolved"] == 1
    assert titles(assets)["a"].startswith("mine") and shelf.documents["a"]["title"].startswith("theirs")
    dry = diff_of(store, assets.sync(shelf, policy="provider", dry_run=True))
    assert dry["dryRun"] is True and titles(assets)["a"].startswith("mine")
    assets.sync(shelf, policy="provider")
    assert titles(assets)["a"].startswith("theirs")
    both_change()
    assets.sync(shelf, policy="local")
    assert shelf.documents["a"]["title"].startswith("mine")
    both_change()
    shelf.documents["a"]["lastUpdated"] = "2999-01-01T00:00:00Z"
    assets.sync(shelf, policy="newest")
    assert titles(assets)["a"].startswith("theirs")


def test_an_empty_pull_empties_nothing_unless_forced(store):
    assets = store.aux("p", "assets")
    shelf = Shelf([{"id": "a", "title": "one"}])
    assets.sync(shelf)
    shelf.documents.clear()
    with pytest.raises(sprongus.InvalidStateError):
        assets.sync(shelf)
    assert store.runs.list()[0].state == "failed"
    assert assets.count() == 1
    assets.sync(shelf, force=True)
    assert assets.count() == 0


def test_files_need_no_profile(store, tmp_path):
    path = tmp_path / "assets.csv"
    path.write_text("id,title\na,one\nb,two\n", encoding="utf-8")
    assets = store.aux("p", "assets")
    assert assets.sync(f"csv:{path}").state == "succeeded"
    assets.update("b", {"title": "changed"})
    assets.sync(f"csv:{path}")
    assert "changed" in path.read_text(encoding="utf-8")
    documents = tmp_path / "assets.json"
    documents.write_text(json.dumps([{"id": "c", "title": "three"}]), encoding="utf-8")
    other = store.aux("q", "assets")
    store.providers.put("studio", "json", {"path": str(documents)})
    assert other.sync("studio").state == "succeeded"
    assert titles(other) == {"c": "three"}
    with pytest.raises(sprongus.NotFoundError):
        other.sync("nobody")
    with pytest.raises(sprongus.NotFoundError):
        other.sync(f"csv:{tmp_path}/none.csv")


def test_profiles_are_kept(store):
    assert store.providers.list() == []
    store.providers.put("studio", "csv", {"path": "a.csv"})
    store.providers.put("away", "shelf", {"token": {"$secret": "SHELF_TOKEN"}, "n": [1, 2.5, None]})
    store.providers.put("studio", "csv", {"path": "b.csv"})
    assert [profile["name"] for profile in store.providers.list()] == ["away", "studio"]
    profile = store.providers.get("studio")
    assert (profile["kind"], profile["config"]) == ("csv", {"path": "b.csv"})
    assert "studio" in store.providers.list()._repr_html_()
    store.providers.delete("studio")
    for call in (store.providers.get, store.providers.delete):
        with pytest.raises(sprongus.NotFoundError):
            call("studio")
    with store.transaction() as tx:
        tx.providers.put("inside", "csv", {"path": "c.csv"})
        assert tx.providers.get("inside")["kind"] == "csv"
    assert len(store.providers.list()) == 2


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda s: s.providers.put("a", "csv", [1]), TypeError),
        (lambda s: s.providers.put("a", "csv", {1: 2}), sprongus.ValidationError),
        (lambda s: s.providers.put("", "csv", {}), sprongus.InvalidArgumentError),
        (lambda s: s.providers.put("a:b", "csv", {}), sprongus.InvalidArgumentError),
        (lambda s: s.providers.put("a", "shelf", {"token": "hunter2"}), sprongus.SecretDetectedError),
        (lambda s: s.providers.register("csv", Shelf), sprongus.InvalidArgumentError),
        (lambda s: s.providers.register("shelf", Shelf()), TypeError),
        (lambda s: s.providers.register(7, Shelf), TypeError),
        (lambda s: s.aux("p", "assets").sync(7), TypeError),
        (lambda s: s.aux("p", "assets").sync(None), TypeError),
        (lambda s: s.aux("p", "assets").sync(Shelf), TypeError),
        (lambda s: s.aux("p", "assets").sync(Shelf(), policy="mine"), sprongus.InvalidArgumentError),
        (lambda s: s.aux("p", "assets").sync(Shelf(), enqueue=True), sprongus.InvalidArgumentError),
        (lambda s: s.aux("p", "unbound").sync(Shelf([{"id": "a"}])), sprongus.NotFoundError),
        (lambda s: s.scoped("q").aux("p", "assets").sync(Shelf()), sprongus.PermissionDeniedError),
        (lambda s: s.scoped("p", ["aux:read"]).aux("p", "assets").sync(Shelf()), sprongus.PermissionDeniedError),
        (lambda s: s.scoped("p").providers.register("shelf", Shelf), sprongus.PermissionDeniedError),
    ],
)
def test_bad_calls(store, call, error):
    with pytest.raises(error) as raised:
        call(store)
    assert "hunter2" not in str(raised.value)
    assert store.providers.list() == []
    assert store.aux("p", "assets").count() == 0


class ReadOnly(Shelf):
    write = False


class Documents:
    """Reads alone, and has no push."""

    name = "documents"

    def __init__(self, documents):
        self.documents = documents

    def pull(self, project, table):
        return self.documents


class Base(sprongus.Provider):
    def pull(self, project, table):
        return [{"id": "a", "title": "one"}]


@pytest.mark.parametrize(
    ("provider", "name"),
    [(ReadOnly([{"id": "a", "title": "one"}]), "ReadOnly"), (Documents([{"id": "a", "title": "one"}]), "documents"), (Base(), "Base")],
)
def test_sources_that_cannot_be_written_are_not(store, provider, name):
    assets = store.aux("p", "assets")
    assert assets.sync(provider).input["provider"] == name
    assets.update("a", {"title": "mine"})
    counts = diff_of(store, assets.sync(provider))["counts"]
    assert (counts["notPushed"], counts["pushedUpdated"]) == (1, 0)
    assert titles(assets) == {"a": "mine"}


def test_any_iterable_may_be_pulled(store):
    pandas = pytest.importorskip("pandas")
    for number, documents in enumerate(
        [
            [{"id": "a", "title": "x"}],
            iter([{"id": "a", "title": "x"}]),
            ({"id": id, "title": "x"} for id in "a"),
            pandas.DataFrame({"id": ["a"], "title": ["x"], "n": [float("nan")]}),
        ]
    ):
        assets = store.aux(f"p{number}", "assets")
        assets.sync(Documents(documents))
        assert assets.get("a").payload == {"title": "x"}
    many = [{"id": f"{n:05}", "title": "x"} for n in range(3000)]
    store.aux("many", "assets").sync(Documents(iter(many)))
    assert store.aux("many", "assets").count() == 3000


@pytest.mark.parametrize("documents", [7, "text", {"id": "a"}, None])
def test_what_cannot_be_drawn_from_fails_the_run(store, documents):
    with pytest.raises(TypeError):
        store.aux("p", "assets").sync(Documents(documents))
    assert store.runs.list()[0].state == "failed"


def test_documents_that_are_none_are_refused_one_by_one(store):
    assets = store.aux("p", "assets")
    documents = [{"id": "a", "title": "x"}, {"id": "b", "title": 7}, {"id": "c", "n": float("nan")}, "text", {"id": "d", "o": object()}]
    counts = diff_of(store, assets.sync(Documents(documents)))["counts"]
    assert (counts["created"], counts["errors"]) == (1, 4)
    assert titles(assets) == {"a": "x"}


class Failing:
    def __init__(self, error):
        self.error = error
        self.closed = []

    def pull(self, project, table):
        try:
            yield {"id": "a", "title": "x"}
            raise self.error
        finally:
            self.closed.append(threading.current_thread().name)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionError("away"), "ConnectionError: away"),
        (sprongus.Fatal("no such shelf"), "no such shelf"),
        (sprongus.RateLimitedError("slowly"), "slowly"),
        (KeyError("title"), "KeyError: 'title'"),
    ],
)
def test_what_a_provider_raises_is_raised_and_fails_the_run(store, error, said):
    failing = Failing(error)
    with pytest.raises(type(error)) as raised:
        store.aux("p", "assets").sync(failing)
    assert raised.value is error
    [run] = store.runs.list()
    assert run.state == "failed" and said in run.error
    assert len(failing.closed) == 1
    assert store.aux("p", "assets").count() == 0


def test_a_generator_is_closed_when_the_sync_ends_early(store):
    class Endless:
        closed = False

        def pull(self, project, table):
            [run] = store.runs.list()
            store.runs.cancel(run.id)
            try:
                while True:
                    time.sleep(0.01)
                    yield {"id": "a", "title": "x"}
            finally:
                self.closed = True

    endless = Endless()
    with pytest.raises(sprongus.LeaseLostError):
        store.aux("p", "assets").sync(endless)
    assert endless.closed
    assert store.runs.list()[0].state == "canceled"
    assert store.aux("p", "assets").count() == 0


def test_a_provider_may_use_the_store(store):
    store.aux("p", "source").name  # noqa: B018
    store.presets.create("any", "custom", {"type": "object"})
    store.presets.bind("source", "any")
    store.aux("p", "source").bulk_upsert([{"id": "a", "title": "x"}, {"id": "b", "title": "y"}])

    class FromTheStore:
        def pull(self, project, table):
            for entry in store.aux(project, "source").iter(limit=1):
                yield {"id": entry.id, **entry.payload}

        def push(self, project, table, changes):
            store.aux(project, "source").bulk_upsert(changes["created"] + changes["updated"])

    assets = store.aux("p", "assets")
    assets.create({"title": "z"}, id="c")
    assets.sync(FromTheStore())
    assert titles(assets) == titles(store.aux("p", "source")) == {"a": "x", "b": "y", "c": "z"}


def test_in_a_transaction_it_is_misuse_unless_enqueued(store):
    with store.transaction() as tx:
        with pytest.raises(sprongus.MisuseError):
            tx.aux("p", "assets").sync("csv:none.csv")
        with pytest.raises(sprongus.MisuseError):
            tx.aux("p", "assets").sync(Shelf())
        run = tx.aux("p", "assets").sync("studio", enqueue=True)
    assert store.runs.get(run.id).state == "queued"


def test_a_worker_serves_what_was_enqueued(store):
    log, threads = [], set()

    class Served(Shelf):
        def __init__(self, config):
            threads.add(threading.current_thread().name)
            self.thread = threading.get_ident()
            super().__init__([{"id": "a", "title": config["title"]}], log)

        def pull(self, project, table):
            assert threading.get_ident() == self.thread
            yield from super().pull(project, table)
            assert threading.get_ident() == self.thread

        def push(self, project, table, changes):
            assert threading.get_ident() == self.thread
            super().push(project, table, changes)

    store.providers.register("shelf", Served)
    store.providers.put("mine", "shelf", {"title": "one"})
    assets = store.aux("p", "assets")
    assets.create({"title": "new"}, id="b")
    run = assets.sync("mine", enqueue=True, idempotency_key="once")
    assert (run.state, run.kind) == ("queued", "sync.aux/assets")
    assert assets.sync("mine", enqueue=True, idempotency_key="once").deduplicated
    worker = store.worker()
    worker.serve_sync()
    worker.run(until_idle=True, patience=0)
    done = store.runs.get(run.id)
    assert done.state == "succeeded", done.error
    assert titles(assets) == {"a": "one", "b": "new"}
    assert log == [("pull", "p", "assets"), ("push", {"created": 1, "updated": 0, "deleted": 0})]
    assert threads == {"sprongus-provider"}
    assert diff_of(store, done)["counts"]["pushedCreated"] == 1
    deadline = time.monotonic() + 10
    while any(thread.name == "sprongus-provider" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_failure_in_the_middle_is_tried_again_and_nothing_done_twice(place):
    with place.open(backoff_base=0.01) as store:
        pushed, failures = [], [ConnectionError("pull"), None, ConnectionError("push"), None]

        class Flaky(Shelf):
            def __init__(self, config):
                super().__init__([{"id": "a", "title": "one"}])

            def pull(self, project, table):
                yield from super().pull(project, table)
                if failures and (failure := failures.pop(0)):
                    raise failure

            def push(self, project, table, changes):
                pushed.append(sorted(document["id"] for document in changes["created"]))
                if failures and (failure := failures.pop(0)):
                    raise failure

        store.providers.register("flaky", Flaky)
        store.providers.put("mine", "flaky", {})
        assets = store.aux("p", "assets")
        assets.create({"title": "new"}, id="b")
        run = assets.sync("mine", enqueue=True)
        worker = store.worker()
        worker.serve_sync()
        worker.run(until_idle=True, patience=2)
        done = store.runs.get(run.id)
        assert (done.state, done.attempt) == ("succeeded", 3), done.error
        assert [entry.version for entry in assets.list()] == [1, 1]
        assert pushed == [["b"], ["b"]]


@pytest.mark.parametrize(
    ("error", "state", "attempts"), [(sprongus.Fatal("never"), "failed", 1), (ValueError("again"), "failed", 2)]
)
def test_which_failures_of_a_served_provider_are_final(place, error, state, attempts):
    with place.open(backoff_base=0.01) as store:
        store.providers.register("failing", lambda config: Failing(error))
        store.providers.put("mine", "failing", {})
        run = store.aux("p", "assets").sync("mine", enqueue=True)
        tries = []
        worker = store.worker()
        worker.serve_sync()
        worker.run(until_idle=True, patience=2)
        done = store.runs.get(run.id)
        tries = [event.type for event in store.runs.events(run.id)]
        assert done.state == state and str(error).strip("'") in done.error
        assert (tries.count("run.started") >= attempts) and (attempts == 1) == (tries.count("run.started") == 1)


@pytest.mark.parametrize("made", [None, 7, object(), Shelf])
def test_a_factory_that_makes_no_provider_fails_for_good(store, made):
    store.providers.register("nothing", lambda config: made)
    store.providers.put("mine", "nothing", {})
    with pytest.raises(sprongus.InvalidArgumentError, match="provider"):
        store.aux("p", "assets").sync("mine")
    run = store.aux("p", "assets").sync("mine", enqueue=True)
    worker = store.worker()
    worker.serve_sync()
    worker.run(until_idle=True, patience=0)
    assert (store.runs.get(run.id).state, store.runs.get(run.id).attempt) == ("failed", 1)


def test_an_unknown_kind_is_named(store):
    store.providers.put("mine", "elsewhere", {})
    with pytest.raises(sprongus.SprongusError, match="elsewhere"):
        store.aux("p", "assets").sync("mine")


def test_secrets_are_resolved_for_factories_and_handlers_and_never_shown(place, caplog):
    asked = []

    def secrets(name):
        asked.append((name, threading.current_thread().name))
        return {"SHELF_TOKEN": "hunter2"}[name]

    seen = []

    def factory(config):
        seen.append(config)
        if config.get("fail"):
            raise sprongus.Fatal(f"401 for {config['token']}")
        return Shelf([{"id": "a", "title": "x"}])

    with place.open(secrets=secrets) as store, caplog.at_level("DEBUG", "sprongus"):
        store.providers.register("shelf", factory)
        store.providers.put("mine", "shelf", {"token": {"$secret": "SHELF_TOKEN"}})
        store.providers.put("bad", "shelf", {"token": {"$secret": "SHELF_TOKEN"}, "fail": True})
        store.providers.put("unknown", "shelf", {"token": {"$secret": "NONE"}})
        assets = store.aux("p", "assets")
        assets.sync("mine")
        with pytest.raises(sprongus.SprongusError) as raised:
            assets.sync("bad")
        assert "hunter2" not in str(raised.value)
        with pytest.raises(sprongus.NotFoundError, match="NONE"):
            assets.sync("unknown")
        worker = store.worker()
        worker.serve_sync()

        @worker.handler("k")
        def handle(context):
            for wrong in ({}, {"$secret": 7}, "SHELF_TOKEN", {"$secret": "a", "b": 1}):
                with pytest.raises(sprongus.InvalidArgumentError):
                    context.secret(wrong)
            with pytest.raises(sprongus.NotFoundError, match="OTHER"):
                context.secret({"$secret": "OTHER"})
            return len(context.secret(context.input["token"]))

        run = store.runs.enqueue("k", {"token": {"$secret": "SHELF_TOKEN"}})
        served = assets.sync("bad", enqueue=True)
        worker.run(until_idle=True, patience=0)
        assert store.runs.output(run.id) == 7
        assert store.runs.get(served.id).state == "failed"
        assert [config["token"] for config in seen] == ["hunter2"] * 3
        assert {name for name, _ in asked} == {"SHELF_TOKEN", "NONE", "OTHER"}
        for table in ("sprongus_runs", "sprongus_events", "sprongus_providers", "sprongus_artifacts"):
            assert "hunter2" not in str(store.query(f"SELECT * FROM {table}"))
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("secrets", "error"),
    [
        (lambda name: 7, sprongus.UnavailableError),
        (lambda name: 1 / 0, sprongus.UnavailableError),
        ({}.__getitem__, sprongus.NotFoundError),
    ],
)
def test_that_a_resolver_failed_is_raised(secrets, error):
    with sprongus.open(":memory:", secrets=secrets) as store:
        store.providers.register("shelf", lambda config: Shelf())
        store.providers.put("mine", "shelf", {"token": {"$secret": "T"}})
        with pytest.raises(error):
            store.aux("p", "assets").sync("mine")
    with pytest.raises(TypeError):
        sprongus.open(":memory:", secrets="T")


def test_secrets_come_from_the_environment_else(monkeypatch):
    monkeypatch.setenv("SPRONGUS_TEST_SECRET", "x")
    seen = []
    with sprongus.open(":memory:") as store:
        store.providers.register("shelf", lambda config: seen.append(config) or Shelf([{"id": "a"}]))
        store.providers.put("mine", "shelf", {"deep": [{"token": {"$secret": "SPRONGUS_TEST_SECRET"}}]})
        store.aux("p", "assets").sync("mine")
    assert seen == [{"deep": [{"token": "x"}]}]


def test_another_process_serves_it(shared_place, tmp_path):
    path = tmp_path / "assets.csv"
    path.write_text("id,title\na,one\n", encoding="utf-8")
    code = """
        import sys, sprongus
        with sprongus.open(sys.argv[1], schema=sys.argv[2] if sys.argv[2:] else None) as store:
            worker = store.worker()
            worker.serve_sync()
            worker.run(until_idle=True, patience=0)
    """
    with shared_place.open() as store:
        run = store.aux("p", "assets").sync(f"csv:{path}", enqueue=True)
        run_process(code, shared_place.url, *shared_place.options.values())
        assert store.runs.get(run.id).state == "succeeded"
        assert titles(store.aux("p", "assets")) == {"a": "one"}


def test_the_process_may_end_while_a_provider_works(tmp_path):
    code = """
        import sys, time, sprongus
        store = sprongus.open(sys.argv[1])

        class Slow:
            def pull(self, project, table):
                while True:
                    time.sleep(0.01)
                    yield {"id": "a", "title": "x"}

        store.providers.register("slow", lambda config: Slow())
        store.providers.put("mine", "slow", {})
        store.aux("p", "assets").sync("mine", enqueue=True)
        worker = store.worker()
        worker.serve_sync()
        worker.start()
        while not worker.metrics().running:
            time.sleep(0.01)
        time.sleep(0.2)
        worker.stop(timeout=0)
        print("ended")
    """
    assert run_process(code, tmp_path / "a.db").stdout.split() == ["ended"]


def test_ctrl_c_ends_a_sync(tmp_path):
    code = """
        import signal, sys, sprongus
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell starts in the background
        store = sprongus.open(sys.argv[1])

        class Slow:
            def pull(self, project, table):
                yield {"id": "a", "title": "x"}
                signal.raise_signal(signal.SIGINT)
                yield {"id": "b", "title": "x"}

        try:
            store.aux("p", "assets").sync(Slow())
        except KeyboardInterrupt:
            print("interrupted", store.runs.list()[0].state, store.aux("p", "assets").count())
    """
    assert run_process(code, tmp_path / "a.db").stdout.split() == ["interrupted", "failed", "0"]

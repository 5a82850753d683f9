"""Secrets: refused where they would be stored, resolved at use, and found in nothing that Python shows."""

import logging
import os
import pickle
import subprocess
import sys
import traceback

import pytest
import sprongus

MARK = "pl4nted-s3cret"


def secret(way):
    return f"{MARK}-by-{way}"


def telling(way):
    return {"n": 1, "api_key": secret(way), "url": f"https://ann:{secret(way)}@example.org"}


def shown(error):
    """All that an exception says, with what it came from."""
    texts = [str(error), repr(error), repr(error.args), "".join(traceback.format_exception(error))]
    texts += [repr(vars(error)), repr(getattr(error, "__notes__", None)), repr(pickle.loads(pickle.dumps(error)))]
    return " ".join([*texts, *(shown(cause) for cause in (error.__cause__, error.__context__) if cause)])


def refusals(store):
    """Every way in by which a document comes."""
    assets = store.aux("p", "assets")
    assets.create({"n": 0}, id="a")
    yield lambda: store.runs.enqueue("k", telling("enqueue"))
    yield lambda: store.runs.enqueue_many([{"kind": "k", "input": telling("many")}])
    yield lambda: store.inbox.accept("mail", "m-1", enqueue={"kind": "k", "input": telling("inbox")})
    yield lambda: store.schedules.put("nightly", "k", every=3600, input=telling("schedule"))
    yield lambda: assets.create(telling("create"))
    yield lambda: assets.update("a", telling("update"))
    yield lambda: assets.upsert(telling("upsert"))
    yield lambda: store.providers.put("x", "csv", telling("profile"))
    yield lambda: store.artifacts.put("report", "a", "x", metadata=telling("artifact"))
    yield lambda: store.presets.create("x", "custom", {"properties": {"a": {"default": telling("preset")["url"]}}})


def test_credentials_are_refused_with_their_path(store):
    for attempt in refusals(store):
        with pytest.raises(sprongus.SecretDetectedError) as refused:
            attempt()
        paths = [one["path"] for one in refused.value.details["errors"]]
        assert paths in (["/api_key", "/url"], ["/properties/a/default"])
        assert refused.value.code == "secret_detected"
        assert isinstance(refused.value, sprongus.ValidationError)
        assert MARK not in shown(refused.value)
    assert store.runs.list() == []
    assert store.aux("p", "assets").count() == 1


def test_rows_of_bulk_writes_and_files_are_told(store, tmp_path):
    assets = store.aux("p", "assets")
    report = assets.bulk_upsert([{"id": "a"}, telling("bulk")], on_error="report")
    assert [(one["row"], one["path"], one["keyword"]) for one in report.errors] == [
        (2, "/api_key", "secret"),
        (2, "/url", "secret"),
    ]
    assert MARK not in repr(report)
    file = tmp_path / "assets.csv"
    file.write_text(f"id,token\nx,{secret('file')}\ny,\n", encoding="utf-8")
    with pytest.raises(sprongus.ValidationError) as refused:
        assets.import_(file)
    assert refused.value.details["errors"][0]["keyword"] == "secret"
    assert MARK not in shown(refused.value)


def test_unchecked_all_of_it_is_taken(place):
    with place.open(check_secrets=False) as store:
        store.providers.put("x", "csv", telling("profile"))
        run = store.runs.enqueue("k", telling("enqueue"))
        assert run.input == telling("enqueue")
        assert store.aux("p", "assets").create(telling("create")).payload == telling("create")


def vault(name):
    if name.endswith("NONE"):
        raise KeyError(secret(name))
    if name.endswith("BROKEN"):
        raise RuntimeError(secret(name))
    return secret(name)


def fail(ctx):
    own = ctx.secret(ctx.input["token"])
    try:
        raise ValueError(own)
    except ValueError as error:
        raise RuntimeError(f"401 for {own!r}") from error


def give(ctx):
    own = ctx.secret(ctx.input["token"])
    ctx.heartbeat({"sent": own})
    return {"sent": [own], "step": ctx.step("step", lambda: own)}


def keep(ctx):
    own = ctx.secret(ctx.input["token"])
    for content, metadata in ((own, None), ([own], None), (own.encode(), None), ("x", {"a": own})):
        with pytest.raises(sprongus.SecretDetectedError) as refused:
            ctx.artifact("report", "a", content, metadata=metadata)
        assert MARK not in shown(refused.value)


def miss(ctx):
    for name, expected in (("NONE", sprongus.NotFoundError), ("BROKEN", sprongus.UnavailableError)):
        with pytest.raises(expected, match=name) as raised:
            ctx.secret({"$secret": name})
        assert MARK not in shown(raised.value)
    ctx.secret({"$secret": "BROKEN"})


def ask(ctx):
    own = ctx.secret(ctx.input["token"])
    ctx.approval("leave", f"send {own}", metadata={"sent": own})


class Blabbing:
    """A provider that tells its secret to whoever listens."""

    def __init__(self, config):
        self.token = config["token"]
        if config.get("fail"):
            raise RuntimeError(self.token)

    def pull(self, project, table):
        raise sprongus.Fatal(f"401 for {self.token}")


def test_a_secret_is_found_nowhere(place, caplog, capfd, monkeypatch):
    caplog.set_level(1)
    caplog.handler.setFormatter(logging.Formatter("%(message)s %(exc_text)s"))
    monkeypatch.setenv("SPRONGUS_TEST_PLANTED", secret("environment"))
    places = {}

    def look(where, text):
        places[where] = places.get(where, "") + text

    with place.open(secrets=vault) as store:
        for attempt in refusals(store):
            with pytest.raises(sprongus.SecretDetectedError) as refused:
                attempt()
            look("exceptions", shown(refused.value))
        worker = store.worker()
        kinds = {"fail": "failed", "give": "succeeded", "keep": "succeeded", "miss": "failed", "ask": "awaiting_approval"}
        runs = {}
        for kind in kinds:
            worker.handler(kind)(globals()[kind])
            runs[kind] = store.runs.enqueue(kind, {"token": {"$secret": kind}}, max_attempts=1)
        worker.run(until_idle=True, patience=0)
        assert {kind: store.runs.get(run.id).state for kind, run in runs.items()} == kinds
        assert store.runs.get(runs["fail"].id).error == "RuntimeError: 401 for '[secret]'"
        assert store.runs.output(runs["give"].id) == {"sent": ["[secret]"], "step": "[secret]"}
        store.providers.register("blabbing", Blabbing)
        for name, config in (("pulls", {}), ("makes", {"fail": True}), ("NONE", {}), ("BROKEN", {})):
            store.providers.put(name, "blabbing", {"token": {"$secret": name}, **config})
            with pytest.raises(sprongus.SprongusError) as raised:
                store.aux("p", "assets").sync(name)
            look("exceptions", shown(raised.value))
        records = [store.runs.list(), store.approvals.list(), store.providers.list(), store.artifacts.list(), store]
        records += [store.aux("p", "assets").list(), [store.runs.events(run.id) for run in runs.values()]]
        for record in records:
            look("repr and str of records", f"{record!r} {record} {getattr(record, '_repr_html_', str)()}")
        look("pickled records", repr(pickle.dumps(records[:-3])))
        look("the feed", repr(store.events.read(limit=1000)))
        look("store.url, stats, doctor", f"{store.url} {store.stats()!r} {store.doctor()!r}")
        names = (
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
            if store.backend == "sqlite"
            else "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
        for row in store.query(names):
            look(f"table {row['name']}", repr([dict(row) for row in store.query(f'SELECT * FROM "{row["name"]}"')]))
    captured = capfd.readouterr()
    look("standard output and error", captured.out + captured.err)
    look("log lines with tracebacks", caplog.text + " ".join(f"{record.__dict__!r}" for record in caplog.records))
    assert "the handler of run" in places["log lines with tracebacks"]
    print(f"\n{place.backend}: looked at {len(places)} places:", *sorted(places), sep="\n  ")
    assert [(where, text) for where, text in places.items() if MARK in text] == []


def test_passwords_of_urls_are_shown_nowhere(tmp_path):
    for url in (
        f"postgresql://ann:{secret('url')}@127.0.0.1:1/db",
        f"host=127.0.0.1 port=1 password={secret('url')}",
        f"postgresql://ann:{secret('url')}@[::1",
        f"mysql://ann:{secret('url')}@localhost/db",
    ):
        with pytest.raises(sprongus.SprongusError) as raised:
            sprongus.open(url, call_timeout=2)
        assert MARK not in shown(raised.value)


def test_ctrl_c_in_a_resolver_comes_out(tmp_path):
    code = """
        import signal, sprongus
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell starts in the background

        def vault(name):
            signal.raise_signal(signal.SIGINT)
            return "x"

        with sprongus.open(":memory:", secrets=vault) as store:
            store.providers.register("shelf", lambda config: None)
            store.providers.put("mine", "shelf", {"token": {"$secret": "T"}})
            try:
                try:
                    store.aux("p", "assets").sync("mine")
                except sprongus.SprongusError:
                    pass
                for _ in range(1000):
                    pass
            except KeyboardInterrupt:
                print("interrupted")
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    lines = [line[8:] for line in code.splitlines()]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert done.stdout == "interrupted\n", done.stderr

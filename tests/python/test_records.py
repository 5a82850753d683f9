"""Records: frozen, they compare, hash, pickle; pages show as tables."""

import copy
import json
import pickle
import weakref

import pytest
import sprongus


@pytest.fixture
def records(store):
    made = store.runs.enqueue("k", {"<b>": "&"}, project="p", timeout=1.5)
    [claimed] = store.runs.claim_next("w")
    entry = store.aux("p", "assets").create({"title": "<x>"}, id="a")
    report = store.aux("p", "assets").bulk_upsert([{"id": "b"}])
    store.runs.step(claimed, "a", lambda: {"<b>": 1})
    store.runs.limit_kind("k", concurrency=3)
    gated = store.runs.enqueue("k", needs_approval=True)
    return [
        made,
        claimed,
        *store.runs.events(made.id),
        entry,
        report,
        *store.presets.list(),
        *store.runs.steps(made.id),
        *store.runs.limits(),
        store.runs.stats(),
        store.approvals.get(gated.id),
        store.approvals.approve(gated.id, by="ada", metadata={"<b>": 1}),
        store.inbox.accept("c", "1"),
        store.inbox.accept("c", "2", {"kind": "k"}),
        store.schedules.put("s", "k", every=60),
        store.schedules.put("t", "k", cron="@daily", tz="Asia/Tokyo"),
        store.worker("w").metrics(),
        *store.aux("p", "assets").history("a"),
        *store.aux("p", "assets").resolve_refs(["a", "none"]),
        store.artifacts.put("report", "<b>", {"a": 1}, project="p", run=made.id, metadata={"<b>": 1}),
        store.projects.create("<b>", owner="ada"),
        store.projects.create("P", id="p"),
        store.artifacts.put("report", "<b>", b"\0\xff"),
        store.artifacts.put("report", "x", ref="s3://bucket/x", sha256="0" * 64, size=3),
    ]


def test_they_compare_hash_copy_and_pickle(records):
    assert len(set(records)) == len(records)
    for record in records:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(record, protocol))
            assert again == record
            assert type(again) is type(record)
            assert hash(again) == hash(record)
        assert copy.deepcopy(record) == record
        assert record != 1
        assert not record == "x"
    lease = sprongus.Lease("a", 1)
    assert pickle.loads(pickle.dumps(lease)) == lease
    assert hash(lease) == hash(sprongus.Lease("a", 1))
    assert lease != sprongus.Lease("a", 2)
    assert repr(lease) == "Lease(id='a', lease=1)"


def test_they_are_frozen_and_final(records):
    for record in records:
        name = next(name for name in dir(record) if not name.startswith("_") and name != "to_dict")
        with pytest.raises(AttributeError):
            setattr(record, name, 1)
        with pytest.raises(AttributeError):
            record.colour = "red"
        with pytest.raises(TypeError):
            type("Sub", (type(record),), {})
        with pytest.raises(TypeError):
            type(record)()
    run = records[0]
    run.input["<b>"] = "changed"
    assert run.input == {"<b>": "&"}


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def test_their_dict_is_camel_case_json(records):
    for record in records:
        names = {camel(name) for name in record._row()} - {"olderName"}
        assert set(record.to_dict()) == names
        assert json.loads(json.dumps(record.to_dict())) == record.to_dict()


def test_they_show(records):
    for record in records:
        assert repr(record).startswith(type(record).__name__ + "(")
        assert "<table>" in record._repr_html_()
    assert "&lt;b&gt;" in records[0]._repr_html_()
    assert len(repr(records[-1])) < 1000


def test_pages_are_lists_with_a_cursor(store):
    store.aux("p", "assets").bulk_upsert([{"id": f"i{n}", "title": "<script>", "n": n} for n in range(3)])
    page = store.aux("p", "assets").list(limit=2)
    assert isinstance(page, list)
    assert page.next_cursor
    again = pickle.loads(pickle.dumps(page))
    assert (again, again.next_cursor) == (page, page.next_cursor)
    shown = page._repr_html_()
    assert "<script>" not in shown
    assert shown.count("<tr>") == 3
    assert "next_cursor" in shown
    assert sprongus.Page()._repr_html_() == "<table><thead><tr></tr></thead><tbody></tbody></table>"


def test_every_list_shows_as_a_table(store):
    store.runs.enqueue_many([{"kind": "<k>"}, {"kind": "j"}])
    claimed = store.runs.claim_next("w", limit=2)
    for listed in (claimed, store.runs.events(claimed[0].id), store.query("SELECT 1 AS n, '<x>' AS t")):
        assert isinstance(listed, list)
        assert listed._repr_html_().count("<tr>") == len(listed) + 1
        assert "<k>" not in listed._repr_html_() and "<x>" not in listed._repr_html_()
        assert listed.next_cursor is None
    assert repr(store.query("SELECT 1 AS n")) == "[{'n': 1}]"
    long = sprongus.Page([{"n": n} for n in range(1000)])._repr_html_()
    assert long.count("<tr>") == 201 and "800 more rows" in long


def test_handles_can_be_weakly_referred_to(store):
    gone = []
    worker = store.worker()
    with store.transaction() as tx:
        references = [weakref.ref(each) for each in (store, tx, worker)]
        weakref.finalize(worker, gone.append, "worker")
    assert all(reference() is not None for reference in references)
    del worker
    assert gone == ["worker"]

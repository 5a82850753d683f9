"""What entries were and what refers to them: a core of the conformance suite, on every store and in hosts' transactions."""

import datetime as dt

import pytest
import sprongus
from processes import run


@pytest.fixture
def assets(face):
    return face.aux("p", "assets")


def test_history_goes_on_across_a_deletion(face):
    assets = face.acting_as("ada", "<b>spring</b>").aux("p", "assets")
    assets.create({"title": "Coburg", "year": 1900}, id="a")
    assets.update("a", {"title": "Coburg, from the north", "year": None})
    assets.update("a", {"title": "Coburg, from the north"})  # no change, no version
    assets.delete("a")
    face.aux("p", "assets").create({"title": "anew"}, id="a")
    history = assets.history("a")
    assert [(made.version, made.change_summary) for made in history] == [
        (1, "created"),
        (2, "updated: title, year"),
        (3, "deleted"),
        (4, "created"),
    ]
    assert [made.snapshot for made in history] == [
        {"title": "Coburg", "year": 1900},
        {"title": "Coburg, from the north"},
        None,
        {"title": "anew"},
    ]
    assert [(made.actor, made.reason) for made in history[:3]] == [("ada", "<b>spring</b>")] * 3
    assert history[3].reason is None
    assert [made.at for made in history] == sorted(made.at for made in history)
    shown = history._repr_html_()
    assert shown.count("<tr>") == 5 and "&lt;b&gt;spring" in shown and "<b>" not in shown
    assert history.to_pandas()["version"].tolist() == [1, 2, 3, 4]
    with pytest.raises(sprongus.NotFoundError):
        assets.history("never")


def test_restore_brings_a_version_back(assets):
    first = assets.create({"title": "one", "tags": ["x"]}, id="a")
    assets.update("a", {"title": "two"})
    restored = assets.restore("a", 1)
    assert (restored.payload, restored.version) == (first.payload, 3)
    assets.delete("a")
    assert assets.restore("a", 2).payload == {"title": "two", "tags": ["x"]}
    assert assets.get("a").version == 5
    assert assets.history("a")[-1].change_summary == "restored from 2"
    with pytest.raises(sprongus.InvalidStateError):
        assets.restore("a", 4)
    for id, version in (("a", 9), ("a", 0), ("none", 1)):
        with pytest.raises(sprongus.NotFoundError):
            assets.restore(id, version)
    assert assets.get("a").version == 5


def test_differences_down_to_the_leaves(assets):
    assets.create({"title": "one", "size": {"w": 1, "h": 2}, "tags": ["x", "y"]}, id="a")
    assets.update("a", {"title": "two", "size": {"w": None, "d": {"deep": 1}}, "tags": ["x"]})
    found = assets.diff("a", 1, 2)
    assert {(each["path"], each["op"]) for each in found} == {
        ("/size/d", "added"),
        ("/size/w", "removed"),
        ("/tags/1", "removed"),
        ("/title", "changed"),
    }
    assert [(each["old"], each["new"]) for each in found if each["path"] == "/title"] == [("one", "two")]
    assert assets.diff("a", 1) == found
    assert assets.diff("a", 2, 2) == []
    assert "<table>" in found._repr_html_()
    for a, b in ((1, 9), (0, 1), (dt.datetime(1999, 1, 1, tzinfo=dt.UTC), None)):
        with pytest.raises(sprongus.NotFoundError):
            assets.diff("a", a, b)


def test_versions_by_time(store):
    assets = store.aux("p", "assets")
    first = assets.create({"title": "one"}, id="a")
    second = assets.update("a", {"title": "two"})
    assets.create({"title": "other"}, id="b")
    assets.delete("a")
    changed = [{"path": "/title", "op": "changed", "old": "one", "new": "two"}]
    assert assets.diff("a", first.last_updated, second.last_updated) == changed
    assert assets.diff("a", first.last_updated.isoformat(), 2) == changed
    assert [entry.payload["title"] for entry in assets.as_of(first.last_updated)] == ["one"]
    assert [entry.id for entry in assets.as_of(second.last_updated.astimezone(dt.timezone(dt.timedelta(hours=5))))] == ["a"]
    assert [entry.id for entry in assets.as_of(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))] == ["b"]
    assert assets.as_of("1999-01-01T00:00:00Z") == []
    assert isinstance(assets.as_of(first.last_updated), sprongus.Page)


def test_who_refers_and_what_references_lead_to(face):
    assets = face.aux("p", "assets")
    assets.create({"title": "<Coburg>", "url": "https://example.org/a"}, id="a")
    assets.create({"year": 1}, id="b")
    board = face.aux("p", "storyboard")
    board.create({"assetIds": ["a", "b"]}, id="s")
    board.create({"assetIds": ["a"]}, id="t")
    assert [(each["table"], each["id"]) for each in assets.referrers("a")] == [("storyboard", "s"), ("storyboard", "t")]
    assert [each["id"] for each in assets.referrers("b")] == ["s"]
    assert assets.referrers("none") == []
    views = assets.resolve_refs(["b", "none", "a", "a"])
    assert [(view.id, view.missing, view.label, view.url) for view in views] == [
        ("b", False, None, None),
        ("none", True, None, None),
        *[("a", False, "<Coburg>", "https://example.org/a")] * 2,
    ]
    assert "&lt;Coburg&gt;" in views._repr_html_()
    assert assets.resolve_refs([]) == []


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda t: t.history(7), TypeError),
        (lambda t: t.history("a\0"), sprongus.SprongusError),
        (lambda t: t.diff("a"), TypeError),
        (lambda t: t.diff("a", "yesterday"), sprongus.ValidationError),
        (lambda t: t.diff("a", dt.datetime(2026, 1, 1)), sprongus.ValidationError),
        (lambda t: t.diff("a", 2**70), sprongus.InvalidArgumentError),
        (lambda t: t.diff("a", 1.5), TypeError),
        (lambda t: t.as_of(None), TypeError),
        (lambda t: t.as_of(7), TypeError),
        (lambda t: t.as_of(dt.datetime(2026, 1, 1)), sprongus.ValidationError),
        (lambda t: t.as_of("2026-13-01T00:00:00Z"), sprongus.ValidationError),
        (lambda t: t.restore("a", "1"), TypeError),
        (lambda t: t.restore("a", 2**70), sprongus.InvalidArgumentError),
        (lambda t: t.restore("a", -1), sprongus.NotFoundError),
        (lambda t: t.resolve_refs("a"), TypeError),
        (lambda t: t.resolve_refs([1]), TypeError),
        (lambda t: t.referrers(None), TypeError),
    ],
)
def test_bad_calls(store, call, error):
    assets = store.aux("p", "assets")
    made = assets.create({"title": "x"}, id="a")
    with pytest.raises(error):
        call(assets)
    assert assets.get("a") == made


def test_other_projects_see_nothing(store):
    store.aux("p", "assets").create({"title": "x"}, id="a")
    with pytest.raises(sprongus.NotFoundError):
        store.aux("q", "assets").history("a")
    assert store.aux("q", "assets").resolve_refs(["a"])[0].missing
    scoped = store.scoped("q")
    for call in (lambda t: t.history("a"), lambda t: t.restore("a", 1), lambda t: t.as_of("2030-01-01T00:00:00Z")):
        with pytest.raises(sprongus.PermissionDeniedError):
            call(scoped.aux("p", "assets"))
    reader = store.scoped("p", ["aux:read"])
    assert len(reader.aux("p", "assets").history("a")) == 1
    with pytest.raises(sprongus.PermissionDeniedError):
        reader.aux("p", "assets").restore("a", 1)


def test_another_process_goes_on_with_the_history(shared_place):
    code = """
        import sys, sprongus
        with sprongus.open(sys.argv[1], schema=sys.argv[2] if sys.argv[2:] else None, actor="other") as store:
            store.aux("p", "assets").update("a", {"title": "theirs"})
    """
    with shared_place.open(actor="ada") as store:
        assets = store.aux("p", "assets")
        assets.create({"title": "mine"}, id="a")
        run(code, shared_place.url, *shared_place.options.values())
        assert [(made.version, made.actor) for made in assets.history("a")] == [(1, "ada"), (2, "other")]
        assert assets.restore("a", 1).payload == {"title": "mine"}


def test_stats_count_what_was_committed(store):
    assets = store.aux("p", "assets")
    assets.create({"title": "x"}, id="a")
    assets.update("a", {"title": "y"})
    assets.bulk_upsert([{"id": "b"}, {"id": "c", "title": 7}], on_error="report")
    with pytest.raises(sprongus.ValidationError):
        assets.create({"title": 7})
    assets.delete("a")
    with store.transaction() as tx, pytest.raises(ZeroDivisionError), tx.transaction() as inner:
        inner.aux("p", "assets").create({"title": "gone"})
        raise ZeroDivisionError
    [table] = store.stats()["tables"]
    assert table == {"projectId": "p", "tableName": "assets", "created": 2, "updated": 1, "deleted": 1, "refused": 2}
    assert store.scoped("q").stats()["tables"] == []
    assert store.stats()["syncs"]["count"] == 0

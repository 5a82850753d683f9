"""Projects: their records, the workspace data model, and their end."""

import pickle

import pytest
import sprongus


def test_records_from_create_to_delete(face):
    made = face.projects.create("Harbour Archive, 1961", owner="ada")
    assert (len(made.id), made.name, made.slug) == (26, "Harbour Archive, 1961", "harbour-archive-1961")
    assert (made.owner, made.status) == ("ada", "active")
    assert made.created_at == made.updated_at
    assert made.created_at.utcoffset().total_seconds() == 0
    assert face.projects.get(made.id) == made
    assert pickle.loads(pickle.dumps(made)) == made
    assert made.to_dict() == {
        "id": made.id,
        "name": made.name,
        "slug": made.slug,
        "owner": "ada",
        "status": "active",
        "createdAt": made.to_dict()["createdAt"],
        "updatedAt": made.to_dict()["updatedAt"],
    }
    changed = face.projects.update(made.id, name="Harbour", slug="harbour", owner="", status="archived")
    assert (changed.name, changed.slug, changed.owner, changed.status) == ("Harbour", "harbour", None, "archived")
    assert changed.created_at == made.created_at
    assert face.projects.delete(made.id) is None
    for call in (face.projects.get, face.projects.delete, lambda id: face.projects.update(id, name="x")):
        with pytest.raises(sprongus.NotFoundError):
            call(made.id)


def test_ids_and_slugs_are_unique(face):
    first = face.projects.create("One", id="p1", slug="one")
    assert (first.id, first.slug) == ("p1", "one")
    with pytest.raises(sprongus.ConflictError):
        face.projects.create("Two", id="p1")
    with pytest.raises(sprongus.ConflictError):
        face.projects.create("Two", slug="one")
    second = face.projects.create("Two", id="p2")
    with pytest.raises(sprongus.ConflictError):
        face.projects.update("p2", slug="one")
    assert face.projects.get("p2") == second


def test_pages(store):
    for number in range(5):
        store.projects.create(f"P{number}", id=f"p{number}", owner="ada" if number % 2 else None)
    store.projects.update("p0", status="busy")
    page = store.projects.list(limit=3)
    assert isinstance(page, sprongus.Page)
    assert [project.id for project in page] == ["p0", "p4", "p3"]
    rest = store.projects.list(limit=3, cursor=page.next_cursor)
    assert ([project.id for project in rest], rest.next_cursor) == (["p2", "p1"], None)
    assert [project.id for project in store.projects.list(owner="ada")] == ["p3", "p1"]
    assert store.projects.list(limit=0) == []
    store.projects.create("<script>", id="p9")
    shown = store.projects.list()._repr_html_() + store.projects.get("p9")._repr_html_()
    assert "&lt;script&gt;" in shown and "<script>" not in shown
    assert store.projects.list()._repr_html_().count("<tr>") == 7


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda p: p.create(""), sprongus.InvalidArgumentError),
        (lambda p: p.create("a\n"), sprongus.InvalidArgumentError),
        (lambda p: p.create("x" * 513), sprongus.InvalidArgumentError),
        (lambda p: p.create("\ud800"), sprongus.InvalidArgumentError),
        (lambda p: p.create("a", id=""), sprongus.InvalidArgumentError),
        (lambda p: p.create("a", id="x" * 129), sprongus.InvalidArgumentError),
        (lambda p: p.create("a", slug="A b"), sprongus.InvalidArgumentError),
        (lambda p: p.create("a", slug="-a"), sprongus.InvalidArgumentError),
        (lambda p: p.create("a", owner=""), sprongus.InvalidArgumentError),
        (lambda p: p.create(7), TypeError),
        (lambda p: p.create("a", "b"), TypeError),
        (lambda p: p.update("none", status="Very busy"), sprongus.InvalidArgumentError),
        (lambda p: p.update("none"), sprongus.NotFoundError),
        (lambda p: p.list(limit=1001), sprongus.InvalidArgumentError),
        (lambda p: p.list(limit=-1), sprongus.InvalidArgumentError),
        (lambda p: p.list(cursor="x"), sprongus.InvalidArgumentError),
        (lambda p: p.install(""), sprongus.InvalidArgumentError),
        (lambda p: p.delete(""), (sprongus.InvalidArgumentError, sprongus.NotFoundError)),
    ],
)
def test_bad_calls_write_nothing(store, call, error):
    with pytest.raises(error):
        call(store.projects)
    assert store.projects.list() == []


def test_the_workspace_data_model(face):
    face.projects.create("P", id="p")
    bound = face.projects.install("p")
    assert bound == sorted(bound)
    assert {"project_files", "file_chunks", "chat_threads", "chat_messages", "repos", "deployments"} <= set(bound)
    assert face.projects.install("p") == []
    for table in bound:
        assert face.presets.bound(table, project="p").published_at
    with pytest.raises(sprongus.NotFoundError):
        face.presets.bound("project_files", project="q")


def test_a_project_goes_with_all_it_owns_or_not_at_all(store):
    store.projects.create("P", id="p")
    store.aux("p", "assets").create({"title": "x"}, id="a")
    store.runs.enqueue("k", project="p")
    store.artifacts.put("r", "k", 1, project="p")
    store.config.set("theme", "dark", project="p")
    store.aux("q", "assets").create({"title": "x"}, id="a")
    with pytest.raises(sprongus.ReferencedError) as raised:
        store.projects.delete("p")
    assert raised.value.code == "referenced"
    assert len(raised.value.referrers) >= 4
    assert store.projects.get("p").id == "p"
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.projects.delete("p", cascade=True)
        assert tx.aux("p", "assets").count() == 0
        raise ZeroDivisionError
    assert store.aux("p", "assets").count() == 1
    store.projects.delete("p", cascade=True)
    assert store.aux("p", "assets").count() == 0
    assert (store.runs.list(project="p"), store.artifacts.list(project="p"), store.config.list(project="p")) == ([], [], {})
    assert store.aux("q", "assets").count() == 1
    with pytest.raises(sprongus.NotFoundError):
        store.projects.delete("p", cascade=True)


def test_scopes_wall_them_off(store):
    store.projects.create("P", id="p")
    store.projects.create("Q", id="q")
    scoped = store.scoped("p")
    assert scoped.projects.get("p").name == "P"
    assert [project.id for project in scoped.projects.list()] == ["p"]
    with pytest.raises((sprongus.NotFoundError, sprongus.PermissionDeniedError)):
        scoped.projects.get("q")
    for call in (
        lambda: scoped.projects.create("R"),
        lambda: scoped.projects.update("p", name="x"),
        lambda: scoped.projects.delete("p"),
        lambda: scoped.projects.install(),
    ):
        with pytest.raises(sprongus.PermissionDeniedError):
            call()

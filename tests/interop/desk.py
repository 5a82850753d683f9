"""The second of three at one desk: desk.py STORE NAME. Reads what C has left (desk.c), and changes some of it for Rust."""

import sys

import sprongus

url, name = sys.argv[1:3]
with sprongus.open(url, actor="Python") as store:
    project = store.projects.get(name)
    assert (project.name, project.slug, project.owner) == ("By C", "by-c", "ada"), project
    assert store.projects.install(name) == []
    assert store.config.list(project=name) == {"desk.by": "C"}
    [row] = store.tables.query(name)
    assert row == {
        "id": 1,
        "words": "by C",
        "long": 2**63 - 1,
        "broken": 16777217.0,
        "raw": b"\x00\xff",
        "doc": {"a": "ö", "b": [1, 1.0, None]},
        "flag": True,
    }, row
    assert [type(item) for item in row["doc"]["b"]] == [int, float, type(None)]
    try:
        store.tables.insert(name, {"words": "by C"})
        raise SystemExit("a value that is unique was taken twice")
    except sprongus.ConflictError:
        pass
    with store.transaction() as tx:
        tx.projects.update(name, status="read-by-python")
        tx.config.set("desk.by", ["C", "Python"], project=name)
        tx.tables.update(name, "1", {"raw": b"", "flag": None})
        assert tx.tables.insert(name, {**row, "id": None, "words": "by Python"}) == "3"  # the one refused had 2
        tx.aux(name, "project_files").create({"name": "a.txt", "sha256": "0" * 64, "status": "ready"}, id="a")

"""Artifacts: a core of the conformance suite, on every store and in every host's own transaction."""

import hashlib
import json
import pickle
import subprocess
import urllib.parse
import zipfile

import pytest
import sprongus
from processes import run


def test_contents_and_their_media_types(face):
    for content, stored, media in (
        ({"b": 1, "a": ["ö", None]}, '{"a":["ö",null],"b":1}'.encode(), "application/json"),
        ("Größe", "Größe".encode(), "text/plain; charset=utf-8"),
        (b"\x00\xff", b"\x00\xff", "application/octet-stream"),
        (bytearray(b"\x01"), b"\x01", "application/octet-stream"),
        (memoryview(b"\x02\x03")[1:], b"\x03", "application/octet-stream"),
        ([], b"[]", "application/json"),
        (None, b"null", "application/json"),
        ("", b"", "text/plain; charset=utf-8"),
    ):
        kept = face.artifacts.put("report", "k", content)
        assert (kept.content, kept.media_type, kept.size) == (stored, media, len(stored))
        assert kept.sha256 == hashlib.sha256(stored).hexdigest()
        assert face.artifacts.get(kept.id) == kept
        assert pickle.loads(pickle.dumps(kept)).content == stored
    assert face.artifacts.put("report", "html", "<p>", media_type="text/html").media_type == "text/html"


def test_versions_and_the_latest(face):
    for number in range(1, 4):
        kept = face.artifacts.put("report", "sales", {"n": number}, project="p", metadata={"by": "ada"})
        assert (kept.version, kept.project_id, kept.metadata) == (number, "p", {"by": "ada"})
    assert face.artifacts.latest("report", "sales", project="p") == kept
    assert face.artifacts.put("report", "sales", {"n": 3}, project="p", if_changed=True) == kept
    assert face.artifacts.put("report", "sales", {"n": 1}, project="p", if_changed=True).version == 4
    page = face.artifacts.versions("report", "sales", project="p", limit=3)
    assert [artifact.version for artifact in page] == [4, 3, 2]
    rest = face.artifacts.versions("report", "sales", project="p", limit=3, cursor=page.next_cursor)
    assert ([artifact.version for artifact in rest], rest.next_cursor) == ([1], None)
    face.artifacts.put("image", "z", b"", project="p")
    face.artifacts.put("report", "a", 1, project="p")
    listed = face.artifacts.list(project="p")
    assert [(artifact.kind, artifact.key, artifact.version) for artifact in listed] == [
        ("image", "z", 1),
        ("report", "a", 1),
        ("report", "sales", 4),
    ]
    assert len(face.artifacts.list(project="p", kind="report")) == 2
    assert face.artifacts.list() == []
    with pytest.raises(sprongus.NotFoundError):
        face.artifacts.latest("report", "sales")
    with pytest.raises(sprongus.NotFoundError):
        face.artifacts.get("none")


def test_json_of_what_is_kept(face):
    assert face.artifacts.put("r", "k", {"a": 1.5}).json() == {"a": 1.5}
    assert face.artifacts.put("r", "k", '{"a": 2}').json() == {"a": 2}
    for content in ("{", b"\xff", '{"a":1,"a":2}', ""):
        with pytest.raises(sprongus.ValidationError):
            face.artifacts.put("r", "k", content).json()
    elsewhere = face.artifacts.put("r", "k", ref="s3://bucket/x", sha256="ab" * 32, size=7)
    assert (elsewhere.content, elsewhere.ref, elsewhere.size) == (None, "s3://bucket/x", 7)
    with pytest.raises(sprongus.InvalidArgumentError):
        elsewhere.json()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda a: a.put("", "k", 1), sprongus.InvalidArgumentError),
        (lambda a: a.put("r", "k" * 513, 1), sprongus.InvalidArgumentError),
        (lambda a: a.put("r", "k\n", 1), sprongus.InvalidArgumentError),
        (lambda a: a.put("r", "k", 1, ref="s3://x"), sprongus.InvalidArgumentError),
        (lambda a: a.put("r", "k", ref="s3://x"), sprongus.InvalidArgumentError),
        (lambda a: a.put("r", "k", ref="s3://x", sha256="xyz", size=1), sprongus.InvalidArgumentError),
        (lambda a: a.put("r", "k", ref="s3://x", sha256="ab" * 32, size=-1), sprongus.InvalidArgumentError),
        (lambda a: a.put("r", "k", "\ud800"), sprongus.InvalidArgumentError),
        (lambda a: a.put("r", "k", float("nan")), sprongus.ValidationError),
        (lambda a: a.put("r", "k", object()), sprongus.ValidationError),
        (lambda a: a.put("r", "k", 1, metadata={1: 2}), sprongus.ValidationError),
        (lambda a: a.put("r", 7), TypeError),
        (lambda a: a.put("r", "k", 1, run="none"), sprongus.NotFoundError),
        (lambda a: a.list(limit=1001), sprongus.InvalidArgumentError),
        (lambda a: a.versions("r", "k", cursor="x"), sprongus.InvalidArgumentError),
    ],
)
def test_bad_calls_keep_nothing(store, call, error):
    with pytest.raises(error):
        call(store.artifacts)
    assert store.artifacts.list() == []


def test_too_large_a_content(place):
    with place.open(max_artifact_bytes=10) as store:
        assert store.artifacts.put("r", "k", b"x" * 10).size == 10
        for content in (b"x" * 11, "ö" * 6, ["x" * 10]):
            with pytest.raises(sprongus.TooLargeError):
                store.artifacts.put("r", "k", content)
        assert len(store.artifacts.versions("r", "k")) == 1


def test_a_zip_of_the_latest(store, tmp_path):
    store.artifacts.put("report", "../../etc/passwd", "harmless", project="p")
    store.artifacts.put("report", "sales", {"n": 1}, project="p")
    store.artifacts.put("report", "sales", {"n": 2}, project="p")
    assert store.artifacts.export_zip(tmp_path / "a.zip", project="p") == 2
    assert store.artifacts.export_zip(str(tmp_path / "b.zip"), project="p") == 2
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        assert not any(name.startswith("/") or ".." in name.split("/") for name in names)
        assert {archive.read(name) for name in names} >= {b"harmless", b'{"n":2}'}
    with pytest.raises(sprongus.SprongusError):
        store.artifacts.export_zip(tmp_path, project="p")


def test_outputs_are_artifacts_and_handlers_keep_more(store):
    worker = store.worker()

    @worker.handler("k")
    def handle(context):
        kept = context.artifact("log", "lines", "a\nb", metadata={"lines": 2})
        assert context.artifact("log", "lines", "a\nb", if_changed=True) == kept
        return {"version": kept.version}

    run = store.runs.enqueue("k", project="p")
    worker.run(until_idle=True, patience=0)
    done = store.runs.get(run.id)
    [kept] = store.artifacts.list(project="p", kind="log")
    assert (kept.run_id, kept.content, kept.metadata) == (run.id, b"a\nb", {"lines": 2})
    output = store.artifacts.get(done.output_ref.removeprefix("artifact:"))
    assert (output.kind, output.key, output.json()) == ("run.output", run.id, {"version": 1})


def test_a_transaction_keeps_them_or_not(store):
    with store.transaction() as tx:
        kept = tx.artifacts.put("r", "k", 1)
        assert tx.artifacts.latest("r", "k") == kept
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.artifacts.put("r", "k", 2)
        raise ZeroDivisionError
    assert [artifact.json() for artifact in store.artifacts.versions("r", "k")] == [1]


def test_versions_from_two_processes(shared_place):
    code = """
        import sys, sprongus
        with sprongus.open(sys.argv[1], schema=sys.argv[2] if sys.argv[2:] else None) as store:
            for number in range(10):
                store.artifacts.put("r", "k", number)
    """
    with shared_place.open() as store:
        store.artifacts.put("r", "k", "first")
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as two:
            for done in [two.submit(run, code, shared_place.url, *shared_place.options.values()) for _ in range(2)]:
                done.result()
        assert [artifact.version for artifact in store.artifacts.versions("r", "k")] == list(range(21, 0, -1))


def test_pages_show_and_escape(store):
    store.artifacts.put("r", "<script>", "<b>x</b>", metadata={"<i>": 1})
    shown = store.artifacts.list()._repr_html_() + store.artifacts.list()[0]._repr_html_()
    assert "&lt;script&gt;" in shown and "<script>" not in shown and "<b>" not in shown and "<i>" not in shown


def test_scopes_wall_them_off(store):
    kept = store.artifacts.put("r", "k", 1, project="p")
    other = store.scoped("q")
    with pytest.raises(sprongus.NotFoundError):
        other.artifacts.get(kept.id)
    with pytest.raises(sprongus.PermissionDeniedError):
        other.artifacts.latest("r", "k", project="p")
    assert other.artifacts.put("r", "k", 2).project_id == "q"
    with pytest.raises(sprongus.PermissionDeniedError):
        store.scoped("p", ["runs:read"]).artifacts.put("r", "k", 3)


HOSTILE = ["..", ".", "a/../../b", "/etc/x", "C:\\x", "\\\\host\\share", "~", "-rf", "a b", "a\u202eb", "é", "e\u0301", "CON", "x" * 512]


def test_a_zip_of_hostile_names_opens_everywhere(store, tmp_path):
    """By Python's zipfile and by Info-ZIP; unpacked, everything lies in the folder."""
    for kind in (*HOSTILE, "manifest.json"):
        store.artifacts.put(kind, "key", f"of {kind}", project="p")
        store.artifacts.put("kind", kind, f"as {kind}", project="p")
    path = tmp_path / "hostile.zip"
    assert store.artifacts.export_zip(path, project="p") == 2 * len(HOSTILE) + 2
    subprocess.run(["unzip", "-tqq", path], check=True, timeout=60)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        told = {one["entry"]: one for one in json.loads(archive.read("manifest.json"))["artifacts"]}
        assert set(archive.namelist()) == {*told, "manifest.json"}
        for entry, one in told.items():
            assert hashlib.sha256(archive.read(entry)).hexdigest() == one["sha256"]
            assert [urllib.parse.unquote(part) for part in entry.split("/")] == [one["kind"], one["key"]]
        short = [name for name in archive.namelist() if len(max(name.split("/"), key=len)) < 256]
        assert len(short) == len(told) + 1 - 2
        archive.extractall(tmp_path / "out", short)
    unpacked = [file for file in tmp_path.rglob("*") if file.is_file() and file != path and ".db" not in file.name]
    assert len(unpacked) == len(short)
    assert all(file.is_relative_to(tmp_path / "out") for file in unpacked)
    with pytest.raises(sprongus.InvalidArgumentError):
        store.artifacts.put("a\0b", "key", "x")

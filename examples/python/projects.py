"""A project with the workspace data model, where a file ingested twice changes nothing: projects.py [URL [SCHEMA]]"""

import hashlib
import sys

import sprongus

URL = sys.argv[1] if len(sys.argv) > 1 else "projects.db"
SCHEMA = sys.argv[2] if len(sys.argv) > 2 else None
EXTRACTION = 1  # another version of the extraction makes other entries


def ingest(store: sprongus.Store, project: str, name: str, text: str) -> tuple[sprongus.Entry, sprongus.BulkReport]:
    """A file and its parts in one commit. Their ids come from the content, so the same content is the same entries."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    with store.transaction() as tx:
        file = tx.aux(project, "project_files").upsert(
            {"name": name, "sha256": digest, "extractionVersion": EXTRACTION, "status": "ready"},
            id=f"{digest[:16]}-{EXTRACTION}",
        )
        parts = [
            {"id": f"{file.id}-{ordinal}", "fileId": file.id, "ordinal": ordinal, "text": part}
            for ordinal, part in enumerate(text.split("\n\n"))
        ]
        return file, tx.aux(project, "file_chunks").bulk_upsert(parts)


with sprongus.open(URL, schema=SCHEMA) as store:
    project = store.projects.create("Harbour archive", owner="ada")
    store.projects.install(project.id)
    store.config.set("language", "en", project=project.id)

    notes = "The harbour at dawn.\n\nTwo tugs, one pilot.\n\nNo wind."
    for _ in range(2):
        file, parts = ingest(store, project.id, "notes.txt", notes)
        print(f"{file.payload['name']} version {file.version}: {parts.created} parts created, {parts.unchanged} unchanged")

    files = store.aux(project.id, "project_files")
    try:  # the same content under another id
        files.create({**file.payload, "name": "copy.txt"}, id="copy")
    except sprongus.ConflictError as error:
        print("refused:", error.code)

    try:
        store.projects.delete(project.id)
    except sprongus.ReferencedError as error:
        print("refused:", error.code)
    store.projects.delete(project.id, cascade=True)
    print(files.count(), "files,", len(store.config.list(project=project.id)), "settings left")

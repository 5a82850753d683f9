"""The main job from end to end: a CSV of assets, imported by a run that a worker executes.

    demo.py                                          the sample, into a new SQLite file
    demo.py --csv mine.csv --db mine.db              your own
    demo.py --db postgresql://user@host/database     on a server

The first attempt is made to fail halfway through the file, so that the retry shows; --steady leaves that out.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sprongus
from show import Progress, heading, table

DATA = Path(__file__).resolve().parent.parent / "data"
SAMPLE = DATA / "assets.csv"
PROJECT, TABLE, KIND = "demo", "assets", "assets.import"


class SourceLost(ConnectionError):
    """The simulated source broke off."""


@contextmanager
def fetched(path: Path, breaks: bool) -> Iterator[Path]:
    """Copies the rows of a source into a file of our own, as a download would; breaks off halfway if told to."""
    lines = path.read_bytes().splitlines(keepends=True)
    with tempfile.TemporaryDirectory(prefix="sprongus-demo-") as folder:
        copy = Path(folder) / path.name
        with copy.open("wb") as file:
            for number, line in enumerate(lines):
                if breaks and number >= len(lines) / 2:
                    raise SourceLost(f"simulated: the source broke off after {number} of {len(lines)} lines")
                file.write(line)
        yield copy


def bind_preset(store: sprongus.Store, path: Path | None) -> sprongus.Preset:
    """Binds the table to the preset in the file, or leaves it to the built-in one."""
    if path is None:
        return store.presets.bound(TABLE, project=PROJECT)
    definition = json.loads(path.read_text(encoding="utf-8"))
    label = path.name.removesuffix(".json").replace(".", "-")
    known = [preset for preset in store.presets.list(label_prefix=label) if preset.label == label]
    same = [preset for preset in known if preset.definition == definition]
    preset = same[-1] if same else store.presets.create(label, "assets", definition)
    store.presets.bind(TABLE, f"{preset.label}@{preset.version}", project=PROJECT)
    return preset


def work(store: sprongus.Store, steady: bool) -> None:
    """Executes what is queued, until nothing is left."""
    worker = store.worker("demo-worker", concurrency=1)

    @worker.handler(KIND)
    def import_assets(ctx: sprongus.Context) -> dict[str, int]:
        source = Path(ctx.input["csv"])
        print(f"attempt {ctx.run.attempt} of {ctx.run.max_attempts}: {source.name}")
        try:
            with fetched(source, breaks=ctx.run.attempt == 1 and not steady) as copy, Progress("rows") as bar:

                def progress(done: int, total: int | None) -> None:
                    bar.update(done, total)
                    ctx.heartbeat({"rows": done})

                report = store.aux(PROJECT, TABLE).import_(copy, mode="replace", progress=progress)
        except SourceLost as error:
            print(f"  {error}; the run goes back to the queue")
            raise
        except (sprongus.ValidationError, sprongus.InvalidArgumentError) as error:
            # The file itself is at fault: another attempt would read the same.
            raise sprongus.Fatal(str(error)) from error
        return {name: getattr(report, name) for name in ("created", "updated", "unchanged", "deleted")}

    worker.run(until_idle=True)


def show(store: sprongus.Store, run: sprongus.Run, term: str | None, limit: int) -> None:
    """Prints the run, its events, the entries and a search over them."""
    heading("The run")
    table([{"id": run.id, "kind": run.kind, "state": run.state, "attempts": run.attempt, "error": run.error or ""}])
    print("output:", json.dumps(store.runs.output(run.id)))

    heading("Its events")
    table([{"seq": event.seq, "type": event.type, "at": event.at.strftime("%H:%M:%S.%f"), "actor": event.actor,
            "reason": event.payload.get("reason", "")} for event in store.runs.events(run.id)])

    assets = store.aux(PROJECT, TABLE)
    heading(f"The first of {assets.count()} entries")
    table(rows(assets.list(limit=limit)))

    if term is None:
        term = likely_term(assets)
    if term:
        heading(f"A search for {term!r}: {assets.count(q=term)} found")
        table(rows(assets.list(q=term, limit=limit)))


def rows(entries: sprongus.Page[sprongus.Entry]) -> list[dict[str, object]]:
    """Entries as rows, what a person looks for first."""
    first = ("title", "name", "creator", "artist", "year", "kind", "place")
    return [{"id": entry.id, **{name: entry.payload[name] for name in first if name in entry.payload}, **entry.payload}
            for entry in entries]


def likely_term(assets: sprongus.AuxTable) -> str | None:
    """A word to search for: the longest of the first entry's title or name, else of its first text."""
    for entry in assets.list(limit=1):
        texts = [text for text in entry.payload.values() if isinstance(text, str) and "://" not in text]
        named = [entry.payload.get(name) for name in ("title", "name")]
        text = next((text for text in [*named, *texts] if isinstance(text, str) and text.strip()), "")
        return max(text.split()[:8], key=len, default=None)
    return None


def export(store: sprongus.Store, folder: Path) -> None:
    heading("Exported again")
    for ending in ("csv", "json"):
        path = folder / f"assets-export.{ending}"
        count = store.aux(PROJECT, TABLE).export(path)
        print(f"{count} entries, {path.stat().st_size:,} bytes: {path}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, default=SAMPLE, metavar="FILE", help="the file to import (the sample)")
    parser.add_argument("--db", metavar="URL", help="the store: a path or postgresql://… (a new file)")
    parser.add_argument("--preset", type=Path, metavar="FILE",
                        help="a field list or JSON Schema (the sample's own; for other files the built-in `assets`)")
    parser.add_argument("--search", metavar="TEXT", help="what to search for (a word of the first entry)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where exports go (beside the store, or a new folder)")
    parser.add_argument("--rows", type=int, default=8, help="how many entries to show (8)")
    parser.add_argument("--steady", action="store_true", help="do not let the source fail")
    options = parser.parse_args()
    if not options.csv.is_file():
        parser.error(f"{options.csv} is not a file")
    own = DATA / "assets.preset.json"
    preset_file = options.preset or (own if options.csv.resolve() == SAMPLE else None)
    folder = options.out or Path(tempfile.mkdtemp(prefix="sprongus-demo-"))
    folder.mkdir(parents=True, exist_ok=True)

    with sprongus.open(options.db or folder / "demo.db") as store:
        print(f"store: {store.url} ({store.backend}, schema {store.schema_version})")
        preset = bind_preset(store, preset_file)
        print(f"table {TABLE!r} of project {PROJECT!r} is bound to the preset {preset.label}@{preset.version}")
        run = store.runs.enqueue(KIND, {"csv": str(options.csv.resolve())}, project=PROJECT, requested_by="demo")
        print(f"enqueued: run {run.id}\n")
        work(store, options.steady)
        run = store.runs.get(run.id)
        if run.state != "succeeded":
            print(f"\nthe run ended as {run.state}: {run.error}", file=sys.stderr)
            return 1
        show(store, run, options.search, options.rows)
        export(store, folder)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (sprongus.SprongusError, OSError) as error:
        sys.exit(f"demo: {error}")

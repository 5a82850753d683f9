"""sprongus beside its peers, in turn and with the same durability: calls a second, medians and quartiles, and their ratio.

peers.py [--quick]; PostgreSQL is the server that SPRONGUS_TEST_PG_URL names.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import quantiles
from time import perf_counter

import psycopg
import sprongus

import postgres
import sqlite

QUICK = "--quick" in sys.argv
ROUNDS, CALLS, BATCH, DOCUMENTS = (3, 30, 1_000, 2_000) if QUICK else (7, 100, 1_000, 10_000)
HERE = Path(__file__).parent
COLUMNS = "maker medium credit inscription note url".split()


class Ours:
    """The library, as each peer is called."""

    def __init__(self, url: str, durability: str) -> None:
        self.store = sprongus.open(url, durability=durability)
        fields = [{"name": "year", "type": "integer"}, *({"name": name, "type": "string"} for name in COLUMNS)]
        self.store.presets.create("works", "custom", {"fields": fields})
        self.store.presets.bind("works", "works")
        self.works = self.store.aux("demo", "works")

    def enqueue(self, count: int) -> None:
        for _ in range(count):
            self.store.runs.enqueue(sqlite.KIND, sqlite.INPUT)

    def enqueue_many(self, count: int) -> None:
        self.store.runs.enqueue_many({"kind": sqlite.KIND, "input": sqlite.INPUT} for _ in range(count))

    def work(self, count: int) -> None:
        for _ in range(count):
            [run] = self.store.runs.claim_next("bench")
            self.store.runs.succeed(run)

    def upsert(self, documents: list[dict]) -> None:
        self.works.bulk_upsert(documents)


class Node:
    """A peer in a process of JavaScript, which measures by itself."""

    durability = "full"

    def __init__(self, name: str, url: str, modules: Path) -> None:
        self.name = name
        script = shutil.copy(HERE / "node.mjs", modules)
        command = ["node", str(script), name, url]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{name} did not start")

    def seconds(self, workload: str, count: int) -> float:
        print(workload, count, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def seconds(queue, workload: str, count: int) -> float:
    if isinstance(queue, Node):
        return queue.seconds(workload, count)
    argument = documents(count) if workload == "upsert" else count
    start = perf_counter()
    getattr(queue, workload)(argument)
    return perf_counter() - start


made = 0


def documents(count: int) -> list[dict]:
    """New ones each time."""
    global made
    made += count
    return [{"id": f"w{n:08}", "year": n % 500 + 1500, **{c: f"{c} {n}" for c in COLUMNS}} for n in range(made, made + count)]


def beside(ours, peer) -> None:
    for workload, count, what in [
        ("enqueue", CALLS, "enqueue one by one"),
        ("enqueue_many", BATCH, f"enqueue {BATCH} at once"),
        ("work", CALLS, "claim and complete one by one"),
        ("upsert", DOCUMENTS, f"bulk upsert of {DOCUMENTS} documents, rows"),
    ]:
        if not isinstance(peer, Node) and not hasattr(peer, workload) or isinstance(peer, Node) and workload == "upsert":
            continue
        rates = {ours: [], peer: []}
        for round in range(ROUNDS):
            for queue in (ours, peer) if round % 2 else (peer, ours):
                if workload == "work":
                    drain(queue)
                    queue_up(queue, count)
                rates[queue].append(count / seconds(queue, workload, count))
        ratios = [a / b for a, b in zip(rates[ours], rates[peer])]
        print(f"| {peer.name} | {what} | {told(rates[ours], 0)} | {told(rates[peer], 0)} | {told(ratios, 2)} | {peer.durability} |")


def queue_up(queue, count: int) -> None:
    """Runs to be claimed, before the clock runs."""
    seconds(queue, "enqueue", count)


def drain(queue) -> None:
    """graphile-worker empties its queue in one go: nothing else may be in it."""
    if isinstance(queue, Node) and queue.name == "graphile-worker":
        seconds(queue, "work", 0)


def told(values: list[float], digits: int) -> str:
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def database(server: str, name: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        info = connection.info
        return f"postgresql://{info.user}@/{name}?host={info.host}&port={info.port}"


def main() -> None:
    print(f"Python {platform.python_version()}, sprongus {sprongus.__version__}, {os.cpu_count()} processors\n")
    print("| peer | workload | sprongus, calls/s | peer, calls/s | ratio | SQLite's synchronous |\n|---|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, peer in enumerate(sqlite.PEERS):
            place = Path(folder, str(number))
            place.mkdir()
            beside(Ours(str(place / "ours.db"), peer.durability), peer(place))
    server = os.environ["SPRONGUS_TEST_PG_URL"]
    for each in postgres.PEERS:
        peer = each(database(server, each.name))
        beside(Ours(database(server, f"ours_{peer.name}"), "full"), peer)
        peer.close()
    modules = Path(os.environ.get("PEERS_NODE", ""))
    for name in ["pg-boss", "graphile-worker"]:
        label = name.replace("-", "_")
        if not shutil.which("node") or not (modules / "node_modules" / name).exists():
            print(f"\n{name}: not measured, for node or the package is not on this machine")
            continue
        try:
            peer = Node(name, database(server, label), modules)
        except RuntimeError as error:
            print(f"\n{name}: not measured, for it did not start on this machine's node: {error}")
            continue
        beside(Ours(database(server, f"ours_{label}"), "full"), peer)
        peer.process.stdin.close()
        peer.process.wait()


if __name__ == "__main__":
    main()

"""Queues and tables on SQLite. Each has a file of its own; what its commits wait for is said beside it."""

import json
import sqlite3
from pathlib import Path

import honker
import huey
import litequeue
import persistqueue
from persistqueue.serializers import json as json_serializer
import sqlite_utils

KIND = "mail.send"
INPUT = {"attachments": 3, "subject": "Your order 48213", "to": "orders@example.org"}


class Huey:
    """A task is taken off the table when it is taken: a crash loses it. No record of what was done."""

    name, durability = "huey", "full"

    def __init__(self, folder: Path) -> None:
        self.huey = huey.SqliteHuey(filename=str(folder / "huey.db"), fsync=True, results=False)
        self.task = self.huey.task()(lambda **_: None)

    def enqueue(self, count: int) -> None:
        for _ in range(count):
            self.task(**INPUT)

    def work(self, count: int) -> None:
        for _ in range(count):
            self.huey.execute(self.huey.dequeue())


class Litequeue:
    """It sets synchronous=NORMAL itself."""

    name, durability = "litequeue", "normal"

    def __init__(self, folder: Path) -> None:
        self.queue = litequeue.LiteQueue(folder / "litequeue.db")

    def enqueue(self, count: int) -> None:
        for _ in range(count):
            self.queue.put(json.dumps(INPUT))

    def enqueue_many(self, count: int) -> None:
        with self.queue.transaction():
            self.enqueue(count)

    def work(self, count: int) -> None:
        for _ in range(count):
            message = self.queue.pop()
            json.loads(message.data)
            self.queue.done(message.message_id)


class PersistQueue:
    """WAL, and SQLite's own default, FULL."""

    name, durability = "persist-queue", "full"

    def __init__(self, folder: Path) -> None:
        self.queue = persistqueue.SQLiteAckQueue(str(folder / "persist"), serializer=json_serializer)

    def enqueue(self, count: int) -> None:
        for _ in range(count):
            self.queue.put(INPUT)

    def work(self, count: int) -> None:
        for _ in range(count):
            self.queue.ack(self.queue.get(block=False))


class Honker:
    """It sets synchronous=NORMAL itself. What is done is deleted."""

    name, durability = "honker", "normal"

    def __init__(self, folder: Path) -> None:
        self.database = honker.open(str(folder / "honker.db"))
        self.queue = self.database.queue(KIND)

    def enqueue(self, count: int) -> None:
        for _ in range(count):
            self.queue.enqueue(INPUT)

    def enqueue_many(self, count: int) -> None:
        with self.database.transaction() as tx:
            for _ in range(count):
                self.queue.enqueue(INPUT, tx=tx)

    def work(self, count: int) -> None:
        for _ in range(count):
            assert self.queue.claim_one("bench").ack()


class SqliteUtils:
    """Documents into a table; WAL and FULL are set here, it has neither validation nor versions."""

    name, durability = "sqlite-utils", "full"

    def __init__(self, folder: Path) -> None:
        connection = sqlite3.connect(folder / "utils.db")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        self.table = sqlite_utils.Database(connection)["works"]

    def upsert(self, documents: list[dict]) -> None:
        self.table.upsert_all(documents, pk="id")


PEERS = [Huey, Litequeue, PersistQueue, Honker, SqliteUtils]

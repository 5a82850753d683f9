"""Queues on PostgreSQL, with the server's own durability. Each has a database of its own."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import asyncpg
import procrastinate
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import EntrypointExecutionParameter, Queries

from sqlite import INPUT, KIND


class Asynchronous:
    """Runs the coroutines of a peer on one loop, kept between calls."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.run(self.open(url))

    def close(self) -> None:
        self.run(self.end())

    def run(self, work):
        return self.loop.run_until_complete(work)

    def enqueue(self, count: int) -> None:
        self.run(self.enqueue_each(count))

    def enqueue_many(self, count: int) -> None:
        self.run(self.enqueue_all(count))

    def work(self, count: int) -> None:
        self.run(self.work_each(count))


class Procrastinate(Asynchronous):
    """Jobs stay in the table with their events, by triggers."""

    name, durability = "procrastinate", "full"

    async def open(self, url: str) -> None:
        self.app = app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=1))
        self.task = app.task(name=KIND)(lambda **_: None)
        await app.open_async()
        await app.schema_manager.apply_schema_async()
        self.jobs = app.job_manager
        self.worker = await self.jobs.register_worker()

    async def end(self) -> None:
        await self.app.close_async()

    async def enqueue_each(self, count: int) -> None:
        for _ in range(count):
            await self.task.defer_async(**INPUT)

    async def enqueue_all(self, count: int) -> None:
        await self.task.batch_defer_async(*[INPUT] * count)

    async def work_each(self, count: int) -> None:
        for _ in range(count):
            job = await self.jobs.fetch_job(queues=None, worker_id=self.worker)
            await self.jobs.finish_job(job, status=procrastinate.jobs.Status.SUCCEEDED, delete_job=False)


class PgQueuer(Asynchronous):
    """What is done goes from the queue's table into a log."""

    name, durability = "pgqueuer", "full"

    async def open(self, url: str) -> None:
        self.connection = await asyncpg.connect(url)
        self.queries = Queries(AsyncpgDriver(self.connection))
        await self.queries.install()
        self.claimed = {KIND: EntrypointExecutionParameter(0)}
        self.worker = uuid4()
        self.payload = json.dumps(INPUT).encode()

    async def end(self) -> None:
        await self.connection.close()

    async def enqueue_each(self, count: int) -> None:
        for _ in range(count):
            await self.queries.enqueue(KIND, self.payload)

    async def enqueue_all(self, count: int) -> None:
        await self.queries.enqueue([KIND] * count, [self.payload] * count, [0] * count)

    async def work_each(self, count: int) -> None:
        for _ in range(count):
            [job] = await self.queries.dequeue(1, self.claimed, self.worker, None, timedelta(seconds=60))
            await self.queries.log_jobs([(job, "successful", None)])


PEERS = [Procrastinate, PgQueuer]

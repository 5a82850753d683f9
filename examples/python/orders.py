"""The host's own tables and a run in one commit: orders.py [URL [SCHEMA]]"""

import sys
from typing import Any

import sprongus

URL = sys.argv[1] if len(sys.argv) > 1 else "orders.db"
SCHEMA = sys.argv[2] if len(sys.argv) > 2 else None


def place(store: sprongus.Store, order: str, cents: int) -> None:
    """An order and the run that charges it: both are there, or neither."""
    with store.transaction() as tx:
        tx.execute("INSERT INTO orders VALUES ($1, $2, $3)", [order, cents, False])
        tx.runs.enqueue("charge", {"order": order}, idempotency_key=order)
        if cents <= 0:
            raise ValueError("an order costs something")


with sprongus.open(URL, schema=SCHEMA) as store:
    store.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, cents BIGINT, paid BOOLEAN)")
    place(store, "a-17", 4200)
    try:
        place(store, "a-18", 0)
    except ValueError:
        pass

    worker = store.worker()

    @worker.handler("charge")
    def charge(context: sprongus.Context) -> Any:
        with context.transaction() as tx:  # commits only while the run is still this handler's
            tx.execute("UPDATE orders SET paid = $1 WHERE id = $2", [True, context.input["order"]])

    worker.run(until_idle=True, patience=0)
    for row in store.query("SELECT id FROM orders WHERE paid"):
        print(row["id"], "is paid")
    if not store.query("SELECT id FROM orders WHERE id = $1", ["a-18"]) and len(store.runs.list()) == 1:
        print("a-18 was refused: nothing of it is there")

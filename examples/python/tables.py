"""Custom tables: OAuth tokens, a plugin's settings, an upsert at run time: tables.py [URL [SCHEMA]]"""

import sys
import time
from typing import Any

import sprongus

URL = sys.argv[1] if len(sys.argv) > 1 else "tables.db"
SCHEMA = sys.argv[2] if len(sys.argv) > 2 else None

TOKENS = {
    "name": "oauth_tokens",
    "columns": [
        {"name": "id", "type": "integer", "constraints": ["primary_key", "auto_increment"]},
        {"name": "provider", "type": "text", "constraints": ["not_null"]},
        {"name": "account", "type": "text", "constraints": ["not_null"]},
        {"name": "sealed", "type": "blob", "constraints": ["not_null"]},
        {"name": "scopes", "type": "json"},
        {"name": "expires_at", "type": "bigint"},
    ],
    "indexes": [{"name": "oauth_tokens_account", "columns": ["provider", "account"], "unique": True}],
}
SETTINGS = {
    "name": "plugin_settings",
    "columns": [
        {"name": "key", "type": "text", "constraints": ["primary_key"]},
        {"name": "value", "type": "json"},
        {"name": "enabled", "type": "boolean", "constraints": ["not_null"]},
    ],
}


def tokens(store: sprongus.Store) -> None:
    """A token is kept sealed: what seals and opens it is the host's own."""
    store.tables.create(TOKENS)  # once more is nothing
    now = int(time.time())
    token = {"provider": "mail", "account": "ada", "sealed": b"\x01\xfe", "scopes": ["read", "send"], "expires_at": now + 3600}
    for _ in range(2):  # the index lets one in, however many try
        try:
            print("token", store.tables.insert("oauth_tokens", token))
        except sprongus.ConflictError as error:
            print("refused:", error.code)
    with store.transaction() as tx:  # the new token and the run that uses it: both are there, or neither
        [kept] = tx.tables.query("oauth_tokens", where={"provider": "mail", "account": "ada"})
        tx.tables.update("oauth_tokens", str(kept["id"]), {"sealed": b"\x02\xfd", "expires_at": now + 7200})
        tx.runs.enqueue("mail.fetch", {"token": kept["id"]})
    [first] = store.tables.query("oauth_tokens", order_by=[("expires_at", "asc")], limit=1)
    print(first["provider"], first["account"], first["sealed"], first["scopes"])


def settings(store: sprongus.Store) -> None:
    """A table that a plugin brings along, and takes away when it goes."""
    store.tables.create(SETTINGS)
    store.tables.insert_many(
        "plugin_settings",
        [
            {"key": "theme", "value": {"dark": True, "size": 12}, "enabled": True},
            {"key": "beta", "value": None, "enabled": False},
        ],
    )
    print(store.tables.count("plugin_settings"), store.tables.query("plugin_settings", where={"enabled": True}))
    try:
        store.tables.insert("plugin_settings", {"key": "size", "enabled": 1})
    except sprongus.ValidationError as error:
        print("refused:", error.errors[0]["path"])
    store.tables.drop("plugin_settings")
    print(store.tables.exists("plugin_settings"))


def upsert(tables: sprongus.Tables, name: str, id: str, data: dict[str, Any]) -> str:
    """Of several that do it at once one inserts, the others update: none is an error."""
    try:
        tables.insert(name, {"id": id, **data})
        return "inserted"
    except sprongus.ConflictError:
        tables.update(name, id, data)
        return "updated"


def hosts(store: sprongus.Store) -> None:
    """A table whose columns are known only when the program runs."""
    seen = {"load": 0.25, "cores": 4}
    kinds = {int: "integer", float: "real", str: "text"}
    columns = [{"name": name, "type": kinds[type(value)]} for name, value in seen.items()]
    store.tables.create({"name": "hosts", "columns": columns})  # `id` is the key where none is said to be
    print(upsert(store.tables, "hosts", "web-1", seen), upsert(store.tables, "hosts", "web-1", {"load": 0.5}))
    print(store.tables.query("hosts"))


with sprongus.open(URL, schema=SCHEMA) as store:
    tokens(store)
    settings(store)
    hosts(store)

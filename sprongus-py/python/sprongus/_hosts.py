"""The hosts' drivers that `attach` knows, each made to answer the same few questions."""

from typing import Any

from .errors import InvalidArgumentError, MisuseError, UnsupportedError

_OLDEST = (3, 35, 0)


class _Host:
    """A connection with a cursor of its own, so that the host's row factories and type settings neither act nor change."""

    dialect: str
    cursor: Any

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def run(self, sql: str, params: dict[str, Any]) -> tuple[list[str], list[int | None], list[Any], int]:
        """Runs one statement: column names, type codes, all rows, rows changed."""
        cursor = self.cursor
        cursor.execute(sql, params)
        columns = cursor.description or ()
        rows = cursor.fetchall() if columns else []
        return [column[0] for column in columns], [column[1] for column in columns], rows, max(cursor.rowcount, 0)


class _Sqlite(_Host):
    dialect = "sqlite"

    def __init__(self, connection: Any, module: Any) -> None:
        super().__init__(connection)
        if module.sqlite_version_info < _OLDEST:
            raise UnsupportedError(f"SQLite {module.sqlite_version} is older than 3.35, which attach needs")
        if connection.text_factory is not str:
            raise MisuseError("the connection's text_factory is not str: attach reads text as it is stored")
        self.cursor = connection.cursor()
        self.cursor.row_factory = None

    def is_open(self) -> bool:
        return bool(self.connection.in_transaction)

    def failure(self, error: BaseException) -> tuple[int | None, str, bool]:
        # Without a code it is the module's own: a closed connection, another thread.
        return getattr(error, "sqlite_errorcode", None), str(error), True


class _Postgres(_Host):
    dialect = "postgres"

    def is_open(self) -> bool:
        # With autocommit off, the first statement begins a transaction.
        return not self.connection.autocommit or self.connection.info.transaction_status != 0

    def failure(self, error: BaseException) -> tuple[str | None, str, bool]:
        diagnosis = getattr(error, "diag", None)
        state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        # Not the whole text: its DETAIL quotes the row.
        message = getattr(diagnosis, "message_primary", None) or str(error)
        if state is None and type(error).__name__ == "DataError":
            state = "22000"
        return state, message, bool(getattr(self.connection, "closed", False)) or type(error).__name__ == "ProgrammingError"


class _Psycopg(_Postgres):
    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        from psycopg import Cursor
        from psycopg.rows import tuple_row
        from psycopg.types.string import TextLoader

        self.cursor = Cursor(connection, row_factory=tuple_row)
        for name in ("json", "jsonb"):
            self.cursor.adapters.register_loader(name, TextLoader)


class _Psycopg2(_Postgres):
    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        from psycopg2 import extensions

        self.cursor = connection.cursor(cursor_factory=extensions.cursor)
        as_text = extensions.new_type((114, 3802), "SPRONGUS_JSON", lambda value, cursor: value)
        extensions.register_type(as_text, self.cursor)


def adapt(connection: Any) -> _Host:
    """The host behind a DB-API connection, or behind the one a pool lent."""
    connection = getattr(connection, "driver_connection", connection)  # SQLAlchemy
    modules = {base.__module__.partition(".")[0]: base for base in type(connection).__mro__}
    host: _Host
    if "sqlite3" in modules or "_sqlite3" in modules:
        import sqlite3

        host = _Sqlite(connection, sqlite3)
    elif "psycopg" in modules and type(connection).__name__.startswith("Async"):
        raise MisuseError("an async connection cannot be attached; use a psycopg.Connection")
    elif "psycopg" in modules:
        host = _Psycopg(connection)
    elif "psycopg2" in modules:
        host = _Psycopg2(connection)
    else:
        name = f"{type(connection).__module__}.{type(connection).__qualname__}"
        raise InvalidArgumentError(f"attach takes a connection of psycopg, psycopg2 or sqlite3; this is a {name}")
    return host

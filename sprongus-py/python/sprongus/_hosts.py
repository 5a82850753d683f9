"""The hosts' drivers that `attach` knows, each made to answer the same few questions."""

from typing import Any

from .errors import InvalidArgumentError, MisuseError, SprongusError, UnsupportedError

_OLDEST = (3, 35, 0)


class Host:
    """A connection with a cursor of its own, so that the host's row factories and type settings neither act nor change."""

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


class _Sqlite(Host):
    dialect = "sqlite"

    def __init__(self, connection: Any) -> None:
        import sqlite3

        super().__init__(connection)
        if sqlite3.sqlite_version_info < _OLDEST:
            raise UnsupportedError(f"SQLite {sqlite3.sqlite_version} is older than 3.35, which attach needs")
        if connection.text_factory is not str:
            raise MisuseError("the connection's text_factory is not str: attach reads text as it is stored")
        self.cursor = connection.cursor()
        self.cursor.row_factory = None

    def is_open(self) -> bool:
        return bool(self.connection.in_transaction)

    def failure(self, error: BaseException) -> tuple[int | None, str, bool]:
        # Without a code it is the module's own: a closed connection, another thread.
        return getattr(error, "sqlite_errorcode", None), str(error), True


class Postgres(Host):
    dialect = "postgres"

    def is_open(self) -> bool:
        # With autocommit off, the first statement begins a transaction.
        return not self.connection.autocommit or self.connection.info.transaction_status != 0

    def failure(self, error: BaseException) -> tuple[str | None, str, bool]:
        diagnosis = getattr(error, "diag", None)
        state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        # Not the whole text: its DETAIL quotes the row.
        message = getattr(diagnosis, "message_primary", None) or str(error)
        kind = type(error).__name__
        if state is None and (kind == "DataError" or isinstance(error, ValueError)):
            state = "22000"
        away = kind in ("OperationalError", "InterfaceError") and not getattr(self.connection, "closed", False)
        return state, message, not away


def adapt(connection: Any) -> Host:
    """The host behind a DB-API connection, or behind the one a pool lent."""
    connection = getattr(connection, "driver_connection", connection)  # SQLAlchemy
    drivers = {base.__module__.partition(".")[0] for base in type(connection).__mro__}
    if type(connection).__name__.startswith("Async"):
        raise MisuseError("an async connection cannot be attached; use a psycopg.Connection")
    if getattr(connection, "closed", False):
        raise MisuseError("the connection is closed")
    try:
        if drivers & {"sqlite3", "_sqlite3"}:
            return _Sqlite(connection)
        if "psycopg" in drivers:
            from ._psycopg import Psycopg

            return Psycopg(connection)
        if "psycopg2" in drivers:
            from ._psycopg2 import Psycopg2

            return Psycopg2(connection)
    except SprongusError:
        raise
    except Exception as error:
        raise MisuseError(f"the connection cannot be used: {error}") from error
    name = f"{type(connection).__module__}.{type(connection).__qualname__}"
    raise InvalidArgumentError(f"attach takes a connection of psycopg, psycopg2 or sqlite3; this is a {name}")

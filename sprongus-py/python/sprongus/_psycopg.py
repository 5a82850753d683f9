"""psycopg 3 as a host's driver. Imported on first need."""

from typing import Any

from psycopg import Cursor, DataError
from psycopg.adapt import AdaptersMap, Loader
from psycopg.postgres import register_default_adapters, types
from psycopg.rows import tuple_row
from psycopg.types.array import register_all_arrays
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import TextLoader

from ._hosts import Postgres
from .errors import MisuseError


class _OrText(Loader):
    """Gives the server's text where Python's type does not reach: infinity, years before 1."""

    kind: type[Loader]

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        self.loader = self.kind(oid, context)

    def load(self, data: Any) -> Any:
        try:
            return self.loader.load(data)
        except DataError:
            return bytes(data).decode()


class _Date(_OrText):
    kind = DateLoader


class _Timestamp(_OrText):
    kind = TimestampLoader


class _Timestamptz(_OrText):
    kind = TimestamptzLoader


def _types() -> AdaptersMap:
    own = AdaptersMap(types=types)
    register_default_adapters(own)
    for name in ("json", "jsonb", "interval", "timetz", "inet", "cidr"):
        own.register_loader(name, TextLoader)
    for name, loader in (("date", _Date), ("timestamp", _Timestamp), ("timestamptz", _Timestamptz)):
        own.register_loader(name, loader)
    register_all_arrays(own)
    return own


_OWN = _types()


class _Cursor(Cursor[Any]):
    """Types as the driver comes with them: those that the host registered do not act."""

    @property
    def adapters(self) -> AdaptersMap:
        return _OWN


class Psycopg(Postgres):
    """A `psycopg.Connection`."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.cursor = _Cursor(connection, row_factory=tuple_row)

    def is_open(self) -> bool:
        if self.connection.info.pipeline_status != 0:
            raise MisuseError("the connection is in pipeline mode, where answers come late: leave it first")
        return super().is_open()

"""psycopg2 as a host's driver. Imported on first need."""

from typing import Any
from uuid import UUID

from psycopg2 import extensions
from psycopg2.extras import UUID_adapter

from ._hosts import Postgres


def _text(value: str | None, cursor: Any) -> str | None:
    return value


def _uuid(value: str | None, cursor: Any) -> UUID | None:
    return None if value is None else UUID(value)


def _or_text(kind: Any) -> Any:
    """Gives the server's text where Python's type does not reach: infinity, years before 1."""

    def read(value: str | None, cursor: Any) -> Any:
        if value is None or "infinity" in value or value.endswith("BC"):
            return value
        return kind(value, cursor)

    return extensions.new_type(kind.values, kind.name, read)


_UUID = extensions.new_type((2950,), "SPRONGUS_UUID", _uuid)
# Types as the driver comes with them: those that the host registered do not act.
_OWN = [
    extensions.BOOLEAN,
    extensions.INTEGER,
    extensions.LONGINTEGER,
    extensions.FLOAT,
    extensions.DECIMAL,
    extensions.UNICODE,
    extensions.PYTIME,
    extensions.new_type((114, 3802, *extensions.PYINTERVAL.values), "SPRONGUS_TEXT", _text),
    _UUID,
    extensions.new_array_type((2951,), "SPRONGUS_UUIDS", _UUID),
    *map(_or_text, (extensions.PYDATE, extensions.PYDATETIME, extensions.PYDATETIMETZ)),
]


class Psycopg2(Postgres):
    """A `psycopg2` connection."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.cursor = connection.cursor(cursor_factory=extensions.cursor)
        for caster in _OWN:
            extensions.register_type(caster, self.cursor)

    def run(self, sql: str, params: dict[str, Any]) -> tuple[list[str], list[int | None], list[Any], int]:
        return super().run(sql, {name: _adapted(value) for name, value in params.items()})


def _adapted(value: Any) -> Any:
    """A UUID is taken only where the host has registered them; this adapter needs none of that."""
    if isinstance(value, list):
        return [_adapted(item) for item in value]
    return UUID_adapter(value) if isinstance(value, UUID) else value

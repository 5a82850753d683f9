"""Rows of other libraries' tables as documents. Imported on first need.

A cell without a value is a property that is missing, as an empty cell of a CSV is. What `to_pandas` and its like add to a
document, `$version` and `lastUpdated`, belongs to the entry and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .errors import InvalidArgumentError

_CHUNK = 10_000
_ADDED = frozenset({"$version", "lastUpdated"})


class _Rows:
    """The rows of a table whose number is known."""

    def __init__(self, count: int, rows: Callable[[], Iterator[dict[Any, Any]]]) -> None:
        self.count = count
        self.rows = rows

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[dict[Any, Any]]:
        return self.rows()


def rows(source: Any, *, metadata: bool = False) -> Iterable[Any]:
    """The rows of a DataFrame or of Arrow's tables and batches as dicts; any other iterable as it is.

    metadata: keep the columns that `to_pandas` adds; a source that is synced may say when its documents were written.
    """
    libraries = {base.__module__.partition(".")[0] for base in type(source).__mro__}
    dropped = frozenset() if metadata else _ADDED
    if "pandas" in libraries and hasattr(source, "iterrows"):
        return _of_pandas(source, dropped)
    if "polars" in libraries and hasattr(source, "collect"):
        source = source.collect()
    if "polars" in libraries and hasattr(source, "iter_rows"):
        return _Rows(len(source), lambda: (_cleaned(row, dropped) for row in source.iter_rows(named=True)))
    if "pyarrow" in libraries and hasattr(source, "to_pylist") and not hasattr(source, "column_names"):
        raise TypeError("rows are a table or a batch of Arrow's, not one of its arrays")
    if "pyarrow" in libraries:
        return _of_arrow(source, dropped)
    if isinstance(source, (str, bytes, dict)):
        raise TypeError("rows are an iterable of documents, not one of them")
    iterable: Iterable[Any] = source
    return iterable


def _of_pandas(frame: Any, dropped: frozenset[str]) -> Iterable[Any]:
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()  # an index with a name is a column like the others
    _check_names(list(frame.columns))

    def drawn() -> Iterator[dict[Any, Any]]:
        for start in range(0, len(frame), _CHUNK):
            for row in frame.iloc[start : start + _CHUNK].to_dict("records"):
                yield {name: _plain(value) for name, value in row.items() if name not in dropped and not _is_missing(value)}

    return _Rows(len(frame), drawn)


def _of_arrow(source: Any, dropped: frozenset[str]) -> Iterable[Any]:
    """Of a table, a reader, a dataset, a batch, or what gives batches."""

    def drawn() -> Iterator[dict[Any, Any]]:
        for batch in _batches(source):
            _check_names(batch.schema.names)
            for start in range(0, batch.num_rows, _CHUNK):
                yield from (_cleaned(row, dropped) for row in batch.slice(start, _CHUNK).to_pylist())

    count = getattr(source, "num_rows", None)
    return drawn() if count is None else _Rows(count, drawn)


def _batches(source: Any) -> Iterable[Any]:
    if hasattr(source, "to_batches"):
        batches: Iterable[Any] = source.to_batches()
        return batches
    return [source] if hasattr(source, "slice") else source


def _check_names(names: Sequence[Any]) -> None:
    """Rows as dicts would lose all but one of the columns that share a name."""
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InvalidArgumentError(f"columns have names of their own; more than one is called {min(map(str, twice))!r}")


def _cleaned(row: dict[str, Any], dropped: frozenset[str]) -> dict[str, Any]:
    return {name: _present(value) for name, value in row.items() if value is not None and name not in dropped}


def _present(value: Any) -> Any:
    """A struct has all the fields of its column: those that are null in it are fields the document does not have."""
    if isinstance(value, dict):
        return {name: _present(field) for name, field in value.items() if field is not None}
    if isinstance(value, list):
        return [_present(item) for item in value]
    return value


def _is_missing(value: Any) -> bool:
    """pandas writes NaN, NaT or NA where a cell has no value."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """A scalar or an array of numpy's as Python's own."""
    return value.tolist() if type(value).__module__ == "numpy" and hasattr(value, "tolist") else value

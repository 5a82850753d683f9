"""Rows of other libraries' tables, and progress bars. Imported on first need."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any


def rows(source: Any) -> Iterable[Any]:
    """The rows of a DataFrame or of Arrow's tables and batches as dicts; any other iterable as it is."""
    libraries = {base.__module__.partition(".")[0] for base in type(source).__mro__}
    if "pandas" in libraries and hasattr(source, "to_dict"):
        return (_without_missing(row) for row in source.to_dict("records"))
    if "polars" in libraries and hasattr(source, "iter_rows"):
        frame: Iterable[Any] = source.iter_rows(named=True)
        return frame
    if "pyarrow" in libraries:
        return (row for batch in _batches(source) for row in batch.to_pylist())
    if isinstance(source, (str, bytes, dict)):
        raise TypeError("rows are an iterable of documents, not one of them")
    iterable: Iterable[Any] = source
    return iterable


def _batches(source: Any) -> Iterable[Any]:
    """Those of a table or a reader; a batch is one itself."""
    if hasattr(source, "to_batches"):
        batches: Iterable[Any] = source.to_batches()
        return batches
    return [source] if hasattr(source, "to_pylist") else source


def _without_missing(row: dict[Any, Any]) -> dict[Any, Any]:
    """pandas writes NaN and NaT where a cell is missing; its own scalars become Python's."""
    return {name: _plain(value) for name, value in row.items() if not _is_missing(value)}


def _is_missing(value: Any) -> bool:
    return type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value


class _Line:
    """A counter on standard error, where tqdm is not installed."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.shown = False

    def __call__(self, done: int, total: int | None) -> None:
        of = f" of {total}" if total is not None else ""
        print(f"\r{done}{of} {self.unit}", end="", file=sys.stderr, flush=True)
        self.shown = True

    def close(self) -> None:
        if self.shown:
            print(file=sys.stderr)


class _Bar:
    """A bar of tqdm's."""

    def __init__(self, bar: Any) -> None:
        self.bar = bar

    def __call__(self, done: int, total: int | None) -> None:
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


def bar(unit: str) -> _Line | _Bar:
    """What `progress=True` shows."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line(unit)
    return _Bar(tqdm(unit=f" {unit}"))


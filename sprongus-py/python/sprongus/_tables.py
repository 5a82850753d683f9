"""Records as tables: for notebooks, pandas, polars and Arrow. Imported on first need."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from ._sprongus import Entry, Record

_WIDEST = 80
_LONGEST = 200


def rows(page: Iterable[Any]) -> list[dict[str, Any]]:
    """Each record as a flat dict."""
    return [_row(record) for record in page]


def _row(record: Any) -> dict[str, Any]:
    if isinstance(record, Entry):
        # Metadata under the names that filters and sorts have for it.
        own = {"$version": record.version, "lastUpdated": record.last_updated}
        return {"id": record.id, **record.payload, **own}
    if isinstance(record, Record):
        return record._row()
    return dict(record)


def columns(table: Sequence[dict[str, Any]]) -> list[str]:
    """The names of all rows, in the order in which they first appear."""
    return list(dict.fromkeys(name for row in table for name in row))


def to_pandas(page: Iterable[Any]) -> Any:
    import pandas

    return pandas.DataFrame.from_records(rows(page))


def to_polars(page: Iterable[Any]) -> Any:
    import polars

    return polars.DataFrame(rows(page), infer_schema_length=None)


def to_arrow(page: Iterable[Any]) -> Any:
    import pyarrow

    table = rows(page)
    return pyarrow.table({name: [row.get(name) for row in table] for name in columns(table)})


def page_html(page: Sequence[Any]) -> str:
    """The first rows of a page as an HTML table, without the columns that hold nothing."""
    table = rows(page[:_LONGEST])
    shown = [name for name in columns(table) if any(row.get(name) is not None for row in table)]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in shown)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(row.get(name))}</td>" for name in shown) + "</tr>" for row in table
    )
    left = f"<p>… and {len(page) - _LONGEST} more rows</p>" if len(page) > _LONGEST else ""
    more = "<p>… and more: next_cursor</p>" if getattr(page, "next_cursor", None) else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{left}{more}"


def record_html(held: Sequence[tuple[str, Any]]) -> str:
    """A record as an HTML table of two columns."""
    body = "".join(f"<tr><th>{html.escape(name)}</th><td>{_cell(value)}</td></tr>" for name, value in held)
    return f"<table><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return html.escape(text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…")

"""Records as tables: for notebooks, pandas, polars and Arrow. Imported on first need."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from ._sprongus import AuxTable, Entry, Record

_WIDEST = 80
_LONGEST = 200
_PAGE = 1000
# Metadata under the names that filters and sorts have for it; `_items` leaves it out again.
_OWN = ("$version", "lastUpdated")


def entries(table: AuxTable, query: dict[str, Any]) -> list[Entry]:
    """The entries of every page of `list(**query)`, at most `limit` where it is given."""
    limit = query.pop("limit", None)
    size = _PAGE if limit is None else min(limit, _PAGE)
    return list(islice(table.iter(**query, limit=size), limit))


def rows(page: Iterable[Any]) -> list[dict[str, Any]]:
    """Each record as a flat dict."""
    return [_row(record) for record in page]


def _row(record: Any) -> dict[str, Any]:
    if isinstance(record, Entry):
        return {"id": record.id, **record.payload, **dict(zip(_OWN, (record.version, record.last_updated)))}
    if isinstance(record, Record):
        return record._row()
    return dict(record)


def columns(table: Sequence[dict[str, Any]]) -> list[str]:
    """The names of all rows, in the order in which they first appear; an entry's metadata last."""
    names = dict.fromkeys(name for row in table for name in row)
    return [name for name in names if name not in _OWN] + [name for name in _OWN if name in names]


def _filled(page: Sequence[Any], entries: bool) -> dict[str, list[Any]]:
    """The values of each column; an empty table of entries has the columns that every entry has."""
    table = rows(page)
    names = columns(table) if table or not entries else ["id", *_OWN]
    return {name: [row.get(name) for row in table] for name in names}


def to_pandas(page: Sequence[Any], *, entries: bool = False) -> Any:
    import pandas

    filled = _filled(page, entries)
    series = {name: pandas.Series(values, dtype=_pandas_type(values)) for name, values in filled.items()}
    return pandas.DataFrame(series)


def _pandas_type(values: list[Any]) -> str | None:
    """The types in which a whole number beside a missing one stays whole; pandas finds the others itself."""
    kinds = {type(value) for value in values}
    if not values:
        return "object"
    if kinds == {int, type(None)} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return "Int64"
    return "boolean" if kinds == {bool, type(None)} else None


def to_polars(page: Sequence[Any], *, entries: bool = False) -> Any:
    import polars

    filled = _filled(page, entries)
    return polars.DataFrame([polars.Series(name, _alike(values), strict=False) for name, values in filled.items()])


def to_arrow(page: Sequence[Any], *, entries: bool = False) -> Any:
    import pyarrow

    def array(values: list[Any]) -> Any:
        try:
            return pyarrow.array(_alike(values))
        except (pyarrow.ArrowInvalid, OverflowError):  # a whole number over 63 bits
            return pyarrow.array(_texts(values))

    return pyarrow.table({name: array(values) for name, values in _filled(page, entries).items()})


def _alike(values: list[Any]) -> list[Any]:
    """The values of a column, as JSON text where they are not of one type."""
    return values if _one_type(values) else _texts(values)


def _texts(values: list[Any]) -> list[str | None]:
    return [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]


def _one_type(values: Iterable[Any]) -> bool:
    held = [value for value in values if value is not None]
    kinds = {type(value) for value in held}
    if kinds <= {int, float}:
        return True
    if kinds == {list}:
        return _one_type(item for value in held for item in value)
    if kinds == {dict}:
        names = {name for value in held for name in value}
        return all(_one_type(value.get(name) for value in held) for name in names)
    return len(kinds) == 1


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


def report_html(findings: Sequence[dict[str, Any]]) -> str:
    """What the doctor found as an HTML table: a row for each finding, nothing of it cut."""
    if not findings:
        return "<p>nothing found</p>"
    names = ("severity", "code", "message", "fix")
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = ("".join(f"<td>{html.escape(str(one[name]))}</td>" for name in names) for one in findings)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return html.escape(text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…")

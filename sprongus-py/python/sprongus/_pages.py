"""Pages of lists."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class Page(builtins.list[T], Generic[T]):
    """A list with the cursor of the next page (None on the last). Shows as a table in a notebook."""

    next_cursor: str | None

    def __init__(self, items: Iterable[T] = (), next_cursor: str | None = None) -> None:
        super().__init__(items)
        self.next_cursor = next_cursor

    def to_pandas(self) -> Any:
        """The page as a `pandas.DataFrame`, a column for each attribute (entries: for each field)."""
        from . import _tables

        return _tables.to_pandas(self)

    def to_polars(self) -> Any:
        """The page as a `polars.DataFrame`."""
        from . import _tables

        return _tables.to_polars(self)

    def to_arrow(self) -> Any:
        """The page as a `pyarrow.Table`."""
        from . import _tables

        return _tables.to_arrow(self)

    def _repr_html_(self) -> str:
        from . import _tables

        return _tables.page_html(self)


def every(page_of: Callable[..., Page[T]], /, **query: Any) -> Iterator[T]:
    """The items of every page of a list; the first page is asked for at once, so a wrong filter shows here."""
    return _follow(page_of, query, page_of(**query))


def _follow(page_of: Callable[..., Page[T]], query: dict[str, Any], page: Page[T]) -> Iterator[T]:
    while True:
        yield from page
        if page.next_cursor is None:
            return
        page = page_of(**{**query, "cursor": page.next_cursor})

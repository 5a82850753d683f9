"""Lists that calls return. Types: `_pages.pyi`, for importing `typing` would take longer than all the rest."""


class _Table(list):
    """A list of records that shows as a table in a notebook."""

    def to_pandas(self):
        """The list as a `pandas.DataFrame`, a column for each attribute (entries: for each field)."""
        from . import _tables

        return _tables.to_pandas(self)

    def to_polars(self):
        """The list as a `polars.DataFrame`."""
        from . import _tables

        return _tables.to_polars(self)

    def to_arrow(self):
        """The list as a `pyarrow.Table`."""
        from . import _tables

        return _tables.to_arrow(self)

    def _repr_html_(self):
        from . import _tables

        return _tables.page_html(self)


class Page(_Table):
    """A list that shows as a table in a notebook, with the cursor of the next page (None where there is no more)."""

    def __init__(self, items=(), next_cursor=None):
        super().__init__(items)
        self.next_cursor = next_cursor


class EventBatch(_Table):
    """Events and the position after them: pass `cursor` as the next `after`. It is always given, also where none came."""

    def __init__(self, items=(), cursor=""):
        super().__init__(items)
        self.cursor = cursor


def every(page_of, /, **query):
    """The items of every page of a list; the first page is asked for at once, so a wrong filter shows here."""
    return _follow(page_of, query, page_of(**query))


def _follow(page_of, query, page):
    while True:
        yield from page
        if page.next_cursor is None:
            return
        page = page_of(**{**query, "cursor": page.next_cursor})

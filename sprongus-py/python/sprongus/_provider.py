"""What a source of documents offers. Types: `_provider.pyi`."""

from .errors import UnsupportedError


class Provider:
    """A source of documents outside the store, as `AuxTable.sync` and `store.providers.register` take one.

    Any object with these methods is one; a class may inherit from this for the types' sake. `read` and `write` say whether
    documents can be pulled from it and changes pushed to it; without them, whether the methods are there says so.

    >>> class Shelf(sprongus.Provider):
    ...     read, write = True, False
    ...     def pull(self, project, table):
    ...         yield {"id": "a", "title": "Coburg"}
    >>> store.aux("p14", "assets").sync(Shelf()).state
    'succeeded'
    """

    def pull(self, project, table):
        """Every document the source has for that table, each with its `id`, and `lastUpdated` where the source knows it."""
        raise UnsupportedError("this provider cannot be read")

    def push(self, project, table, changes):
        """Changes the source: `created` and `updated` hold whole documents with their `id`, `deleted` ids.

        Called again with the same changes after a failure, it does nothing twice.
        """
        raise UnsupportedError("this provider cannot be written")

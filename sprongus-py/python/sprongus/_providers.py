"""Providers of the host's: what they can do, their documents in batches, and the thread they work on where ours is none of
Python's."""

from __future__ import annotations

from time import monotonic

from ._provider import Provider
from .errors import InvalidArgumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_BATCH = 256
_MOMENT = 0.1  # seconds; a cancel is heard between two batches


def made(factory: Callable[[dict[str, Any]], Any], config: dict[str, Any]) -> tuple[Any, bool, bool]:
    """A provider for that config, and whether it reads and writes."""
    provider = factory(config)
    try:
        return able(provider)
    except TypeError as error:
        # No attempt would do better.
        raise InvalidArgumentError(f"the factory made no provider: {error}") from None


def able(provider: Any) -> tuple[Any, bool, bool]:
    """A provider, and whether it reads and writes: as it says itself, else by the methods it has."""
    if isinstance(provider, type) or not any(hasattr(provider, method) for method in ("pull", "push")):
        kind = provider.__qualname__ if isinstance(provider, type) else type(provider).__qualname__
        raise TypeError(f"a provider is an object with a method pull, push or both; this is {kind}")
    return provider, _is(provider, "read", "pull"), _is(provider, "write", "push")


def _is(provider: Any, flag: str, method: str) -> bool:
    own = getattr(type(provider), method, None) is not getattr(Provider, method)
    has = own and callable(getattr(provider, method, None))
    said = bool(getattr(provider, flag, has))
    if said and not has:
        kind = type(provider).__qualname__
        raise InvalidArgumentError(f"a provider whose {flag} is true has a method {method}; this {kind} has none")
    return said


class Pull:
    """The documents of a provider, drawn many at a time."""

    def __init__(self, provider: Any, project: str, table: str) -> None:
        from ._items import rows

        self.rows: Iterator[Any] = iter(rows(provider.pull(project, table), metadata=True))

    def batch(self) -> list[Any]:
        """The next ones, those of a moment where the source is slow; none when it is over."""
        drawn: list[Any] = []
        until = monotonic() + _MOMENT
        for row in self.rows:
            drawn.append(row)
            if len(drawn) == _BATCH or monotonic() > until:
                break
        return drawn

    def close(self) -> None:
        """Lets a generator end before its time."""
        close = getattr(self.rows, "close", None)
        if close is not None:
            close()


def begin(jobs: Any) -> None:
    """Works jobs on a thread of its own until there are no more."""
    import threading

    threading.Thread(target=_serve, args=(jobs,), name="sprongus-provider", daemon=True).start()


def _serve(jobs: Any) -> None:
    while (job := jobs.take()) is not None:
        function, arguments = job
        try:
            answer = function(*arguments)
        except BaseException as error:  # noqa: BLE001
            jobs.raised(error)
        else:
            jobs.returned(answer)
            del answer
        del job, function, arguments

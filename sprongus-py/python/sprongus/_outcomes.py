"""What a handler may return or raise beside JSON and plain exceptions, and how its outcome is got at."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from ._sprongus import Context


class Ref:
    """Returned by a handler: where the output is kept, as `output_ref`."""

    __slots__ = {"ref": "Where the output is: `s3://bucket/key`, a path, …"}  # noqa: RUF012

    def __init__(self, ref: str) -> None:
        self.ref = ref

    def __repr__(self) -> str:
        return f"Ref({self.ref!r})"

    def __eq__(self, other: object) -> bool:
        return self.ref == other.ref if isinstance(other, Ref) else NotImplemented

    def __hash__(self) -> int:
        return hash(("sprongus.Ref", self.ref))


class Fatal(Exception):  # noqa: N818
    """Raised by a handler: fail without a retry."""


def begin(function: Callable[[Context], Any], call: Any) -> None:
    """Calls a handler on a thread of its own, which tells the `call` how it ended."""
    import threading

    threading.Thread(target=_call, args=(function, call), name="sprongus-handler", daemon=True).start()


def _call(function: Callable[[Context], Any], call: Any) -> None:
    try:
        returned = function(call.enter())
        if hasattr(returned, "__await__"):
            returned = _awaited(returned)
    except BaseException as error:  # noqa: BLE001
        call.raised(error)
    else:
        call.returned(returned)


def _awaited(awaitable: Awaitable[Any]) -> Any:
    """What an `async def` handler gives, in an event loop of its own."""
    import asyncio

    async def once() -> Any:
        return await awaitable

    return asyncio.run(once())


def raised(run: str, kind: str, attempt: int, error: BaseException) -> None:
    """Logs where a handler raised; the exception's text may hold input, so only at DEBUG."""
    import logging

    log = logging.getLogger("sprongus.worker")
    if log.isEnabledFor(logging.DEBUG):
        log.debug("the handler of run %s (%s, attempt %s) raised", run, kind, attempt, exc_info=error)

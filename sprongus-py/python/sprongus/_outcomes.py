"""What a handler may return or raise beside JSON and plain exceptions, and how its outcome is got at."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta
    from typing import Any

    from ._sprongus import Context

_LOOK = 0.1  # seconds between two looks at whether an async handler is still wanted


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


class Snooze(Exception):  # noqa: N818
    """Raised by a handler: the attempt is given back, and the run is due again in `delay` (seconds or a timedelta).

    >>> worker = store.worker()
    >>> @worker.handler("mail.send")
    ... def send(context):
    ...     raise sprongus.Snooze(3600)  # not in the night
    """

    delay: float | timedelta

    def __init__(self, delay: float | timedelta) -> None:
        super().__init__(delay)
        self.delay = delay


class Waiting(BaseException):
    """Leaves a handler whose run waits for an approval. No Exception: a handler's `except Exception` lets it pass."""


def begin(function: Callable[[Context], Any], call: Any) -> None:
    """Calls a handler on a thread of its own, which tells the `call` how it ended."""
    import threading

    threading.Thread(target=_call, args=(function, call), name="sprongus-handler", daemon=True).start()


def _call(function: Callable[[Context], Any], call: Any) -> None:
    try:
        context = call.enter()
        returned = function(context)
        if hasattr(returned, "__await__"):
            returned = _awaited(returned, context)
    except BaseException as error:  # noqa: BLE001
        call.raised(error)
    else:
        call.returned(returned)


def _awaited(awaitable: Awaitable[Any], context: Context) -> Any:
    """What an `async def` handler gives, in an event loop of its own; canceled there where the run is no longer wanted."""
    import asyncio

    async def whole() -> Any:
        return await awaitable

    async def attended() -> Any:
        task = asyncio.create_task(whole())
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK)
            if context.canceled and not task.done():
                task.cancel()
                break
        return await task

    return asyncio.run(attended())


def raised(run: str, kind: str, attempt: int, error: BaseException, hide: Callable[[str], str]) -> None:
    """Logs where a handler raised; the exception's text may hold input, so only at DEBUG. What it asked for as a secret is hidden."""
    import logging

    log = logging.getLogger("sprongus.worker")
    if log.isEnabledFor(logging.DEBUG):
        import traceback

        told = "".join(traceback.format_exception(error))
        hidden = hide(told)
        if hidden == told:
            log.debug("the handler of run %s (%s, attempt %s) raised", run, kind, attempt, exc_info=error)
        else:
            log.debug("the handler of run %s (%s, attempt %s) raised\n%s", run, kind, attempt, hidden)

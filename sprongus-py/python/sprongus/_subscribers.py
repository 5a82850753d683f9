"""Calls subscribers, each on a thread of its own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._sprongus import Event


def begin(function: Callable[[Event], object], news: Any) -> None:
    """Calls the function with each of the `news`, in their order, until there are no more."""
    import threading

    threading.Thread(target=_tell, args=(function, news), name="sprongus-events", daemon=True).start()


def _tell(function: Callable[[Event], object], news: Any) -> None:
    while (event := news.take()) is not None:
        try:
            function(event)
        except BaseException as error:  # noqa: BLE001
            _raised(event, error)


def _raised(event: Event, error: BaseException) -> None:
    """Logs what a subscriber raised; the exception's text may hold input, so only at DEBUG."""
    import logging

    log = logging.getLogger("sprongus.events")
    details = error if log.isEnabledFor(logging.DEBUG) else None
    log.error("a subscriber raised %s when told of event %s", type(error).__name__, event.id, exc_info=details)

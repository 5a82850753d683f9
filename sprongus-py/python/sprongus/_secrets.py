"""Secrets, as the host's resolver gives them."""

from __future__ import annotations

from .errors import NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def resolved(resolver: Callable[[str], Any], name: str) -> str:
    """The secret of that name. A mapping's `__getitem__` may stand for a resolver: a name it does not know is not found."""
    try:
        secret = resolver(name)
    except LookupError:
        raise NotFoundError(f"the resolver knows no secret {name!r}") from None
    if not isinstance(secret, str):
        raise TypeError(f"a resolver returns a str; for {name!r} it returned {type(secret).__name__}")
    return secret

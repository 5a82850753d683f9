"""What goes wrong, as a hierarchy under `SprongusError`: one class per code.

Catch by class, or by `error.code`; `error.details` is data for programs, `str(error)` says what was wrong and what would be right.
"""

from __future__ import annotations

import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

__all__ = [
    "BusyError",
    "ConflictError",
    "CorruptError",
    "ForkedError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidStateError",
    "LeaseLostError",
    "MisuseError",
    "NotFoundError",
    "OutcomeUnknownError",
    "PermissionDeniedError",
    "RateLimitedError",
    "ReferencedError",
    "ReservedFieldError",
    "SchemaVersionError",
    "SecretDetectedError",
    "SplitBrainError",
    "SprongusError",
    "StorageError",
    "StorageFullError",
    "TimeoutError",
    "TooLargeError",
    "UnavailableError",
    "UnsupportedError",
    "ValidationError",
]


class SprongusError(Exception):
    """The base of all: a stable code, a message for people, details for programs. Pickles."""

    code: str
    message: str
    details: Any
    retryable: bool
    _code: ClassVar[str] = "storage"
    _retryable: ClassVar[bool] = False

    def __init__(
        self, message: str = "", *, code: str | None = None, details: Any = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        self.code = self._code if code is None else code
        self.message = message
        self.details = details
        self.retryable = self._retryable if retryable is None else retryable

    def __str__(self) -> str:
        return self.message

    def _listed(self, key: str) -> list[dict[str, Any]]:
        listed = self.details.get(key) if isinstance(self.details, dict) else None
        return listed if isinstance(listed, list) else []


class InvalidArgumentError(SprongusError, ValueError):
    """An argument is outside what the call takes."""

    _code = "invalid_argument"


class MisuseError(SprongusError, RuntimeError):
    """The call itself is wrong here: a closed Store, a Store used inside its own transaction."""

    _code = "misuse"


class NotFoundError(SprongusError, LookupError):
    """No such thing, or it belongs to another project."""

    _code = "not_found"


class ValidationError(SprongusError, ValueError):
    """A document breaks its preset, or is not JSON; `errors` holds every violation."""

    _code = "validation"

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Each with `path` (a JSON Pointer), `keyword` and `message`; in bulk the `row`, and the `id` where it is known."""
        return self._listed("errors")


class ReservedFieldError(ValidationError):
    """A payload sets a field that belongs to the entry."""

    _code = "reserved_field"


class SecretDetectedError(ValidationError):
    """What looks like a credential stands where it would be stored."""

    _code = "secret_detected"


class TooLargeError(SprongusError, ValueError):
    """Larger than the limit named in the message."""

    _code = "too_large"


class ConflictError(SprongusError):
    """A unique value, an idempotency key or a version is taken."""

    _code = "conflict"


class InvalidStateError(SprongusError):
    """The state machine has no such transition."""

    _code = "invalid_state"


class LeaseLostError(SprongusError):
    """Another attempt holds the run now."""

    _code = "lease_lost"


class ReferencedError(ConflictError):
    """Something else refers to it; `referrers` names what."""

    _code = "referenced"

    @property
    def referrers(self) -> list[dict[str, Any]]:
        """Each with `table`, `id` and `field`."""
        return self._listed("referrers")


class PermissionDeniedError(SprongusError, PermissionError):
    """This handle may not do that."""

    _code = "permission_denied"


class RateLimitedError(SprongusError):
    """Over the rate given to this handle or kind."""

    _code = "rate_limited"
    _retryable = True


class BusyError(SprongusError):
    """The database stayed locked past the deadline."""

    _code = "busy"
    _retryable = True


class TimeoutError(SprongusError, builtins.TimeoutError):  # noqa: A001
    """The deadline of the call passed."""

    _code = "timeout"
    _retryable = True


class UnavailableError(SprongusError, ConnectionError):
    """The database cannot be reached."""

    _code = "unavailable"
    _retryable = True


class OutcomeUnknownError(SprongusError):
    """COMMIT broke and it cannot be told whether it took effect."""

    _code = "outcome_unknown"


class StorageError(SprongusError):
    """The database refused for a reason not listed here."""

    _code = "storage"


class StorageFullError(StorageError):
    """No room left."""

    _code = "storage_full"


class SplitBrainError(StorageError):
    """The write-ahead log was replaced under an open store: two SQLite copies in one process."""

    _code = "split_brain"


class CorruptError(StorageError):
    """The file is damaged or not a database."""

    _code = "corrupt"


class SchemaVersionError(SprongusError):
    """The schema is newer than this library, or older and not to be migrated."""

    _code = "schema_version"


class UnsupportedError(SprongusError):
    """Not available on this database or in this build."""

    _code = "unsupported"


class ForkedError(MisuseError):
    """The Store was opened before `os.fork()`; open another in the child."""

    _code = "forked"


class InternalError(SprongusError):
    """A bug of ours, caught at the border."""

    _code = "panic"


_BY_CODE: dict[str, type[SprongusError]] = {
    error._code: error for name in __all__ if (error := globals()[name]) is not SprongusError
}


def _of(code: str, message: str, details: Any, retryable: bool) -> SprongusError:
    """The error of that code, as the library raises it."""
    return _BY_CODE.get(code, SprongusError)(message, code=code, details=details, retryable=retryable)


def _at_item(index: int, error: Exception) -> Exception:
    """The same error, and which of many items it is about."""
    if isinstance(error, SprongusError):
        details = {**(error.details or {}), "item": index}
        return _of(error.code, f"item {index}: {error.message}", details, error.retryable)
    error.add_note(f"in item {index}")
    return error

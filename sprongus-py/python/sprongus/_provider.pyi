from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

class Provider(Protocol):
    read: bool
    write: bool
    def pull(self, project: str, table: str) -> Iterable[Mapping[str, Any]]: ...
    def push(self, project: str, table: str, changes: Mapping[str, Sequence[Any]]) -> None: ...

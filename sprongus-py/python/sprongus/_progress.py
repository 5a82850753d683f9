"""Bars for long work. Imported on first need."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Line:
    """A counter on standard error, where tqdm is not installed."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.shown = False

    def __call__(self, done: int, total: int | None) -> None:
        of = f" of {total}" if total is not None else ""
        print(f"\r{done}{of} {self.unit}", end="", file=sys.stderr, flush=True)
        self.shown = True

    def close(self) -> None:
        if self.shown:
            print(file=sys.stderr)


class _Bar:
    """A bar of tqdm's."""

    def __init__(self, bar: Any) -> None:
        self.bar = bar

    def __call__(self, done: int, total: int | None) -> None:
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


def bar(unit: str) -> _Line | _Bar:
    """What `progress=True` shows."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line(unit)
    return _Bar(tqdm(unit=f" {unit}"))

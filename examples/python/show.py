"""Plain output for the terminal: headings, tables and a progress bar."""

import json
import shutil
import sys
import time
import unicodedata
from collections.abc import Mapping, Sequence
from types import TracebackType

TERMINAL = sys.stdout.isatty()


def heading(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if TERMINAL else f"\n{text}")


def table(rows: Sequence[Mapping[str, object]], widest: int = 34) -> None:
    """Prints rows under their columns, as many columns as fit."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = {name: [name, *(cell(row.get(name)) for row in rows)] for name in names}
    widths = {name: min(widest, max(map(width, column))) for name, column in cells.items()}
    room = shutil.get_terminal_size((120, 24)).columns
    shown: list[str] = []
    for name in names:
        if shown and sum(widths[other] + 2 for other in shown) + widths[name] > room:
            break
        shown.append(name)
    for line in range(len(rows) + 1):
        print("  ".join(fitted(cells[name][line], widths[name]) for name in shown).rstrip())
        if line == 0:
            print("  ".join("─" * widths[name] for name in shown))
    if len(shown) < len(names):
        print(f"(and {len(names) - len(shown)} more columns)")


def cell(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.split())


def width(text: str) -> int:
    """Columns a text takes on a terminal: East Asian wide characters two, marks none."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def fitted(text: str, columns: int) -> str:
    if width(text) > columns:
        while width(text) > columns - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (columns - width(text))


class Progress:
    """A bar on a terminal; elsewhere a line every second and at the end."""

    def __init__(self, what: str) -> None:
        self.what, self.done, self.started, self.said = what, 0, time.monotonic(), 0.0
        self.total: int | None = None

    def update(self, done: int, total: int | None) -> None:
        self.done, self.total = done, total
        pause = 0.05 if TERMINAL else 1.0
        if time.monotonic() - self.said >= pause:
            self.said = time.monotonic()
            self.say()

    def say(self) -> None:
        share = min(1.0, self.done / self.total) if self.total else None
        count = f"{self.done:,}" + (f" of {self.total:,}" if self.total else "") + f" {self.what}"
        if not TERMINAL:
            print(f"  {count}", flush=True)
        elif share is None:
            print(f"\r  {count}\033[K", end="", flush=True)
        else:
            print(f"\r  {'█' * round(share * 30):░<30} {share:4.0%}  {count}\033[K", end="", flush=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if TERMINAL and self.done:
            self.say()
            print()
        if self.done and error is None:
            print(f"  {self.done:,} {self.what} in {time.monotonic() - self.started:.2f} s")

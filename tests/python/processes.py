"""Other processes, for what must not happen in this one."""

import subprocess
import sys
import textwrap
from typing import Any


def run(code: str, *arguments: Any, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs a script with `sys.argv[1:]` as given; its output is text."""
    script = ["-W", "error", "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(code)]
    done = subprocess.run(
        [sys.executable, *script, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False
    )
    if check:
        assert done.returncode == 0, done.stderr + done.stdout
    return done

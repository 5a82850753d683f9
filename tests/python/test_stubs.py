"""The stubs: they match the module, the face is as promised, and typed code checks."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = Path(__file__).resolve().parents[2] / "sprongus-py" / "python"


def checked(*arguments, cwd):
    environment = {**os.environ, "MYPYPATH": str(PACKAGE)}
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=cwd, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stubs_match_the_module(tmp_path):
    checked("mypy.stubtest", "--mypy-config-file", str(HERE / "mypy.ini"), "sprongus", cwd=tmp_path)


def test_the_package_and_typed_code_check(tmp_path):
    files = [str(HERE / "typed.py"), str(PACKAGE / "sprongus")]
    checked("mypy", "--config-file", str(HERE / "mypy.ini"), "--cache-dir", str(tmp_path), *files, cwd=tmp_path)

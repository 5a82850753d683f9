"""The example with the host's own table beside a run, on each database that several processes can open."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "python" / "orders.py"


def test_an_order_and_its_run_in_one_commit(shared_place, tmp_path):
    place = [shared_place.url, shared_place.options.get("schema", "public")]
    done = subprocess.run([sys.executable, EXAMPLE, *place], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["a-17 is paid", "a-18 was refused: nothing of it is there"]

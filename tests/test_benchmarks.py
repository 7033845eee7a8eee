"""The benchmarks run; their numbers are for whoever runs them, never a test."""

import subprocess
import sys

from mtlib.paths import repository


def test_sos_heads_runs_small():
    small = ["--tasks", "3", "--common", "4", "--specific", "2", "--batch", "5", "--repeats", "3"]
    script = repository() / "benchmarks" / "sos_heads.py"
    done = subprocess.run([sys.executable, script, *small], capture_output=True, text=True, check=True)
    assert "loop / batched" in done.stdout
    assert "batched / bare" in done.stdout

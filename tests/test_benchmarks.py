"""The benchmarks run; their numbers are for whoever runs them, never a test."""

import subprocess
import sys

from mtlib.paths import repository


def output(name, *arguments):
    script = repository() / "benchmarks" / name
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=True).stdout


def test_sos_heads_runs_small():
    small = ["--tasks", "3", "--common", "4", "--specific", "2", "--batch", "5", "--repeats", "3"]
    done = output("sos_heads.py", *small)
    assert "loop / batched" in done
    assert "batched / bare" in done


def test_fit_overhead_runs_small():
    small = ["--batch", "4", "--steps", "5", "--repeats", "2", "--threads", "1"]
    done = output("fit_overhead.py", *small, "--ways", "bfloat16", "channels_last")
    assert "fit / bare" in done
    assert "fit / bfloat16" in done
    assert "fit / channels_last" in done


def test_toy_ensemble_runs_small():
    small = ["--copies", "1", "2", "--repeats", "2", "--threads", "1", "--eager", "--models", "MT"]
    done = output("toy_ensemble.py", *small)
    assert "K = 2, eager" in done
    assert "losses and gradients" in done


def test_faces_runs_small():
    done = output("faces.py", "--sizes", "32", "--files", "6", "--batch", "3", "--repeats", "2", "--workers", "1")
    assert "6 files of 178 x 218" in done
    assert "32 px, draw on the CPU / jpeg" in done

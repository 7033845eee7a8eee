"""The benchmarks run; their numbers are for whoever runs them, never a test."""

import io
import json
import os
import runpy
import sys
from contextlib import redirect_stdout
from unittest import mock

import torch

from mtlib.datasets import examples
from mtlib.paths import repository


def output(name, *arguments, check=True, **environment):
    """What a script prints, run in this process: a new one would spend most of its time on importing torch."""
    script, threads = str(repository() / "benchmarks" / name), torch.get_num_threads()
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", [script, *arguments]),
        mock.patch.object(sys, "path", [str(repository() / "benchmarks"), *sys.path]),
        redirect_stdout(io.StringIO()) as said,
    ):
        try:
            runpy.run_path(script, run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code or 0
        finally:
            torch.set_num_threads(threads)
    assert code in ((0,) if check else (0, 1)), code
    return said.getvalue()


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


def test_task_graph_runs_small():
    done = output("task_graph.py", "--tasks", "5", "--repeats", "1")
    assert "cvxpy / own" in done


def test_weighting_runs_small():
    small = ["--tasks", "2", "--batch", "4", "--size", "32", "--repeats", "1"]
    done = output("weighting.py", *small, "--schemes", "AW", "GradNorm", "PCGrad")
    assert "T = 2, GradNorm: " in done
    assert "T = 2, PCGrad at the parameters: " in done
    assert "T = 2, PCGrad at the features: " in done


def test_weighting_dmm_writes_what_it_measured(tmp_path):
    file = tmp_path / "costs.json"
    done = output("weighting_dmm.py", "--batch", "4", "--repeats", "1", "--schemes", "DWA", "MGDA", "--to", str(file))
    assert "MGDA: " in done
    assert set(json.loads(file.read_text())["40"]) == {"DWA", "MGDA"}


def test_coupling_writes_what_it_measured(tmp_path):
    file = tmp_path / "costs.json"
    done = output("coupling.py", "--batch", "4", "--size", "32", "--repeats", "1", "--to", str(file), check=False)
    assert "7 x 17: " in done
    assert set(json.loads(file.read_text())["steps"]) == {"7 x 17", "200 x 312"}


def test_faces_runs_small():
    done = output("faces.py", "--sizes", "32", "--files", "6", "--batch", "3", "--repeats", "2", "--workers", "1")
    assert "6 files of 178 x 218" in done
    assert "32 px, draw on the CPU / jpeg" in done


def test_throughput_runs_small():
    small = ["--size", "32", "--batch", "4", "--steps", "6", "--repeats", "2", "--files", "9"]
    done = output("throughput.py", *small, "--workers", "1", "--threads", "1", check=False)
    assert "tiny, 32 px" in done
    assert "fit / bare" in done
    assert "fit / usual" in done


def test_throughput_tells_what_the_head_costs():
    small = ["--head", "--size", "16", "--batch", "4", "--steps", "6", "--repeats", "2", "--files", "5"]
    done = output("throughput.py", *small, "--threads", "1")
    assert "fc2: " in done
    for ratio in ("sos / linear", "sos / fc2", "fc2 / linear"):
        assert f"a step with {ratio}: " in done


def test_accuracy_runs_small(tmp_path):
    examples.write("mnist", tmp_path)
    done = output(
        "accuracy.py", "--sets", "mnist", "--seeds", "2", "--threads", "1", check=False, MTLIB_DATA=str(tmp_path)
    )
    assert "MNIST, as they are: LeNet-5, 12 epochs" in done
    assert "n = 2; slowest" in done


def test_every_damage_of_a_file_is_found():
    assert "0 missed" in output("faults.py", "--kind", "files", "--examples", "mnist", "celeba", "school")


def test_pair_search_writes_what_it_measured(tmp_path):
    file = tmp_path / "costs.json"
    small = ["--attributes", "4", "--faces", "256", "--repeats", "1", "--threads", "1", "--widths", "8"]
    assert "one by one over batched" in output("pair_search.py", *small, "--to", str(file))
    (found,) = json.loads(file.read_text()).values()
    assert found["networks"] == 6

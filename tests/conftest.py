"""What several tests share."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack

# Before numpy and torch start theirs, and for the processes that tests start: the suite runs on two workers, and two
# threads each on two cores spend most of their time waiting for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from torch import Tensor

torch.set_num_threads(1)
# For nbformat, jsonschema would compile the grammars of all kinds of addresses, more than a second in every process.
sys.modules.setdefault("rfc3987_syntax", None)


def _places(model):
    """(block, label) of the n tasks in the model's order."""
    return [(task.name, label) for task in model.tasks for label in task.labels]


def _views(model, of):
    """Every space and head of an SOS by name: {name: (weights per input, biases)}, as views of its parameters."""
    places, common, specific = _places(model), model.common, model.specific
    weight, bias = of(model.spaces.weight), of(model.spaces.bias)
    views = {("space", "common"): [weight[:common], bias[:common]]}
    for i, place in enumerate(places):
        rows = slice(common + i * specific, common + (i + 1) * specific)
        views["space", place] = [weight[rows], bias[rows]]
    for heads in model.heads:
        block = range(heads.block.start, heads.block.stop)
        shared = of(heads.common).view(len(block), heads.outputs, common)
        biases = of(heads.bias).view(len(block), heads.outputs)
        for t, i in enumerate(block):
            views["head", places[i]] = [shared[t], of(heads.specific)[t].T, biases[t]]
    for task, heads in zip(model.fake_tasks, model.fake, strict=True):
        columns = heads.columns.view(len(heads.sources), -1).tolist()
        shape = (len(heads.sources), len(columns[0]), heads.outputs)  # R M o
        shared, biases = of(heads.common).view(*shape, common), of(heads.bias).view(shape)
        own = of(heads.specific).view(shape[0], specific, *shape[1:])
        for r, source in enumerate(heads.sources):
            for m, column in enumerate(columns[r]):
                name = ("fake", places[source], (task.name, task.labels[column]))
                views[name] = [shared[r, m], own[r, :, m].T, biases[r, m]]
    return views


@pytest.fixture
def unpack():
    """unpack(model) -> {name: matrix}, one row per output: weights of the common space, of its own, bias.

    Names are ("space", task), ("head", task) and ("fake", source task, task that it is after), so that models
    whose tasks stand in another order can be compared. ``of`` takes something else than the values, a gradient.
    """

    def unpack(model, of=lambda parameter: parameter.detach()) -> dict[tuple, Tensor]:
        return {
            name: torch.cat([part if part.ndim == 2 else part.unsqueeze(1) for part in parts], 1).clone()
            for name, parts in _views(model, of).items()
        }

    return unpack


@pytest.fixture
def pack():
    """pack(model, matrices) writes what ``unpack`` gave into a model with the same tasks in any order."""

    def pack(model, matrices: dict[tuple, Tensor]) -> None:
        views = _views(model, lambda parameter: parameter.detach())
        assert set(views) == set(matrices)
        for name, parts in views.items():
            widths = [part.shape[1] if part.ndim == 2 else 1 for part in parts]
            for part, new in zip(parts, matrices[name].split(widths, 1), strict=True):
                part.copy_(new.view_as(part))

    return pack


# Each piece of code in a process of its own, forked where torch is imported already: that takes longest.
FORKS = """
import json
import os
import sys
import traceback

import torch

for line in sys.stdin:
    code, folder = json.loads(line)
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT), number)
    failed = 0
    try:
        exec(code, dict(globals()))
    except BaseException:
        traceback.print_exc()
        failed = 1
    sys.stdout.flush()
    os._exit(failed)
"""


@pytest.fixture(scope="module")
def forks(tmp_path_factory):
    """forks(before="")(code) -> a CompletedProcess of the code, in a process that has run ``before`` and has torch."""

    def forks(before=""):
        command = [sys.executable, "-W", "ignore", "-c", before + FORKS]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.enter_context(process)
        processes.callback(process.kill)

        def run(code):
            folder = tmp_path_factory.mktemp("fork")
            print(json.dumps([code, str(folder)]), file=process.stdin, flush=True)
            status = int(process.stdout.readline())
            return subprocess.CompletedProcess(code, status, *((folder / k).read_text() for k in ("stdout", "stderr")))

        return run

    with ExitStack() as processes:
        yield forks

"""Two processes that share every batch end where one ends that has it whole."""

import json
import os
import subprocess
import sys

import pytest
import torch

from mtlib import parallel
from mtlib.paths import repository

# Run by two processes, and by one: a LeNet with full labels, one with validation, checkpoint and a lopsided batch.
# ``train.py FOLDER`` under torchrun; ``train.py FOLDER STEP`` forks two processes, as importing takes longer than all
# that they do, twice: process 1 is interrupted after that update, then both go on; and last it trains alone.
SCRIPT = '''
import json
import os
import signal
import sys
from pathlib import Path

import torch._dynamo  # which training would import late, in every process
from torch.distributed.elastic.utils.distributed import get_free_port

from mtlib import parallel
from mtlib.controls import MultiTask
from mtlib.networks import lenet5
from mtlib.recipe import Recipe
from mtlib.seeds import generator, seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit
from mtlib.updates import Descend

torch.set_num_threads(1)
TASKS = (Task("b", "binary", 3), Task("c", "classes", 1, classes=4))
FOLDER = Path(sys.argv[1])
interrupt = 0


class Watched(Descend):
    """Keeps the first gradients, as the optimiser gets them."""

    gradients, made = None, 0

    def step(self, optimiser):
        super().step(optimiser)
        self.made += 1
        if self.made == interrupt and parallel.rank() == 1:
            os.kill(os.getpid(), signal.SIGINT)
        if self.gradients is None:
            self.gradients = [p.grad.clone() for p in self.method.parameters()]


def drawn():
    random = generator("images")
    x = torch.rand(40, 1, 28, 28, generator=random)
    y = {"b": torch.randint(0, 2, (40, 3), generator=random), "c": torch.randint(0, 4, (40, 1), generator=random)}
    return Dataset("drawn", TASKS, Split(x, y), Split(x, y), Split(x, y))


def work(device):
    with seeded("weights", parallel.rank()):  # process 1 begins elsewhere: process 0's weights are everybody's
        method = MultiTask(lenet5(), 84, TASKS).to(device)
    update, told, steps = Watched(), [], 5
    recipe = Recipe(steps=steps, batch=15, rate=0.05, optimiser="sgd", momentum=0.9, weight_decay=0.01)
    result = fit(
        *(method, drawn(), recipe, update),
        validate_every=2,
        checkpoint=FOLDER / f"{parallel.world()}.checkpoint",
        save_every=0,
        label="training",
        advance=told.append,
    )
    found = {
        "gradients": update.gradients,
        "values": method.state_dict(),
        "history": json.dumps(result.history),
        "best": result.best,
        "interrupted": result.interrupted,
        "told": told,
        "saved": parallel.rank() == 0 and (FOLDER / f"{parallel.world()}.checkpoint").exists(),
    }
    name = f"{parallel.rank()} of {parallel.world()}"
    torch.save(found, FOLDER / (f"{name}, interrupted" if interrupt else name))
    everybody = parallel.from_first(lambda: parallel.world() + 0.5)
    assert everybody == parallel.world() + 0.5
    assert parallel.anybody(parallel.rank() == 1, False) == [parallel.world() == 2, False]
    try:
        parallel.from_first(lambda: 1 / 0)
    except ZeroDivisionError:
        (FOLDER / f"raised in {parallel.rank()} of {parallel.world()}").touch()


def forked(rank, port):
    here = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in here.items()})
    parallel.run(work)


if __name__ == "__main__":
    for interrupt in [int(sys.argv[2]), 0] if len(sys.argv) > 2 else []:
        torch.multiprocessing.start_processes(forked, (get_free_port(),), nprocs=2, start_method="fork")
    parallel.run(work)
'''


def start(folder, *command, after=()):
    (folder / "train.py").write_text(SCRIPT)
    environment = {**os.environ, "MTLIB_HEADLESS": "1", "PYTHONPATH": str(repository()), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *command, folder / "train.py", folder, *after]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def forked(tmp_path_factory):
    """The folder with what two interrupted processes found, what they found when they went on, and one alone."""
    folder = tmp_path_factory.mktemp("forked")
    start(folder, after=["3"])
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory, forked):
    """What process 0 and 1 of two found, what one alone found, and what the two printed."""
    folder = tmp_path_factory.mktemp("runs")
    printed = start(folder, *TORCHRUN)
    found = [torch.load(path, weights_only=True) for path in (folder / "0 of 2", folder / "1 of 2", forked / "0 of 1")]
    return *found, printed, {path.name for path in (*folder.glob("raised *"), *forked.glob("raised * of 1"))}


def test_averaged_gradients_are_those_of_the_whole_batch(runs):  # of 7 and 8 rows
    first, second, alone, *_ = runs
    for a, b, whole in zip(first["gradients"], second["gradients"], alone["gradients"], strict=True):
        assert torch.equal(a, b)
        torch.testing.assert_close(a, whole, rtol=1e-4, atol=1e-6)


def test_parameters_after_training_are_those_of_one_process(runs):
    first, second, alone, *_ = runs
    for name, value in alone["values"].items():
        assert torch.equal(first["values"][name], second["values"][name])
        torch.testing.assert_close(first["values"][name], value, rtol=1e-4, atol=1e-6)


def test_history_and_validation_are_those_of_one_process(runs):
    first, second, alone, *_ = runs
    assert first["history"] == second["history"]
    assert first["best"] == second["best"] == alone["best"]
    for row, other in zip(json.loads(first["history"]), json.loads(alone["history"]), strict=True):
        assert row == pytest.approx(other, rel=1e-4)


def test_process_0_alone_shows_progress_and_writes_checkpoints(runs):
    first, second, alone, printed, _ = runs
    assert printed.count("· training: done") == 1
    assert first["told"] == alone["told"] == [1] * 5
    assert second["told"] == []
    assert first["saved"]
    assert not second["saved"]


def test_what_goes_wrong_in_process_0_is_raised_in_both(runs):
    assert runs[-1] == {"raised in 0 of 1", "raised in 0 of 2", "raised in 1 of 2"}


def test_when_one_process_is_interrupted_both_stop_and_resume_together(runs, forked):
    unbroken = json.loads(runs[0]["history"])
    for name in ("0 of 2", "1 of 2"):
        found = torch.load(forked / f"{name}, interrupted", weights_only=True)
        assert found["interrupted"]
        assert json.loads(found["history"]) == unbroken[:3]
        again = torch.load(forked / name, weights_only=True)
        assert not again["interrupted"]
        assert json.loads(again["history"]) == unbroken
        assert all(torch.equal(again["values"][key], value) for key, value in runs[0]["values"].items())


# ------------------------------------------------------------------ in one process, pretending


@pytest.mark.parametrize(("rows", "processes"), [(8, 2), (7, 2), (10, 4), (3, 3)])
def test_the_parts_of_a_batch_are_the_batch(monkeypatch, rows, processes):
    batch, parts = torch.randperm(rows), []
    monkeypatch.setattr(parallel, "world", lambda: processes)
    for rank in range(processes):
        monkeypatch.setattr(parallel, "rank", lambda rank=rank: rank)
        parts.append(parallel.part(batch))
    assert torch.equal(torch.cat(parts), batch)
    assert {len(part) for part in parts} <= {rows // processes, -(-rows // processes)}


def test_alone_nothing_is_exchanged():
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.ones(2)
    parallel.average([parameter], share=0.5)
    parallel.broadcast([parameter])
    assert parameter.grad.tolist() == [1, 1]
    assert parallel.mean(torch.ones(1), 0.5).item() == 1
    assert (parallel.world(), parallel.rank()) == (1, 0)
    assert parallel.anybody(True, False) == [True, False]
    assert parallel.from_first(lambda: 3) == 3

"""Is anything lost when training is killed, at any moment?

    python benchmarks/faults.py [--kills 30 --kind fit ensemble --seed 0]

Runs that save checkpoints are killed with SIGKILL at random moments, started again until they end, and compared with
a run that nobody disturbed: every parameter and buffer must be the same bit for bit, every checkpoint found must
load, and none may be older than the one before. Exit status 1 where anything was lost.
"""

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import Tensor, nn

from mtlib import ensemble, toy
from mtlib.controls import MultiTask
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.training import fit

# Much that a resumed run could get wrong: random numbers in a step, batch statistics, momentum, a schedule,
# validation. It saves so often that many kills fall into the writing.
STEPS, SAVE_EVERY = 300, 0.004


def by_fit(checkpoint: Path) -> dict[str, Tensor]:
    with seeded("weights", 0):
        trunk = nn.Sequential(mlp(2, 20), nn.BatchNorm1d(20), nn.Dropout(0.2), mlp(20, 20))
        method = MultiTask(trunk, 20, toy.TASKS)
    data = toy.make(8, 500, 100)
    data.validation = data.test
    result = fit(
        *(method, data, Recipe(steps=STEPS, rate=0.01)),
        validate_every=50,
        checkpoint=checkpoint,
        save_every=SAVE_EVERY,
    )
    history = torch.tensor([row["total"] for row in result.history], dtype=torch.double)
    return {**method.state_dict(), "history": history}


def by_ensemble(checkpoint: Path) -> dict[str, Tensor]:
    def build(copy: ensemble.Copy) -> MultiTask:
        with seeded("weights", copy.seed):
            trunk = nn.Sequential(mlp(2, 20), nn.BatchNorm1d(20), nn.Dropout(0.2), mlp(20, 20))
            return MultiTask(trunk, 20, toy.TASKS)

    copies = [ensemble.Copy(seed=seed) for seed in range(5)]
    recipe = Recipe(steps=10 * STEPS, rate=0.01)  # it can save every 64 steps only
    result = ensemble.fit(build, toy.make(8, 500, 100), copies, recipe, checkpoint=checkpoint, save_every=SAVE_EVERY)
    networks = enumerate(result.networks())
    ends = {f"{place} {name}": value for place, network in networks for name, value in network.state_dict().items()}
    return {**ends, "history": result.history}


Work = Callable[[Path], dict[str, Tensor]]  # trains with a checkpoint there, resumes from it, gives what it ends with
KINDS: dict[str, Work] = {"fit": by_fit, "ensemble": by_ensemble}


def child(kind: str, folder: Path, ready: Connection) -> None:
    torch.set_num_threads(1)
    ready.send(True)
    torch.save(KINDS[kind](folder / "checkpoint"), folder / "end")


def start(kind: str, folder: Path) -> multiprocessing.Process:
    """A training process, about to begin."""
    here, there = SERVER.Pipe(duplex=False)
    process = SERVER.Process(target=child, args=(kind, folder, there))
    process.start()
    here.recv()
    return process


def updates(checkpoint: Path) -> int:
    """How many updates a checkpoint is worth; a broken one raises."""
    return torch.load(checkpoint, weights_only=True)["state"]["step"] if checkpoint.exists() else 0


class Trial:
    """Kills of one kind of training, counted."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.kills = self.writing = self.runs = self.lost = 0
        self.places: set[int] = set()  # updates saved when a kill came
        undisturbed = self.begin("undisturbed")
        began = time.monotonic()
        self.reference = self.end(undisturbed)
        self.seconds = time.monotonic() - began

    def begin(self, name: str) -> tuple[Path, multiprocessing.Process]:
        folder = self.folder / f"{self.kind} {name}"
        folder.mkdir(exist_ok=True)
        return folder, start(self.kind, folder)

    def end(self, run: tuple[Path, multiprocessing.Process]) -> dict[str, Tensor]:
        folder, process = run
        process.join()
        if process.exitcode:
            raise RuntimeError(f"{self.kind}: a training process ended with {process.exitcode}")
        return torch.load(folder / "end", weights_only=True)

    def one_run(self, kills: int, moments: random.Random) -> None:
        """Kill one run up to so often, then let it end and compare."""
        name, reached = str(self.runs), 0
        for _ in range(kills):
            folder, process = self.begin(name)
            process.join(moments.uniform(0, self.seconds / 3))
            if not process.is_alive():
                break
            process.kill()
            process.join()
            self.kills += 1
            self.writing += any(folder.glob(".checkpoint.*"))
            found = updates(folder / "checkpoint")
            self.lost += found < reached
            reached = found
            self.places.add(found)
        end = self.end(self.begin(name))
        same = end.keys() == self.reference.keys() and all(torch.equal(end[k], self.reference[k]) for k in end)
        self.lost += not same
        self.runs += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30, help="of every kind")
    parser.add_argument("--kind", choices=KINDS, nargs="*", default=list(KINDS))
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    a = parser.parse_args()
    moments, lost = random.Random(a.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        for kind in a.kind:
            trial = Trial(kind, Path(folder))
            while trial.kills < a.kills:
                trial.one_run(a.kills - trial.kills, moments)
            lost += trial.lost
            print(
                f"{kind}: {trial.kills} kills ({trial.writing} while a checkpoint was written) in {trial.runs} runs of "
                f"{trial.seconds:.1f} s, at {len(trial.places)} places, {trial.lost} lost"
            )
    sys.exit(lost > 0)


# A server that has everything imported, what torch imports late too: what is killed is training, not its preparation.
SERVER = multiprocessing.get_context("forkserver")

if __name__ == "__main__":
    SERVER.set_forkserver_preload(["torch", "torch._dynamo", "mtlib.training", "mtlib.ensemble", "mtlib.controls"])
    main()

"""Two data bases in one network (SOS Sec. IV-A.3): does it pay to share where the tasks have nothing in common?

The unit is a cell: one arm (ST, MT or SOS) on one pair of data bases with one seed. A cell that is trained leaves its
scores in a file, one that was cut short its checkpoints.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd
import torch
from torch import nn

from mtlib.controls import MultiTask
from mtlib.experiments import jobs
from mtlib.experiments.two_sets_data import CHANNELS, PAIRS, SIZE, SOURCES, Given, load
from mtlib.method import Method
from mtlib.networks import Trunk, lenet5
from mtlib.recipe import Recipe
from mtlib.rows import Mixed
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.tasks import Dataset, Task
from mtlib.training import accuracy, fit

Module = TypeVar("Module", bound=nn.Module)

ARMS = ("ST", "MT", "SOS")
HALF = 50  # of the printed batch of 100, from each data base
RATE = 2e-4  # printed, constant
# Printed nowhere: 60 + 2 * 12 is the width of the layer that they replace, so MT is as wide as SOS (S-15).
COMMON, SPECIFIC = 60, 12
WEIGHTS = {"lambda_cs": 0.01, "lambda_ss": 0.01, "lambda_adv": 0.05, "lambda_disc": 0.05}  # printed


@dataclass(frozen=True)
class Cell:
    """A pair's letter, an arm, and a seed: of initial weights, order, the training subset and drawn faces."""

    pair: str
    arm: str
    seed: int

    @property
    def networks(self) -> int:
        """Two if they are separate."""
        return 2 if self.arm == "ST" else 1


def cells(pairs: Sequence[str], seeds: Sequence[int]) -> list[Cell]:
    """All cells, seed by seed, so that what is cut short has whole seeds."""
    return [Cell(pair, arm, seed) for seed in seeds for pair in pairs for arm in ARMS]


@dataclass(frozen=True)
class Plan:
    """How the cells are trained.

    Args:
        data: of each pair, by letter.  updates: of each pair, of every network.
        folder: where cells leave their files. A file does not know the training code: after a change to it, begin
            with an empty one.
        rate: constant.  made_by: who trains, such as a commit.
    """

    data: Mapping[str, Given]
    updates: Mapping[str, int]
    folder: Path
    rate: float = RATE
    made_by: str | None = None

    @property
    def recipe(self) -> Recipe:
        """Of all networks, but for the number of updates: Sec. IV-A.1."""
        return Recipe(batch=len(SOURCES) * HALF, rate=self.rate, schedule="constant")

    def cost(self, cell: Cell) -> int:
        """Updates of all networks of a cell."""
        return cell.networks * self.updates[cell.pair]

    def stem(self, cell: Cell) -> Path:
        """Where a cell leaves its files: named after all that decides its outcome, but not the training code."""
        data = replace(self.data[cell.pair], root="")  # wherever the files lie, the title says what they are
        sizes = (COMMON, SPECIFIC, WEIGHTS) if cell.arm == "SOS" else ()
        name = jobs.digest(self.recipe, self.updates[cell.pair], data, cell, sizes)
        return self.folder / f"two-sets-{name}"


def train(
    wanted: Sequence[Cell], plan: Plan, *, workers: int = 1, advance: Callable[[int], None] = jobs.nothing
) -> pd.DataFrame:
    """Train what is not trained yet; the scores of every cell.

    Args:
        wanted: cells.  plan: see Plan.
        workers: processes of one thread each; the outcome does not depend on their number.
        advance: told the updates done; by whole cells if there are several workers.

    Returns:
        Two rows per cell, one per data base: pair, data base, arm, seed, made by, accuracy (per cent, test).
    """
    rows = jobs.run_all(wanted, partial(run, plan), plan.cost, workers, advance)
    place = {cell: i for i, cell in enumerate(wanted)}
    rows.sort(key=lambda row: place[Cell(row["pair"], row["arm"], row["seed"])])  # whatever order they ended in
    return pd.DataFrame(rows)


def run(plan: Plan, cell: Cell, advance: Callable[[int], None] = jobs.nothing) -> list[dict]:
    """The rows of one cell, from its file if it is done."""
    finished = plan.stem(cell).with_suffix(".json")
    if finished.exists():
        advance(plan.cost(cell))
    return jobs.once(finished, partial(_rows, plan, cell, advance))


def _rows(plan: Plan, cell: Cell, advance: Callable[[int], None]) -> list[dict]:
    torch.set_num_threads(1)  # one process per core serves better, and results do not depend on the cores
    data = load(plan.data[cell.pair], cell.seed)
    recipe = replace(plan.recipe, steps=plan.updates[cell.pair])
    found, checkpoints = [], []
    for place, network in enumerate(build(cell, data.tasks)):
        checkpoints.append(plan.stem(cell).with_suffix(f".{place}.pt"))
        sizes = {SOURCES[place]: HALF} if cell.arm == "ST" else dict.fromkeys(SOURCES, HALF)
        result = fit(
            network.to(plan.data[cell.pair].device),
            data,
            recipe,
            rows=Mixed(data.train.source, sizes, cell.seed),
            seed=cell.seed,
            checkpoint=checkpoints[-1],
            advance=advance,
        )
        if result.interrupted:
            raise KeyboardInterrupt
        found += accuracy(network, data.test).values()
    rows = [
        {"pair": cell.pair, "data base": role, "arm": cell.arm, "seed": cell.seed, "made by": plan.made_by}
        | {"accuracy": round(100 * share, 3)}
        for role, share in zip(PAIRS[cell.pair].roles, found, strict=True)
    ]
    for path in checkpoints:
        path.unlink()
    return rows


def build(cell: Cell, tasks: Sequence[Task]) -> list[Method]:
    """The networks of a cell. Convolutions of one seed begin with the same weights in all arms.

    ST: a LeNet-5 for each task; it draws the same rows of its data base, in the same order, as the mixed batches have.
    MT: one LeNet-5 with two heads.  SOS: the common and the two specific spaces in place of its layer of 84 units.

    Raises:
        ValueError: another arm.
    """
    if cell.arm not in ARMS:
        raise ValueError(f"an arm is one of {', '.join(ARMS)}, got {cell.arm!r}")
    groups = [[task] for task in tasks] if cell.arm == "ST" else [tasks]
    networks = []
    for group in groups:
        with seeded("two sets", "initial weights", cell.seed):
            trunk = lenet5(CHANNELS, SIZE)
            if cell.arm == "SOS":
                trunk = keep_signal(convolutions(trunk))
                networks.append(SOS(trunk, trunk.features, group, COMMON, SPECIFIC, **WEIGHTS))
                keep_signal(networks[-1].spaces)
            else:
                networks.append(MultiTask(keep_signal(trunk), trunk.features, group))
    return networks


def keep_signal(module: Module) -> Module:
    """Initial weights of variance 1 / inputs (LeCun et al. 1998), three times that of torch's own, and no shifts.

    With torch's own, LeNet-5's features begin with a variance of 1e-4. Near ``EPS``, which guards a correlation against
    features without variance, soft orthogonality is had by shrinking: on pilot seeds the spaces fell silent, and for
    hundreds of updates the digits were not learned.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
            nn.init.zeros_(layer.bias)
    return module


def convolutions(trunk: Trunk) -> Trunk:
    """LeNet-5 without its layer of 84: (B, 3, 32, 32) to (B, 120), what the third convolution gives."""
    return Trunk(trunk.body, trunk.neck[:3], trunk.channels, 120)


def sizes(data: Dataset) -> dict[str, tuple[int, int]]:
    """{arm: parameters that predict, and those of the fake heads, which are thrown away after training}."""
    found = {}
    for arm in ARMS:
        networks = build(Cell("a", arm, 0), data.tasks)
        fake = sum(p.numel() for network in networks if isinstance(network, SOS) for p in network.fake.parameters())
        found[arm] = sum(p.numel() for network in networks for p in network.parameters()) - fake, fake
    return found

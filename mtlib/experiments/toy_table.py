"""Table I of SOS with error bars: every set, model, control, ablation and reading, hundreds of networks at once.

The unit is a *cell*: one arm (a model and how the print is read) on one set with one seed. Cells of one architecture
train together in jobs; a job that is done leaves its scores in a file, one that was cut short its checkpoint.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from mtlib import ensemble, toy
from mtlib.ensemble import Copy
from mtlib.experiments import probes, sos_toy
from mtlib.experiments.jobs import Advance, digest, nothing, once, run_all
from mtlib.method import Method
from mtlib.recipe import Recipe
from mtlib.sos import SOS, Reading
from mtlib.tasks import Dataset

TOGETHER = 100  # networks in a job on a processor: more leave its cache and are no faster


@dataclass(frozen=True)
class Arm:
    """A column of the table.

    Args:
        model: what ``sos_toy.build`` makes.  weights: loss weights that differ from the printed 0.01.
        spaces: the reading S-24 of the orthogonality terms, for SOS.  plane: S-10 and S-11, how the sets are drawn.
        sets: where it differs from the default arm; elsewhere it need not be trained.
    """

    model: str
    weights: Mapping[str, float] = field(default_factory=dict)
    spaces: str = "linear"
    plane: toy.Reading = toy.DEFAULT
    sets: Sequence[int] = tuple(toy.SETS)


MODELS = {"ST": Arm("ST"), "MT": Arm("MT"), "SOS": Arm("SOS"), "MT wide": Arm("MT wide")}
OFF = {"lambda_cs": 0.0, "lambda_ss": 0.0, "lambda_adv": 0.0, "lambda_disc": 0.0}
ABLATIONS = {
    "without (4)": Arm("SOS", {"lambda_cs": 0.0}),
    "without (5)": Arm("SOS", {"lambda_ss": 0.0}),
    "without (6)": Arm("SOS", {"lambda_adv": 0.0}),
    "without (7)": Arm("SOS", {"lambda_disc": 0.0}),
    "without all": Arm("SOS", OFF),
}
RINGS = (5, 6, 7, 8, 9, 10)  # the sets with a donut
PLANES = {  # S-10: a ring twice as wide; its one offset along the other coordinate, or along both
    "band ε": (toy.Reading(band="full"), RINGS),
    "offset x¹": (toy.Reading(offset="x1"), (6,)),  # elsewhere it only swaps the coordinates
    "offset both": (toy.Reading(offset="both"), (6, 9, 10)),
}
READINGS = {"SOS, spaces after ReLU": Arm("SOS", spaces="relu")} | {
    f"{model}, {name}": Arm(model, plane=plane, sets=sets)
    for name, (plane, sets) in PLANES.items()
    for model in ("ST", "MT", "SOS")
}
ARMS = MODELS | ABLATIONS | READINGS


@dataclass(frozen=True)
class Cell:
    """One network to train: an arm, a set, a seed that redraws data, initial weights and order."""

    arm: str
    number: int
    seed: int


def cells(sets: Sequence[int], seeds: Mapping[str, Sequence[int]]) -> list[Cell]:
    """All cells of some sets, arms in the order of ``seeds``, which gives each arm's seeds."""
    return [
        Cell(arm, number, seed)
        for arm, own in seeds.items()
        for number in sets
        if number in ARMS[arm].sets
        for seed in own
    ]


def jobs(wanted: Sequence[Cell], most: int = TOGETHER) -> list[list[Cell]]:
    """Cells grouped by program (model and reading of its spaces), at most ``most`` to a job, in the order given."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in wanted:
        arm = ARMS[cell.arm]
        groups.setdefault((arm.model, arm.spaces), []).append(cell)
    return [group[i : i + most] for group in groups.values() for i in range(0, len(group), most)]


@dataclass(frozen=True)
class Plan:
    """How the cells are trained.

    Args:
        recipe: for all.  made_by: who trains, such as a commit.  device: where.
        folder: where jobs leave their files. A file says who trained it, but not how: after a change to the training
            code, begin with an empty one.
    """

    recipe: Recipe
    folder: Path
    made_by: str | None = None
    device: str = "cpu"

    def stem(self, job: Sequence[Cell]) -> Path:
        """Where a job leaves its files: named after all that decides its outcome."""
        name = digest(asdict(self.recipe), list(job), [ARMS[cell.arm] for cell in job])
        return self.folder / f"{ARMS[job[0].arm].model.replace(' ', '-')}-{name}"


def train(
    wanted: Sequence[Cell],
    plan: Plan,
    *,
    workers: int = 1,
    advance: Advance = nothing,
) -> pd.DataFrame:
    """Train what is not trained yet; the scores of every cell.

    Args:
        wanted: cells.  plan: see Plan.
        workers: processes of one thread each; the outcome does not depend on their number.
        advance: told the updates done; by whole jobs if there are several workers.

    Returns:
        One row per cell: set, arm, seed, task 1, task 2, average (per cent), made by, frozen (why, if it diverged);
        for SOS the probes' accuracies, see ``probes.columns``.
    """
    todo = jobs(wanted, TOGETHER if plan.device == "cpu" else len(wanted))
    rows = run_all(todo, partial(run_job, plan=plan), lambda job: len(job) * plan.recipe.steps, workers, advance)
    return _table(wanted, rows)


def run_job(job: Sequence[Cell], plan: Plan, advance: Advance = nothing) -> list[dict]:
    """The rows of one job, from its file if it is done."""
    stem = plan.stem(job)
    finished = stem.with_suffix(".json")
    if finished.exists():
        advance(len(job) * plan.recipe.steps)
    return once(finished, lambda: _trained(job, plan, stem.with_suffix(".pt"), advance))


def _trained(job: Sequence[Cell], plan: Plan, checkpoint: Path, advance: Advance) -> list[dict]:
    torch.set_num_threads(1)  # one process per core serves better, and results do not depend on the cores
    keys = list(dict.fromkeys((cell.number, ARMS[cell.arm].plane, cell.seed) for cell in job))
    data = [toy.make(number, seed=seed, reading=plane, device=plan.device) for number, plane, seed in keys]
    copies = [
        Copy(
            seed=cell.seed,
            data=keys.index((cell.number, ARMS[cell.arm].plane, cell.seed)),
            settings={"arm": cell.arm},
        )
        for cell in job
    ]
    result = ensemble.fit(
        lambda copy: build(copy).to(plan.device),
        data,
        copies,
        plan.recipe,
        checkpoint=checkpoint,
        logged=10,
        advance=advance,
    )
    if result.interrupted:
        raise KeyboardInterrupt
    rows = [
        {**row, "made by": plan.made_by, "frozen": result.frozen.get(place)}
        for place, row in enumerate(_rows(job, copies, data, result.networks()))
    ]
    checkpoint.unlink()
    return rows


def build(copy: Copy) -> Method:
    """A copy's network. All arms of a model start from the same weights for the same seed."""
    arm = ARMS[copy.settings["arm"]]
    settings = dict(arm.weights)
    if arm.spaces != "linear":
        settings["reading"] = Reading(spaces=arm.spaces)
    return sos_toy.initial(arm.model, copy.seed, **settings)


def _rows(
    job: Sequence[Cell], copies: Sequence[Copy], data: Sequence[Dataset], networks: Iterator[Method]
) -> Iterator[dict]:
    """The scores of each trained network."""
    for cell, copy, network in zip(job, copies, networks, strict=True):
        row = {"set": cell.number, "arm": cell.arm, "seed": cell.seed, **sos_toy.scored(network, data[copy.data])}
        yield row | (probes.scores(network, data[copy.data]) if isinstance(network, SOS) else {})


def _table(wanted: Sequence[Cell], rows: Sequence[dict]) -> pd.DataFrame:
    """The rows in the order of the cells, whatever order the jobs ended in."""
    place = {cell: i for i, cell in enumerate(wanted)}
    return pd.DataFrame(sorted(rows, key=lambda row: place[Cell(row["arm"], row["set"], row["seed"])]))

"""Table II of SOS and SOS-SE: forty attributes from grey faces, every row on several seeds, drawn or CelebA.

The unit is a cell: one arm (a row of the table, or a setting beside it) with one seed. A cell that is trained leaves
its scores in a file, one that was cut short its checkpoint.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from mtlib import datasets
from mtlib.datasets.registry import DRAWN
from mtlib.experiments import face_scores, jobs
from mtlib.experiments.face_scores import TASK
from mtlib.faces.data import labels, numbers
from mtlib.method import Method
from mtlib.metrics.correlations import balanced_correlation, correlation
from mtlib.networks import cnn8
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.sos import SOS, Reading
from mtlib.sos_se import SOSSE
from mtlib.tasks import Dataset, Task
from mtlib.training import fit
from mtlib.updates import Descend, Separate, Update

FEATURES = 1024  # of CNN8
MANY = 100_000  # drawn people whose labels stand for the population
SOFT, GAME = 0.01, 0.05  # the printed weights of (4) and (5), of (6) and (7)
NAMES = ("lambda_cs", "lambda_ss", "lambda_adv", "lambda_disc")


@dataclass(frozen=True)
class Arm:
    """One setting.

    Args:
        common, specific: C and S; S = 0 is plain multi-task learning.
        weights: of Eqs. (4), (5), (6), (7).
        network: CNN8 with the head on top, or SOS-SE, which has a head in every block.
        heads_follow: let Eq. (6) train the fake heads (S-7 ii).
        sgd: train the fake heads by plain SGD at this rate instead of with all others (S-6).
        few: needed with few seeds only.
    """

    common: int = 512
    specific: int = 32
    weights: tuple[float, float, float, float] = (SOFT, SOFT, GAME, GAME)
    network: Literal["CNN8", "SOS-SE"] = "CNN8"
    heads_follow: bool = False
    sgd: float = 0.0
    few: bool = False

    @property
    def settings(self) -> dict[str, object]:
        """Arguments of ``SOS`` and ``SOSSE``."""
        reading = {"reading": Reading(semantic_reaches_heads=True)} if self.heads_follow else {}
        sizes = {"common": self.common, "specific": self.specific}
        return sizes | dict(zip(NAMES, self.weights, strict=True)) | reading


# The rows of Table II from the top; the ninth is the sixth again.
TABLE = {
    "MT": Arm(1792, 0, (0, 0, 0, 0)),
    "SOS, no terms": Arm(weights=(0, 0, 0, 0)),
    "SOS, (4)": Arm(weights=(SOFT, 0, 0, 0)),
    "SOS, (4)–(5)": Arm(weights=(SOFT, SOFT, 0, 0)),
    "SOS, (4)–(6)": Arm(weights=(SOFT, SOFT, GAME, 0)),
    "SOS": Arm(),
    "SOS(32, 44)": Arm(32, 44),
    "SOS(256, 40)": Arm(256, 40),
    "SOS(1024, 20)": Arm(1024, 20),
    "SOS(1472, 8)": Arm(1472, 8),
}
ROWS = (
    "MT",
    "SOS, no terms",
    "SOS, (4)",
    "SOS, (4)–(5)",
    "SOS, (4)–(6)",
    "SOS",
    *list(TABLE)[6:8],
    "SOS",
    *list(TABLE)[8:],
)
SE = {"SOS-SE": Arm(network="SOS-SE")}
WEIGHTS = {f"SOS, λ = {x:g}": Arm(weights=(SOFT, SOFT, x, x), few=True) for x in (0.2, 1.0)}
FOLLOW = {"SOS, (4)–(6), heads follow": Arm(weights=(SOFT, SOFT, GAME, 0), heads_follow=True, few=True)}
# A fake head's gradient is 1/1560 of the mean's: at this rate, a weight of 0.05 gives it a step of 0.1.
SGD_RATE = 0.1 * 1560 / GAME
SGD = {f"SOS, SGD, λ = {x:g}": Arm(weights=(SOFT, SOFT, GAME, x), sgd=SGD_RATE, few=True) for x in (0.005, 0.05, 0.5)}
# Does what (4) costs shrink with its weight, and with it the floor that no batch gets below (S-3)?
LIGHT = {"SOS, (4), λ = 0.001": Arm(weights=(SOFT / 10, 0, 0, 0), few=True)}
ARMS = TABLE | SE | WEIGHTS | LIGHT | FOLLOW | SGD


@dataclass(frozen=True)
class Cell:
    """One network to train: an arm and a seed, which redraws initial weights, order and, if they are drawn, faces."""

    arm: str
    seed: int


def cells(seeds: Mapping[str, Sequence[int]]) -> list[Cell]:
    """All cells, seed by seed, so that what is cut short has whole seeds: {arm: its seeds} in the arms' order."""
    every = list(dict.fromkeys(seed for own in seeds.values() for seed in own))
    return [Cell(arm, seed) for seed in every for arm, own in seeds.items() if seed in own]


@dataclass(frozen=True)
class Plan:
    """How the cells are trained.

    Args:
        recipe: for all.  folder: where cells leave their files.
        data: name of the set for ``datasets.load``, drawn faces or CelebA.  root: folder of real sets.
        size: pixels.  train, test: faces; None for all of CelebA's.
        made_by: who trains, such as a commit.  device: where.
    """

    recipe: Recipe
    folder: Path
    data: str = DRAWN
    root: str | None = None
    size: int = 32
    train: int | None = 8192
    test: int | None = 4096
    made_by: str | None = None
    device: str = "cpu"

    def stem(self, cell: Cell) -> Path:
        """Where a cell leaves its files: named after all that decides its outcome, but not the training code."""
        sizes = (self.data, self.size, self.train, self.test)
        name = jobs.digest(self.recipe, sizes, cell, ARMS[cell.arm], self.device)
        return self.folder / f"faces-{name}"


@lru_cache(maxsize=1)  # cells come seed by seed
def load(plan: Plan, seed: int, channels: int = 1) -> Dataset:
    """Grey faces, or in colour with 3 channels: CelebA's are the same for every seed."""
    own = {"seed": seed} if plan.data == DRAWN else {"root": plan.root}
    own |= {"train": plan.train, "validation": 1, "test": plan.test}  # nothing is validated
    return datasets.load(plan.data, size=plan.size, channels=channels, tasks=(TASK,), device=plan.device, **own)


@lru_cache(maxsize=1)
def population(plan: Plan, seed: int) -> dict[str, Tensor]:
    """The label correlations (40, 40) behind the faces: of many drawn people, or of CelebA's training labels (S-26)."""
    drawn = plan.data == DRAWN
    y = labels(numbers("train", MANY), seed)[TASK] if drawn else load(plan, seed).train.y[TASK].cpu()
    return {"plain": correlation(y), "balanced": balanced_correlation(y)}


def build(arm: Arm, size: int, tasks: Sequence[Task], seed: int) -> Method:
    """An arm's network with its initial weights; the trunk's are the same for all arms on CNN8."""
    with seeded("faces", "trunk", seed):
        trunk = cnn8(1, size, FEATURES) if arm.network == "CNN8" else None
    with seeded("faces", "head", seed):
        if trunk is None:
            return SOSSE(tasks, channels=1, **arm.settings)
        return SOS(trunk, FEATURES, tasks, **arm.settings)


def train(
    wanted: Sequence[Cell],
    plan: Plan,
    *,
    workers: int = 1,
    advance: jobs.Advance = jobs.nothing,
    run: Callable[..., list[dict]] | None = None,
) -> list[dict]:
    """Train what is not trained yet; the scores of every cell in the order given, see ``face_scores.scores``.

    Args:
        workers: processes of one thread each; the outcome does not depend on their number.
        advance: told the updates done; by whole cells if there are several workers.
        run: ``run_cell``, or another module's.
    """
    updates = total(plan, 1)
    rows = jobs.run_all(wanted, partial(run or run_cell, plan=plan), lambda cell: updates, workers, advance)
    place = {cell: i for i, cell in enumerate(wanted)}
    return sorted(rows, key=lambda row: place[Cell(row["arm"], row["seed"])])


def total(plan: Plan, cells: int) -> int:
    """Updates of so many cells."""
    return cells * plan.recipe.resolved(max(1, (plan.train or 162_770) // plan.recipe.batch)).steps


Trained = Callable[[Cell, Plan, Path, jobs.Advance], dict]


def run_cell(
    cell: Cell, plan: Plan, advance: jobs.Advance = jobs.nothing, trained: Trained | None = None
) -> list[dict]:
    """One row, from its file if the cell is done; else of ``trained(cell, plan, checkpoint, advance)``."""
    stem = plan.stem(cell)
    finished = stem.with_suffix(".json")
    if finished.exists():
        advance(total(plan, 1))
    return jobs.once(finished, lambda: [(trained or _trained)(cell, plan, stem.with_suffix(".pt"), advance)])


def _trained(cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance) -> dict:
    torch.set_num_threads(1)  # one process per core serves better, and results do not depend on the cores
    data, arm = load(plan, cell.seed), ARMS[cell.arm]
    method = build(arm, plan.size, data.tasks, cell.seed).to(plan.device)
    update = Separate(Recipe(optimiser="sgd", rate=arm.sgd)) if arm.sgd else Descend()
    row, history = fitted(cell, plan, method, data, update, checkpoint, advance)
    if not row["diverged"]:
        row |= face_scores.scores(method, data, population(plan, cell.seed)) | {"losses": face_scores.last(history)}
        checkpoint.unlink(missing_ok=True)
    return row


def begun(cell: Cell, plan: Plan) -> dict:
    """The beginning of a cell's row: what it is, how it was made, and that it did not diverge."""
    same = {"data": plan.data, "size": plan.size, "made by": plan.made_by}
    return {"arm": cell.arm, "seed": cell.seed} | same | {"diverged": None}


def fitted(
    cell: Cell,
    plan: Plan,
    method: Method,
    data: Dataset,
    update: Update,
    checkpoint: Path,
    advance: jobs.Advance,
    **options: Any,
) -> tuple[dict, list[dict[str, float]]]:
    """Train a cell's method: the beginning of its row, and the history, which is empty where it diverged.

    Args:
        options: further ones of ``training.fit``: which rows each batch has, how it is validated.

    Raises:
        KeyboardInterrupt: stopped before the end.
    """
    row, settings = begun(cell, plan), {"checkpoint": checkpoint, "save_every": 300, "advance": advance}
    try:
        result = fit(method, data, plan.recipe, update, seed=cell.seed, **settings, **options)
    except FloatingPointError as error:  # a finding about the arm, not a fault
        return row | {"diverged": str(error)}, []
    if result.interrupted:
        raise KeyboardInterrupt  # half a network must not be scored
    return row, result.history

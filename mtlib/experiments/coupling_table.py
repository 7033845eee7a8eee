"""Distribution matching on faces, several seeds: expressions on one part of the images, action units on another.

The unit is a job: one arm with one seed at one learning rate, in files of its own as in ``face_table``. Drawn faces are
chosen so that every expression is equally common, in all splits: else two thirds would be neutral or happy, and a
network that names these two would look good. Real sets are taken as they are.

Every step sees as many labels of either task (``LABELS``), whatever the sizes of the parts: an image that has both
counts for both. So networks of one task see exactly the images that the others see of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import torch
from torch import Tensor

from mtlib import datasets
from mtlib.annotate import annotate
from mtlib.datasets.registry import DRAWN
from mtlib.experiments import coupling_scores, face_table, jobs, tuned
from mtlib.experiments.coupling_arms import ALONE, ARMS, EXPRESSION, MAP, RATES, SIZES, UNITS, build
from mtlib.experiments.face_table import Cell, total
from mtlib.experiments.tuned import Job
from mtlib.faces.data import AT_ONCE, FIRST, TASKS, Drawn, labels
from mtlib.faces.names import EXPRESSIONS
from mtlib.faces.population import RANGE
from mtlib.method import Method
from mtlib.networks import Trunk, trunk
from mtlib.recipe import Recipe
from mtlib.rows import Mixed, Rows
from mtlib.tasks import Dataset, Split
from mtlib.updates import Descend

LABELS = 32  # of either task in a batch
BATCH = 2 * LABELS
RATE = 2e-3  # of demonstrations, which are not tuned


@dataclass(frozen=True)
class Plan(face_table.Plan):
    """How the networks are trained; further arguments as in ``face_table.Plan``.

    Args:
        train: images with labels of each task.
        data: drawn faces, or a set (or a mixture of two) with the tasks ``expression`` and ``action_units``.
        validation: images for the search.
        network: the trunk's name.
    """

    validation: int | None = 1024
    network: str = "small"

    def stem(self, cell: Cell) -> Path:
        """Where a cell leaves its files: named after all that decides its outcome, but not the training code."""
        sizes = (self.data, self.size, self.train, self.validation, self.test, self.network)
        return self.folder / f"coupling-{jobs.digest(self.recipe, sizes, cell, ARMS[cell.arm], self.device)}"

    def trunk(self) -> Trunk:
        """A new trunk."""
        return trunk(self.network, 3, self.size)

    def at(self, rate: float) -> "Plan":
        """The same at another learning rate."""
        return replace(self, recipe=replace(self.recipe, rate=rate))


@dataclass(frozen=True)
class Profile:
    """How much a notebook trains: pixels, images per task, updates, seeds, and seeds of arms that need few."""

    size: int
    train: int
    validation: int
    test: int
    updates: int
    seeds: int
    few: int
    network: str = "small"

    def plan(self, folder: Path, *, data: str, root: str | None, made_by: str | None, device: str) -> Plan:
        """The plan, at the rate of runs that are not tuned."""
        recipe = Recipe(steps=self.updates, batch=BATCH, rate=RATE)
        built = {"validation": self.validation, "network": self.network}
        return Plan(recipe, folder, data, root, self.size, self.train, self.test, made_by, device, **built)


PROFILES = {
    "smoke": Profile(32, 64, 70, 70, 4, 2, 2),
    "quick": Profile(32, 768, 70, 700, 120, 2, 2),
    "standard": Profile(48, 2048, 1024, 2048, 400, 5, 3),
    "paper": Profile(112, 15_000, 4_000, 4_000, 20_000, 5, 3, "resnet50"),
}


def profile(name: str, *, train: int = 0, updates: int = 0, seeds: int = 0) -> Profile:
    """A notebook's profile with what was asked for instead; 0 takes the profile's."""
    found = PROFILES[name]
    few = min(found.few, seeds) if seeds else found.few
    asked = {"train": train or found.train, "updates": updates or found.updates, "seeds": seeds or found.seeds}
    return replace(found, **asked, few=few)


# ------------------------------------------------------------------ images


@lru_cache(maxsize=1)  # jobs come seed by seed
def load(plan: Plan, seed: int) -> Dataset:
    """All images with all labels that there are: real ones are the same for every seed.

    Raises:
        ValueError: a set without these two tasks, or with other expressions.
    """
    names = (EXPRESSION, UNITS)
    if plan.data == DRAWN:
        return drawn(plan, seed)
    counts = {"train": None, "validation": plan.validation, "test": plan.test}
    data = datasets.load(
        plan.data, root=plan.root, size=plan.size, channels=3, tasks=names, device=plan.device, **counts
    )
    classes = next(task.classes for task in data.tasks if task.name == EXPRESSION)
    if classes != len(EXPRESSIONS):
        raise ValueError(
            f"{plan.data}: {classes} expressions; relations are known of {', '.join(EXPRESSIONS)}, in this order"
        )
    return data


def drawn(plan: Plan, seed: int) -> Dataset:
    """Drawn faces, every expression equally often: twice the plan's ``train``, as parts may not overlap."""
    splits = {}
    for name, n in {"train": 2 * plan.train, "validation": plan.validation, "test": plan.test}.items():
        index = equally(name, n, seed)
        faces = Drawn(index, seed, plan.size)
        x = torch.cat([faces[part] for part in torch.arange(n).split(512)]).to(plan.device)
        y = labels(index, seed, (EXPRESSION, UNITS))
        splits[name] = Split(x, {task: own.to(plan.device) for task, own in y.items()})
    title = f"drawn faces, {plan.size} pixels, every expression equally often, seed {seed}"
    return Dataset(title, (TASKS[EXPRESSION], TASKS[UNITS]), **splits)


def equally(split: str, n: int, seed: int) -> Tensor:
    """(n,) numbers of a split's first faces, the expressions by turns; nothing is painted."""
    each, start = -(-n // len(EXPRESSIONS)), FIRST[split]
    found: list[list[int]] = [[] for _ in EXPRESSIONS]
    while min(map(len, found)) < each:
        index = torch.arange(start, min(start + AT_ONCE, FIRST[split] + RANGE))
        shown = labels(index, seed, (EXPRESSION,))[EXPRESSION].squeeze(1)
        for k, own in enumerate(found):
            own += index[shown == k].tolist()
        start += AT_ONCE
    return torch.tensor([own[:each] for own in found]).T.flatten()[:n]


def parted(plan: Plan, seed: int, expression: float = 1.0, units: float = 1.0, overlap: float = 0.0) -> Dataset:
    """The images with their labels taken away: ``expression`` and ``units`` of the plan's number keep those of a task.

    Args:
        overlap: share of the smaller part's images that keep both.

    Raises:
        ValueError: sizes of a mixture of sets, which has its own parts.
    """
    data = load(plan, seed)
    if data.train.source is not None:
        if (expression, units, overlap) != (1.0, 1.0, 0.0):
            raise ValueError(
                f"{data.name}: a mixture of sets has its parts already; sizes and overlap cannot be chosen"
            )
        return data
    n = min(plan.train, len(data.train) // 2)
    sizes = {EXPRESSION: max(1, round(expression * n)), UNITS: max(1, round(units * n))}
    return annotate(data, sizes, overlap, seed=seed)


def possible(plan: Plan, seed: int) -> list[str]:
    """The arms that the data allow: the true table is the drawn faces', and parts that are given cannot be chosen."""
    given = load(plan, seed).train.source is not None
    return [
        name
        for name, arm in ARMS.items()
        if (plan.data == DRAWN or arm.relations != "true") and not (given and name in (*MAP, *SIZES))
    ]


def rows_of(learns: str, data: Dataset, overlap: float, seed: int) -> Rows:
    """Batches with ``LABELS`` labels of each task that is learned: those with both, and those of one alone."""
    both = round(overlap * LABELS)
    sizes = {0: both, 1: LABELS - both, 2: LABELS - both}
    left_out = {"expression": 2, "action_units": 1}.get(learns)
    have = data.train.source.bincount(minlength=3).tolist()
    sizes = {source: min(n, have[source]) for source, n in sizes.items() if n and source != left_out and have[source]}
    return Mixed(data.train.source, sizes, seed)


# ------------------------------------------------------------------ tuning and training


def trials(arms: Sequence[str]) -> list[Job]:
    """What the search trains, see ``tuned.trials``."""
    return tuned.trials(arms, ARMS, lambda arm: RATES)


def chosen(arms: Sequence[str], tried: Sequence[Mapping]) -> dict[str, float]:
    """{arm: its learning rate}, by the largest validation score, see ``tuned.chosen``."""
    return tuned.chosen(arms, ARMS, tried, lambda row: row["validation score"])


def work(arms: Sequence[str], profile: Profile, search: bool) -> int:
    """Updates of all networks, with those of the search; a student's teachers are not counted."""
    searched = len(trials(arms)) if search else 0
    return profile.updates * (tuned.counted(arms, ARMS, profile.seeds, profile.few) + searched)


def listed(rates: Mapping[str, float], seeds: Sequence[int], few: int) -> list[Job]:
    """All jobs, see ``tuned.listed``."""
    return tuned.listed(rates, ARMS, seeds, few)


def train(wanted: Sequence[Job], plan: Plan, *, workers: int = 1, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """The scores of every job in the order given, see ``tuned.train`` and ``coupling_scores.scores``."""
    return tuned.train(wanted, partial(run_job, plan=plan), total(plan, 1), workers, advance)


def run_job(job: Job, plan: Plan, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """One row, from its file if the job is done."""
    return face_table.run_cell(Cell(job.arm, job.seed), plan.at(job.rate), advance, _trained)


def _trained(cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance) -> dict:
    torch.set_num_threads(1)  # one process per core serves better, and results do not depend on the cores
    row, method, data, history = learned(cell, plan, checkpoint, advance)
    row |= {"rate": plan.recipe.rate}
    if not row["diverged"]:
        row |= coupling_scores.scores(method, data, history)
        checkpoint.unlink(missing_ok=True)
    return row


def learned(
    cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance = jobs.nothing
) -> tuple[dict, Method, Dataset, list[dict[str, float]]]:
    """A trained network: the beginning of its row, itself, its data and its history, see ``face_table.fitted``.

    A student's teachers are the networks of one task of the same seed, trained first, at the same rate.
    """
    arm = ARMS[cell.arm]
    teachers = []
    for name in ALONE if arm.taught else ():
        kept = checkpoint.with_name(f"{checkpoint.stem}-{ALONE[name].learns}.pt")
        teachers.append(learned(Cell(name, cell.seed), plan, kept)[1].eval())
        kept.unlink(missing_ok=True)
    data = parted(plan.at(RATE), cell.seed, arm.expression, arm.units, arm.overlap)
    method = build(arm, plan.trunk, data.tasks, cell.seed, teachers).to(plan.device)
    rows = rows_of(arm.learns, data, arm.overlap, cell.seed)
    row, history = face_table.fitted(cell, plan, method, data, Descend(), checkpoint, advance, rows=rows)
    return row, method, data, history

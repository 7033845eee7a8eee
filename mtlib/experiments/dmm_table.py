"""DMM-CNN on several seeds: the networks behind its seven variants, its weightings and many others, drawn or CelebA.

The unit is a job: one arm with one seed at one learning rate, in files of its own as in ``face_table``. A network is
trained once and judged with four kinds of thresholds, which have no part in its training: so what a threshold is worth
is told by the very same networks.

Every arm without a ``like`` tries all of its ``RATES`` on a seed that is not reported; the rate with the smallest
validation loss is its own, and that of the arms that are ``like`` it. So all have the same effort.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import torch

from mtlib import datasets
from mtlib.datasets.registry import DRAWN
from mtlib.dmm import DMM, report
from mtlib.experiments import dmm_lfwa, dmm_scores, face_table, jobs, tuned
from mtlib.experiments.dmm_arms import ARMS, DYNAMIC, EQUAL, POINTS, RATES, TRACED, build, narrowed, update
from mtlib.experiments.face_scores import TASK
from mtlib.experiments.face_table import Cell, total
from mtlib.experiments.tuned import Job
from mtlib.networks import Trunk, trunk
from mtlib.recipe import Recipe
from mtlib.tasks import Dataset

NAMES = {DRAWN: "drawn faces", "celeba": "CelebA", "lfwa": "LFWA"}
CELEBA = 162_770  # training faces
BATCH = 64
RATE = 3e-3  # of demonstrations, which are not tuned
MOMENTUM = 0.9  # of SGD, which the paper does not give
WIDTH = 64  # of the hidden layers over 128 channels: the paper's 1 024 over 2 048


@dataclass(frozen=True)
class Plan(face_table.Plan):
    """How the networks are trained; further arguments as in ``face_table.Plan``.

    Args:
        validation: faces to validate on, None for all of CelebA's, or a tenth of LFWA's training pictures (D-10).
        validations: how many an epoch has: P is the updates of an epoch by it (D-7).
        network: the trunk's name; its map is read by the branches.
        width: of the hidden layers; 1 024 in the paper.
        weights: of a published trunk, see ``networks.resnet18``.
    """

    validation: int | None = 1024
    validations: int = 8
    network: str = "small"
    width: int = WIDTH
    weights: str | None = None

    def stem(self, cell: Cell) -> Path:
        """Where a cell leaves its files: named after all that decides its outcome, but not the training code."""
        sizes = (self.data, self.size, self.train, self.validation, self.test, self.validations)
        built = (self.network, self.width, self.weights)
        return self.folder / f"dmm-{jobs.digest(self.recipe, sizes, built, cell, ARMS[cell.arm], self.device)}"

    def trunk(self) -> Trunk:
        """A new trunk."""
        return trunk(self.network, 3, self.size, **({} if self.weights is None else {"weights": self.weights}))

    def at(self, rate: float) -> "Plan":
        """The same at another learning rate."""
        return replace(self, recipe=replace(self.recipe, rate=rate))


@dataclass(frozen=True)
class Profile:
    """How much a notebook trains: pixels, faces, passes over them, seeds, and seeds of arms that need few."""

    size: int
    train: int | None
    validation: int | None
    test: int | None
    epochs: int
    seeds: int
    few: int
    network: str = "small"
    width: int = WIDTH

    @property
    def updates(self) -> int:
        """Of every network."""
        return self.epochs * max(1, (self.train or CELEBA) // BATCH)

    def plan(self, folder: Path, *, data: str, root: str | None, made_by: str | None, device: str) -> Plan:
        """The plan, at the rate of runs that are not tuned."""
        recipe = Recipe(epochs=self.epochs, batch=BATCH, rate=RATE)
        built = {"validation": self.validation, "network": self.network, "width": self.width}
        return Plan(recipe, folder, data, root, self.size, self.train, self.test, made_by, device, **built)


PROFILES = {
    "smoke": Profile(48, 128, 64, 64, 2, 2, 2),
    "quick": Profile(48, 1024, 256, 512, 2, 2, 2),
    "standard": Profile(48, 8192, 1024, 4096, 5, 5, 3),
    "paper": Profile(224, None, None, None, 15, 5, 3, "resnet50", 1024),
}
# What a notebook trains itself, when it does not make its record.
LIVE = ("baseline", EQUAL, DYNAMIC)
LIVE_FAMILY = (EQUAL, DYNAMIC, "DWA", "UPGrad")


def profile(name: str, *, train: int = 0, epochs: int = 0, seeds: int = 0) -> Profile:
    """A notebook's profile with what was asked for instead; 0 takes the profile's."""
    found = PROFILES[name]
    few = min(found.few, seeds) if seeds else found.few
    return replace(
        found, train=train or found.train, epochs=epochs or found.epochs, seeds=seeds or found.seeds, few=few
    )


# ------------------------------------------------------------------ tuning and training


def trials(arms: Sequence[str]) -> list[Job]:
    """What the search trains, see ``tuned.trials``: every optimiser has rates of its own."""
    return tuned.trials(arms, ARMS, lambda arm: RATES[ARMS[arm].optimiser])


def chosen(arms: Sequence[str], tried: Sequence[Mapping]) -> dict[str, float]:
    """{arm: its learning rate}, by the smallest validation loss, see ``tuned.chosen``."""
    return tuned.chosen(arms, ARMS, tried, lambda row: -row["validation loss"])


def work(arms: Sequence[str], profile: Profile, search: bool) -> int:
    """Updates of all networks, with those of the search."""
    searched = len(trials(arms)) if search else 0
    return profile.updates * (tuned.counted(arms, ARMS, profile.seeds, profile.few) + searched)


def listed(rates: Mapping[str, float], seeds: Sequence[int], few: int) -> list[Job]:
    """All jobs, see ``tuned.listed``."""
    return tuned.listed(rates, ARMS, seeds, few)


def train(wanted: Sequence[Job], plan: Plan, *, workers: int = 1, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """The scores of every job in the order given, see ``tuned.train`` and ``dmm_scores.scores``."""
    return tuned.train(wanted, partial(run_job, plan=plan), total(plan, 1), workers, advance)


def run_job(job: Job, plan: Plan, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """One row, from its file if the job is done."""
    return face_table.run_cell(Cell(job.arm, job.seed), plan.at(job.rate), advance, _trained)


@lru_cache(maxsize=1)  # jobs come seed by seed
def load(plan: Plan, seed: int) -> Dataset:
    """Faces in colour with attributes and landmarks: real ones are the same for every seed."""
    counts = {"train": plan.train, "validation": plan.validation, "test": plan.test}
    if plan.data == "lfwa":
        counts["validation"] = plan.validation or dmm_lfwa.HELD
        return dmm_lfwa.joined(root=plan.root, size=plan.size, device=plan.device, **counts)
    own = {"seed": seed} if plan.data == DRAWN else {"root": plan.root}
    tasks = (TASK, POINTS)
    return datasets.load(plan.data, size=plan.size, channels=3, tasks=tasks, device=plan.device, **own, **counts)


def _trained(cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance) -> dict:
    torch.set_num_threads(1)  # one process per core serves better, and results do not depend on the cores
    row, method, data, history = learned(cell, plan, checkpoint, advance)
    row |= {"rate": plan.recipe.rate}
    if not row["diverged"]:
        row |= dmm_scores.scores(method, data, history, traced=cell.arm in TRACED)
        checkpoint.unlink(missing_ok=True)
    return row


def learned(
    cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance = jobs.nothing
) -> tuple[dict, DMM, Dataset, list[dict[str, float]]]:
    """A trained network: the beginning of its row, itself, its data and its history, see ``face_table.fitted``.

    On LFWA it begins with what the same arm has learned on CelebA with the same recipe, which is kept in a file.
    """
    arm, data = ARMS[cell.arm], load(plan.at(RATE), cell.seed)  # the faces are the same whatever the rate is
    data = narrowed(data, arm.only) if arm.only else data
    per_epoch = max(1, len(data.train) // plan.recipe.batch)
    momentum = MOMENTUM if arm.optimiser == "sgd" else 0.0
    validations = arm.validations or plan.validations
    plan = replace(plan, recipe=replace(plan.recipe, optimiser=arm.optimiser, momentum=momentum))
    method = build(arm, plan.trunk, data.tasks, cell.seed, width=plan.width, validations=validations)
    if plan.data == "lfwa":
        before = replace(plan, data="celeba")
        kept = before.stem(cell)
        dmm_lfwa.begin(method, kept.with_suffix(".network"), lambda: learned(cell, before, kept.with_suffix(".pt"))[1])
    row, history = face_table.fitted(
        *(cell, plan, method.to(plan.device), data, update(arm, data, per_epoch, cell.seed), checkpoint, advance),
        validate_every=max(1, per_epoch // validations),
        score=report,
    )
    return row, method, data, history

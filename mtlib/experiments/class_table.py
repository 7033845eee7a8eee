"""Classes and attributes on several seeds, every network with the same data, updates, batches and effort of tuning.

The unit is a job: one arm with one seed at one learning rate, in files of its own as in ``face_table``. Faces of people
and yeast's genes are jobs of two plans, which differ in data and recipe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import torch

from mtlib.coupling import Relations
from mtlib.datasets.registry import DRAWN
from mtlib.experiments import class_data, class_scores, face_table, jobs, tuned
from mtlib.experiments.class_arms import ARMS, RATES, STRONG, TEMPERATURES, Arm, build, update
from mtlib.experiments.face_table import Cell, total
from mtlib.experiments.tuned import Job
from mtlib.method import Method
from mtlib.networks import Trunk, mlp, trunk
from mtlib.recipe import Recipe
from mtlib.rows import Epoch, Mixed, Rows
from mtlib.tasks import Dataset

NAMES = {DRAWN: "drawn faces", "celeba": "CelebA", "cub": "CUB", "yeast": "yeast"}
LITTLE = {"VGG": "little_vgg", "ResNet": "little_resnet", "DenseNet": "little_densenet", STRONG: "strong"}
PUBLISHED = {"VGG": "vgg16", "ResNet": "resnet50", "DenseNet": "densenet121", STRONG: "strong"}
TRUNKS = {"little": LITTLE, "published": PUBLISHED}
BATCH = 32  # half of it with labels of each block, where no image has both
RATE = 2e-3  # of demonstrations, which are not tuned
WIDTHS = (128, 64)  # of the fully connected layers


@dataclass(frozen=True)
class Plan(face_table.Plan):
    """How the networks are trained; further arguments as in ``face_table.Plan``, whose sizes are not used.

    Args:
        data: see ``class_data.load``.
        people: of sets of faces; None: all.
        networks: ``little`` or ``published``, see ``TRUNKS``.
    """

    people: int | None = 64
    networks: str = "little"

    def stem(self, cell: Cell) -> Path:
        """Where a cell leaves its files: named after all that decides its outcome, but not the training code."""
        sizes = (self.data, self.size, self.people, self.networks)
        return self.folder / f"classes-{jobs.digest(self.recipe, sizes, cell, ARMS[cell.arm], self.device)}"

    def trunk(self, network: str, inputs: int) -> tuple[Trunk | torch.nn.Module, int]:
        """A new trunk and its features; ``inputs`` are channels, or the numbers of an example."""
        if network == "mlp":
            return mlp(inputs, *WIDTHS), WIDTHS[-1]
        found = trunk(TRUNKS[self.networks][network], inputs, self.size)
        return found, found.features

    def at(self, rate: float) -> "Plan":
        """The same at another learning rate."""
        return replace(self, recipe=replace(self.recipe, rate=rate))


@dataclass(frozen=True)
class Profile:
    """How much a notebook trains: pixels, people, updates, seeds (and of arms that need few) of faces; of yeast."""

    size: int
    people: int | None
    updates: int
    seeds: int
    few: int
    genes_updates: int
    genes_seeds: int
    networks: str = "little"
    batch: int = BATCH

    def plan(self, folder: Path, *, data: str, root: str | None, made_by: str | None, device: str) -> Plan:
        """The plan, at the rate of runs that are not tuned."""
        recipe = Recipe(steps=self.genes_updates if data == "yeast" else self.updates, batch=self.batch, rate=RATE)
        return Plan(
            *(recipe, folder, data, root, self.size, None, None, made_by, device),
            people=self.people,
            networks=self.networks,
        )


PROFILES = {
    "smoke": Profile(32, 4, 4, 2, 2, 4, 2),
    "quick": Profile(32, 24, 40, 2, 2, 100, 2),
    "standard": Profile(32, 64, 150, 5, 3, 200, 10),
    "paper": Profile(112, None, 20_000, 5, 3, 200, 10, "published", 200),
}
# What a notebook trains itself, when it does not make its record.
LIVE = ("ResNet ST classes", "ResNet ST attributes", "ResNet NC", "ResNet C", "ResNet C, unit weights")
LIVE_YEAST = tuple(f"mlp {kind}, half" for kind in ("ST classes", "ST attributes", "NC", "C", "C, wrong"))


def profile(name: str, *, people: int = 0, updates: int = 0, seeds: int = 0) -> Profile:
    """A notebook's profile with what was asked for instead; 0 takes the profile's."""
    found = PROFILES[name]
    asked = {"people": people or found.people, "updates": updates or found.updates, "seeds": seeds or found.seeds}
    few = min(found.few, seeds) if seeds else found.few
    return replace(found, **asked, few=few, genes_seeds=seeds or found.genes_seeds)


# ------------------------------------------------------------------ data


@lru_cache(maxsize=1)  # jobs come seed by seed
def load(plan: Plan, seed: int) -> Dataset:
    """All examples with all labels: real ones are the same for every seed."""
    settings = {"root": plan.root, "size": plan.size, "people": plan.people, "device": plan.device}
    return class_data.load(plan.data, seed=seed if plan.data == DRAWN else 0, **settings)


def parted(plan: Plan, arm: Arm, seed: int) -> tuple[Dataset, Relations]:
    """The data that an arm learns from, and the relations, counted while all labels were there."""
    whole = load(plan.at(RATE), seed)  # the same whatever the rate is
    return class_data.halved(whole, seed) if arm.half else whole, class_data.relations(whole, arm.smoothing)


def rows_of(arm: Arm, data: Dataset, batch: int, seed: int) -> Rows:
    """Batches with so many labels of each block; where no image has both, half a batch has those of each."""
    if not arm.half:
        return Epoch(len(data.train), batch, seed)
    have = data.train.source.bincount(minlength=3).tolist()
    learned = {"classes": (1,), "attributes": (2,)}.get(arm.learns, (1, 2))
    return Mixed(data.train.source, {source: min(batch // 2, have[source]) for source in learned}, seed)


# ------------------------------------------------------------------ tuning and training


def trials(arms: Sequence[str]) -> list[Job]:
    """What the search trains, see ``tuned.trials``, and temperatures."""
    found = tuned.trials(arms, ARMS, lambda arm: RATES)
    return found + [Job(arm, tuned.TUNED_ON, RATE) for arm in TEMPERATURES if "ResNet C" in arms]


def chosen(arms: Sequence[str], tried: Sequence[Mapping]) -> dict[str, float]:
    """{arm: its learning rate}, by the largest validation score, see ``tuned.chosen``."""
    return tuned.chosen(arms, ARMS, tried, lambda row: row["validation score"])


def listed(rates: Mapping[str, float], seeds: Sequence[int], few: int) -> list[Job]:
    """All jobs, see ``tuned.listed``."""
    return tuned.listed(rates, ARMS, seeds, few)


def work(arms: Sequence[str], profile: Profile, search: bool, genes: bool = False) -> int:
    """Updates of all networks, with those of the search."""
    updates, seeds = (profile.genes_updates, profile.genes_seeds) if genes else (profile.updates, profile.seeds)
    networks = tuned.counted(arms, ARMS, seeds, min(profile.few, seeds))
    return updates * (networks + (len(trials(arms)) if search else 0))


def train(wanted: Sequence[Job], plan: Plan, *, workers: int = 1, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """The scores of every job in the order given, see ``tuned.train`` and ``class_scores.scores``."""
    return tuned.train(wanted, partial(run_job, plan=plan), total(plan, 1), workers, advance)


def run_job(job: Job, plan: Plan, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """One row, from its file if the job is done."""
    return face_table.run_cell(Cell(job.arm, job.seed), plan.at(job.rate), advance, _trained)


def _trained(cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance) -> dict:
    torch.set_num_threads(1)  # one process per core serves better, and results do not depend on the cores
    row, method, data, history = learned(cell, plan, checkpoint, advance)
    row |= {"rate": plan.recipe.rate}
    if not row["diverged"]:
        known = class_data.relations(load(plan.at(RATE), cell.seed))
        row |= class_scores.scores(method, data, known, history)
        checkpoint.unlink(missing_ok=True)
    return row


def learned(
    cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance = jobs.nothing
) -> tuple[dict, Method, Dataset, list[dict[str, float]]]:
    """A trained network: the beginning of its row, itself, its data and its history, see ``face_table.fitted``."""
    arm = ARMS[cell.arm]
    data, relations = parted(plan, arm, cell.seed)
    inputs = data.train.x.shape[1]  # channels, or numbers
    method = build(arm, partial(plan.trunk, arm.network, inputs), data.tasks, relations, cell.seed).to(plan.device)
    rows = rows_of(arm, data, plan.recipe.batch, cell.seed)
    row, history = face_table.fitted(cell, plan, method, data, update(arm, cell.seed), checkpoint, advance, rows=rows)
    return row, method, data, history

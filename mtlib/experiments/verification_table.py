"""Is it the same person? A Siamese network with attributes beside it and without (MTFAP, Eqs. 17 to 19), seed by seed.

The unit is a cell, one arm with one seed, in files of its own as in ``face_table``, whose cells these are. Faces are in
colour, drawn or CelebA's. Nobody is both trained on and tested on: a network is asked about people it never saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from mtlib import datasets
from mtlib.datasets.registry import DRAWN
from mtlib.experiments import face_scores, face_table, jobs
from mtlib.experiments import verification_scores as scores
from mtlib.experiments.face_scores import TASK
from mtlib.experiments.face_table import Cell, cells, total
from mtlib.faces.data import identities, numbers
from mtlib.faces.population import people
from mtlib.metrics.evaluate import predictions
from mtlib.networks import averaged
from mtlib.rows import Identities
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.updates import Descend
from mtlib.verification import Coupling, Siamese, embeddings

__all__ = ["ARMS", "Arm", "Cell", "Plan", "build", "cells", "load", "run_cell", "total", "train"]

COLOURS = 3
WHO = "identity"
EACH = 4  # pictures of a person, in a batch and in the test
MOST = 300  # people to test on: 1200 pictures, 719 400 pairs
TERMS = ("coupling", "matching")
# What belongs to a person: more than four fifths of the variance of CelebA's labels lie between people, 0.98 of Male
# and 0.83 of Young (data/celeba/attribute_identity_variance_train.csv); Wearing_Lipstick comes next with 0.74.
INVARIANT = ("Male", "Young")
# Of Adam, for all arms: the mean AUC of "identity" and "attributes, matched" was 94.8, 95.0 and 93.1 % at 0.001, 0.002
# and 0.005 (seed 900, 512 updates of 64). At 0.005 "identity" alone lost, four points.
RATE = 0.002

DEFAULT = Coupling()


@dataclass(frozen=True)
class Arm:
    """One setting.

    Args:
        attributes: are forty attributes learned beside who it is?
        matched: are the invariant ones made alike in genuine pairs as well, as the paper does?
        reading: of Eqs. (17) to (19) (M-23).
        compared: what the distance is between: embeddings of a trained network or of an untrained one, or pixels.
    """

    attributes: bool = False
    matched: bool = False
    reading: Coupling = DEFAULT
    compared: Literal["trained", "untrained", "pixels"] = "trained"


BASE = "identity"
ARMS = {
    BASE: Arm(),
    "attributes": Arm(attributes=True),
    "attributes, matched": Arm(attributes=True, matched=True),
    "identity, usual hinge": Arm(reading=Coupling(hinge="usual")),
    "identity, printed mean": Arm(reading=Coupling(average="printed")),
    "untrained": Arm(compared="untrained"),
    "pixels": Arm(compared="pixels"),
}


@dataclass(frozen=True)
class Plan(face_table.Plan):
    """How the cells are trained; the arguments are ``face_table.Plan``'s. The batch is a multiple of 4."""

    def stem(self, cell: Cell) -> Path:
        """Where a cell leaves its files: named after all that decides its outcome, but not the training code."""
        sizes = (self.data, self.size, self.train, self.test)
        return self.folder / f"verify-{jobs.digest(self.recipe, sizes, cell, ARMS[cell.arm], self.device)}"


def train(wanted: Sequence[Cell], plan: Plan, *, workers: int = 1, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """Train what is not trained yet; the row of every cell in the order given, see ``run_cell``.

    Arguments as in ``face_table.train``.
    """
    return face_table.train(wanted, plan, workers=workers, advance=advance, run=run_cell)


def run_cell(cell: Cell, plan: Plan, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """One row, from its file if the cell is done.

    Returns:
        One row: "arm", "seed", "data", "size", "made by", "diverged" (why, or None); unless it diverged, what
        ``verification_scores.scored`` and ``by_tone`` say ("false match by tone" and "within groups" are None where no
        tone is known), "people" tested on, "attribute accuracy" (mean over forty, per cent; None without attributes)
        and "losses" at the end ({} where nothing was trained).
    """
    return face_table.run_cell(cell, plan, advance, _trained)


@lru_cache(maxsize=1)  # cells come seed by seed
def load(plan: Plan, seed: int) -> Dataset:
    """Faces in colour with task "attributes", and labels "identity" (N, 1) that are no task.

    Raises:
        ValueError: somebody is in the training and in the test split.
    """
    if plan.data == DRAWN:
        data = face_table.load(plan, seed, COLOURS)
        sizes = {"train": len(data.train), "test": len(data.test)}
        who = {name: identities(name, n, seed).unsqueeze(1).to(plan.device) for name, n in sizes.items()}
    else:
        sizes = {"train": plan.train, "validation": 1, "test": plan.test}  # nothing is validated
        settings = {"root": plan.root, "size": plan.size, "channels": COLOURS, "device": plan.device}
        data = datasets.load(plan.data, tasks=(TASK, WHO), **settings, **sizes)
        who = {"train": data.train.y[WHO], "test": data.test.y[WHO]}
    twice = torch.isin(who["test"][who["test"] >= 0], who["train"]).sum().item()
    if twice:
        raise ValueError(f"{data.name}: {twice} test pictures show people of the training split; no verifier may know")
    parts = {name: Split(own.x, own.y | {WHO: who[name]}) for name, own in (("train", data.train), ("test", data.test))}
    return replace(data, tasks=tuple(task for task in data.tasks if task.name == TASK), validation=None, **parts)


def build(arm: Arm, tasks: Sequence[Task], seed: int) -> Siamese:
    """An arm's network with its initial weights; the trunk's and the embedding's are the same for all arms."""
    with seeded("verification", "trunk", seed):
        trunk = averaged(COLOURS)
    with seeded("verification", "head", seed):
        return Siamese(
            trunk,
            trunk.features,
            tasks if arm.attributes else (),
            invariant=INVARIANT if arm.matched else (),
            reading=arm.reading,
        )


def batches(who: Tensor, plan: Plan, seed: int) -> Identities:
    """Batches of ``recipe.batch / 4`` people with four pictures each; who: (N, 1).

    Raises:
        ValueError: a batch that is no multiple of 4, or fewer people with four pictures than a batch needs.
    """
    count, rest = divmod(plan.recipe.batch, EACH)
    if rest:
        raise ValueError(f"batches hold {EACH} pictures of each person: a multiple of {EACH}, got {plan.recipe.batch}")
    return Identities(who[:, 0], people=count, each=EACH, seed=seed)


def _trained(cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance) -> dict:
    torch.set_num_threads(1)  # as in face_table
    arm, data = ARMS[cell.arm], load(plan, cell.seed)
    method = build(arm, data.tasks, cell.seed).to(plan.device)
    if arm.compared == "trained":
        rows = batches(data.train.y[WHO], plan, cell.seed)
        row, history = face_table.fitted(cell, plan, method, data, Descend(), checkpoint, advance, rows=rows)
    else:
        row, history = face_table.begun(cell, plan), []
        advance(total(plan, 1))
    if not row["diverged"]:
        row |= evaluated(arm, method, data, plan, cell.seed)
        row["losses"] = last(history)
        checkpoint.unlink(missing_ok=True)
    return row


def last(history: Sequence[dict[str, float]]) -> dict[str, float]:
    """The terms at the end of training: "coupling", "matching" and "attributes", their mean, where there are any."""
    end = {name: value for name, value in (history[-1] if history else {}).items() if name not in ("step", "total")}
    found = {name: end.pop(name) for name in TERMS if name in end}
    return found | ({"attributes": sum(end.values())} if end else {})  # each is weighted by one over their number


# ------------------------------------------------------------------ what is asked


def evaluated(arm: Arm, method: Siamese, data: Dataset, plan: Plan, seed: int) -> dict[str, object]:
    """What ``run_cell`` says of an arm, on all pairs of four pictures of each of the test people, 300 at most."""
    who = data.test.y[WHO][:, 0].cpu()
    some = scores.chosen(who, EACH, MOST)
    x = data.test.take(some).x
    z = scores.pixels(x) if arm.compared == "pixels" else embeddings(method, x).cpu()
    found = scores.all_pairs(z, who[some])
    row = scores.scored(found.distances, found.same) | {"people": len(who[some].unique())}
    tone = tones(some, seed) if plan.data == DRAWN else None
    row |= scores.by_tone(found, tone) if tone is not None else dict.fromkeys(("false match by tone", "within groups"))
    right = face_scores.right(predictions(method, data.test)[TASK], data.test.y[TASK]) if arm.attributes else {}
    return row | {"attribute accuracy": right.get("accuracy")}


def tones(rows: Tensor, seed: int) -> Tensor:
    """Skin tone (n,), 0 light to 1 dark, of rows (n,) of the drawn test faces; the same on all faces of a person."""
    return people(numbers("test", int(rows.max()) + 1)[rows], seed).skin_tone

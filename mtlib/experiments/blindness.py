"""With known truth: does an adversary make a network blind to what it should be blind to, and at what price?

Pairs of a main attribute and a partner on drawn faces, where the pixels of both are known, one can be set while all
else stays, and their labels correlate to different degrees. The unit is a cell: one network of a pair, an arm and a
seed, in files of its own as in ``face_table``. What is asked of it is in ``blindness_scores``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import torch
from torch import Tensor

from mtlib.adversarial import Adversarial
from mtlib.adversarial.model import Form
from mtlib.cam.maps import pooled
from mtlib.controls import MultiTask
from mtlib.datasets.registry import DRAWN
from mtlib.experiments import blindness_scores, face_table, jobs
from mtlib.experiments.face_maps import from_text, to_text
from mtlib.experiments.face_table import total
from mtlib.faces.data import TASKS, Drawn, labels, numbers
from mtlib.faces.draw import draw, pictures
from mtlib.faces.names import COLUMN
from mtlib.networks import Trunk, trunk
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit
from mtlib.updates import Descend

Pair = tuple[str, str]  # main attribute, partner

# Strongly tied labels first, then untied ones: the last two are the paper's examples of what should not be shared.
# Every partner has pixels of its own on a small part of the face.
PAIRS: tuple[Pair, ...] = (
    ("Smiling", "Mouth_Slightly_Open"),
    ("Male", "Wearing_Lipstick"),
    ("Heavy_Makeup", "Wearing_Lipstick"),
    ("Young", "Gray_Hair"),
    ("Bushy_Eyebrows", "Mouth_Slightly_Open"),
    ("Straight_Hair", "Big_Lips"),
)
LADDER = PAIRS[:2]  # pairs that have every arm
MAIN, PARTNER = (Task(name, "binary", 1) for name in ("main", "partner"))
ATTRIBUTES = "attributes"
COLOURS = 3
APART = 100  # face numbers; so far apart, no two show the same person
AT_ONCE = 512  # faces drawn together


@dataclass(frozen=True)
class Arm:
    """One setting of ``Adversarial``: lambda, the form of the game, a hidden layer of the adversary."""

    weight: float
    form: Form = "reversal"
    hidden: int = 0


BEFORE, WEAK, AFTER = "λ = 0", "λ = 0.1", "λ = 1"  # the first is a single-task network with an onlooker
CORE = {BEFORE: Arm(0.0), WEAK: Arm(0.1), AFTER: Arm(1.0)}
STEPS = {f"λ = {weight:g}": Arm(weight) for weight in (0.01, 0.3, 0.5)}
FORMS = {"GAN form": Arm(1.0, "gan"), "Wasserstein": Arm(1.0, "wasserstein"), "MLP adversary": Arm(1.0, hidden=64)}
ARMS = CORE | STEPS | FORMS
WEIGHTS = {arm.weight: name for name, arm in sorted((CORE | STEPS).items(), key=lambda item: item[1].weight)}


@dataclass(frozen=True)
class Cell(face_table.Cell):
    """One network to train: an arm, a seed, which redraws initial weights, order and faces, and a pair."""

    pair: Pair


@dataclass(frozen=True)
class Plan(face_table.Plan):
    """How the networks are trained; the arguments are ``face_table.Plan``'s, and

    learned: updates in which a trunk learns all forty attributes first, where all networks of its seed begin; 0: none.
    probing: faces that probes learn from.  judged: test faces whose maps are compared with masks and that are drawn
    with the partner set and unset.  network: the trunk's name; its last map is averaged.

    Raises:
        ValueError: other data than drawn faces, or more faces to judge than to test.
    """

    learned: int = 0
    probing: int = 2048
    judged: int = 512
    network: str = "averaged"

    def __post_init__(self) -> None:
        if self.data != DRAWN:
            raise ValueError(f"masks and interventions need {DRAWN}, of {self.data} they are not known")
        if not 1 <= self.judged <= (self.test or 0):
            raise ValueError(f"judged is from 1 to the {self.test} test faces, got {self.judged}")

    def stem(self, cell: Cell) -> Path:
        """Where a cell leaves its files: named after all that decides its outcome, but not the training code."""
        sizes = (self.learned, self.size, self.train, self.probing, self.test, self.judged, self.network)
        return self.folder / f"blindness-{jobs.digest(self.recipe, sizes, cell, ARMS[cell.arm], self.device)}"

    def trunk(self, seed: int) -> Trunk:
        """A new trunk whose features are the means of its last map."""
        with seeded("blindness", "trunk", seed):
            return pooled(trunk(self.network, COLOURS, self.size))


@dataclass(frozen=True)
class Profile:
    """How much a notebook trains: pixels, faces, updates, pairs, seeds, and seeds of the arms that need few."""

    size: int
    train: int
    probing: int
    test: int
    judged: int
    learned: int
    updates: int
    pairs: int
    seeds: int
    few: int
    arms: tuple[str, ...] = tuple(ARMS)
    network: str = "averaged"
    batch: int = 64
    rate: float = 2e-3

    def plan(self, folder: Path, *, made_by: str | None = None, device: str = "cpu") -> Plan:
        """The plan; one rate for all arms."""
        recipe = Recipe(steps=self.updates, batch=self.batch, rate=self.rate)
        own = {"learned": self.learned, "probing": self.probing, "judged": self.judged, "network": self.network}
        return Plan(recipe, folder, DRAWN, None, self.size, self.train, self.test, made_by, device, **own)

    def cells(self, seeds: Sequence[int]) -> list[Cell]:
        """The networks of these seeds, see ``cells``."""
        return cells(PAIRS[: self.pairs], seeds, self.few, self.arms)


PROFILES = {
    "smoke": Profile(32, 96, 96, 96, 8, 3, 3, 1, 2, 1),
    "quick": Profile(32, 768, 512, 768, 128, 64, 48, 1, 2, 0, (BEFORE, AFTER)),
    "standard": Profile(32, 8192, 2048, 4096, 512, 1536, 512, 6, 5, 3),
    "paper": Profile(96, 65_536, 16_384, 16_384, 2048, 20_000, 6000, 6, 5, 5, network="resnet18"),
}


def profile(name: str, *, pairs: int = 0, updates: int = 0, seeds: int = 0) -> Profile:
    """A notebook's profile with what was asked for instead; 0 takes the profile's.

    Raises:
        ValueError: an unknown profile, or more pairs than there are.
    """
    if name not in PROFILES or not 0 <= pairs <= len(PAIRS):
        raise ValueError(
            f"a profile is one of {', '.join(PROFILES)}, of 1 to {len(PAIRS)} pairs; got {name!r}, {pairs}"
        )
    found = PROFILES[name]
    seeds = seeds or found.seeds
    asked = {"pairs": pairs or found.pairs, "updates": updates or found.updates, "seeds": seeds}
    return replace(found, **asked, few=min(found.few, seeds))


def cells(pairs: Sequence[Pair], seeds: Sequence[int], few: int, arms: Sequence[str] = tuple(ARMS)) -> list[Cell]:
    """All cells, seed by seed and pair by pair, so that what is cut short has whole seeds.

    ``CORE``'s arms have every pair and seed, all others those of ``LADDER`` and the first few seeds.
    """
    return [
        Cell(arm, seed, pair)
        for at, seed in enumerate(seeds)
        for pair in pairs
        for arm in arms
        if arm in CORE or (pair in LADDER and at < few)
    ]


# ------------------------------------------------------------------ faces


def people(split: str, n: int) -> Tensor:
    """(n,) numbers of faces of as many people: of a split's first n faces, twenty would show the same person."""
    return numbers(split, n * APART)[::APART]


@lru_cache(maxsize=1)  # cells come seed by seed
def load(plan: Plan, seed: int) -> Dataset:
    """Faces in colour with forty attributes, everybody once; the validation split is for the probes to learn from."""
    splits = {}
    for name, n in {"train": plan.train, "validation": plan.probing, "test": plan.test}.items():
        faces = Drawn(people(name, n), seed, plan.size)
        x = torch.cat([faces[rows] for rows in torch.arange(n).split(AT_ONCE)])
        y = labels(faces.index, seed, (ATTRIBUTES,))
        splits[name] = Split(x.to(plan.device), {ATTRIBUTES: y[ATTRIBUTES].to(plan.device)})
    return Dataset(f"drawn faces, {plan.size} pixels, seed {seed}", (TASKS[ATTRIBUTES],), **splits)


def paired(data: Dataset, pair: Pair) -> Dataset:
    """The same faces with two labels, tasks "main" and "partner"; no picture is copied."""
    columns = {task.name: COLUMN[name] for task, name in zip((MAIN, PARTNER), pair, strict=True)}

    def of(split: Split) -> Split:
        y = split.y[ATTRIBUTES]
        return Split(split.x, {name: y[:, k : k + 1] for name, k in columns.items()})

    return Dataset(data.name, (MAIN, PARTNER), of(data.train), of(data.test), of(data.validation))


@lru_cache(maxsize=1)  # and pair by pair
def judged(plan: Plan, seed: int, pair: Pair) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Of the first test faces: pictures without and with the partner (N', 3, H, W), masks of both (N', 2, H, W).

    Setting the partner changes its own pixels; the main attribute, its label included, stays as it is.
    """
    index = people("test", plan.judged).to(plan.device)
    off, on = pictures(index, seed, plan.size, [{pair[1]: value} for value in (0, 1)])
    return (off, on), draw(index, seed, plan.size).masks(pair)


# ------------------------------------------------------------------ networks


def build(arm: Arm, plan: Plan, seed: int, advance: jobs.Advance = jobs.nothing) -> Adversarial:
    """An arm's network as it begins: trunk and classifier are alike in all arms of a seed.

    The paper's networks begin where they had learned ImageNet; these, where they had learned forty attributes. So the
    partner can be read from the features before anything is trained, and there is something to remove.
    """
    body = plan.trunk(seed)
    if plan.learned:
        from_text(body, begun(seed, plan, advance)[0]["trunk"])
    with seeded("blindness", "heads", seed):
        return Adversarial(body, body.features, MAIN, PARTNER, arm.weight, form=arm.form, hidden=arm.hidden)


def begun(seed: int, plan: Plan, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """{"seed", "trunk"}: a trunk that learned all forty attributes, as text, from its file if it is done."""
    same = (replace(plan.recipe, steps=plan.learned), plan.size, plan.train, plan.network, plan.device)
    stem = plan.folder / f"blindness-trunk-{jobs.digest(same, seed)}"
    if stem.with_suffix(".json").exists():
        advance(plan.learned)
    return jobs.once(stem.with_suffix(".json"), lambda: [{"seed": seed, "trunk": _forty(seed, plan, stem, advance)}])


def _forty(seed: int, plan: Plan, stem: Path, advance: jobs.Advance) -> str:
    torch.set_num_threads(1)
    body, data = plan.trunk(seed), load(plan, seed)
    with seeded("blindness", "forty heads", seed):
        method = MultiTask(body, body.features, data.tasks).to(plan.device)
    recipe, checkpoint = replace(plan.recipe, steps=plan.learned), stem.with_suffix(".pt")
    result = fit(method, data, recipe, seed=seed, checkpoint=checkpoint, advance=advance)
    if result.interrupted:
        raise KeyboardInterrupt  # nothing may begin from half a trunk
    checkpoint.unlink(missing_ok=True)
    return to_text(body)


def train(wanted: Sequence[Cell], plan: Plan, *, workers: int = 1, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """The row of every cell in the order given, see ``run_cell``; trained where there is no file yet.

    Args:
        workers: processes of one thread each; the outcome does not depend on their number.
        advance: told the updates done, ``work`` in all; by whole networks if there are several workers.
    """
    if plan.learned:
        seeds = list(dict.fromkeys(cell.seed for cell in wanted))
        jobs.run_all(seeds, partial(begun, plan=plan), lambda seed: plan.learned, workers, advance)
    updates = total(plan, 1)
    rows = jobs.run_all(wanted, partial(run_cell, plan=plan), lambda cell: updates, workers, advance)
    place = {cell: at for at, cell in enumerate(wanted)}
    return sorted(rows, key=lambda row: place[Cell(row["arm"], row["seed"], (row["main"], row["partner"]))])


def work(wanted: Sequence[Cell], plan: Plan) -> int:
    """Updates of all these cells and of the trunks that they begin with."""
    return total(plan, len(wanted)) + plan.learned * len({cell.seed for cell in wanted})


def run_cell(cell: Cell, plan: Plan, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """One row, from its file if the cell is done.

    Returns:
        One row: "main", "partner", "arm", "seed", "data", "size", "made by", "diverged" (why, or None) and, unless it
        diverged, what ``blindness_scores.scores`` says.
    """
    return face_table.run_cell(cell, plan, advance, _trained)


def _trained(cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance) -> dict:
    torch.set_num_threads(1)  # as in face_table
    row, method, data = learned(cell, plan, checkpoint, advance)
    row = {"main": cell.pair[0], "partner": cell.pair[1]} | row
    if not row["diverged"]:
        found = judged(plan, cell.seed, cell.pair)
        row |= blindness_scores.scores(method, data.validation, data.test, *found, cell.seed)
        checkpoint.unlink(missing_ok=True)
    return row


def learned(
    cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance = jobs.nothing
) -> tuple[dict, Adversarial, Dataset]:
    """The beginning of a cell's row, its trained network, and its faces."""
    data = paired(load(plan, cell.seed), cell.pair)
    method = build(ARMS[cell.arm], plan, cell.seed).to(plan.device)
    row, _ = face_table.fitted(cell, plan, method, data, Descend(), checkpoint, advance)
    return row, method, data

"""Who helps whom on the toy plane: transfer between templates whose overlap is known.

A directed pair is a main task a and its partner b. Three kinds of network, all ``Adversarial``, see the same points in
the same order and begin with the same weights: ``single`` (weight 0, Eq. 1), ``shared`` (weight -1, Eq. 2) and
``adversarial`` (weight lambda > 0, Eqs. 5 and 6). What a gains over ``single`` is the transfer from b to a.

Every point has the label of one task only, the other is missing, and there are few: else there is nothing to gain.
Where both tasks label every point without noise, a partner equal to a says what is known already.

The unit is a cell: one network. All cells of one seed train together in a job that leaves a file, or its checkpoint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from mtlib import ensemble, toy
from mtlib.adversarial import Adversarial
from mtlib.ensemble import Copy
from mtlib.experiments.jobs import Advance, digest, nothing, once, run_all
from mtlib.method import Method
from mtlib.metrics.columns import accuracy, balanced_accuracy
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split, Task

LAMBDAS = (0.01, 0.1, 0.3, 0.5, 1.0)  # those of the paper
SINGLE, SHARED = "single", "shared"
AGAIN = tuple(f"single, run {run}" for run in range(2, 2 + len(LAMBDAS)))  # other initial weights: what chance does
ARMS = (
    {SINGLE: 0.0, SHARED: -1.0} | {f"adversarial {weight:g}": weight for weight in LAMBDAS} | dict.fromkeys(AGAIN, 0.0)
)
MAIN, PARTNER = "main", "partner"
SPLITS = ("validation", "test")
SCORES = ("validation", "test", "balanced", PARTNER)  # of every network, per cent

# ------------------------------------------------------------------ templates, and where they stand


@dataclass(frozen=True)
class Wave:
    """Positive where |X1 - up - c cos(a X0 + b)| < eps/2: the cosine band of ``toy.Cos``, moved up by ``up``."""

    a: float
    b: float
    c: float
    eps: float
    up: float

    def __call__(self, x: Tensor, reading: toy.Reading = toy.DEFAULT) -> Tensor:
        """Labels (n,) bool of the points x (n, 2)."""
        return (x[:, 1] - self.up - self.c * torch.cos(self.a * x[:, 0] + self.b)).abs() < self.eps / 2


@dataclass(frozen=True)
class Outside:
    """Positive where the ring ``toy.Donut`` of the same numbers is not: its complement."""

    r: float
    offset: float
    eps: float

    def __call__(self, x: Tensor, reading: toy.Reading = toy.DEFAULT) -> Tensor:
        """Labels (n,) bool of the points x (n, 2)."""
        return ~toy.Donut(self.r, self.offset, self.eps)(x, reading)


Template = toy.Template | Wave | Outside
Pair = tuple[Template, Template]

# Half the distance of the two, from one on the other to apart. Not every distance of the rings: they overlap a little
# more again before they part, so that overlap would not fall along the slide.
RINGS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.5)
BANDS = (0.0, 0.015, 0.03, 0.06, 0.1, 0.15, 0.25)


def rings(d: float) -> Pair:
    """Two rings of radius 0.35 and width 0.2 with centres at (-d, 0) and (d, 0)."""
    return toy.Donut(0.35, -d, 0.2), toy.Donut(0.35, d, 0.2)


def bands(h: float) -> Pair:
    """Two parallel bands of height 0.3, ``h`` below and above the middle: overlap (0.3 - 2h) / (0.3 + 2h)."""
    return Wave(4, 0, 0.4, 0.3, -h), Wave(4, 0, 0.4, 0.3, h)


SLIDES = {
    "rings": {f"rings {d:g}": rings(d) for d in RINGS},
    "bands": {f"bands {h:g}": bands(h) for h in BANDS},
}
SETS = {f"set {number}": pair for number, pair in toy.SETS.items()}
OPPOSITE = "ring and complement"  # labels wholly opposed: overlap 0, correlation -1
PAIRS: dict[str, Pair] = {
    **SETS,
    **SLIDES["rings"],
    **SLIDES["bands"],
    OPPOSITE: (toy.Donut(0.35, 0, 0.2), Outside(0.35, 0, 0.2)),
}
MODES = {"sets": tuple(SETS), "slide": (*SLIDES["rings"], *SLIDES["bands"], OPPOSITE)}


@lru_cache
def overlap(place: str) -> float:
    """Intersection over union of a place's two regions, 0 to 1, to about a hundredth."""
    return toy.overlap(PAIRS[place], 200_000)


@lru_cache
def correlation(place: str) -> float:
    """Pearson's correlation of the two labels over the plane, -1 to 1."""
    x = torch.rand(200_000, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return torch.corrcoef(toy.labels(PAIRS[place], x).T.double())[0, 1].item()


# ------------------------------------------------------------------ how much is trained


@dataclass(frozen=True)
class Profile:
    """How much is trained.

    Args:
        n_train: points, half of them labelled for either task.  n_test: fresh points, and as many to choose lambda by.
        updates: of every network.  seeds: how many.
        places: which of ``PAIRS``.  arms: which of ``ARMS``.
        widths: of the trunk's layers.  rate: learning rate.
        sampling: of the training points, see ``toy.Reading``; ``cycle`` labels every point for both tasks.

    Raises:
        ValueError: a place or an arm that does not exist, or no single-task network to compare with.
    """

    n_train: int
    n_test: int
    updates: int
    seeds: int
    places: tuple[str, ...] = tuple(PAIRS)
    arms: tuple[str, ...] = tuple(ARMS)
    widths: tuple[int, ...] = (20, 20)
    rate: float = 0.01
    sampling: str = "separate"

    def __post_init__(self) -> None:
        for what, own, known in (("place", self.places, PAIRS), ("arm", self.arms, ARMS)):
            unknown = [name for name in own if name not in known]
            if unknown or not own or len(set(own)) != len(own):
                raise ValueError(f"{what}s are one or more of {', '.join(known)}, each once, got {list(own)}")
        if SINGLE not in self.arms:
            raise ValueError(f"arms need {SINGLE!r}, which the others are compared with, got {list(self.arms)}")

    @property
    def recipe(self) -> Recipe:
        """How the parameters move: batches of 128 as printed, and at least two to an epoch."""
        return Recipe(steps=self.updates, rate=self.rate, batch=max(1, min(128, self.n_train // 2)))

    def work(self) -> int:
        """Updates of all networks together."""
        return self.seeds * len(cells(self, 0)) * self.updates


CONTRAST = (SINGLE, SHARED, "adversarial 0.1")
FEW = ("set 1", "set 5", "rings 0", "rings 0.1", "rings 0.5")
PROFILES = {
    "smoke": Profile(32, 64, 4, 2, ("set 3", "set 7", "rings 0", "rings 0.5"), (*CONTRAST, "adversarial 1")),
    "quick": Profile(160, 1000, 300, 2, FEW, CONTRAST),
    "standard": Profile(160, 2000, 1000, 10),
    "paper": Profile(5000, 2000, 50_000, 20, rate=5e-4),
}


def profile(name: str, *, updates: int = 0, seeds: int = 0) -> Profile:
    """A notebook's profile with what was asked for instead; 0 takes the profile's.

    Raises:
        ValueError: no such profile.
    """
    if name not in PROFILES:
        raise ValueError(f"profiles are {', '.join(PROFILES)}, got {name!r}")
    found = PROFILES[name]
    return replace(found, updates=updates or found.updates, seeds=seeds or found.seeds)


@dataclass(frozen=True)
class Plan:
    """A profile, and where jobs leave their files; ``made_by``: who trains, such as a commit.

    A file says who trained it, but not how: after a change to the training code, begin with an empty folder.
    """

    profile: Profile
    folder: Path
    made_by: str | None = None

    def stem(self, seed: int) -> Path:
        """Where the job of a seed leaves its files: named after all that decides its outcome, so not by ``seeds``."""
        pairs = [PAIRS[place] for place in self.profile.places]
        return self.folder / f"transfer-{seed}-{digest(asdict(replace(self.profile, seeds=1)), pairs, seed)}"


# ------------------------------------------------------------------ cells


@dataclass(frozen=True)
class Cell:
    """One network: where, which of the two templates is the main one (0 or 1), which arm, which seed."""

    place: str
    main: int
    arm: str
    seed: int


def cells(profile: Profile, seed: int) -> list[Cell]:
    """All networks of a seed: every place, in both directions, with every arm."""
    return [
        Cell(place, main, arm, seed)
        for place in profile.places
        for main in (0, 1)
        for arm in profile.arms
    ]  # fmt: skip


def make(place: str, seed: int, profile: Profile) -> Dataset:
    """A place's points with both labels under both names, of which a copy learns one each.

    Training points as ``sampling`` says; validation and test are fresh, label balanced and labelled for both tasks.
    """
    few, n = 4, profile.n_test
    train = toy.make(PAIRS[place], profile.n_train, few, seed, reading=toy.Reading(sampling=profile.sampling)).train
    fresh = toy.make(PAIRS[place], few, 2 * n, seed).test
    tasks = (Task(MAIN, "binary", 2), Task(PARTNER, "binary", 2))
    splits = {"train": train, "validation": fresh.take(torch.arange(n)), "test": fresh.take(torch.arange(n, 2 * n))}
    named = {name: Split(split.x, dict.fromkeys((MAIN, PARTNER), split.y["toy"])) for name, split in splits.items()}
    return Dataset(place, tasks, **named)


def build(copy: Copy, widths: Sequence[int]) -> Method:
    """A copy's network: the same initial weights for all arms (but ``AGAIN``), places and directions of a seed."""
    arm = copy.settings["arm"]
    with seeded("transfer on the plane", copy.seed, *([arm] if arm in AGAIN else [])):
        trunk, tasks = mlp(2, *widths), (Task(MAIN, "binary", 1), Task(PARTNER, "binary", 1))
        return Adversarial(trunk, widths[-1], *tasks, weight=ARMS[arm])


def train(plan: Plan, first: int = 0, *, workers: int = 1, advance: Advance = nothing) -> pd.DataFrame:
    """Train what is not trained yet; the scores of every network.

    Args:
        first: the first of the profile's seeds.  workers: processes of one thread each.
        advance: told the updates done; by whole jobs if there are several workers.

    Returns:
        One row per network: place, main (0 or 1), arm, seed, and per cent: test and validation accuracy, "balanced"
        (mean of sensitivity and specificity on test points), "partner": how well the other head reads b off the
        features, balanced too; made by, frozen (why, if it diverged).
    """
    seeds = range(first, first + plan.profile.seeds)
    each = plan.profile.work() // plan.profile.seeds
    rows = run_all(seeds, partial(run_job, plan=plan), lambda seed: each, workers, advance)
    return pd.DataFrame(rows).sort_values("seed", kind="stable", ignore_index=True)


def run_job(seed: int, plan: Plan, advance: Advance = nothing) -> list[dict]:
    """The rows of one seed, from its file if it is done."""
    stem = plan.stem(seed)
    if stem.with_suffix(".json").exists():
        advance(plan.profile.work() // plan.profile.seeds)
    return once(stem.with_suffix(".json"), lambda: _trained(seed, plan, stem.with_suffix(".pt"), advance))


def _trained(seed: int, plan: Plan, checkpoint: Path, advance: Advance) -> list[dict]:
    torch.set_num_threads(1)  # one process per core serves better, and results do not depend on the cores
    asked, wanted = plan.profile, cells(plan.profile, seed)
    data = [make(place, seed, asked) for place in asked.places]
    copies = [copy_of(cell, asked.places.index(cell.place)) for cell in wanted]
    built = partial(build, widths=asked.widths)
    result = ensemble.fit(built, data, copies, asked.recipe, checkpoint=checkpoint, logged=10, advance=advance)
    if result.interrupted:
        raise KeyboardInterrupt
    rows = []
    for at, (cell, copy, network) in enumerate(zip(wanted, copies, result.networks(), strict=True)):
        found = scored(network, data[copy.data], cell.main)
        rows.append({**asdict(cell), **found, "made by": plan.made_by, "frozen": result.frozen.get(at)})
    checkpoint.unlink()
    return rows


def copy_of(cell: Cell, data: int) -> Copy:
    """A cell as a copy of the ensemble: its own label is the main one, the other is the partner's."""
    columns = {MAIN: [cell.main], PARTNER: [1 - cell.main]}
    return Copy(seed=cell.seed, data=data, columns=columns, settings={"arm": cell.arm})


@torch.no_grad()
def scored(network: Method, data: Dataset, main: int) -> Mapping[str, float]:
    """Accuracies in per cent, see ``train``; of a network that learned column ``main``."""
    found = {}
    for name in SPLITS:
        split = getattr(data, name)
        decided = network.decide(network(split.x))
        y = split.y[MAIN][:, [main]]
        found[name] = 100 * accuracy(decided[MAIN], y).item()
        if name == "test":
            found["balanced"] = 100 * balanced_accuracy(decided[MAIN], y).item()
            found[PARTNER] = 100 * balanced_accuracy(decided[PARTNER], split.y[MAIN][:, [1 - main]]).item()
    return found

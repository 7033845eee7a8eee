"""The search of Sec. 3.3 as a program: every attribute alone, every pair together, then each made blind to its worst.

M single networks (many times over, to see what chance does), M (M - 1) / 2 pairs, and the adversarial networks of the
partners that these chose. All are small networks on the same numbers (``pair_data``), so a few hundred train as one
program that holds the inputs once (``mtlib.ensemble``). The unit is a job, one such program with a file of its own:
what is cut short goes on where it was.

Partners, weights and moments of training are chosen by validation accuracy. The test accuracy stands beside each
choice and has no say in it (L-6).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from mtlib import ensemble
from mtlib.adversarial import Adversarial, chosen, negative, pairs, transfer, worst
from mtlib.controls import MultiTask
from mtlib.ensemble import Accuracy, Copy
from mtlib.experiments import jobs, pair_data
from mtlib.experiments.pair_data import Source
from mtlib.method import Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split, Task

Kind = Literal["single", "pair", "multi", "wide", "reversal", "gan", "wasserstein", "group", "shared"]
WEIGHTS = (0.01, 0.1, 0.3, 0.5, 1.0)  # of the paper
TOGETHER = 200  # networks in a job: more leave a processor's cache and are no faster
WIDER = 8  # a wide network of all attributes has layers so many times as wide (L-21)
SAVE_EVERY = 60.0  # seconds
TUNED_ON = 900  # the seed of the search for a learning rate, which is in no table


@dataclass(frozen=True)
class Cell:
    """One network: its main attribute, its partners by place, lambda, and which of several like it."""

    main: int
    partners: tuple[int, ...] = ()
    weight: float = 0.0
    run: int = 0


@dataclass(frozen=True)
class Job:
    """Networks of one architecture with one seed, which redraws (drawn) faces, initial weights and order."""

    kind: Kind
    seed: int
    cells: tuple[Cell, ...]
    rate: float


@dataclass(frozen=True)
class Plan:
    """How the search is made.

    Args:
        source: the faces; its seed is each job's.
        epochs: of every network.  batch: examples per update.  drop: after which share of the run the rate falls to a
            tenth.  weight_decay: L2 penalty.  The paper's are 6, not given, 4 / 6 (L-19) and 5e-4.
        widths: of the trunk's layers.
        looks: how often accuracies are taken; each attribute keeps its best (L-7).
        replicates: single networks of every attribute that differ in nothing but initial weights.
        weights: lambdas that are tried.
        folder: where jobs leave their files.  made_by: who trains, such as a commit.
    """

    source: Source
    folder: Path
    epochs: int = 6
    batch: int = 128
    drop: float = 4 / 6
    weight_decay: float = 5e-4
    widths: tuple[int, ...] = (32, 32)
    looks: int = 6
    replicates: int = 40
    weights: tuple[float, ...] = WEIGHTS
    made_by: str | None = None

    def recipe(self, rate: float) -> Recipe:
        """Adam, whose rate falls once."""
        same = {"epochs": self.epochs, "batch": self.batch, "weight_decay": self.weight_decay}
        return Recipe(rate=rate, schedule="step", drops=(self.drop,), **same)

    def data(self, seed: int) -> Dataset:
        """The faces of a seed; real ones are always the same."""
        return pair_data.load(replace(self.source, seed=seed))

    def stem(self, job: Job) -> Path:
        """Where a job leaves its file: named after all that decides its outcome, but not the training code."""
        made = replace(self, folder=Path(), made_by=None)
        return self.folder / f"pairs-{job.kind}-{job.seed}-{jobs.digest(job, made)}"

    def updates(self, cells: int) -> int:
        """Of so many networks."""
        faces = self.source.train or 162_770
        return cells * self.epochs * max(1, faces // self.batch)


# ------------------------------------------------------------------ one job


def run_job(job: Job, plan: Plan, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """A row per network: {"kind", "seed", ..., "validation", "test": per cent of every column that it learned}."""
    finished = plan.stem(job).with_suffix(".json")
    if finished.exists():
        advance(plan.updates(len(job.cells)))
    return jobs.once(finished, lambda: _trained(job, plan, advance))


def _trained(job: Job, plan: Plan, advance: jobs.Advance) -> list[dict]:
    torch.set_num_threads(1)  # one process per core serves better, and results do not depend on the cores
    data, width = prepared(job.kind, plan, job.seed, job.rate)
    names = data.tasks[0].columns
    copies = [Copy(seed=job.seed, columns=columns(job.kind, cell), settings={"cell": cell}) for cell in job.cells]
    look = Accuracy([data.validation, data.test], "main", copies)
    result = ensemble.fit(
        lambda copy: build(job, plan, copy.settings["cell"], width, len(names)),
        *(data, copies, plan.recipe(job.rate)),
        look=look,
        looks=plan.looks,
        logged=1,
        checkpoint=plan.stem(job).with_suffix(".pt"),
        save_every=SAVE_EVERY,
        advance=advance,
    )
    if result.interrupted:
        raise KeyboardInterrupt  # half a search must not be chosen from
    if result.frozen:
        place, why = next(iter(result.frozen.items()))
        raise FloatingPointError(f"{job.kind} networks diverged, such as {job.cells[place]}: {why}")
    validation, test = (100 * result.looks[:, :, k] for k in (0, 1))  # looks K columns
    plan.stem(job).with_suffix(".pt").unlink(missing_ok=True)
    found = chosen(validation, test)
    same = {"kind": job.kind, "seed": job.seed, "rate": job.rate, "made by": plan.made_by}
    return [
        same | vars(cell) | {"validation": found[0][k].tolist(), "test": found[1][k].tolist()}
        for k, cell in enumerate(job.cells)
    ]


def columns(kind: Kind, cell: Cell) -> dict[str, list[int]]:
    """Which label columns a network is given."""
    if kind in ("multi", "wide"):
        return {}
    if kind == "pair":
        return {"main": [cell.main, *cell.partners]}
    return {"main": [cell.main]} | ({"partners": list(cell.partners)} if kind not in ("single", "group") else {})


def build(job: Job, plan: Plan, cell: Cell, inputs: int, attributes: int) -> Method:
    """A network with initial weights of its own."""
    learned = {"multi": attributes, "wide": attributes, "pair": 2}.get(job.kind, 1)
    main = Task("main", "binary", learned)
    widths = [width * (WIDER if job.kind == "wide" else 1) for width in plan.widths]
    with seeded("pair search", job.kind, job.seed, repr(cell)):
        trunk = mlp(inputs, *widths)
        if job.kind in ("single", "pair", "multi", "wide"):
            return MultiTask(trunk, widths[-1], [main])
        group = job.kind == "group"
        partners = Task("partners", "binary", attributes if group else 1)
        form = job.kind if job.kind in ("gan", "wasserstein") else "reversal"
        listed = cell.partners if group else None
        return Adversarial(trunk, widths[-1], main, partners, cell.weight, form=form, listed=listed)


@lru_cache(maxsize=2)
def prepared(kind: Kind, plan: Plan, seed: int, rate: float) -> tuple[Dataset, int]:
    """The data as a kind of network wants them, and how many inputs they have; nothing is copied.

    ``shared`` networks learn from the features of one that learned all attributes and is frozen: its two layers stand
    for the CNN of Table 1's last row but one, the two that are trained on top for the paper's hidden layers.
    """
    data = plan.data(seed)
    names = data.tasks[0].columns
    tasks = [Task("main", "binary", names)]
    if kind not in ("single", "pair", "multi", "wide"):
        tasks.append(Task("partners", "binary", names))
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    if kind == "shared":
        trunk = _pretrained(plan, seed, rate)
        splits = {name: Split(pair_data.features(trunk, split.x), split.y) for name, split in splits.items()}
    splits = {
        name: Split(split.x, {task.name: split.y["attributes"] for task in tasks}) for name, split in splits.items()
    }
    return Dataset(data.name, tuple(tasks), **splits), splits["train"].x.shape[1]


def _pretrained(plan: Plan, seed: int, rate: float) -> torch.nn.Module:
    job = Job("multi", seed, (Cell(0),), rate)
    data, width = prepared("multi", plan, seed, rate)
    copies = [Copy(seed=seed)]
    build_it = partial(build, job, plan, job.cells[0], width, len(data.tasks[0].columns))
    return next(ensemble.fit(lambda copy: build_it(), data, copies, plan.recipe(rate)).networks()).trunk


# ------------------------------------------------------------------ the whole search


def first(plan: Plan, seed: int, rates: dict[str, float]) -> list[Job]:
    """What is trained before anything is chosen: single networks, pairs, and two networks of all attributes."""
    m = len(pair_data.names(plan.source))
    single = [Cell(a, run=run) for run in range(plan.replicates) for a in range(m)]
    both = [Cell(a, (b,)) for a, b in pairs(m)]
    return [
        *_parts("single", seed, single, rates["single"]),
        *_parts("pair", seed, both, rates["single"]),
        *(Job(kind, seed, (Cell(0),), rates[kind]) for kind in ("multi", "wide")),
    ]


def second(plan: Plan, seed: int, rates: dict[str, float], rows: Sequence[dict]) -> list[Job]:
    """The adversarial networks, of the partners that a seed's own first rows choose on validation data.

    Attributes without a partner that takes anything keep their single network (L-13). ``reversal`` is trained with a
    random partner, too, which nobody chose: run 1.
    """
    gains = drops(rows)
    m = len(gains)
    partner, every = worst(gains), negative(gains)
    have = [a for a in range(m) if partner[a] is not None]
    with seeded("random partners", seed):
        strangers = {a: int(torch.randint(m - 1, ())) for a in range(m)}
    strangers = {a: b + (b >= a) for a, b in strangers.items()}  # any but itself
    own = [Cell(a, (partner[a],), weight) for weight in plan.weights for a in have]
    other = [Cell(a, (strangers[a],), weight, 1) for weight in plan.weights for a in range(m)]
    groups = [Cell(a, tuple(every[a]), weight) for weight in plan.weights for a in have]
    alone = [Cell(a, ((a + 1) % m,)) for a in range(m)]
    rate = rates["single"]
    found = [*_parts("reversal", seed, [*own, *other], rate), *_parts("group", seed, groups, rate)]
    for kind in ("gan", "wasserstein"):
        found += _parts(kind, seed, own, rate)
    return [*found, *_parts("shared", seed, [*own, *alone], rate)]


def drops(rows: Sequence[dict], key: str = "validation") -> Tensor:
    """(M, M) what each partner gives each attribute, in points, over its first single network."""
    single = {row["main"]: row[key][0] for row in rows if row["kind"] == "single" and row["run"] == 0}
    own = torch.tensor([single[a] for a in range(len(single))], dtype=torch.double)
    return transfer(own, joint(rows, key))


def joint(rows: Sequence[dict], key: str = "validation") -> Tensor:
    """(M, M) accuracy in per cent of each attribute (row) with each partner; NaN on the diagonal: Table 4."""
    both = [row for row in rows if row["kind"] == "pair"]
    m = 1 + max(row["partners"][0] for row in both)
    found = torch.full((m, m), torch.nan, dtype=torch.double)
    for row in both:
        a, (b,) = row["main"], row["partners"]
        found[a, b], found[b, a] = row[key]
    return found


def tune(plan: Plan, rates: Sequence[float], workers: int = 1, advance: jobs.Advance = jobs.nothing) -> dict:
    """{"single", "multi", "wide": the rate that was best on seed 900}; pairs and adversaries have single's."""
    m = len(pair_data.names(plan.source))
    cells = {"single": tuple(Cell(a) for a in range(m)), "multi": (Cell(0),), "wide": (Cell(0),)}
    todo = [Job(kind, TUNED_ON, own, rate) for rate in rates for kind, own in cells.items()]
    found = _run(todo, plan, workers, advance)
    best = {}
    for kind in cells:
        scores = {
            rate: torch.tensor([row["validation"] for row in found if (row["kind"], row["rate"]) == (kind, rate)])
            for rate in rates
        }
        best[kind] = max(rates, key=lambda rate: scores[rate].mean().item())
    return best


def search(
    plan: Plan, seeds: Sequence[int], rates: dict[str, float], workers: int = 1, advance: jobs.Advance = jobs.nothing
) -> list[dict]:
    """All rows of some seeds: the search, the choice, the adversarial networks; see ``run_job``.

    Args:
        workers: processes of one thread each; the outcome does not depend on their number.
        advance: told the updates done; by whole jobs if there are several workers.
    """
    before = _run([job for seed in seeds for job in first(plan, seed, rates)], plan, workers, advance)
    by_seed = {seed: [row for row in before if row["seed"] == seed] for seed in seeds}
    after = [job for seed in seeds for job in second(plan, seed, rates, by_seed[seed])]
    return before + _run(after, plan, workers, advance)


def work(plan: Plan, attributes: int, seeds: int, rates: int = 0) -> int:
    """Updates of a whole search at most, with those of ``tune`` at so many rates."""
    own = attributes * (plan.replicates + 6 * len(plan.weights) + 1) + len(pairs(attributes)) + 2
    return plan.updates(seeds * own + rates * (attributes + 2))


def _run(todo: Sequence[Job], plan: Plan, workers: int, advance: jobs.Advance) -> list[dict]:
    return jobs.run_all(todo, partial(run_job, plan=plan), lambda job: plan.updates(len(job.cells)), workers, advance)


def _parts(kind: Kind, seed: int, cells: Sequence[Cell], rate: float) -> list[Job]:
    """Jobs of at most ``TOGETHER`` networks."""
    return [Job(kind, seed, tuple(cells[at : at + TOGETHER]), rate) for at in range(0, len(cells), TOGETHER)]

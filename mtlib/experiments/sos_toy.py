"""Table I of SOS: single-task, multi-task and SOS networks on the toy plane (Sec. IV-A)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from mtlib import ensemble, toy
from mtlib.claims import mean_of
from mtlib.controls import MultiTask, SingleTask
from mtlib.ensemble import Copy
from mtlib.method import Method
from mtlib.networks import mlp
from mtlib.paths import repository
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.tasks import Dataset
from mtlib.training import accuracy, fit

MODELS = ("ST", "MT", "SOS")
DIFFERENCES = (("MT", "ST"), ("SOS", "MT"), ("SOS", "ST"))
COLUMNS = ("task 1", "task 2", "average")
STRONG = {"text": (1, 2, 6, 10), "caption": (1, 2, 7)}  # the sets said to overlap strongly, and where


def build(model: str, **settings: object) -> Method:
    """A network of Sec. IV-A.1: ST 2-20-10-1 twice, MT 2-20-20-2, SOS 2-20-SOS(15, 5).

    Args:
        model: ST, MT, SOS, or MT wide: MT with the 25 units that SOS has in its second layer (S-15).
        settings: passed on to SOS (weights, reading).

    Raises:
        ValueError: another model.
    """
    if model == "ST":
        return SingleTask(lambda: mlp(2, 20, 10), 10, toy.TASKS)
    if model == "MT":
        return MultiTask(mlp(2, 20, 20), 20, toy.TASKS)
    if model == "MT wide":
        return MultiTask(mlp(2, 20, 25), 25, toy.TASKS)
    if model == "SOS":
        return SOS(mlp(2, 20), 20, toy.TASKS, common=15, specific=5, **settings)
    raise ValueError(f"the toy models are {', '.join(MODELS)} and MT wide, got {model!r}")


def sizes(model: str) -> tuple[int, int]:
    """Parameters that predict, and those of the fake heads, which are thrown away after training."""
    method = build(model)
    fake = sum(p.numel() for p in method.fake.parameters()) if isinstance(method, SOS) else 0
    return sum(p.numel() for p in method.parameters()) - fake, fake


def fingerprint(number: int, model: str, seed: int, steps: int = 10) -> dict[str, float]:
    """The history's last row after a few updates in double precision: the same on every machine."""
    data = toy.make(number, seed=seed)
    data.train.x = data.train.x.double()
    method = initial(model, seed).double()
    return fit(method, data, Recipe(steps=steps, rate=0.01), seed=seed).history[-1]


@dataclass
class Runs:
    """What ``run`` found.

    scores: one row per run with set, model, seed, task 1, task 2, average (per cent).
    kept: {(set, model): network of the first seed}.
    """

    scores: pd.DataFrame
    kept: dict[tuple[int, str], Method]


def train(
    number: int,
    model: str,
    recipe: Recipe,
    seed: int,
    device: str = "cpu",
    *,
    settings: Mapping[str, object] | None = None,
    advance: Callable[[int], None] = lambda steps: None,
) -> tuple[Method, dict[str, float]]:
    """One network on one set; the seed redraws data, initialisation and order.

    Args:
        settings: for ``build``.  advance: for a progress bar.

    Returns:
        The network and its test accuracies in per cent.
    """
    data = toy.make(number, seed=seed, device=device)
    method = initial(model, seed, **(settings or {})).to(device)
    if fit(method, data, recipe, seed=seed, advance=advance).interrupted:
        raise KeyboardInterrupt  # half a network must not be scored, nor the next run begin
    return method, scored(method, data)


def run(
    sets: Sequence[int],
    models: Sequence[str],
    seeds: Sequence[int],
    recipes: dict[str, Recipe],
    device: str = "cpu",
    advance: Callable[[int], None] = lambda steps: None,
) -> Runs:
    """Every model on every set with every seed, each with its model's recipe, all networks of a model together.

    Call ``torch.set_num_threads(1)`` first: networks this small are several times slower on two threads.

    Raises:
        FloatingPointError: a network diverged; the first one is named.
    """
    keys = [(number, seed) for number in sets for seed in seeds]
    data = [toy.make(number, seed=seed, device=device) for number, seed in keys]
    copies = [Copy(seed=seed, data=place) for place, (_, seed) in enumerate(keys)]
    rows, kept = [], {}
    for model in models:

        def one(copy: Copy, model: str = model) -> Method:
            return initial(model, copy.seed).to(device)

        result = ensemble.fit(one, data, copies, recipes[model], advance=advance)
        if result.interrupted:
            raise KeyboardInterrupt
        for place, why in result.frozen.items():
            raise FloatingPointError(f"{model} on set {keys[place][0]}, seed {keys[place][1]}, {why}")
        for (number, seed), network, each in zip(keys, result.networks(), data, strict=True):
            rows.append({"set": number, "model": model, "seed": seed, **scored(network, each)})
            kept.setdefault((number, model), network)
    order = {number: place for place, number in enumerate(sets)}
    rows.sort(key=lambda row: order[row["set"]])
    return Runs(pd.DataFrame(rows), {(number, model): kept[number, model] for number in sets for model in models})


def initial(model: str, seed: int, **settings: object) -> Method:
    """A network with the initial weights that a seed gives; settings of SOS do not change them."""
    with seeded("initial weights", model, seed):
        return build(model, **settings)


def scored(network: Method, data: Dataset) -> dict[str, float]:
    """Test accuracies in per cent: task 1, task 2, average."""
    scores = {task: 100 * share for task, share in accuracy(network, data.test).items()}
    return scores | {"average": sum(scores.values()) / len(scores)}


def tune(
    sets: Sequence[int],
    rates: Sequence[float],
    steps: int,
    seeds: Sequence[int],
    device: str = "cpu",
    advance: Callable[[int], None] = lambda steps: None,
) -> pd.DataFrame:
    """Mean accuracy over sets and seeds (per cent) of every model (rows) at every learning rate (columns).

    The seeds must not be those of the comparison that the rate is then used in.
    """
    means = {}
    for rate in rates:
        recipes = dict.fromkeys(MODELS, Recipe(steps=steps, rate=rate))
        scores = run(sets, MODELS, seeds, recipes, device, advance).scores
        means[rate] = scores.groupby("model", sort=False)["average"].mean()
    return pd.DataFrame(means)


def cost(model: str, batch: int = 128) -> int:
    """Multiplications and additions of matrix products in one update's forward and backward pass."""
    method, data = build(model), toy.make(1, n_train=batch)
    with FlopCounterMode(display=False) as counter:
        method.losses(data.train.take(torch.arange(batch))).total().backward()
    return counter.get_total_flops()


def differences(scores: pd.DataFrame, column: str = "average") -> dict[str, list[float]]:
    """Paired differences over seeds, {"set 8/MT-ST": [one per seed], ...}, in points."""
    wide = scores.pivot(index=["set", "seed"], columns="model", values=column)
    return {
        f"set {number}/{a}-{b}": (wide.loc[number, a] - wide.loc[number, b]).tolist()
        for number in scores["set"].unique()
        for a, b in DIFFERENCES
        if {a, b} <= set(wide.columns)
    }


def printed() -> pd.DataFrame:
    """Table I as printed: one row per set and model with task 1, task 2, average in per cent (one run each)."""
    table = pd.read_csv(repository() / "data" / "papers" / "sos_table1.csv")
    table = table[table["data"] != "average"].astype({"data": int})
    rows = [
        {"set": row["data"], "model": model}
        | {
            column: row[f"{model.lower()}_{key}"]
            for column, key in zip(COLUMNS, ("task1", "task2", "avg"), strict=True)
        }
        for _, row in table.iterrows()
        for model in MODELS
    ]
    return pd.DataFrame(rows)


def overlap_samples(seeds: Sequence[int], reading: toy.Reading = toy.DEFAULT) -> dict[str, list[float]]:
    """How far the sets said to overlap strongly overlap more than the rest, by the text and by the caption (S-13).

    Returns:
        {"overlap/text": [one per seed], "overlap/caption": ...}, intersection over union: the least of the sets
        named minus the most of the others.
    """
    samples: dict[str, list[float]] = {f"overlap/{source}": [] for source in STRONG}
    for seed in seeds:
        share = {number: toy.overlap(number, 200_000, seed, reading) for number in toy.SETS}
        for source, named in STRONG.items():
            others = [share[number] for number in toy.SETS if number not in named]
            samples[f"overlap/{source}"].append(min(share[number] for number in named) - max(others))
    return samples


def summary(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """{"set 8": {"ST": {"task 1": {"mean", "low", "high", "n"}, ...}}}: accuracies in per cent."""
    found: dict = {}
    for (number, model), rows in scores.groupby(["set", "model"], sort=False):
        found.setdefault(f"set {number}", {})[model] = {name: mean_of(rows[name].tolist()) for name in COLUMNS}
    return found


def table(**sources: Mapping) -> pd.DataFrame:
    """The printed averages beside the summaries given by name, in the order of the last one."""
    rows = []
    theirs = printed().set_index(["set", "model"])["average"]
    for key, models in list(sources.values())[-1].items():
        for model in models:
            number = int(key.removeprefix("set "))
            row = {"set": number, "model": model, "printed": f"{theirs[number, model]:.1f}"}
            for name, found in sources.items():
                one = found.get(key, {}).get(model)
                row[name] = spelled(one["average"]) if one else "–"
            rows.append(row)
    return pd.DataFrame(rows).set_index(["set", "model"])


def spelled(found: Mapping[str, float]) -> str:
    """A mean and its interval; an end beyond what an accuracy can be stands at 100."""
    return f"{found['mean']:.1f} [{found['low']:.1f}, {min(found['high'], 100):.1f}], n = {found['n']}"


def scoreboard(model: str, samples: Mapping[str, Sequence[float]], sets: Sequence[int]) -> dict[str, object]:
    """A method's row of the course's scoreboard: gains averaged over the sets, in points, and cost per update."""
    gains = {}
    for rival in ("ST", "MT"):
        per_set = [samples[f"set {number}/{model}-{rival}"] for number in sets]
        gains[rival] = mean_of([sum(gain) / len(sets) for gain in zip(*per_set, strict=True)])
    return {
        "method": model,
        "gain over single-task": gains["ST"],
        "gain over equal weights": gains["MT"],
        "operations per update relative to equal weights": cost(model) / cost("MT"),
    }


def grid(cells: int = 120) -> torch.Tensor:
    """Cell centres over the square, (cells * cells, 2); X1 rises by row, X0 by column."""
    axis = (torch.arange(cells) + 0.5) / cells * 2 - 1
    x0, x1 = torch.meshgrid(axis, axis, indexing="xy")
    return torch.stack([x0.flatten(), x1.flatten()], 1)


@torch.no_grad()
def decision_map(method: Method, cells: int = 120) -> torch.Tensor:
    """Probability of each task on a grid over the square: (2, cells, cells), rows from X1 = -1 upwards."""
    parameter = next(method.parameters())
    return method(grid(cells).to(parameter))["toy"].sigmoid().T.reshape(2, cells, cells).cpu()

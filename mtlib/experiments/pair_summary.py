"""What a search says, seed by seed: tables of accuracies, packed for a record and unpacked from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.experiments.pair_search import joint
from mtlib.metrics import correlation
from mtlib.tasks import Dataset

SPLITS = ("validation", "test")
ARMS = ("reversal", "random partner", "gan", "wasserstein", "group", "shared")
DIGITS = 3


@dataclass
class Found:
    """One seed's accuracies in per cent; the last axis is validation, test.

    single: (runs, M, 2).  pair: (M, M, 2), main attribute by partner, NaN on the diagonal.
    multi, wide: (M, 2) of networks of all attributes.
    arms: {name: (lambdas, M, 2)}, NaN for attributes that had no partner.  shared: (M, 2) on shared features,
        alone.
    partner: (M,) places of the worst partners, -1 where there is none.  stranger: (M,) of the random ones.
    correlation: (M, M) of the training labels.
    """

    seed: int
    single: Tensor
    pair: Tensor
    multi: Tensor
    wide: Tensor
    arms: dict[str, Tensor]
    shared: Tensor
    partner: Tensor
    stranger: Tensor
    correlation: Tensor


def found(rows: Sequence[Mapping], data: Dataset, weights: Sequence[float]) -> Found:
    """The rows of one seed (``pair_search.search``) as tables."""
    seed = rows[0]["seed"]
    m = len(data.tasks[0].columns)
    single = [row for row in rows if row["kind"] == "single"]
    runs = 1 + max(row["run"] for row in single)
    alone = _filled((runs, m), ((row["run"], row["main"], row) for row in single))
    pair = torch.stack([joint(rows, key) for key in SPLITS], -1)
    every = {}
    for kind in ("multi", "wide"):
        (own,) = [row for row in rows if row["kind"] == kind]
        every[kind] = torch.stack([torch.tensor(own[key], dtype=torch.double) for key in SPLITS], -1)
    arms, partner, stranger = {}, torch.full((m,), -1), torch.full((m,), -1)
    place = {weight: at for at, weight in enumerate(weights)}
    for name in ARMS:
        own = [row for row in rows if arm_of(row) == name]
        arms[name] = _filled((len(weights), m), ((place[row["weight"]], row["main"], row) for row in own))
        for row in own if name in ("reversal", "random partner") else ():
            (partner if name == "reversal" else stranger)[row["main"]] = row["partners"][0]
    shared = _filled((1, m), ((0, row["main"], row) for row in rows if arm_of(row) == "shared alone"))[0]
    labels = correlation(data.train.y["attributes"])
    return Found(seed, alone, pair, every["multi"], every["wide"], arms, shared, partner, stranger, labels)


def arm_of(row: Mapping) -> str:
    """The arm that an adversarial network belongs to."""
    if row["kind"] == "shared" and row["weight"] == 0:
        return "shared alone"
    return "random partner" if (row["kind"], row["run"]) == ("reversal", 1) else row["kind"]


def _filled(shape: tuple[int, int], entries: Iterable[tuple[int, int, Mapping]]) -> Tensor:
    """(..., 2) of the rows that go to these places, NaN elsewhere."""
    values = torch.full((*shape, 2), torch.nan, dtype=torch.double)
    for first, second, row in entries:
        values[first, second] = torch.tensor([row[key][0] for key in SPLITS], dtype=torch.double)
    return values


# ------------------------------------------------------------------ record


def packed(one: Found) -> dict:
    """A seed's tables for a record: a line of text per row of numbers."""
    return {
        "seed": one.seed,
        "single": _split(one.single),
        "pair": _split(one.pair),
        "multi": _split(one.multi.unsqueeze(0)),
        "wide": _split(one.wide.unsqueeze(0)),
        "shared": _split(one.shared.unsqueeze(0)),
        "arms": {name: _split(values) for name, values in one.arms.items()},
        "partner": " ".join(map(str, one.partner.tolist())),
        "stranger": " ".join(map(str, one.stranger.tolist())),
        "correlation": [_line(row) for row in one.correlation],
    }


def unpacked(kept: Mapping) -> Found:
    """The inverse of ``packed``."""
    partner, stranger = (torch.tensor([int(n) for n in kept[key].split()]) for key in ("partner", "stranger"))
    return Found(
        kept["seed"],
        _join(kept["single"]),
        _join(kept["pair"]),
        _join(kept["multi"])[0],
        _join(kept["wide"])[0],
        {name: _join(values) for name, values in kept["arms"].items()},
        _join(kept["shared"])[0],
        *(partner, stranger),
        _numbers(kept["correlation"]),
    )


def _split(values: Tensor) -> dict[str, list[str]]:
    return {name: [_line(row) for row in values[..., k]] for k, name in enumerate(SPLITS)}


def _join(kept: Mapping[str, Sequence[str]]) -> Tensor:
    return torch.stack([_numbers(kept[name]) for name in SPLITS], -1)


def _line(values: Tensor) -> str:
    return " ".join(f"{value:.{DIGITS}f}" for value in values.tolist())


def _numbers(lines: Sequence[str]) -> Tensor:
    return torch.tensor([[float(word) for word in line.split()] for line in lines], dtype=torch.double)

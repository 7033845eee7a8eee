"""What the rows of ``blindness`` say: what was removed, what still shows, and what it cost; before and after."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from mtlib.experiments.blindness import AFTER, ARMS, BEFORE, FORMS, PAIRS, WEIGHTS, Pair
from mtlib.experiments.face_summary import spelled

Rows = Sequence[Mapping]  # of ``blindness.train``
Samples = dict[str, list[float]]  # {estimate: [one per seed]}

TIED = PAIRS[:4]  # labels go together, or apart; of the other pairs they hardly do
SCORES: dict[str, Callable[[Mapping], float | None]] = {  # what a row says, by name
    "linear probe": lambda row: row["linear probe"],
    "MLP probe": lambda row: row["MLP probe"],
    "own adversary": lambda row: row["adversary"],
    "own adversary, AUC": lambda row: row["adversary AUC"],
    "floor": lambda row: row["floor"],
    "from the main logit": lambda row: row["logit"],
    "MLP minus linear probe": lambda row: row["MLP probe"] - row["linear probe"],
    "linear probe minus own adversary": lambda row: row["linear probe"] - row["adversary"],
    "linear probe minus main logit": lambda row: row["linear probe"] - row["logit"],
    "map on the partner": lambda row: row["mass partner"],
    "map on itself": lambda row: row["mass own"],
    "even map on the partner": lambda row: row["area partner"],
    "logit moved": lambda row: row["moved"],
    "logit moved, size": lambda row: abs(row["moved"]),
    "accuracy": lambda row: row["accuracy"],
    "balanced accuracy": lambda row: row["balanced"],
    "partner as it is": lambda row: row["plain"],
    "partner unset": lambda row: row["do 0"],
    "partner set": lambda row: row["do 1"],
    "worse of set and unset": lambda row: min(row["do 0"], row["do 1"]),
}
UNITS = {"logit moved": "standard deviations", "logit moved, size": "standard deviations"}  # the rest: per cent


def title(pair: Pair) -> str:
    """A pair in words: what is learned, and what the network is to be blind to."""
    main, partner = (name.replace("_", " ") for name in pair)
    return f"{main} | {partner}"


def pairs(rows: Rows) -> list[Pair]:
    """The pairs that there are rows of, in the order of ``blindness.PAIRS``."""
    found = {(row["main"], row["partner"]) for row in rows}
    return [pair for pair in PAIRS if pair in found]


def arms(rows: Rows) -> list[str]:
    """The arms that there are rows of, in the order of ``blindness.ARMS``."""
    found = {row["arm"] for row in rows}
    return [arm for arm in ARMS if arm in found]


def by_seed(rows: Rows, pair: Pair, arm: str, score: str) -> dict[int, float]:
    """{seed: a score of ``SCORES``} of a pair's networks of an arm; without those that diverged or have none."""
    own = [row for row in rows if (row["main"], row["partner"], row["arm"]) == (*pair, arm) and not row["diverged"]]
    found = {row["seed"]: SCORES[score](row) for row in own}
    return {seed: value for seed, value in found.items() if value is not None}


def change(rows: Rows, pair: Pair, score: str, arm: str = AFTER) -> dict[int, float]:
    """{seed: a score of an arm less that of the network without an adversary}, for seeds that have both."""
    before, after = (by_seed(rows, pair, name, score) for name in (BEFORE, arm))
    return {seed: after[seed] - before[seed] for seed in after if seed in before}


def before_after(rows: Rows, scores: Sequence[str], arm: str = AFTER) -> dict[str, dict[str, tuple[list, list]]]:
    """{pair's title: {score: (before, after), each one value per seed that has both}}: for the figures."""
    found: dict[str, dict[str, tuple[list, list]]] = {}
    for pair in pairs(rows):
        for score in scores:
            one, other = (by_seed(rows, pair, name, score) for name in (BEFORE, arm))
            both = [seed for seed in one if seed in other]
            if both:
                values = [one[seed] for seed in both], [other[seed] for seed in both]
                found.setdefault(title(pair), {})[score] = values
    return {name: own for name, own in found.items() if len(own) == len(scores)}


def compared(rows: Rows, scores: Sequence[str], arm: str = AFTER) -> pd.DataFrame:
    """A line per pair: n, and of every score the mean before, after, and the paired difference with its interval."""
    lines = {}
    for name, own in before_after(rows, scores, arm).items():
        line: dict[str, object] = {"n": len(next(iter(own.values()))[0])}
        for score, (before, after) in own.items():
            line[f"{score}, before"], line[f"{score}, after"] = (f"{np.mean(each):.1f}" for each in (before, after))
            line[f"{score}, change"] = spelled([b - a for a, b in zip(before, after, strict=True)], sign=True)
        lines[name] = line
    return pd.DataFrame(lines).T


def forms(rows: Rows, scores: Sequence[str]) -> pd.DataFrame:
    """A line per pair and form of the game, lambda 1: every score's mean with its interval; no game comes first."""
    lines = {}
    for pair in pairs(rows):
        own = {arm: {score: by_seed(rows, pair, arm, score) for score in scores} for arm in (BEFORE, AFTER, *FORMS)}
        if not all(own[arm][scores[0]] for arm in FORMS):
            continue
        for arm, found in own.items():
            line: dict[str, object] = {"n": len(found[scores[0]])}
            lines[title(pair), arm] = line | {score: spelled(list(by.values())) for score, by in found.items()}
    return pd.DataFrame(lines).T


def ladder(rows: Rows, scores: Sequence[str]) -> dict[str, dict[float, dict[str, list[float]]]]:
    """{pair's title: {lambda, growing: {score: [one per seed]}}} of the pairs with two or more lambdas.

    Of every pair the same seeds at all its lambdas, so that a line over lambda is one of the same networks' beginnings.
    """
    found = {}
    for pair in pairs(rows):
        own = {
            weight: {score: by_seed(rows, pair, arm, score) for score in scores}
            for weight, arm in WEIGHTS.items()
            if all(by_seed(rows, pair, arm, score) for score in scores)
        }
        every = [by for each in own.values() for by in each.values()]
        seeds = [seed for seed in every[0] if all(seed in by for by in every)] if every else []
        if len(own) > 1 and seeds:
            found[title(pair)] = {
                weight: {score: [by[seed] for seed in seeds] for score, by in each.items()}
                for weight, each in own.items()
            }
    return found


# ------------------------------------------------------------------ claims, record

KEYS = {  # estimate: score
    "linear probe": "linear probe",
    "MLP probe": "MLP probe",
    "own adversary": "own adversary",
    "CAM mass in the partner": "map on the partner",
    "logit moved by do": "logit moved, size",
    "accuracy of the main attribute": "accuracy",
    "balanced accuracy of the main attribute": "balanced accuracy",
    "accuracy, worse of partner set and unset": "worse of set and unset",
}
NOW = {  # after, without a before
    "MLP minus linear probe": "MLP minus linear probe",
    "linear probe minus own adversary": "linear probe minus own adversary",
    "linear probe minus main logit": "linear probe minus main logit",
}


def samples(rows: Rows, arm: str = AFTER) -> Samples:
    """Every estimate that a claim may ask for, one value per seed that has all pairs of the group.

    "..., after minus before, mean of pairs", then of the pairs whose labels are tied, of those that are not, and
    of every pair by its title; differences within the network after, "..., after, mean of pairs".
    """
    there = pairs(rows)
    groups = {
        "mean of pairs": there,
        "mean of tied pairs": [pair for pair in there if pair in TIED],
        "mean of untied pairs": [pair for pair in there if pair not in TIED],
        **{title(pair): [pair] for pair in there},
    }
    found: Samples = {}
    for group, own in groups.items():
        for name, score in KEYS.items():
            found[f"{name}, after minus before, {group}"] = _mean([change(rows, pair, score, arm) for pair in own])
        for name, score in NOW.items():
            found[f"{name}, after, {group}"] = _mean([by_seed(rows, pair, arm, score) for pair in own])
    return {key: values for key, values in found.items() if values}


def _mean(each: Sequence[Mapping[int, float]]) -> list[float]:
    """The mean over pairs, one per seed that all of them have."""
    if not each:
        return []
    return [float(np.mean([own[seed] for own in each])) for seed in each[0] if all(seed in own for own in each)]


def to_record(rows: Rows) -> list[dict]:
    """Rows for a record: numbers to four digits, without what every row of it has in common."""
    left_out = ("size", "data")
    return [
        {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in row.items()
            if key not in left_out
        }
        for row in rows
    ]

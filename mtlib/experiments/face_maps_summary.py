"""What the rows of ``face_maps`` say: do maps show the right place, and do they tell what moves a prediction?

An attribute counts if it has pixels of its own: not Attractive, which has none, and not Blurry, which has all. A seed
counts for it if ``FEWEST`` judged faces have it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy import ndarray
from scipy.stats import spearmanr

from mtlib.experiments.face_maps import ARMS, line
from mtlib.experiments.face_summary import by_seed, from_lines, paired, spelled
from mtlib.faces.names import ATTRIBUTES

Rows = Sequence[Mapping]  # of ``face_maps.train``
Samples = dict[str, list[float]]  # {estimate: [one per seed]}

SCORES = ("pointing", "overlap")
CHANCE, CENTRE = "by chance", "of the centre"
FEWEST = 5
BIG = ("effect", "share", "network")  # of a row; a record has the means of two, and one network


def counted(row: Mapping) -> ndarray:
    """The attributes that count in a row, whole numbers in ascending order."""
    area = _numbers(row["area"])
    return np.flatnonzero((_numbers(row["localised"]["faces"]) >= FEWEST) & (area > 0) & (area < 1))


def localised(rows: Rows, arm: str = "averaged") -> dict[str, dict[str, dict[str, list[float | None]]]]:
    """{score: {attribute: {score, "by chance", "centre": [share of every seed, None where it does not count]}}}.

    Attributes that count with no seed are left out.
    """
    there = _of(rows, arm)
    counts = [set(counted(row)) for row in there]
    found: dict[str, dict[str, dict[str, list[float | None]]]] = {score: {} for score in SCORES}
    for score, by in found.items():
        keys = {score: score, "by chance": f"{score} {CHANCE}", "centre": f"{score} {CENTRE}"}
        for k in sorted(set().union(*counts)):
            by[ATTRIBUTES[k]] = {
                name: [
                    float(_numbers(row["localised"][key])[k]) if k in own else None
                    for row, own in zip(there, counts, strict=True)
                ]
                for name, key in keys.items()
            }
    return found


def means(rows: Rows, arm: str, score: str) -> list[float]:
    """A score's mean over the attributes that count, per cent, one per seed."""
    return [100 * float(_numbers(row["localised"][score])[counted(row)].mean()) for row in _of(rows, arm)]


def table(rows: Rows) -> pd.DataFrame:
    """A column per network: its accuracy, the scores of its maps, and what chance and the centre have, as text."""
    told = {}
    for arm, kind in ARMS.items():
        if _of(rows, arm):
            column: dict[str, object] = {"n": len(_of(rows, arm))}
            column["accuracy (%)"] = spelled(list(by_seed(rows, arm, "accuracy").values()))
            for score in SCORES:
                for beside in ("", f" {CHANCE}", f" {CENTRE}"):
                    column[f"{score}{beside} (%)"] = spelled(means(rows, arm, score + beside))
            told[f"{arm}, {kind}"] = column
    return pd.DataFrame(told)


# ------------------------------------------------------------------ what moves a logit


def shortcuts(effect: ndarray, movers: ndarray) -> list[tuple[int, int]]:
    """Pairs (i, j): setting i moves logit j more than setting j does, the strongest of each j, strongest first.

    Args:
        effect: (n, n), see ``face_maps.effects``.
        movers: (n,) bool, attributes with pixels of their own: others can neither be named as i nor be outdone as j.
    """
    size = np.abs(effect)
    found = []
    for j in np.flatnonzero(movers):
        others = np.where(movers, size[:, j], -1.0)
        others[j] = -1
        i = int(others.argmax())
        if others[i] > size[j, j]:
            found.append((i, int(j)))
    return sorted(found, key=lambda pair: -size[pair])


def agreement(row: Mapping) -> dict[str, float]:
    """Rank correlations with what moves a logit, means over logits: of the map's evidence, and of mere area.

    For each logit j over all other attributes i that count: |effect| of i on j, beside the share of the map of j on
    the pixels of i ("map"), the same over their area ("density"), and how many pixels these are ("area"). Logits that
    nothing moves are left out.
    """
    effect, density, area = np.abs(from_lines(row["effect"])), from_lines(row["share"]), _numbers(row["area"])
    every, told = counted(row), {"map": [], "density": [], "area": []}
    for j in range(len(effect)):
        ok = every[(every != j) & np.isfinite(density[every, j])]
        if len(ok) > 2 and np.ptp(effect[ok, j]) > 0 and np.ptp(density[ok, j]) > 0:
            scores = {"map": density[ok, j] * area[ok], "density": density[ok, j], "area": area[ok]}
            for name, score in scores.items():
                told[name].append(spearmanr(score, effect[ok, j]).statistic)
    return {name: float(np.mean(values)) for name, values in told.items() if values}


def samples(rows: Rows) -> Samples:
    """Every estimate that mtfap_faces.toml asks for and the rows of ``Evidence`` allow, one value per seed."""
    found: Samples = {}
    for arm in ARMS:
        for score in SCORES:
            own = means(rows, arm, score)
            for beside in (CHANCE, CENTRE):
                other = means(rows, arm, f"{score} {beside}")
                found[f"maps/{score} {beside}, {arm}"] = [a - b for a, b in zip(own, other, strict=True)]
    found["maps/averaged-flattened"] = paired(rows, "averaged", "flattened")
    there = _of(rows, "averaged")
    found["maps/evidence-area"] = [
        100 * (row["agreement"]["map"] - row["agreement"]["area"]) for row in there if row["agreement"]
    ]
    found["maps/shortcuts"] = [float(row["shortcuts"]) for row in there]
    return {key: values for key, values in found.items() if values and np.isfinite(values).all()}


# ------------------------------------------------------------------ record


@dataclass(frozen=True)
class Evidence:
    """Rows without their matrices, and what those said.

    rows: as trained, less the matrices; with "agreement" and "shortcuts", how many logits have one.
    effect, share: (40, 40) means over the seeds of the averaged networks; NaN where no seed has a number.
    network: the weights of the first seed, see ``face_maps.to_text``.
    """

    rows: list[dict]
    effect: ndarray
    share: ndarray
    network: str

    @property
    def movers(self) -> ndarray:
        """(40,) bool: attributes that count with some seed, so that what they move can be blamed on their pixels."""
        some = set().union(*(counted(row) for row in _of(self.rows, "averaged")))
        return np.isin(np.arange(len(ATTRIBUTES)), list(some))


def gather(rows: Rows) -> Evidence:
    """The evidence of rows as they come out of training.

    Raises:
        ValueError: no averaged network that was trained to its end.
    """
    first = _of(rows, "averaged")
    if not first:
        raise ValueError(f"needs a row of an averaged network, got {[row['arm'] for row in rows]}")
    slim = []
    for row in rows:
        own = {key: value for key, value in row.items() if key not in BIG}
        if not row["diverged"]:
            movers = np.isin(np.arange(len(ATTRIBUTES)), counted(row))
            own |= {"agreement": agreement(row), "shortcuts": len(shortcuts(from_lines(row["effect"]), movers))}
        slim.append(own)
    effect, share = (
        torch.tensor(np.stack([from_lines(row[key]) for row in first])).nanmean(0).numpy()
        for key in ("effect", "share")
    )
    return Evidence(slim, effect, share, first[0]["network"])


def to_record(evidence: Evidence, *, network: bool = True) -> dict[str, object]:
    """The evidence as a record holds it; ``from_record`` undoes it up to the fourth digit.

    Args:
        network: keep the weights, 300 kB of text; a demonstration does not.
    """
    kept = {"network": evidence.network} if network else {}
    matrices = {key: [line(torch.tensor(row)) for row in getattr(evidence, key)] for key in ("effect", "share")}
    return {"rows": evidence.rows} | matrices | kept


def from_record(recorded: Mapping) -> Evidence:
    """The evidence that ``to_record`` packed, without a network if it kept none."""
    effect, share = (from_lines(recorded[key]) for key in ("effect", "share"))
    return Evidence(recorded["rows"], effect, share, recorded.get("network", ""))


def _numbers(text: str) -> ndarray:
    return from_lines([text])[0]


def _of(rows: Rows, arm: str) -> list[Mapping]:
    return [row for row in rows if row["arm"] == arm and not row["diverged"]]

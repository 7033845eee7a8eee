"""What happened while a network of DMM-CNN was trained: losses, the weights that follow from them, thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mtlib.dmm import groups
from mtlib.experiments.dmm_arms import DYNAMIC, EQUAL, TRACED
from mtlib.experiments.face_summary import by_seed
from mtlib.faces.names import ATTRIBUTES
from mtlib.weighting import trend

Rows = Sequence[Mapping]  # of ``dmm_table.train``

FLOOR = 1e-3  # as in ``dmm_arms.Arm``
LATE = 2 / 3  # from here on training is late
PAIR = ("Mouth_Slightly_Open", "Young")  # Figs. 5 and 6
TEN = (  # Fig. 7: the paper's ten were chosen by chance; ours are rare and common ones
    *("Bald", "Mustache", "Wearing_Hat", "Eyeglasses", "Bangs"),
    *("Smiling", "Young", "Attractive", "Big_Lips", "No_Beard"),
)


def weights(row: Mapping, floor: float = FLOOR) -> np.ndarray:
    """Eq. (4)'s weights of a traced row: (attributes, validations); they follow from its losses. 1 at the first."""
    losses = torch.tensor(row["traces"]["loss"], dtype=torch.double)  # c V
    later = [trend(now, before, floor=floor) for before, now in zip(losses.T[:-1], losses.T[1:], strict=True)]
    return torch.stack([torch.ones(len(losses), dtype=torch.double), *later], 1).numpy()


def late(rows: Rows) -> dict[str, list[np.ndarray]]:
    """{"weight", "loss": [(40,) per seed]}: dynamic weights in the last third of training, losses at its end."""
    traced = [row for row in rows if row["arm"] == DYNAMIC and not row["diverged"]]
    return {
        "weight": [np.array(row.get("late weights") or summed(row)["late weights"]) for row in traced],
        "loss": [np.array(row["losses"]) for row in traced],
    }


def focus(rows: Rows, arm: str = DYNAMIC) -> list[float]:
    """Rank correlation of late weights with losses, over attributes, one per seed, in hundredths.

    Args:
        arm: whose losses; those of another arm's networks had no part in the weights, nor the weights in them.
    """
    from scipy.stats import spearmanr

    weight = dict(zip(by_seed(rows, DYNAMIC, "losses"), late(rows)["weight"], strict=True))
    losses = by_seed(rows, arm, "losses")
    return [100 * float(spearmanr(weight[seed], losses[seed]).statistic) for seed in weight if seed in losses]


def faster(rows: Rows) -> list[float]:
    """Mean validation loss over all of training: by how many per cent dynamic weights have less, one per seed."""
    means = {
        arm: {seed: np.mean([y for _, y in own]) for seed, own in by_seed(rows, arm, "curve").items()} for arm in TRACED
    }
    one, other = means[EQUAL], means[DYNAMIC]
    return [float(100 * (one[seed] - other[seed]) / one[seed]) for seed in one if seed in other]


def summed(row: Mapping) -> dict[str, list[float]]:
    """What a record keeps of a traced row's weights: "late weights", the mean of each attribute's."""
    own = weights(row)
    return {"late weights": [round(float(x), 6) for x in own[:, int(LATE * own.shape[1]) :].mean(1)]}


def split(row: Mapping) -> dict[str, list[float]]:
    """{"objective", "subjective": share of the total dynamic weight at every validation} of a traced row."""
    own = weights(row)
    total = own.sum(0)
    return {
        name: (own[[ATTRIBUTES.index(one) for one in members]].sum(0) / total).tolist()
        for name, members in groups(ATTRIBUTES).items()
    }


@dataclass(frozen=True)
class Curves:
    """Figs. 5 to 7 of one seed. steps: updates before each validation.

    runs: {"equal weights", "dynamic weights": {"loss", "weight", "threshold": {name: [one per validation]}}}; losses
    of "mean" and ``PAIR``, weights of ``PAIR``, thresholds of ``TEN``.
    """

    steps: list[int]
    runs: dict[str, dict[str, dict[str, list[float]]]]


def curves(rows: Rows) -> Curves:
    """Of the first seed with curves.

    Raises:
        ValueError: no such row of both kinds of weights.
    """
    traced = {row["arm"]: row for row in reversed(rows) if row["arm"] in TRACED and "traces" in row}
    if len(traced) < len(TRACED):
        raise ValueError(f"curves are of {' and '.join(TRACED)}; there are rows of {sorted(traced) or 'neither'}")
    runs = {}
    for arm in (EQUAL, DYNAMIC):
        row, place = traced[arm], ATTRIBUTES.index
        loss, threshold = (row["traces"][kind] for kind in ("loss", "threshold"))
        own = weights(row) if arm == DYNAMIC else np.ones((len(loss), len(loss[0])))
        runs[arm] = {
            "loss": {"mean": [y for _, y in row["curve"]]} | {name: loss[place(name)] for name in PAIR},
            "weight": {name: own[place(name)].tolist() for name in PAIR},
            "threshold": {name: threshold[place(name)] for name in TEN},
        }
    return Curves([step for step, _ in traced[EQUAL]["curve"]], runs)


def outputs(rows: Rows, arm: str = DYNAMIC) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{attribute: what the arm's network of the first seed says of test faces, and their labels 0/1}."""
    kept = [row["outputs"] for row in rows if row["arm"] == arm and "outputs" in row]
    return {name: (np.array(z), np.array(y)) for name, (z, y) in kept[0].items()} if kept else {}

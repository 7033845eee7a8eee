"""What a network of classes and attributes is asked when it is trained, and what its rows say."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtlib.coupling import Relations, mixture
from mtlib.experiments.class_arms import ATTRIBUTES, CLASSES
from mtlib.experiments.face_summary import by_seed
from mtlib.method import Method
from mtlib.metrics.columns import accuracy, f1
from mtlib.metrics.evaluate import outputs
from mtlib.tasks import Dataset, Split

DIGITS = 3
MEASURES = ("accuracy", "F1")  # of either block, per cent, as in Table 4
TERMS = (CLASSES, ATTRIBUTES, "matching", "co-annotation", "total")  # losses that are kept; not each attribute's own


def scores(
    method: Method, data: Dataset, relations: Relations, history: Sequence[Mapping[str, float]]
) -> dict[str, object]:
    """Everything that is kept of a trained network; what it does not learn is left out.

    Args:
        relations: counted, with which ``apart`` is told for every network alike.

    Returns:
        "classes": {"accuracy", "F1" (macro)}, "attributes": {"accuracy", "F1" (means over attributes)} on test
        examples; "sure": mean largest class probability, "active": mean probability of an attribute; "apart": mean
        |p - q| of Eqs. (2), (3); "validation score": the mean of the accuracy of classes and of the mean of accuracy
        and F1 of attributes on validation examples; "losses": the terms at the end.
    """
    found = judged(method, data.test, relations)
    held = judged(method, data.validation)
    looked_at = []
    if CLASSES in held:
        looked_at.append(held[CLASSES]["accuracy"])
    if ATTRIBUTES in held:
        looked_at.append(sum(held[ATTRIBUTES].values()) / 2)
    found["validation score"] = round(sum(looked_at) / len(looked_at), DIGITS)
    found["losses"] = {name: round(value, 5) for name, value in history[-1].items() if name in TERMS}
    return found


def judged(method: Method, split: Split, relations: Relations | None = None) -> dict[str, object]:
    """The scores on one split, see ``scores``."""
    z = outputs(method, split)
    decided = method.decide(z)
    found: dict[str, object] = {}
    for task in method.tasks:
        own = decided[task.name], split.y[task.name]
        values = accuracy(*own), f1(*own, task.classes)
        found[task.name] = {name: _percent(each) for name, each in zip(MEASURES, values, strict=True)}
    if CLASSES in z:
        sure = z[CLASSES].squeeze(1).softmax(1)
        found["sure"] = round(sure.amax(1).mean().item(), 4)
    if ATTRIBUTES in z:
        found["active"] = round(z[ATTRIBUTES].sigmoid().mean().item(), 4)
    if relations is not None and len(method.tasks) == 2:
        q = mixture(sure, relations.probability.to(sure.device))
        found["apart"] = round((z[ATTRIBUTES].sigmoid() - q).abs().mean().item(), 4)
    return found


def _percent(values: Tensor) -> float:
    """The mean of those that have a meaning, in per cent."""
    return round(100 * torch.nanmean(values).item(), DIGITS)


# ------------------------------------------------------------------ of rows

Rows = Sequence[Mapping]


def values(rows: Rows, arm: str, block: str, measure: str = "accuracy") -> dict[int, float]:
    """{seed: a score of a block, per cent} of an arm's networks; of an arm without the block none."""
    return {row["seed"]: row[block][measure] for row in rows if _has(row, arm, block)}


def _has(row: Mapping, arm: str, block: str) -> bool:
    return row["arm"] == arm and not row["diverged"] and block in row


def paired(rows: Rows, first: str, second: str, block: str, measure: str = "accuracy") -> list[float]:
    """First minus second, points, one per seed that both have."""
    one, other = values(rows, first, block, measure), values(rows, second, block, measure)
    return [one[seed] - other[seed] for seed in one if seed in other]


def kept(rows: Rows, arm: str, key: str) -> list[float]:
    """Another number of an arm's rows, one per seed."""
    return list(by_seed(rows, arm, key).values())

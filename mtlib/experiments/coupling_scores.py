"""What a network of expressions and action units is asked when it is trained, and what its rows say."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtlib.coupling import Coupled, mixture
from mtlib.experiments.coupling_arms import EXPRESSION, NAMES, UNITS, drawn_by
from mtlib.experiments.face_summary import by_seed
from mtlib.faces.names import EXPRESSIONS
from mtlib.method import Method
from mtlib.metrics.columns import accuracy, auc, balanced_accuracy, f1
from mtlib.metrics.evaluate import outputs
from mtlib.tasks import Dataset, Split

DIGITS = 3
# {what is scored: its key in a row}; all in per cent.
SCORES = {
    "expression": ("accuracy", "average accuracy", "F1"),
    "units": ("accuracy", "F1", "AFA", "AUC"),
}


def scores(method: Method, data: Dataset, history: Sequence[Mapping[str, float]]) -> dict[str, object]:
    """Everything that is kept of a trained network; what it does not learn is left out.

    Returns:
        "expression": {"accuracy", "average accuracy" (mean recall), "F1" (macro)} on test images, "recall": [one per
        expression]; "units": {"accuracy", "F1" (means over the units), "AFA" (mean of both), "AUC"}, "by unit": [F1
        of each]; "active": mean probability of the units; "apart": mean |p - q| of Eqs. (2), (3) by the table of a
        coupled network, and by the true table for others that learn both all 17; "validation score": the mean of
        accuracy and AFA on validation images; "losses": the terms at the end.
    """
    found = judged(method, data.test)
    held = judged(method, data.validation)
    looked_at = [held[name][key] for name, key in (("expression", "accuracy"), ("units", "AFA")) if name in held]
    found["validation score"] = round(sum(looked_at) / len(looked_at), DIGITS)
    found["losses"] = {name: round(value, 5) for name, value in history[-1].items() if name != "step"}
    return found


def judged(method: Method, split: Split) -> dict[str, object]:
    """The scores on one split, see ``scores``."""
    z = outputs(method, split)
    decided = method.decide(z)
    found: dict[str, object] = {}
    if EXPRESSION in z:
        y = split.y[EXPRESSION]
        kinds = (
            accuracy,
            lambda d, y: balanced_accuracy(d, y, len(EXPRESSIONS)),
            lambda d, y: f1(d, y, len(EXPRESSIONS)),
        )
        values = [_percent(kind(decided[EXPRESSION], y)) for kind in kinds]
        found["expression"] = dict(zip(SCORES["expression"], values, strict=True))
        found["recall"] = [_percent((decided[EXPRESSION][y == k] == k).double()) for k in range(len(EXPRESSIONS))]
    if UNITS in z:
        y = split.y[UNITS]
        right, each = accuracy(decided[UNITS], y), f1(decided[UNITS], y)
        own = {"accuracy": _percent(right), "F1": _percent(each)}
        own |= {"AFA": round((own["accuracy"] + own["F1"]) / 2, DIGITS), "AUC": _percent(auc(z[UNITS], y))}
        found |= {"units": own, "by unit": [_percent(one) for one in each]}
        found["active"] = round(z[UNITS].sigmoid().mean().item(), 4)
    if EXPRESSION in z and UNITS in z and z[UNITS].shape[1] == len(NAMES):
        found["apart"] = round(apart(method, z), 4)
    return found


def apart(method: Method, z: Mapping[str, Tensor]) -> float:
    """Mean |p - q| over images and related units."""
    table = drawn_by()
    probability, listed = table.probability, table.listed
    if isinstance(method, Coupled) and method.coupled:
        probability, listed = method.probability, method.listed
    device = z[UNITS].device
    q = mixture(z[EXPRESSION].squeeze(1).softmax(1), probability.to(device))
    return (z[UNITS].sigmoid() - q).abs()[:, listed.to(device)].mean().item()


def _percent(values: Tensor) -> float:
    """The mean of those that have a meaning, in per cent."""
    return round(100 * torch.nanmean(values).item(), DIGITS)


# ------------------------------------------------------------------ of rows

Rows = Sequence[Mapping]
MAIN = {"expression": "accuracy", "units": "AFA"}  # what tables, claims and figures are about


def values(rows: Rows, arm: str, task: str, key: str | None = None) -> dict[int, float]:
    """{seed: a score of a task, per cent} of an arm's networks."""
    return {seed: own[key or MAIN[task]] for seed, own in by_seed(rows, arm, task).items()}


def paired(rows: Rows, first: str, second: str, task: str, key: str | None = None) -> list[float]:
    """First minus second, points, one per seed that both have."""
    one, other = values(rows, first, task, key), values(rows, second, task, key)
    return [one[seed] - other[seed] for seed in one if seed in other]

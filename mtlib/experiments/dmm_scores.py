"""What a network of DMM-CNN is asked when it is trained: accuracy at four thresholds, weights and curves it went by."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtlib.dmm import DMM, matched, most_accurate
from mtlib.experiments.face_scores import plain, right
from mtlib.experiments.face_summary import by_seed
from mtlib.metrics.columns import auc
from mtlib.tasks import Dataset, Split

if TYPE_CHECKING:
    from mtlib.tasks import Task

DIGITS = 4
THRESHOLDS = ("fixed", "adaptive", "matched", "most accurate")
CURVES = ("loss", "threshold")
SHOWN = ("Bald", "Wearing_Hat", "Mouth_Slightly_Open", "Young", "Attractive")  # whose outputs are kept
FACES = 1000  # of which they are


def scores(method: DMM, data: Dataset, history: Sequence[Mapping[str, float]], *, traced: bool) -> dict[str, object]:
    """Everything that is kept of a trained network; numbers without meaning are None.

    Args:
        history: of its training, with what ``dmm.report`` said at each validation.
        traced: keep every attribute's curves, which are long.

    Returns:
        {"fixed", "adaptive", "matched", "most accurate": {"accuracy", "balanced", "by attribute", "never"}} on test
        faces, as in ``face_scores.right``; thresholds other than 0 and the method's own are fitted to the validation
        faces. "thresholds": {the same: one per attribute}; "AUC", the mean over attributes; "validation loss", the
        smallest mean; "curve": [[updates, mean validation loss]]; "losses": every attribute's at the end;
        "landmark error": mean distance on test faces, per cent of the picture's width, None without landmarks;
        "traces": {"loss", "threshold": a line per attribute} and "outputs": {some attribute: [outputs, labels]} of
        some test faces, with ``traced`` only.
    """
    (task,) = method.tasks
    z, y = outputs(method, data.test, task)
    seen, known = outputs(method, data.validation, task)
    taus = {
        "fixed": torch.zeros_like(method.thresholds),
        "adaptive": method.thresholds,
        "matched": matched(seen, known),
        "most accurate": most_accurate(seen, known),
    }
    row: dict[str, object] = {kind: right((z > taus[kind]).long(), y) for kind in THRESHOLDS}
    looks = [line for line in history if "validation score" in line]
    row |= {
        "thresholds": {kind: plain(taus[kind], 3) for kind in THRESHOLDS[1:]},
        "AUC": next(iter(plain(100 * auc(z, y).nanmean(0, keepdim=True), DIGITS))),
        "validation loss": min(-line["validation score"] for line in looks),
        "curve": [[line["step"] + 1, round(-line["validation score"], 5)] for line in looks],
        "losses": [round(looks[-1][f"validation loss/{name}"], 4) for name in task.columns],
        "landmark error": landmark_error(method, data.test),
    }
    if traced:
        row["traces"] = {
            kind: [[round(line[f"validation {kind}/{name}"], 4) for line in looks] for name in task.columns]
            for kind in CURVES
        }
        places = {name: task.columns.index(name) for name in SHOWN}
        row["outputs"] = {name: [plain(z[:FACES, at], 2), y[:FACES, at].tolist()] for name, at in places.items()}
    return row


@torch.no_grad()
def outputs(method: DMM, split: Split, task: "Task", rows: int = 1024) -> tuple[Tensor, Tensor]:
    """Outputs and labels of a block, both (N, c)."""
    device = method.thresholds.device
    z = torch.cat([method(x.to(device))[task.name] for x in split.x.split(rows)])
    return z, split.y[task.name].to(device)


def landmark_error(method: DMM, split: Split) -> float | None:
    """Mean distance between points and their places, per cent of the picture's width; None where there are none."""
    if method.landmarks is None:
        return None
    z, places = outputs(method, split, method.landmarks)
    distance = (z - places).unflatten(1, (-1, 2)).norm(dim=2)  # N T, in half widths
    return None if distance.isnan().all() else 50 * distance.nanmean().item()


# ------------------------------------------------------------------ of rows


def accuracies(rows: Sequence[Mapping], choice: tuple[str, str], key: str = "accuracy") -> dict[int, float]:
    """{seed: test accuracy, per cent} of an arm at one kind of thresholds."""
    arm, thresholds = choice
    return {seed: found[key] for seed, found in by_seed(rows, arm, thresholds).items()}


def paired(
    rows: Sequence[Mapping], first: tuple[str, str], second: tuple[str, str], key: str = "accuracy"
) -> list[float]:
    """First minus second, points, one per seed that both have."""
    one, other = accuracies(rows, first, key), accuracies(rows, second, key)
    return [one[seed] - other[seed] for seed in one if seed in other]

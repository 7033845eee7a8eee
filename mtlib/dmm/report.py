"""What a validation tells (Algorithm 1, lines 4 and 5): losses for the weights, mistakes for the thresholds."""

import torch

from mtlib.dmm.model import DMM, squared
from mtlib.dmm.thresholds import mistakes
from mtlib.tasks import Split, targets


@torch.no_grad()
def report(method: DMM, split: Split, rows: int = 1024) -> dict[str, float]:
    """Every attribute's loss and mistakes on a split, for ``training.fit(score=dmm.report)``.

    The score, by which the best parameters are kept and a plateau is known, is minus the mean loss: so thresholds have
    no say in what is trained, and their worth can be told from the same networks. The method is used in evaluation mode
    and without gradients; afterwards each module is in the mode that it was in.

    Args:
        rows: how many are put through the method at a time.

    Returns:
        "loss/<attribute>", Eq. (2); "false positives/<attribute>" and "false negatives/<attribute>", shares of all
        known labels at the thresholds that stand; "threshold/<attribute>"; "accuracy", the mean share of right labels,
        0 to 1; "score". NaN where an attribute has no known label.
    """
    (task,) = method.tasks
    z = _outputs(method, split, rows)
    y = targets(task, split.y[task.name]).to(z.device)
    loss, known = squared(z, y)
    mean = loss.sum(0) / known.sum(0)  # NaN without a label
    wrong = mistakes(z, y, method.thresholds)
    found: dict[str, float] = {}
    for kind, values in zip(("false positives", "false negatives"), wrong, strict=True):
        found |= _named(kind, task.columns, values)
    found |= _named("loss", task.columns, mean) | _named("threshold", task.columns, method.thresholds)
    right = (1 - wrong[0] - wrong[1]).nanmean().item()
    return found | {"accuracy": right, "score": -mean.nanmean().item()}


def _outputs(method: DMM, split: Split, rows: int) -> torch.Tensor:
    """(N, c)."""
    (task,) = method.tasks
    modes = {module: module.training for module in method.modules()}
    method.eval()  # in training mode, batch normalisation would go by these examples and remember them
    try:
        return torch.cat([method(x.to(method.thresholds.device))[task.name] for x in split.x.split(rows)])
    finally:
        for module, training in modes.items():  # one by one: a part may have been kept in evaluation mode on purpose
            module.training = training


def _named(kind: str, columns: tuple[str, ...], values: torch.Tensor) -> dict[str, float]:
    return {f"{kind}/{name}": value for name, value in zip(columns, values.tolist(), strict=True)}

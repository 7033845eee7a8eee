"""How good a method is on a split."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.method import Method
from mtlib.tasks import Split

Score = Callable[[Method, Split], dict[str, float]]  # larger is better


@torch.no_grad()
def accuracy(method: Method, split: Split, rows: int = 1024) -> dict[str, float]:
    """Share of right labels per binary or class column, 0 to 1, over the examples whose label is known.

    A column without any known label has no accuracy: NaN. ``rows`` are put through the method at a time.
    """
    tasks = [task for task in method.tasks if task.kind != "points"]
    counts: dict[str, list[Tensor]] = {task.name: [] for task in tasks}
    for x, *ys in zip(split.x.split(rows), *(split.y[task.name].split(rows) for task in tasks), strict=True):
        labels = method.decide(method(x))
        for task, y in zip(tasks, ys, strict=True):
            known = y >= 0
            counts[task.name].append(torch.stack([((labels[task.name] == y) & known).sum(0), known.sum(0)]))
    scores = {}
    for task in tasks:
        right, known = torch.stack(counts[task.name]).sum(0)
        scores |= dict(zip(task.columns, (right / known).tolist(), strict=True))
    return scores

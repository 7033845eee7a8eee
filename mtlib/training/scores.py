"""How good a method is on a split: what ``fit`` may be given as its score."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mtlib.method import Method
from mtlib.tasks import Batch, Split, Task

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


@torch.no_grad()
def losses(method: Method, split: Split, rows: int = 1024) -> dict[str, float]:
    """{"loss/<label>": mean of ``Losses.tasks`` over the split, per head, ..., "score": minus their mean}.

    ``rows`` are put through the method at a time, and a head's mean of some rows counts by the labels known in them.
    A head without any known label has no loss: NaN, which the score leaves out. Losses that are no means over
    examples are those of the parts.

    Raises:
        ValueError: two heads of one label.
    """
    labels = [label for task in method.tasks for label in task.labels]
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise ValueError(f"losses: two heads are called {twice[0]!r}; give the columns different names")
    sums = counts = 0
    for part in torch.arange(len(split)).split(rows):
        batch = split.take(part)
        known, values = _known(method.tasks, batch), method.losses(batch).tasks.double()
        sums = sums + torch.where(known > 0, values * known, 0)  # (T,)
        counts = counts + known
    means = sums / counts
    report = {f"loss/{label}": value for label, value in zip(labels, means.tolist(), strict=True)}
    return {**report, "score": -means.nanmean().item()}


def _known(tasks: Sequence[Task], batch: Batch) -> Tensor:
    """(T,) how many labels every head has in a batch."""
    known = [
        (~batch.y[task.name].isnan()).any(1, keepdim=True) if task.kind == "points" else batch.y[task.name] >= 0
        for task in tasks
    ]
    return torch.cat(known, 1).sum(0)

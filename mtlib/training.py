"""Train one method on one data set: a recipe, a seed, a history."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mtlib.method import Method
from mtlib.recipe import Recipe
from mtlib.rows import Epoch
from mtlib.tasks import Dataset, Split
from mtlib.updates import Descend


@dataclass
class Result:
    """history: one row per logged step, {"step", task or term: value, "total"}; method: the trained one."""

    method: Method
    history: list[dict[str, float]] = field(default_factory=list)


def fit(
    method: Method,
    data: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    logged: int = 50,
    advance: Callable[[int], None] = lambda steps: None,
) -> Result:
    """Minimise the sum of the method's losses by plain descent; the method is trained in place.

    Args:
        method: on the device of the data, initialised by the caller (``seeds.seeded``).
        data: its train split is used.
        seed: of the batches' order.
        logged: about so many rows of history, evenly spaced, and one of the last step.
        advance: called after every step, for a progress bar.

    Raises:
        FloatingPointError: a loss is not finite; the first such step and its term are named.
    """
    rows = Epoch(len(data.train), recipe.batch, seed)
    recipe = recipe.resolved(rows.per_epoch)
    update = Descend()
    update.start(method, recipe)
    every = max(1, recipe.steps // logged)
    result = Result(method)
    trace: list[Tensor] = []  # every loss since the last row of history, left on the device: asking costs a wait
    method.train()
    for step in range(recipe.steps):
        logs = update(data.train.take(rows(step)))
        update.scheduled()
        trace.append(torch.cat([value.reshape(-1) for value in logs.values()]))
        if step % every == 0 or step == recipe.steps - 1:
            names = [name for task in method.tasks for name in task.labels]
            result.history.append(_row(step, [*names, *list(logs)[1:]], torch.stack(trace)))
            trace.clear()
        advance(1)
    method.eval()
    return result


def _row(step: int, names: list[str], trace: Tensor) -> dict[str, float]:
    """One row of history from the losses (steps, names) up to ``step``; where one that is no number is noticed."""
    bad = (~trace.isfinite()).nonzero()  # in order of steps, the total after its terms
    if len(bad):
        row, column = bad[0].tolist()
        first, value = step - len(trace) + 1 + row, trace[row, column].item()
        raise FloatingPointError(f"step {first}: the loss of {names[column]!r} is {value}")
    return {"step": step} | dict(zip(names, trace[-1].tolist(), strict=True))


@torch.no_grad()
def accuracy(method: Method, split: Split) -> dict[str, float]:
    """Share of right labels per binary or class column, 0 to 1, over the examples whose label is known.

    A column without any known label has no accuracy: NaN.
    """
    labels = method.decide(method(split.x))
    scores = {}
    for task in method.tasks:
        if task.kind == "points":
            continue
        known = split.y[task.name] >= 0
        right = ((labels[task.name] == split.y[task.name]) & known).sum(0) / known.sum(0)
        scores |= dict(zip(task.columns, right.tolist(), strict=True))
    return scores

"""Train one method on one data set: a recipe, a seed, a history."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from mtlib import choices
from mtlib.method import Method
from mtlib.seeds import generator
from mtlib.tasks import Dataset, Split


@dataclass(frozen=True)
class Recipe:
    """How the parameters move: Adam with a schedule. The defaults are SOS Sec. IV-A.1's for the toy plane.

    Args:
        steps: updates.  batch: examples per update.  rate: learning rate of Adam.
        beta1: Adam's first-moment decay (beta2 is not printed: torch's 0.999).
        schedule: ``polynomial`` falls from rate to 0 as (1 - t / steps)^power, ``constant`` stays.
        power: of the polynomial; not printed, 1 is linear (S-29).

    Raises:
        ValueError: a value that cannot train, named.
    """

    steps: int = 50_000
    batch: int = 128
    rate: float = 5e-4
    beta1: float = 0.9
    schedule: Literal["polynomial", "constant"] = "polynomial"
    power: float = 1.0

    def __post_init__(self) -> None:
        for name in ("steps", "batch"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"recipe: {name} must be a whole number of 1 or more, got {value!r}")
        for name, low, high in (("rate", 0, float("inf")), ("power", 0, float("inf")), ("beta1", -1e-9, 1)):
            if not low < getattr(self, name) < high:
                raise ValueError(f"recipe: {name} must lie between {max(low, 0)} and {high}, got {getattr(self, name)}")
        choices.check(self)


@dataclass
class Result:
    """history: one row per logged step, {"step", task or term: value, "total"}; method: the trained one."""

    method: Method
    history: list[dict[str, float]] = field(default_factory=list)


class Rows:
    """Which rows form a batch: a pure function of (seed, step). Every epoch is a new order; a short rest is left.

    Args:
        n: examples.  batch: rows per batch, at most n of them.  seed: names the orders.
    """

    def __init__(self, n: int, batch: int, seed: int) -> None:
        self.n, self.batch, self.seed = n, min(batch, n), seed
        self.per_epoch = n // self.batch
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))  # the epoch at hand, kept to be drawn once

    def __call__(self, step: int) -> Tensor:
        """(batch,) row numbers of update ``step``, counted from 0."""
        epoch, place = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            self._order = epoch, torch.randperm(self.n, generator=generator("rows", self.seed, epoch))
        return self._order[1][place * self.batch : (place + 1) * self.batch]


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
    groups = [{**group, "lr": recipe.rate * group.pop("rate")} for group in method.groups()]
    optimiser = torch.optim.Adam(groups, betas=(recipe.beta1, 0.999), fused=True)
    power = recipe.power if recipe.schedule == "polynomial" else 0.0
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimiser, recipe.steps, power)
    rows = Rows(len(data.train), recipe.batch, seed)
    every = max(1, recipe.steps // logged)
    result = Result(method)
    trace: list[Tensor] = []  # every loss since the last row of history, left on the device: asking costs a wait
    method.train()
    for step in range(recipe.steps):
        optimiser.zero_grad()
        losses = method.losses(data.train.take(rows(step)))
        total = losses.total()
        trace.append(torch.cat([losses.tasks, torch.stack([*losses.extra.values(), total])]).detach())
        if step % every == 0 or step == recipe.steps - 1:
            names = [name for task in method.tasks for name in task.labels]
            result.history.append(_row(step, [*names, *losses.extra, "total"], torch.stack(trace)))
            trace.clear()
        total.backward()
        optimiser.step()
        schedule.step()
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

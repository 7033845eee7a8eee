"""What an update is: it owns optimisers and schedules, is called once a batch, and can be saved."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from mtlib import parallel
from mtlib.method import Losses, Method
from mtlib.recipe import Recipe
from mtlib.tasks import Batch

Logs = dict[str, Tensor]  # detached: "tasks" (T,), then scalars by name, "total" last


class Update:
    """Base of every update; ``fit`` calls ``start`` once, then the update once a batch.

    A subclass builds its optimisers in ``build`` and moves the parameters in ``__call__``. What it must not lose
    when a run is resumed and no optimiser holds it goes into ``state`` and ``restore``.
    """

    method: Method
    recipe: Recipe
    losses: Callable[[Batch], Losses]  # the method's, perhaps compiled or in half precision
    optimisers: list[Optimizer]
    schedules: list[LRScheduler]
    share: float = 1.0  # of the batch's rows, where several processes share it

    def start(self, method: Method, recipe: Recipe, losses: Callable[[Batch], Losses] | None = None) -> None:
        """Get ready to train: optimisers and schedules, at step 0."""
        self._made = self.settings()
        self.method, self.recipe, self.losses = method, recipe, losses or method.losses
        self.optimisers = self.build()
        self.schedules = [recipe.schedules(optimiser) for optimiser in self.optimisers]

    def build(self) -> list[Optimizer]:
        """The optimisers; here one of all parameter groups."""
        return [self.recipe.optimise(self.method.groups())]

    def __call__(self, batch: Batch) -> Logs:
        """Move the parameters by one batch and say what the losses were before."""
        raise NotImplementedError

    def step(self, optimiser: Optimizer) -> None:
        """One step of an optimiser, down the gradients of all processes together where there are several."""
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        for parameter in parameters:
            # The fused optimisers read memory in order: a gradient laid out in another one would move other weights.
            if parameter.grad is not None and parameter.grad.stride() != parameter.stride():
                parameter.grad = torch.empty_like(parameter).copy_(parameter.grad)
        parallel.average(parameters, self.share)
        optimiser.step()

    def scheduled(self) -> None:
        """After every step: let the learning rates follow their schedule."""
        for schedule in self.schedules:
            if not isinstance(schedule, ReduceLROnPlateau):
                schedule.step()

    def validated(self, report: Mapping[str, float]) -> None:
        """After every validation: rates that wait for a plateau see its ``score``; larger is better."""
        for schedule in self.schedules:
            if isinstance(schedule, ReduceLROnPlateau):
                schedule.step(report["score"])

    def settings(self) -> dict:
        """What it was made with, started or not: its own public attributes as they were before the first start."""
        own = vars(self).keys() - Update.__annotations__.keys()
        made = {name: vars(self)[name] for name in sorted(own) if not name.startswith("_")}
        return getattr(self, "_made", made)

    def state(self) -> dict:
        """What else must be saved: plain numbers, tensors, lists and dicts of them."""
        return {}

    def restore(self, state: dict) -> None:
        """Take back what ``state`` gave."""

    def state_dict(self) -> dict:
        """All that a resumed run needs."""
        return {
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "schedules": [schedule.state_dict() for schedule in self.schedules],
            "own": self.state(),
        }

    def load_state_dict(self, state: dict) -> None:
        """Take back what ``state_dict`` gave, after ``start``."""
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        for schedule, saved in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(saved)
        self.restore(state["own"])


def sides(method: Method, update: str) -> tuple[list[dict], list[dict]]:
    """The method's optimiser groups without and with the mark ``{"critic": True}``.

    Raises:
        ValueError: there are none of one side; ``update`` is who asks.
    """
    groups = method.groups()
    rest, critic = ([group for group in groups if bool(group.get("critic")) is mark] for mark in (False, True))
    if not rest or not critic:
        wants = "marked {'critic': True}" if rest else "without the mark 'critic'"
        raise ValueError(f"{update}: the method's groups() have none {wants}")
    return rest, critic


def attempt(make: Callable[[], Tensor], like: Tensor, total: Tensor) -> Tensor:
    """``make()``; where it fails and ``total`` is not finite, NaN in the shape of ``like``.

    Decompositions and solvers refuse what is no number. The cause is then a loss, which ``fit`` names, with its
    step, from the logs; so the step is ended.
    """
    try:
        return make()
    except Exception:
        if total.isfinite():
            raise
        return like.detach() + math.nan


def logs(losses: Losses, total: Tensor) -> Logs:
    """The terms of a batch's losses, detached, and what was descended as ``total``."""
    found = {"tasks": losses.tasks, **losses.extra, "total": total}
    return {name: value.detach() for name, value in found.items()}

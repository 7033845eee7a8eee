"""How parameters move: optimiser, learning rate over time, precision. One object for one network and for hundreds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from mtlib import choices

# name: (lowest, highest), both excluded unless said below
RANGES = {
    "rate": (0, math.inf),
    "power": (0, math.inf),
    "patience": (-1, math.inf),
    "beta1": (-1e-9, 1),
    "beta2": (-1e-9, 1),
    "momentum": (-1e-9, 1),
    "weight_decay": (-1e-9, math.inf),
    "factor": (0, 1),
}


@dataclass(frozen=True)
class Recipe:
    """How the parameters move. The defaults are SOS Sec. IV-A.1's for the toy plane.

    Args:
        steps: updates; 50 000 if neither steps nor epochs are given.
        epochs: passes over the training rows in place of steps.
        batch: examples per update.
        optimiser: ``adam`` or ``sgd``.
        rate: learning rate; an optimiser group's own ``rate`` multiplies it.
        beta1, beta2: Adam's decays (beta2 is not printed: torch's 0.999).
        momentum: of SGD.
        weight_decay: L2 penalty added to the gradient.
        schedule: of the rate. ``polynomial`` falls to 0 as (1 - t / steps)^power, ``constant`` stays, ``step`` is
            multiplied by ``factor`` at every share of the run named in ``drops``, ``plateau`` by ``factor`` when the
            validation score has not risen for ``patience`` validations.
        power: of the polynomial; not printed, 1 is linear (S-29).
        drops: shares of the run, rising, between 0 and 1: (0.5, 0.75) drops half-way and at three quarters.
        factor: for ``step`` and ``plateau``, between 0 and 1.
        patience: for ``plateau``, validations without a rise that are borne.
        precision: ``float32``, or ``bfloat16`` autocast of the losses; parameters stay float32.
        channels_last: keep images and filters channels-last, which convolutions may prefer.
        compile: compile the losses; where that fails, a warning, and training goes on without.

    Raises:
        ValueError: a value that cannot train, named.
    """

    steps: int | None = None
    epochs: int | None = None
    batch: int = 128
    optimiser: Literal["adam", "sgd"] = "adam"
    rate: float = 5e-4
    beta1: float = 0.9
    beta2: float = 0.999
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: Literal["polynomial", "constant", "step", "plateau"] = "polynomial"
    power: float = 1.0
    drops: tuple[float, ...] = ()
    factor: float = 0.1
    patience: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = False
    compile: bool = False

    def __post_init__(self) -> None:
        if self.steps is not None and self.epochs is not None:
            raise ValueError(f"recipe: steps or epochs, not both, got {self.steps!r} and {self.epochs!r}")
        if self.steps is None and self.epochs is None:
            object.__setattr__(self, "steps", 50_000)
        for name in ("steps", "epochs", "batch"):
            value = getattr(self, name)
            if value is not None and (not _whole(value) or value < 1):
                raise ValueError(f"recipe: {name} must be a whole number of 1 or more, got {value!r}")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not low < value < high:
                raise ValueError(f"recipe: {name} must lie between {max(low, 0)} and {high}, got {value!r}")
        if not _whole(self.patience):
            raise ValueError(f"recipe: patience must be a whole number of 0 or more, got {self.patience!r}")
        for name in ("channels_last", "compile"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"recipe: {name} is True or False, got {getattr(self, name)!r}")
        choices.check(self)
        self._check_drops()

    def _check_drops(self) -> None:
        drops = self.drops
        rising = isinstance(drops, Sequence) and not isinstance(drops, str)
        rising = rising and all(isinstance(drop, int | float) and 0 < drop < 1 for drop in drops)
        if not rising or list(drops) != sorted(set(drops)) or bool(drops) != (self.schedule == "step"):
            raise ValueError(
                "recipe: drops are rising shares of the run between 0 and 1, for schedule 'step' and only for it; "
                f"got {drops!r} with schedule {self.schedule!r}"
            )
        object.__setattr__(self, "drops", tuple(drops))

    def resolved(self, per_epoch: int) -> "Recipe":
        """The same recipe in steps, ``per_epoch`` of them to an epoch."""
        return self if self.epochs is None else replace(self, steps=self.epochs * per_epoch, epochs=None)

    def scale(self, step: int) -> float:
        """What the rate is multiplied by at update ``step`` of ``steps``, from 0; a plateau is not known beforehand."""
        if self.schedule == "polynomial":
            return (1 - step / self.steps) ** self.power
        if self.schedule == "step":
            return self.factor ** sum(step >= drop * self.steps for drop in self.drops)
        return 1.0

    def optimise(self, groups: Sequence[dict]) -> Optimizer:
        """The optimiser of parameter groups as ``Method.groups`` gives them: ``rate`` times the recipe's is ``lr``."""
        groups = [{**group, "lr": self.rate * group.get("rate", 1.0)} for group in groups]
        for group in groups:
            group.pop("rate", None)
        if self.optimiser == "adam":
            return Adam(groups, betas=(self.beta1, self.beta2), weight_decay=self.weight_decay, fused=True)
        return torch.optim.SGD(groups, lr=self.rate, momentum=self.momentum, weight_decay=self.weight_decay, fused=True)

    def schedules(self, optimiser: Optimizer) -> LRScheduler:
        """The schedule of one optimiser: stepped after every update, or for ``plateau`` with every validation score."""
        if self.schedule == "plateau":
            return ReduceLROnPlateau(optimiser, mode="max", factor=self.factor, patience=self.patience)
        # The last call, after the last update, asks for step `steps`: a rate of 0 that nothing uses.
        return LambdaLR(optimiser, lambda step: self.scale(min(step, self.steps)))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

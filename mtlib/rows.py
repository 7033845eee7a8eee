"""Which rows form a batch: a pure function of (seed, step), so that runs resume and pair exactly."""

from typing import Protocol

import torch
from torch import Tensor

from mtlib.seeds import generator


class Rows(Protocol):
    """What ``fit`` and ``ensemble`` ask for: ``per_epoch`` and the rows of a step.

    per_epoch: steps to one pass over the data.  __call__(step): (batch,) row numbers, the same at every call.
    """

    per_epoch: int

    def __call__(self, step: int) -> Tensor:
        """(batch,) row numbers of update ``step``, counted from 0."""
        ...


class Epoch:
    """Every epoch is a new order of all rows; a short rest is left.

    Args:
        n: examples.  batch: rows per batch, at most n of them.  seed: names the orders.
    """

    def __init__(self, n: int, batch: int, seed: int) -> None:
        if n < 1:
            raise ValueError("there are no rows to train on")
        self.n, self.batch, self.seed = n, min(batch, n), seed
        self.per_epoch = n // self.batch
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))  # the epoch at hand, kept to be drawn once

    def __call__(self, step: int) -> Tensor:
        """(batch,) row numbers of update ``step``, counted from 0."""
        epoch, place = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            self._order = epoch, torch.randperm(self.n, generator=generator("rows", self.seed, epoch))
        return self._order[1][place * self.batch : (place + 1) * self.batch]

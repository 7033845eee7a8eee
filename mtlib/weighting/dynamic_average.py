"""Dynamic weight average: tasks whose training loss falls slowly gain weight."""

import math

import torch
from torch import Tensor

from mtlib.method import Losses
from mtlib.weighting.base import Weighting, whole


class DynamicAverage(Weighting):
    """lambda_i L_i with lambda = T softmax(r / temperature), r_i = L_i(t-1) / L_i(t-2) (Liu et al. 2019, Eq. 7).

    L_i(t) is the mean training loss of period t, an epoch in the paper; in the first two periods r = 1. A task
    whose loss falls slowly has a large r and gains weight.

    Args:
        heads: T.
        period: updates in a period; ``len(data.train) // recipe.batch`` for an epoch.
        temperature: 2 in the paper; the larger, the more equal.

    Raises:
        ValueError: a period or temperature that cannot be.
    """

    sums: Tensor
    calls: Tensor
    last: Tensor
    ratios: Tensor

    def __init__(self, heads: int, period: int, temperature: float = 2.0) -> None:
        super().__init__(heads)
        if not 0 < temperature < math.inf:
            raise ValueError(f"weighting: temperature must be above 0, got {temperature!r}")
        self.period, self.temperature = whole("period", period), temperature
        self.register_buffer("sums", torch.zeros(heads))  # of this period's losses
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.register_buffer("last", torch.ones(heads))  # L(t-1)
        self.register_buffer("ratios", torch.ones(heads))  # r

    def forward(self, losses: Losses) -> Tensor:
        """(T,) weighted terms."""
        weights = self.heads * torch.softmax(self.ratios / self.temperature, 0)
        self._remember(losses.tasks.detach())
        return weights * losses.tasks

    @torch.no_grad()
    def _remember(self, values: Tensor) -> None:
        """Count, and at the end of a period compare; by ``where``, so that nobody has to wait for the count."""
        self.sums += values
        self.calls += 1
        ended, mean = self.calls % self.period == 0, self.sums / self.period
        compared = mean / self.last.clamp(min=torch.finfo(mean.dtype).eps)
        self.ratios.copy_(torch.where(ended & (self.calls > self.period), compared, self.ratios))
        self.last.copy_(torch.where(ended, mean, self.last))
        self.sums.copy_(torch.where(ended, 0, self.sums))

"""Adaptive weighting: losses of a few validation examples, watched at every step."""

import torch
from torch import Tensor

from mtlib.method import Losses
from mtlib.weighting.base import Weighting, whole


class Adaptive(Weighting):
    """lambda_i L_i with lambda from watched losses V (He, Wang, Fu, Feng, Jiang and Xue 2017, "AW").

        m_i = mean of V_i over the last K updates, p_i = mean over the K before
        r_i = |m_i - p_i| / m_i;   u_i = (r_i / mean r) (m_i / mean m);   lambda_i = u_i / mean u

    once every K updates; lambda is 1 in the first 2 K. A task whose loss is large and still moves gains weight. The
    change is divided by the later mean, as the authors' code has it. Where nothing moved at all the weights stay.

    ``updates.Watch(Adaptive(...), split)`` tells it the losses. A task that none of the few watched examples has a
    label for has V = 0 there.

    Args:
        heads: T.
        period: K.

    Raises:
        ValueError: a period that cannot be.
    """

    weights: Tensor
    sums: Tensor
    calls: Tensor
    last: Tensor

    def __init__(self, heads: int, period: int) -> None:
        super().__init__(heads)
        self.period = whole("period", period)
        self.register_buffer("weights", torch.ones(heads))
        self.register_buffer("sums", torch.zeros(heads))  # of this period's watched losses
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.register_buffer("last", torch.ones(heads))  # p

    def forward(self, losses: Losses) -> Tensor:
        """(T,) weighted terms."""
        return self.weights * losses.tasks

    @torch.no_grad()
    def watched(self, values: Tensor) -> None:
        """Told the losses (T,) of some validation examples, once an update; by ``where``, so that nobody waits."""
        self.sums += values
        self.calls += 1
        ended, mean = self.calls % self.period == 0, self.sums / self.period
        weights = adapted(mean, self.last)
        compared = ended & (self.calls > self.period) & (weights.sum() > 0)
        self.weights.copy_(torch.where(compared, weights, self.weights))
        self.last.copy_(torch.where(ended, mean, self.last))
        self.sums.copy_(torch.where(ended, 0, self.sums))


def adapted(now: Tensor, before: Tensor) -> Tensor:
    """lambda (T,) from m and p (T,), see ``Adaptive``; all 0 where nothing moved."""
    eps = torch.finfo(now.dtype).eps
    trend = (now - before).abs() / now.clamp(min=eps)  # bears a task that is solved
    weights = _to_mean_1(trend) * _to_mean_1(now)
    return _to_mean_1(weights)


def _to_mean_1(values: Tensor) -> Tensor:
    """Divided by their mean; 0 stays 0."""
    return values / values.mean().clamp(min=torch.finfo(values.dtype).tiny)

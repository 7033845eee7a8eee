"""How much each task counts: a weighting turns the losses of a batch into the terms whose sum is descended.

| weighting        | term of task i                        | what changes                          |
|------------------|---------------------------------------|---------------------------------------|
| none             | L_i                                   | nothing                               |
| `Fixed`          | w_i L_i                               | nothing                               |
| `Uncertainty`    | exp(-s_i) L_i + s_i                   | s, trained together with the method   |
| `DynamicAverage` | lambda_i L_i                          | lambda, from the losses of two periods |

Any function of ``Losses`` serves as well. A method that keeps weights of its own, in a buffer which ``validated``
changes, is descended by ``Descend(lambda losses: method.weights * losses.tasks)``: they are saved with the method.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mtlib.method import Losses

Weigh = Callable[[Losses], Tensor]  # losses -> (T,) weighted terms; a scalar, their sum, does too


class Weighting(nn.Module):
    """Base of weightings with something to keep: parameters are trained with the method, buffers may change by rule.

    ``forward`` is called exactly once an update. It must not look at values (no ``.item()``, no branch on data):
    that would make an accelerator wait at every step.

    Args:
        heads: T, how many values ``Losses.tasks`` has.

    Raises:
        ValueError: heads is not a whole number of 1 or more.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        if not isinstance(heads, int) or isinstance(heads, bool) or heads < 1:
            raise ValueError(f"weighting: heads must be a whole number of 1 or more, got {heads!r}")
        self.heads = heads

    def forward(self, losses: Losses) -> Tensor:
        """(T,) weighted terms."""
        raise NotImplementedError


class Fixed(Weighting):
    """w_i L_i with weights that stay.

    Args:
        weights: (T,) finite numbers of 0 or more, one per head in the order of ``Losses.tasks``.

    Raises:
        ValueError: another kind of weights, named.
    """

    weights: Tensor

    def __init__(self, weights: Sequence[float]) -> None:
        numbers = torch.as_tensor(weights, dtype=torch.double).detach().clone()
        if numbers.ndim != 1:
            raise ValueError(f"weighting: weights are one row of numbers, got shape {tuple(numbers.shape)}")
        super().__init__(len(numbers))
        if not (numbers.isfinite() & (numbers >= 0)).all():
            raise ValueError(f"weighting: weights must be finite numbers of 0 or more, got {numbers.tolist()}")
        self.numbers = tuple(numbers.tolist())  # a setting, by which a run is told from another
        self.register_buffer("weights", numbers, persistent=False)

    def forward(self, losses: Losses) -> Tensor:
        """(T,) weighted terms."""
        return self.weights.to(losses.tasks.dtype) * losses.tasks


class Uncertainty(Weighting):
    """exp(-s_i) L_i + s_i with learned s, from 0 (Kendall, Gal and Cipolla 2018, s_i = log sigma_i^2).

    Left alone with a loss, s_i goes to log L_i, where the weight is 1 / L_i: every task then counts the same.
    A task without labels in a batch has loss 0 there, which pushes its s_i down.
    """

    def __init__(self, heads: int) -> None:
        super().__init__(heads)
        self.s = nn.Parameter(torch.zeros(heads))

    def forward(self, losses: Losses) -> Tensor:
        """(T,) weighted terms."""
        return torch.exp(-self.s) * losses.tasks + self.s


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
        if not isinstance(period, int) or isinstance(period, bool) or period < 1:
            raise ValueError(f"weighting: period must be a whole number of 1 or more, got {period!r}")
        if not 0 < temperature < math.inf:
            raise ValueError(f"weighting: temperature must be above 0, got {temperature!r}")
        self.period, self.temperature = period, temperature
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

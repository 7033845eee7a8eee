"""What a weighting is, and weights that stay."""

from collections.abc import Callable, Mapping, Sequence

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
        self.heads = whole("heads", heads)

    def forward(self, losses: Losses) -> Tensor:
        """(T,) weighted terms."""
        raise NotImplementedError

    def validated(self, report: Mapping[str, float]) -> None:
        """Told the report of every validation; may change buffers only."""


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


def whole(name: str, value: object) -> int:
    """The value, if it is a whole number of 1 or more.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"weighting: {name} must be a whole number of 1 or more, got {value!r}")
    return value

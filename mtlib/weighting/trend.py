"""The weights of DMM-CNN: how much the loss on the validation set moved between two looks at it."""

import math
from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from mtlib.method import Losses
from mtlib.weighting.base import Weighting

Direction = Literal["absolute", "decrease"]
PREFIX = "loss/"  # of a report's entries that are losses, one per head in the order of the tasks


class ValidationTrend(Weighting):
    """lambda_j L_j with lambda_j = |L_j(t) - L_j(t-1)| / L_j(t-1) on the validation set (DMM-CNN, Eq. 4).

    t counts validations, and lambda stays from one to the next. The first has nothing to be compared with: lambda
    is 1 until the second (D-7). As printed the rule gives 0 to a loss that stands still, and a task of weight 0
    stands still for ever (D-5), so weights do not fall below ``floor``; and a loss that rises counts like one that
    falls as much (D-4), unless ``direction`` says otherwise. Weights of a few percent make every step smaller, which
    ``normalise`` undoes (D-6).

    The report of a validation needs "loss/<label>" for every head in order, as ``training.losses`` gives it.

    Args:
        heads: T.
        floor: the least weight, before it is normalised; 0 is the print.
        direction: "absolute", the print; "decrease" for max(0, L_j(t-1) - L_j(t)) / L_j(t-1).
        normalise: divide by the mean over tasks, so that the weights sum to T.

    Raises:
        ValueError: a floor or direction that cannot be.
    """

    weights: Tensor
    last: Tensor

    def __init__(
        self, heads: int, floor: float = 1e-3, direction: Direction = "absolute", normalise: bool = False
    ) -> None:
        super().__init__(heads)
        if not 0 <= floor < math.inf:
            raise ValueError(f"weighting: floor must be a finite number of 0 or more, got {floor!r}")
        if direction not in get_args(Direction):
            raise ValueError(f"weighting: direction is one of {', '.join(get_args(Direction))}, got {direction!r}")
        self.floor, self.direction, self.normalise = floor, direction, normalise
        self.register_buffer("weights", torch.ones(heads))
        self.register_buffer("last", torch.full((heads,), math.nan))  # L(t-1); NaN until there is one

    def forward(self, losses: Losses) -> Tensor:
        """(T,) weighted terms."""
        return self.weights * losses.tasks

    @torch.no_grad()
    def validated(self, report: Mapping[str, float]) -> None:
        """Compare with the last validation.

        Raises:
            ValueError: a report without T losses, or with one that is not finite; named.
        """
        now = self.last.new_tensor(self._losses(report))
        if self.last.isfinite().all():
            weights = trend(now, self.last, self.floor, self.direction, self.normalise)
            self.weights.copy_(weights)
        self.last.copy_(now)

    def _losses(self, report: Mapping[str, float]) -> list[float]:
        """The heads' losses, in the order of the report."""
        found = {name: value for name, value in report.items() if name.startswith(PREFIX)}
        if len(found) != self.heads:
            raise ValueError(
                f"ValidationTrend: needs {self.heads} losses '{PREFIX}<label>', the report has "
                f"{', '.join(found) or 'none'}; validate with score=training.losses"
            )
        bad = [name for name, value in found.items() if not math.isfinite(value)]
        if bad:
            raise ValueError(f"ValidationTrend: {bad[0]!r} is {found[bad[0]]}; a head without a label has no trend")
        return list(found.values())


def trend(
    now: Tensor,
    before: Tensor,
    floor: float = 0.0,
    direction: Direction = "absolute",
    normalise: bool = False,
) -> Tensor:
    """Eq. (4): |now - before| / before, at least ``floor``; weights (T,) from losses (T,).

    ``direction`` and ``normalise`` as in ``ValidationTrend``. All weights 0 stay so when they are normalised.
    """
    change = (now - before).abs() if direction == "absolute" else (before - now).clamp(min=0)
    number = torch.finfo(before.dtype)
    weights = (change / before.clamp(min=number.eps)).clamp(min=floor)  # a task that was solved and is: no change
    return weights / weights.mean().clamp(min=number.tiny) if normalise else weights

"""Tasks that differ in speed alone: what a rule for their weights makes of them, without any network.

A loss falls from validation to validation as L <- L_inf + (L - L_inf) exp(-kappa lambda): kappa is how fast the task is
learned with weight 1. Nothing is shared.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtlib.weighting import trend
from mtlib.weighting.adaptive import adapted

RULES = ("equal", "Eq. (4)", "Eq. (4), floor", "Eq. (4), mean 1", "DWA", "AW")
TEMPERATURE = 2.0  # of DWA


def learn(
    speeds: Sequence[float], rule: str, *, validations: int = 60, end: float = 0.0, floor: float = 0.05
) -> tuple[Tensor, Tensor]:
    """Losses and weights at every validation, both (tasks, validations + 1), from a loss of 1 and a weight of 1.

    Args:
        speeds: kappa of every task, above 0.
        rule: one of ``RULES``: 1; the paper's, with ``floor`` or brought to a mean of 1; the loss's ratio to the one
            before under a softmax (DWA); its change times its size, both relative to the tasks' mean (AW).
        end: L_inf.

    Raises:
        ValueError: another rule, or a speed that is not above 0.
    """
    if rule not in RULES:
        raise ValueError(f"a rule is one of {', '.join(RULES)}, got {rule!r}")
    kappa = torch.tensor(speeds, dtype=torch.double)
    if not (kappa > 0).all() or not kappa.isfinite().all():
        raise ValueError(f"speeds are finite numbers above 0, got {list(speeds)}")
    losses, weights = [torch.ones_like(kappa)], [torch.ones_like(kappa)]
    for _ in range(validations):
        before = losses[-1]
        now = end + (before - end) * torch.exp(-kappa * weights[-1])
        losses.append(now)
        weights.append(_weights(rule, now, before, weights[-1], floor))
    return torch.stack(losses, 1), torch.stack(weights, 1)


def _weights(rule: str, now: Tensor, before: Tensor, last: Tensor, floor: float) -> Tensor:
    if rule == "equal":
        return torch.ones_like(now)
    if rule == "DWA":
        return len(now) * torch.softmax(now / before / TEMPERATURE, 0)
    if rule == "AW":
        found = adapted(now, before)
        return found if found.sum() > 0 else last  # nothing moved: the weights stay
    # Relative to the loss before: a fast task's is soon smaller than what ``trend`` still takes for a loss.
    ratio = torch.where(before > 0, now / before, 1)
    least = floor if rule.endswith("floor") else 0.0
    return trend(ratio, torch.ones_like(ratio), least, normalise=rule.endswith("mean 1"))

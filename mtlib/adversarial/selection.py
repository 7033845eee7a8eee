"""What choosing gives by chance: the best of many noisy runs looks better than one of them, and is not (L-6)."""

import math

import torch
from torch import Tensor

STEPS = 4001  # of the integral
REACH = 9.0  # standard deviations on either side


def best_of(runs: int) -> float:
    """Mean of the largest of so many independent standard normal numbers: 0, 0.56, 0.85 ... for 1, 2, 3.

    It is the integral of x d Phi(x)^k, by the trapezoidal rule.

    Raises:
        ValueError: no run.
    """
    if runs < 1:
        raise ValueError(f"the best of {runs} runs does not exist")
    x = torch.linspace(-REACH, REACH, STEPS, dtype=torch.double)
    density = runs * torch.special.ndtr(x) ** (runs - 1) * torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(x * density, x).item()


def printed_noise(accuracy: Tensor | float, images: int) -> Tensor:
    """Standard error of an accuracy in per cent on so many images, in points: sqrt(p (1 - p) / n)."""
    p = torch.as_tensor(accuracy, dtype=torch.double) / 100
    return 100 * (p * (1 - p) / images).sqrt()


def chosen(validation: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """The candidate that is best on validation: its score there, and on the test set, which had no say.

    Args:
        validation, test: (candidates, ...) scores of the same candidates; the first of equals is taken.

    Returns:
        two tensors (...).

    Raises:
        ValueError: different shapes, or a candidate that is no number.
    """
    if validation.shape != test.shape or not len(validation):
        raise ValueError(f"needs the same candidates on both sets, got {tuple(validation.shape)}, {tuple(test.shape)}")
    if validation.isnan().any():
        raise ValueError("a candidate's validation score is NaN: leave it out before choosing")
    best, at = validation.max(0)
    return best, test.gather(0, at.unsqueeze(0)).squeeze(0)

"""The two penalties of Eq. (3), the nuclear norm and the entries' l1 norm, and the steps that make them exact.

Descent down either penalty hovers around zeros without reaching them. The proximal operators reach them: they shrink
singular values, or entries, and cut at zero. Matrices may be stacked, (..., m, n), unless said otherwise.
"""

import math

import torch
from torch import Tensor

TOLERANCE = 1e-6  # singular values below this share of the largest count as zero


def nuclear(x: Tensor) -> Tensor:
    """||X||_*, the sum of singular values: (..., m, n) -> (...).

    Computed as <X, U V^T>, so that its gradient is ``nuclear_subgradient``, 0 at X = 0. Through torch's own singular
    values it would be some matrix of norm 1 there, and descent would leave a zero that nothing pulls at.
    """
    return (x * nuclear_subgradient(x.detach(), 0)).sum((-2, -1))


def entries(x: Tensor) -> Tensor:
    """||X||_1 entry by entry, the sum of absolute values: (..., m, n) -> (...)."""
    return x.abs().sum((-2, -1))


def nuclear_subgradient(x: Tensor, tolerance: float = TOLERANCE) -> Tensor:
    """U V^T of the thin SVD: one subgradient of the nuclear norm out of many (M-13).

    The printed L (L^T L)^(-1/2) is the same at full column rank, and does not exist below it. Directions whose
    singular value is zero are left out, so that the subgradient at X = 0 is 0.

    Args:
        x: (..., m, n).  tolerance: singular values up to this share of the largest count as zero.

    Raises:
        ValueError: a tolerance below 0, or of 1 or more.
    """
    check_tolerance(tolerance)
    u, sigma, v = torch.linalg.svd(x, full_matrices=False)
    return (u * present(sigma, tolerance).to(x.dtype).unsqueeze(-2)) @ v


def effective_rank(x: Tensor, tolerance: float = TOLERANCE) -> Tensor:
    """How many singular values are above ``tolerance`` times the largest: (..., m, n) -> whole numbers (...).

    Raises:
        ValueError: a tolerance below 0, or of 1 or more.
    """
    check_tolerance(tolerance)
    return present(torch.linalg.svdvals(x), tolerance).sum(-1)


def present(sigma: Tensor, tolerance: float = TOLERANCE) -> Tensor:
    """Which singular values (..., r), falling, are above ``tolerance`` times the largest; none of a zero matrix."""
    return sigma > tolerance * sigma[..., :1]


def shrink_entries(x: Tensor, by: float) -> Tensor:
    """Soft thresholding, the proximal operator of ``by`` ||X||_1: entries move ``by`` towards 0 and stop there.

    Raises:
        ValueError: ``by`` is below 0 or no number.
    """
    check_amount("by", by)
    return x.sign() * (x.abs() - by).clamp(min=0)


def shrink_singular_values(x: Tensor, by: float) -> Tensor:
    """The proximal operator of ``by`` ||X||_*: singular values move ``by`` towards 0 and stop there.

    Raises:
        ValueError: ``by`` is below 0 or no number.
    """
    check_amount("by", by)
    u, sigma, v = torch.linalg.svd(x, full_matrices=False)
    return (u * (sigma - by).clamp(min=0).unsqueeze(-2)) @ v


# ------------------------------------------------------------------ what the rules next door check as well


def check_amount(name: str, value: float, *, positive: bool = False) -> float:
    """A finite number of 0 or more, above 0 where ``positive``.

    Raises:
        ValueError: anything else, by its name.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value < 0 or (positive and value == 0):
        raise ValueError(f"{name} must be a finite number {'above 0' if positive else 'of 0 or more'}, got {value!r}")
    return float(value)


def check_count(name: str, value: int) -> int:
    """A whole number of 1 or more.

    Raises:
        ValueError: anything else, by its name.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a whole number of 1 or more, got {value!r}")
    return value


def check_tolerance(value: float) -> float:
    """A share: 0 or more and below 1.

    Raises:
        ValueError: anything else.
    """
    if check_amount("tolerance", value) >= 1:
        raise ValueError(f"tolerance is a share of the largest singular value, below 1, got {value!r}")
    return float(value)

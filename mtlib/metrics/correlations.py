"""Pearson's correlation between label columns, plain and balanced as SOS compares its matrices (Fig. 6, S-26)."""

import torch
from torch import Tensor


def correlation(y: Tensor) -> Tensor:
    """Correlation of every two columns, over the rows where both are known.

    Args:
        y: (N, c). Whole numbers are labels, missing below 0; floating numbers may be negative, and are missing
            where NaN.

    Returns:
        (c, c) float64, symmetric, 1 on the diagonal; NaN where a column does not vary over those rows.

    Raises:
        ValueError: not (N, c).
    """
    values, known = _values(y)
    return _weighted(values, known.double())


def balanced_correlation(y: Tensor, balance: Tensor | None = None, *, printed: bool = False) -> Tensor:
    """The same with the positives of rare attributes weighted up; end of IV-B.2 of SOS.

    Default reading (S-26): a positive of attribute i weighs N_neg / N_pos, so that both classes of i weigh alike; a
    row's weight for a pair of attributes is the product of both attributes' weights; means, variances and covariance
    of a pair are all taken under its weights. As printed, a positive weighs 1/s, with s = N_neg / N "the ratio of
    negative examples": for a rare attribute that is nearly 1, and hardly balances.

    Args:
        y: (N, c) labels or predictions; missing as in ``correlation``.
        balance: (N, c) labels 0/1, missing -1 or NaN, that give the weights: the ground truth, also where predictions
            are correlated. By default y itself.
        printed: weights 1/s.

    Returns:
        (c, c) float64, as ``correlation``; also NaN where an attribute has no positive or no negative.

    Raises:
        ValueError: not (N, c), shapes differ, or the labels for the weights are not 0/1.
    """
    values, known = _values(y)
    balance = y if balance is None else balance
    if balance.shape != y.shape:
        raise ValueError(f"y and the labels for its weights differ: {tuple(y.shape)} and {tuple(balance.shape)}")
    balance = balance.to(y.device)
    positive, negative = balance == 1, balance == 0
    labelled = positive | negative
    strange = ~(labelled | (balance == -1) | balance.isnan())
    if strange.any():
        raise ValueError(f"weights come from labels 0, 1, and -1 where missing; got {balance[strange][0].item()}")
    n_positive, n_negative = positive.sum(0).double(), negative.sum(0).double()
    weight = (n_positive + n_negative) / n_negative if printed else n_negative / n_positive  # c
    weights = torch.where(positive, weight, 1.0) * (known & labelled)  # N c
    return _weighted(values, weights.where((n_positive > 0) & (n_negative > 0), torch.nan))


def matrix_correlation(a: Tensor, b: Tensor) -> Tensor:
    """How alike two correlation matrices (c, c) are: the correlation of their entries off the diagonal, a scalar.

    Entries that are NaN in either do not count. SOS compares its matrices by eye ("very close") and prints no number;
    see ``matrix_distance`` for differences in size, to which this is blind.

    Raises:
        ValueError: not two square matrices of one shape.
    """
    return correlation(_off_diagonal(a, b))[0, 1]


def matrix_distance(a: Tensor, b: Tensor) -> Tensor:
    """Root mean square of the differences off the diagonal, a scalar; arguments and errors as ``matrix_correlation``.

    NaN where no entry is known in both.
    """
    one, other = _off_diagonal(a, b).unbind(1)
    return (one - other).square().nanmean().sqrt()


def _values(y: Tensor) -> tuple[Tensor, Tensor]:
    """Values (N, c) about their column's mean, 0 where missing, and which are known."""
    if y.ndim != 2:
        raise ValueError(f"needs columns (N, c), got {tuple(y.shape)}")
    known = ~y.isnan() if y.is_floating_point() else y >= 0
    values = torch.where(known, y.double(), 0.0)
    mean = values.sum(0) / known.sum(0).clamp(min=1)
    return (values - mean) * known, known  # about the mean: squares of large numbers would cancel


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    """Correlations (c, c) where row n weighs weights[n, i] * weights[n, j] for the pair i, j.

    A sum over rows of products of something of i and something of j is a product of matrices: no loop over pairs.
    """
    first = weights * values  # N c
    total = weights.T @ weights  # c c, the weights' sum over the rows of each pair
    mean = first.T @ weights / total  # of i over the rows of the pair i, j
    square = (first * values).T @ weights / total
    variance = square - mean.square()
    variance = variance.where(variance > 1e-10 * square, torch.nan)  # constant, but for rounding
    covariance = first.T @ first / total - mean * mean.T
    found = covariance / (variance * variance.T).sqrt()
    found = ((found + found.T) / 2).clamp(-1, 1)
    found.diagonal().masked_fill_(~found.diagonal().isnan(), 1.0)
    return found


def _off_diagonal(a: Tensor, b: Tensor) -> Tensor:
    """The entries off the diagonal side by side: (c (c - 1), 2) float64."""
    if a.ndim != 2 or a.shape != b.shape or a.shape[0] != a.shape[1]:
        raise ValueError(f"needs two square matrices of one shape, got {tuple(a.shape)} and {tuple(b.shape)}")
    off = ~torch.eye(len(a), dtype=torch.bool, device=a.device)
    return torch.stack([a[off].double(), b[off].double()], 1)

"""Errors of predicted points and other numbers, one per column of (N, c); a missing label (NaN) never counts."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.metrics.columns import known_columns


def mean_absolute_error(predicted: Tensor, y: Tensor) -> Tensor:
    """Mean absolute error in the labels' unit: (c,) float64, NaN where no label is known.

    Args:
        predicted: (N, c).  y: (N, c) labels, NaN where missing.

    Raises:
        ValueError: shapes that differ or are not (N, c), a prediction of a known label that is not finite.
    """
    from sklearn.metrics import mean_absolute_error

    return _each(mean_absolute_error, predicted, y)


def root_mean_square_error(predicted: Tensor, y: Tensor) -> Tensor:
    """Root of the mean squared error in the labels' unit; arguments, result and errors as ``mean_absolute_error``."""
    from sklearn.metrics import root_mean_squared_error

    return _each(root_mean_squared_error, predicted, y)


def r2(predicted: Tensor, y: Tensor) -> Tensor:
    """Coefficient of determination, 1 - squared errors / squared deviations of the labels from their mean.

    1 is perfect, 0 no better than the labels' own mean, below 0 worse. NaN where the known labels do not vary.
    Arguments, result and errors as ``mean_absolute_error``.
    """
    from sklearn.metrics import r2_score

    return _each(lambda own, guess: r2_score(own, guess) if own.min() < own.max() else math.nan, predicted, y)


def _each(measure: Callable, predicted: Tensor, y: Tensor) -> Tensor:
    values = [measure(own, guess) if len(own) else math.nan for guess, own in known_columns(predicted, y, ~y.isnan())]
    return torch.tensor(values, dtype=torch.double)

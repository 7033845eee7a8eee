"""Scores of predicted labels, one per column of (N, c); a missing label (-1) never counts.

A score that has no meaning is NaN, never 0: an AUC where one class alone is known, say. torchmetrics counts;
the ratios are taken here, as it gives 0 where they are undefined. Areas under curves are scikit-learn's: torchmetrics
squeezes logits through a sigmoid in single precision first, where large ones become equal.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtlib import vision

if TYPE_CHECKING:
    from numpy import ndarray


@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic: three (k,) float64 tensors, from "nobody is positive" to "everybody is".

    false_positive: share of the negatives that are called positive.  true_positive: of the positives.
    thresholds: positive are the scores at or above it; the first is infinite.
    """

    false_positive: Tensor
    true_positive: Tensor
    thresholds: Tensor


def accuracy(decided: Tensor, y: Tensor) -> Tensor:
    """Share of right labels, binary or classes: (c,) float64, NaN where no label is known.

    Args:
        decided: (N, c) whole numbers, as ``method.decide`` gives them.  y: (N, c) labels, -1 where missing.

    Raises:
        ValueError: shapes that differ or are not (N, c), decisions or labels that are no whole numbers.
    """
    decided, y = _whole(decided, y)
    known = y >= 0
    return ((decided == y) & known).sum(0).double() / known.sum(0)


def balanced_accuracy(decided: Tensor, y: Tensor, classes: int | None = None) -> Tensor:
    """The mean of sensitivity and specificity; of K classes, the mean recall of those that are present: (c,) float64.

    NaN where no positive or no negative is known, and where no class is.

    Args:
        decided: (N, c) decisions.  y: (N, c) labels, -1 where missing.  classes: K, or None for binary labels.

    Raises:
        ValueError: as ``accuracy``, or a label or decision that is no class.
    """
    confused = _confusion(decided, y, classes or 2)
    recall = confused.diagonal(dim1=1, dim2=2) / confused.sum(2)  # c K
    return recall.mean(1) if classes is None else recall.nanmean(1)


def f1(decided: Tensor, y: Tensor, classes: int | None = None) -> Tensor:
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); of K classes its mean (macro): (c,) float64.

    NaN where no positive is known and none is predicted (among the known). A class of which that holds is left out of
    the mean, as in scikit-learn. Where positives are known and none is found, F1 is 0.

    Args:
        decided: (N, c) decisions.  y: (N, c) labels, -1 where missing.  classes: K, or None for binary labels.

    Raises:
        ValueError: as ``balanced_accuracy``.
    """
    confused = _confusion(decided, y, classes or 2)
    each = 2 * confused.diagonal(dim1=1, dim2=2) / (confused.sum(1) + confused.sum(2))  # c K
    return each[:, 1] if classes is None else each.nanmean(1)


def auc(scores: Tensor, y: Tensor) -> Tensor:
    """Area under the ROC curve of binary columns: (c,) float64, NaN unless both classes are known.

    It is the probability that a positive scores higher than a negative, ties counting half.

    Args:
        scores: (N, c) larger is more positive, logits say.  y: (N, c) labels 0/1, -1 where missing.

    Raises:
        ValueError: shapes that differ or are not (N, c), labels that are not 0/1, a score that is not finite.
    """
    from scipy.stats import rankdata

    values = []
    for score, own in _scored(scores, y):
        positive = own == 1
        n, others = int(positive.sum()), int((~positive).sum())
        # Mann and Whitney: how many of the n * others pairs are in order is a sum of ranks. scikit-learn's function
        # finds the same, twenty times as slowly: it checks and draws a whole curve.
        above = rankdata(score)[positive].sum() - n * (n + 1) / 2
        values.append(above / (n * others) if n and others else math.nan)
    return torch.tensor(values, dtype=torch.double)


def roc(scores: Tensor, y: Tensor) -> list[Roc]:
    """The ROC curve of every binary column; a single point of NaN unless both classes are known.

    Args:
        scores: (N, c) larger is more positive, logits say.  y: (N, c) labels 0/1, -1 where missing.

    Raises:
        ValueError: as ``auc``.
    """
    from sklearn.metrics import roc_curve

    curves = []
    for score, own in _scored(scores, y):
        if own.min(initial=1) < own.max(initial=0):
            # Every threshold, also those on a straight line: a rate may be asked for between two corners.
            found = roc_curve(own, score, drop_intermediate=False)
        else:
            found = ([math.nan], [math.nan], [math.inf])
        curves.append(Roc(*(torch.as_tensor(part, dtype=torch.double) for part in found)))
    return curves


def known_columns(values: Tensor, y: Tensor, known: Tensor) -> "Iterator[tuple[ndarray, ndarray]]":
    """Column by column the values and labels (n,) that are known, as arrays.

    Raises:
        ValueError: shapes that differ or are not (N, c), a value of a known label that is not finite.
    """
    _check_shapes(values, y)
    values, y, known = values.detach().double().cpu(), y.cpu(), known.cpu()
    if not (values.isfinite() | ~known).all():
        column = (~values.isfinite() & known).any(0).nonzero()[0].item()
        raise ValueError(f"column {column}: scores and predictions of known labels must be finite")
    for j in range(y.shape[1]):
        yield values[known[:, j], j].numpy(), y[known[:, j], j].numpy()


def _scored(scores: Tensor, y: Tensor) -> "Iterator[tuple[ndarray, ndarray]]":
    _check_shapes(scores, y)
    labels = _labels(y, 2)
    return known_columns(scores, labels, labels >= 0)


def _confusion(decided: Tensor, y: Tensor, classes: int) -> Tensor:
    """How often each class (first) was taken for each (second): (c, K, K)."""
    decided, y = _whole(decided, y, classes)
    vision.torchmetrics()
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    kind = {"num_classes": classes, "ignore_index": -1, "validate_args": False}
    columns = zip(decided.unbind(1), y.unbind(1), strict=True)
    return torch.stack([multiclass_confusion_matrix(*column, **kind) for column in columns]).double()


def _whole(decided: Tensor, y: Tensor, classes: int | None = None) -> tuple[Tensor, Tensor]:
    """Decisions and labels (N, c) as whole numbers where the decisions are, missing labels as -1."""
    _check_shapes(decided, y)
    if decided.is_floating_point():
        raise ValueError("decisions are whole numbers, as method.decide gives them from outputs")
    decided = decided.long()
    if classes is not None and ((decided < 0) | (decided >= classes)).any():
        raise ValueError(f"decisions are 0 to {classes - 1}, got {decided.min().item()} to {decided.max().item()}")
    return decided, _labels(y, classes).to(decided.device)


def _labels(y: Tensor, classes: int | None) -> Tensor:
    known = y >= 0  # not so for NaN, which a reader's table may have left
    labels = torch.where(known, y, -1).long()
    top = labels.max().item() if labels.numel() else -1
    if ((labels != y) & known).any() or (classes is not None and top >= classes):
        expected = "whole numbers" if classes is None else f"0 to {classes - 1}"
        raise ValueError(f"labels are {expected}, and -1 where missing; got up to {y.max().item()}")
    return labels


def _check_shapes(values: Tensor, y: Tensor) -> None:
    if values.ndim != 2 or values.shape != y.shape:
        raise ValueError(
            f"needs predictions and labels of one shape (N, c), got {tuple(values.shape)} and {tuple(y.shape)}"
        )

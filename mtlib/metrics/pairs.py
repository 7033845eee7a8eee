"""Verification: are both of a pair the same? Small distances say so.

Some losses label pairs the other way round, 0 for the same (Eq. 17 of MTFAP, M-23); here 1 is the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.metrics.columns import Roc, roc


@dataclass(frozen=True)
class FoldAccuracy:
    """Accuracy by the protocol of LFW (Huang et al. 2007), folds in ascending order of their numbers.

    mean: over the folds.  standard_error: of that mean.  accuracies: (folds,).
    thresholds: (folds,) distances up to which a pair of the fold was called the same.
    """

    mean: float
    standard_error: float
    accuracies: tuple[float, ...]
    thresholds: tuple[float, ...]


def verification_roc(distances: Tensor, same: Tensor) -> Roc:
    """The ROC curve of pairs: "positive" is "same", for distances up to the threshold; the first one is -inf.

    Args:
        distances: (N,) of the pairs.  same: (N,) 1 the same, 0 not, -1 unknown.

    Raises:
        ValueError: shapes that differ or are not (N,), labels that are not 0/1, a distance that is not finite, or
            no pair of one of the two kinds.
    """
    distances, same = _checked(distances, same)
    (curve,) = roc(-distances.unsqueeze(1), same.unsqueeze(1))
    return Roc(curve.false_positive, curve.true_positive, -curve.thresholds)


def equal_error_rate(distances: Tensor, same: Tensor) -> float:
    """Where false positives and false negatives are equally frequent, on straight lines between the thresholds.

    Arguments and errors as ``verification_roc``.
    """
    import numpy as np

    curve = verification_roc(distances, same)
    excess = curve.false_positive + curve.true_positive - 1  # of false positives over false negatives, ascending
    return float(np.interp(0.0, excess.numpy(), curve.false_positive.numpy()))


def rate_at(distances: Tensor, same: Tensor, false_positive: float) -> float:
    """The largest true positive rate at which the false positive rate is at most ``false_positive``.

    With N pairs that are not the same, a rate below 1/N cannot be told from 0.
    Other arguments and errors as ``verification_roc``; also refused is a rate that is not from 0 to 1.
    """
    if not 0 <= false_positive <= 1:
        raise ValueError(f"a false positive rate is from 0 to 1, got {false_positive}")
    curve = verification_roc(distances, same)
    return curve.true_positive[curve.false_positive <= false_positive].max().item()


def fold_accuracy(distances: Tensor, same: Tensor, folds: Tensor) -> FoldAccuracy:
    """Accuracy on every fold with the threshold that is best on all other folds; mean and standard error.

    The threshold lies half-way between two neighbouring distances; of equally good ones, the middle one is taken.

    Args:
        distances: (N,) of the pairs.  same: (N,) 1 the same, 0 not, -1 unknown.
        folds: (N,) whole numbers, which fold each pair is in; LFW has ten.

    Raises:
        ValueError: as ``verification_roc``, fewer than two folds with known pairs, or the pairs outside a fold are
            all of one kind.
    """
    if folds.shape != same.shape:
        raise ValueError(f"needs one fold per pair, got {tuple(folds.shape)} for {tuple(same.shape)}")
    folds = folds.to(same.device)[same >= 0]
    distances, same = _checked(distances, same)
    names = folds.unique().tolist()
    if len(names) < 2:
        raise ValueError(f"a threshold is chosen on the other folds; got pairs of fold {names} alone")
    accuracies, thresholds = [], []
    for name in names:
        own = folds == name
        if len(same[~own].unique()) < 2:
            raise ValueError(f"the pairs outside fold {name} are all of one kind; no threshold can be chosen on them")
        threshold = _best_threshold(distances[~own], same[~own])
        right = (distances[own] <= threshold) == (same[own] == 1)
        accuracies.append(right.double().mean().item())
        thresholds.append(threshold)
    found = torch.tensor(accuracies, dtype=torch.double)
    error = found.std().item() / math.sqrt(len(names))
    return FoldAccuracy(found.mean().item(), error, tuple(accuracies), tuple(thresholds))


def verification(
    distances: Tensor, same: Tensor, folds: Tensor | None = None, rates: Sequence[float] = (0.1, 0.01, 0.001)
) -> dict[str, float]:
    """All of it in one dict.

    Args:
        distances: (N,) of the pairs.  same: (N,) 1 the same, 0 not, -1 unknown.
        folds: (N,) for the accuracy over folds, which is left out without them.
        rates: false positive rates at which the true positive rate is told.

    Returns:
        {"n", "AUC", "equal error rate", "TPR at FPR <rate>" ..., "accuracy", "standard error"}.

    Raises:
        ValueError: as ``verification_roc`` and ``fold_accuracy``.
    """
    curve = verification_roc(distances, same)
    found = {
        "n": int((same >= 0).sum()),
        "AUC": torch.trapezoid(curve.true_positive, curve.false_positive).item(),
        "equal error rate": equal_error_rate(distances, same),
    }
    found |= {f"TPR at FPR {rate:g}": rate_at(distances, same, rate) for rate in rates}
    if folds is not None:
        accuracy = fold_accuracy(distances, same, folds)
        found |= {"accuracy": accuracy.mean, "standard error": accuracy.standard_error}
    return found


def _checked(distances: Tensor, same: Tensor) -> tuple[Tensor, Tensor]:
    """The known pairs, double precision on the CPU."""
    if distances.ndim != 1 or distances.shape != same.shape:
        raise ValueError(f"needs (N,) distances and labels, got {tuple(distances.shape)} and {tuple(same.shape)}")
    known = same >= 0
    distances, same = distances[known].detach().double().cpu(), same[known].cpu()
    if not distances.isfinite().all():
        raise ValueError("distances of known pairs must be finite")
    if set(same.unique().tolist()) != {0, 1}:
        raise ValueError(f"needs pairs that are the same (1) and pairs that are not (0), got {same.unique().tolist()}")
    return distances, same


def _best_threshold(distances: Tensor, same: Tensor) -> float:
    curve = verification_roc(distances, same)
    n_same = same.sum()
    right = curve.true_positive * n_same + (1 - curve.false_positive) * (len(same) - n_same)
    right = right.round()  # whole numbers of pairs, so that equals are equal
    best = (right == right.max()).nonzero().squeeze(1)
    k = int(best[len(best) // 2])
    if k == 0:
        return -math.inf
    return curve.thresholds[k : k + 2].mean().item()  # of the largest distance, itself

"""Where a column's outputs begin to count as positive: the paper's rule, where it settles, and what accuracy wants."""

import torch
from torch import Tensor


def adapted(thresholds: Tensor, false_positive: Tensor, false_negative: Tensor, step: float) -> Tensor:
    """Eq. (6): tau + step * (FP - FN) / V, step = gamma * epoch.

    It rests where there are as many false positives as false negatives: where as many examples are called positive as
    are (``matched``). That is not where most are right (``most_accurate``, D-8).

    Args:
        thresholds: (c,) tau.
        false_positive, false_negative: (c,) shares FP / V and FN / V of the validation examples at these thresholds.
    """
    return thresholds + step * (false_positive - false_negative)


def mistakes(z: Tensor, y: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
    """(c,) shares of false positives and of false negatives among all examples whose label is known; NaN without one.

    Args:
        z: (N, c) outputs.  y: (N, c) labels 0/1, -1 where missing.  thresholds: (c,).
    """
    positive, known = z > thresholds, (y >= 0).sum(0)
    return (positive & (y == 0)).sum(0) / known, (~positive & (y == 1)).sum(0) / known


def matched(z: Tensor, y: Tensor) -> Tensor:
    """(c,) thresholds above which lie as many outputs as there are positives: false positives = false negatives.

    Halfway between two outputs. Without ties it is the resting place of Eq. (6); with them, near it. NaN where no
    label is known.

    Args:
        z: (N, c) outputs.  y: (N, c) labels 0/1, -1 where missing.
    """
    return torch.stack([_cut(*_sorted(*column), at=None) for column in zip(z.T, y.T, strict=True)])


def most_accurate(z: Tensor, y: Tensor) -> Tensor:
    """(c,) thresholds with which most of these examples are right; of several, the one nearest to 0.

    Halfway between two outputs, or half beyond the smallest or largest. NaN where no label is known.

    Args:
        z: (N, c) outputs.  y: (N, c) labels 0/1, -1 where missing.
    """
    found = []
    for column in zip(z.T, y.T, strict=True):
        scores, labels = _sorted(*column)
        if not len(scores):
            found.append(_cut(scores, labels, at=None))
            continue
        # right[k]: the k smallest are called negative, the others positive.
        negative = torch.cat([labels.new_zeros(1), (1 - labels).cumsum(0)])
        positive = torch.cat([labels.new_zeros(1), labels.cumsum(0)])
        right = negative + labels.sum() - positive
        # Equal outputs are called the same: only cuts between different ones exist.
        exists = torch.ones_like(right, dtype=torch.bool)
        exists[1:-1] = scores[1:] > scores[:-1]
        best = ((right == right[exists].max()) & exists).nonzero().flatten()
        cuts = torch.stack([_cut(scores, labels, int(at)) for at in best])
        found.append(cuts[cuts.abs().argmin()])
    return torch.stack(found)


def _sorted(z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The outputs (n,) whose label is known, smallest first, and their labels (n,)."""
    known = y >= 0
    scores, order = z[known].detach().sort()
    return scores, y[known].long()[order]


def _cut(scores: Tensor, labels: Tensor, at: int | None) -> Tensor:
    """Between the ``at`` smallest outputs and the others; None: so that as many lie above as are positive."""
    if not len(scores):
        return scores.new_tensor(float("nan"))
    at = len(scores) - int(labels.sum()) if at is None else at
    if at == 0:
        return scores[0] - 0.5
    if at == len(scores):
        return scores[-1] + 0.5
    return (scores[at - 1] + scores[at]) / 2

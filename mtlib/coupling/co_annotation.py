"""Soft co-annotation, Eqs. (4) to (6): labels of attributes make soft labels of classes."""

from typing import Literal, get_args

import torch
from torch import Tensor

from mtlib.coupling.matching import EPSILON

Neutral = Literal["zero", "out", "rest"]
CoAnnotationForm = Literal["mended", "printed"]


def indicators(y: Tensor, weight: Tensor, neutral: Neutral = "zero") -> Tensor:
    """Eq. (4): I(c | x) = sum_a w_ca y_a / sum_a w_ca, over the attributes that are annotated (X-6).

    A class without links, such as neutral, has 0/0 there. It gets (X-5)

    - ``zero``: I = 0.
    - ``rest``: I = 1 - the largest of the others.
    - ``out``: I = -inf, so that its soft label is 0; of a table without any link, 0 for all.

    A class that has links, but to none of an image's annotated attributes, gets 0 of it.

    Args:
        y: (B, M) labels 0/1, -1 where missing.  weight: (K, M).

    Returns:
        (B, K), 0 to 1 (or -inf).

    Raises:
        ValueError: an unknown reading.
    """
    if neutral not in get_args(Neutral):
        raise ValueError(f"a class without links is read as {', '.join(get_args(Neutral))}, got {neutral!r}")
    weight = weight.T  # M K
    known = (y >= 0).to(weight.dtype)
    of_all = known @ weight  # B K
    found = (y == 1).to(weight.dtype) @ weight / torch.where(of_all > 0, of_all, 1)
    if neutral == "zero":
        return found
    without = ~(weight > 0).any(0)  # K
    if neutral == "rest":
        return torch.where(without, 1 - found.amax(1, keepdim=True), found)
    return torch.where(without & ~without.all(), -torch.inf, found)


def soft_labels(indicator: Tensor, temperature: float = 1.0) -> Tensor:
    """Eq. (5): q(c | x) = softmax_c(I(c | x) / T), (B, K); the print has T = 1, which is close to uniform (X-4).

    Raises:
        ValueError: a temperature that is not above 0.
    """
    if not 0 < temperature < float("inf"):
        raise ValueError(f"the temperature of soft labels must be finite and above 0, got {temperature!r}")
    return (indicator / temperature).softmax(1)


def posterior(y: Tensor, probability: Tensor, least: float = 0.02) -> Tensor:
    """Not in the paper: soft labels (B, K) by Bayes' rule, all classes alike beforehand, attributes independent.

        q(c | x) ~ prod_a p(a | c)^y_a (1 - p(a | c))^(1 - y_a), over the attributes that are annotated

    What Eqs. (4) and (5) leave out: that an attribute which is absent speaks against a class, and that one which many
    classes have says little.

    Args:
        y: (B, M) labels 0/1, -1 where missing.  probability: (K, M) p(a | c).
        least: probabilities are held so far from 0 and 1: a single label that the table does not foresee would decide.
    """
    p = probability.clamp(least, 1 - least).T  # M K
    return ((y == 1).to(p.dtype) @ p.log() + (y == 0).to(p.dtype) @ (1 - p).log()).softmax(1)


def co_annotation_loss(
    logits: Tensor, q: Tensor, counts: Tensor | None = None, form: CoAnnotationForm = "mended"
) -> Tensor:
    """Eq. (6), its mean over the images that count: predicted classes p = softmax(logits) against soft labels q.

    | form      | per image           | minimum                              |
    |-----------|---------------------|--------------------------------------|
    | `mended`  | -sum_c q log p      | p = q                                |
    | `printed` | -sum_c p log q      | p one-hot at the largest q (X-3)     |

    Args:
        logits: (B, K) of the classes.  q: (B, K), see ``soft_labels``; made of labels, so no gradient is needed.
        counts: (B,) bool, images to count; None: all. Without any the loss is 0.

    Raises:
        ValueError: an unknown form.
    """
    if form not in get_args(CoAnnotationForm):
        raise ValueError(f"the co-annotation loss has the forms {', '.join(get_args(CoAnnotationForm))}, got {form!r}")
    wide = torch.promote_types(logits.dtype, torch.float32)
    logits, q = logits.to(wide), q.to(wide)
    if form == "mended":
        loss = -(q * logits.log_softmax(1)).sum(1)
    else:
        loss = -(logits.softmax(1) * q.clamp(min=EPSILON).log()).sum(1)
    if counts is None:
        return loss.mean()
    counts = counts.to(wide)
    return (loss * counts).sum() / counts.sum().clamp(min=1)

"""The extra terms of SOS (Dapogny et al., FG 2023): soft orthogonality, Eqs. (4) and (5), and what Eq. (6) minimises.

Each is a function of features or outputs, read as ``Reading`` says; ``mtlib.sos`` puts them together.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from mtlib import choices
from mtlib.tasks import Task, example_losses


@dataclass(frozen=True)
class Reading:
    """One reading of the print. The defaults train; most printed alternatives are degenerate.

    Args:
        common_specific: Eq. (4). ``batch``: correlations over the batch. Per example there are ``outer``
            products, which only shrink norms, and ``inner`` products, which need common == specific (S-1).
        specific_specific: Eq. (5). ``batch``, or the per-example ``inner`` product, no correlation (S-2).
        soft_mean: mean instead of sum over the entries of a correlation matrix: no noise floor of C S / B (S-3).
        examples: ``mean``, or the printed ``sum`` over the batch's examples (S-4).
        semantic: Eq. (6). ``printed`` is unbounded below; ``clipped`` stops pushing a fake head that is wrong by
            ``clip`` nats; ``uniform`` asks for undecided heads; ``swapped`` for the wrong label (S-8).
        clip: for ``clipped``, nats; for tasks of points, in the units of their error.
        semantic_reaches_heads: let Eq. (6) train the fake heads as well (S-5, S-7 ii).
        adversarial_reaches_features: let Eq. (7) train the spaces as well (S-5). With both, one total loss in
            which (6) and (7) cancel at equal weights.
        detach_common: keep Eq. (6) from emptying the common space (S-9).
        spaces: what the orthogonality terms see, the ``linear`` spaces or what the heads read, ``relu`` (S-24).
        standardise: centre and scale the features over the batch inside the orthogonality terms (S-24).
    """

    common_specific: Literal["batch", "outer", "inner"] = "batch"
    specific_specific: Literal["batch", "inner"] = "batch"
    soft_mean: bool = False
    examples: Literal["mean", "sum"] = "mean"
    semantic: Literal["clipped", "printed", "uniform", "swapped"] = "clipped"
    clip: float = 10.0
    semantic_reaches_heads: bool = False
    adversarial_reaches_features: bool = False
    detach_common: bool = False
    spaces: Literal["linear", "relu"] = "linear"
    standardise: bool = True

    def __post_init__(self) -> None:
        choices.check(self)
        if not self.clip > 0:
            raise ValueError(f"reading: clip must be above 0 nats, got {self.clip}")


DEFAULT = Reading()
EPS = 1e-5  # guards a feature without variance, as torch's batch normalisation does


def standardise(h: Tensor) -> Tensor:
    """Centre every feature over the batch (first axis) and scale it to unit variance: (B, ...) -> (B, ...).

    Raises:
        ValueError: a single example, which has no variance.
    """
    if len(h) < 2:
        raise ValueError(f"SOS correlates over the batch: it needs 2 or more examples (drop_last=True), got {len(h)}")
    # A part of all spaces lies in memory with gaps, for which the way back takes four times as long.
    return F.batch_norm(h.flatten(1).contiguous(), None, None, training=True, eps=EPS).view(h.shape)


def correlate(a: Tensor, b: Tensor, reading: Reading = DEFAULT) -> Tensor:
    """The products Z_a^T Z_b / B of (B, p) and (B, q): (p, q), correlations if the reading standardises.

    Had from the covariance: to scale p q numbers costs less than to scale every example.

    Raises:
        ValueError: a single example, which has no variance.
    """
    if not reading.standardise:
        return a.T @ b / len(a)
    if len(a) < 2:
        raise ValueError(f"SOS correlates over the batch: it needs 2 or more examples (drop_last=True), got {len(a)}")
    a, b = a - a.mean(0), b - b.mean(0)
    scale_a, scale_b = ((h.square().mean(0) + EPS).rsqrt() for h in (a, b))
    return a.T @ b * (scale_a[:, None] * scale_b / len(a))


def common_specific(common: Tensor, specific: Tensor, reading: Reading = DEFAULT) -> Tensor:
    """Eq. (4): (1/n) sum_i ||R_i||_F^2 with R_i = Z_c^T Z_i / B, (C, S), on standardised features.

    Args:
        common: (B, C).  specific: (B, n, S).

    Raises:
        ValueError: the ``inner`` reading with C != S, or a batch of one.
    """
    _, n, size = specific.shape
    if reading.common_specific == "batch":
        r = correlate(common, specific.flatten(1), reading)  # C n*S
        return r.square().sum() / (n * (common.shape[1] * size if reading.soft_mean else 1))
    if reading.standardise:
        common, specific = standardise(common), standardise(specific)
    if reading.common_specific == "outer":
        products = common.square().sum(1, keepdim=True) * specific.square().sum(2)  # B n
    else:
        if common.shape[1] != size:
            raise ValueError(
                f"reading 'inner' of Eq. (4) needs spaces of one size, got common {common.shape[1]}, specific {size}"
            )
        products = torch.einsum("bc,bnc->bn", common, specific).square()
    return products.sum(1).mean() / n


def specific_specific(specific: Tensor, reading: Reading = DEFAULT) -> Tensor:
    """Eq. (5): 1/(n(n-1)) sum over ordered pairs k != i of ||Z_i^T Z_k / B||_F^2.

    Args:
        specific: (B, n, S) with n of 2 or more.
    """
    _, n, size = specific.shape
    others = 1 - torch.eye(n, dtype=specific.dtype, device=specific.device)  # n n, without k = i
    if reading.specific_specific == "batch":
        flat = specific.flatten(1)
        squares = correlate(flat, flat, reading).square().view(n, size, n, size)
        pairs = squares.sum((1, 3)) / (size * size if reading.soft_mean else 1)  # n n
    else:
        z = standardise(specific) if reading.standardise else specific
        pairs = torch.einsum("bis,bks->bik", z, z).square().mean(0)
    return (pairs * others).sum() / (n * (n - 1))


def soft(common: Tensor, specific: Tensor, reading: Reading = DEFAULT) -> dict[str, Tensor]:
    """Eqs. (4) and (5) at once, the shorter way: {"common-specific", "specific-specific"}, without their weights.

    The first is absent without a common space, the second with a single task.

    Args:
        common: (B, C).  specific: (B, n, S).
    """
    batch, n, size = specific.shape
    if reading.common_specific == reading.specific_specific == "batch" and batch < n * size:
        return _by_examples(common, specific, reading)
    terms = {}
    if common.shape[1]:
        terms["common-specific"] = common_specific(common, specific, reading)
    if n > 1:
        terms["specific-specific"] = specific_specific(specific, reading)
    return terms


def _by_examples(common: Tensor, specific: Tensor, reading: Reading) -> dict[str, Tensor]:
    """``soft`` where features outnumber examples, from products of examples with each other.

    ||Z_a^T Z_b||_F^2 = <Z_a Z_a^T, Z_b Z_b^T>: two B x B matrices, however many features there are. Of all specific
    spaces side by side it is the sum over all pairs of tasks, from which the pairs k = i are taken off. With
    512 + 40 x 32 features and 128 examples that is an eighth of the multiplications, and little memory.
    """
    _, n, size = specific.shape
    z = _seen(specific.flatten(1), reading)  # B n*S
    every, terms = _gram(z), {}  # B B
    if common.shape[1]:
        squares = (_gram(_seen(common, reading)) * every).sum()
        terms["common-specific"] = squares / (n * (common.shape[1] * size if reading.soft_mean else 1))
    if n > 1:
        own = z.unflatten(1, (n, size)).transpose(0, 1)  # n B S
        within = (own.transpose(1, 2) @ own / len(z)).to(every.dtype).square().sum()
        squares = (every.square().sum() - within) / (size * size if reading.soft_mean else 1)
        terms["specific-specific"] = squares / (n * (n - 1))
    return terms


def _seen(h: Tensor, reading: Reading) -> Tensor:
    """(B, p) features as the batch terms take them."""
    return standardise(h) if reading.standardise else h


def _gram(z: Tensor) -> Tensor:
    """Z Z^T / B of (B, p), (B, B): in single precision at least, as sums of its squares are subtracted."""
    return (z @ z.T / len(z)).to(torch.promote_types(z.dtype, torch.float32))


def noise_floor(common: int, specific: int, batch: int) -> float:
    """What ||R_i||_F^2 of independent features is expected to be: C S / (B - 1), never zero (S-3); B of 2 or more."""
    return common * specific / (batch - 1)


def semantic_losses(task: Task, z: Tensor, t: Tensor, reading: Reading = DEFAULT) -> tuple[Tensor, Tensor]:
    """What Eq. (6) minimises for every example and fake head, (B, T), and which labels are known.

    Args:
        z: (B, T, o) fake outputs.  t: (B, T) labels, (B, T, o) for points.

    Raises:
        ValueError: ``uniform`` or ``swapped`` for points, which have no classes.
    """
    loss, known = example_losses(task, z, t)
    if reading.semantic == "printed":
        return -loss, known
    if reading.semantic == "clipped":
        return -loss.clamp(max=reading.clip), known
    if task.kind == "points":
        raise ValueError(f"task {task.name!r}: reading {reading.semantic!r} of Eq. (6) needs classes, not points")
    every = _every_class(task, z)
    if reading.semantic == "uniform":
        return every.mean(-1) * known, known
    return (every.sum(-1) - loss) / (every.shape[-1] - 1) * known, known


def _every_class(task: Task, z: Tensor) -> Tensor:
    """The cross-entropy (B, T, K) that each class would have as the label."""
    if task.kind == "binary":
        return torch.cat([F.softplus(z), F.softplus(-z)], -1)
    return -z.log_softmax(-1)

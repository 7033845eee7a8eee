"""Distribution matching, Eqs. (2) and (3): attributes as the class foretells them against attributes as predicted."""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

MatchingForm = Literal["mended", "printed", "one-sided", "swapped", "divergence"]
EPSILON = 1e-6  # q stays this far from 0 and 1


def mixture(classes: Tensor, probability: Tensor) -> Tensor:
    """Eq. (2): q(a | x) = sum_c p(c | x) p(a | c).

    Args:
        classes: (B, K) class probabilities, rows of sum 1.  probability: (K, M) p(a | c).

    Returns:
        q (B, M).
    """
    return classes @ probability


def matching_loss(
    logits: Tensor,
    q: Tensor,
    listed: Tensor | None = None,
    form: MatchingForm = "mended",
    detach: bool = False,
) -> Tensor:
    """Eq. (3), its mean over the images: p = sigmoid(logits) against q, summed over the attributes that are listed.

    | form         | per attribute                          | minimum for a fixed q |
    |--------------|----------------------------------------|-----------------------|
    | `mended`     | -q log p - (1 - q) log(1 - p)          | p = q                 |
    | `printed`    | -p log q                               | p = 0 (X-1)           |
    | `one-sided`  | -q log p                               | p = 1                 |
    | `swapped`    | -p log q - (1 - p) log(1 - q)          | p = 0 or 1            |
    | `divergence` | `mended` less its least value for q    | p = q                 |

    Both predictions get gradients unless ``detach``. For a fixed p, `mended` is linear in q, so the class prediction is
    drawn to whatever makes the likelier attributes certain; `divergence`, the Kullback-Leibler divergence of p from q,
    has no such pull: it is 0 wherever p = q.

    Args:
        logits: (B, M) of the attributes.  q: (B, M), see ``mixture``; held 1e-6 away from 0 and 1 (X-2).
        listed: (M,) bool, attributes that count; None: all.
        detach: take q as a given target.

    Raises:
        ValueError: an unknown form.
    """
    if form not in get_args(MatchingForm):
        raise ValueError(f"the matching loss has the forms {', '.join(get_args(MatchingForm))}, got {form!r}")
    wide = torch.promote_types(logits.dtype, torch.float32)  # 1 - 1e-6 is 1 in half precision
    logits, q = logits.to(wide), q.to(wide).clamp(EPSILON, 1 - EPSILON)
    q = q.detach() if detach else q
    if form == "mended":
        loss = F.binary_cross_entropy_with_logits(logits, q, reduction="none")
    elif form == "one-sided":
        loss = -q * F.logsigmoid(logits)
    elif form == "printed":
        loss = -logits.sigmoid() * q.log()
    elif form == "swapped":
        loss = -logits.sigmoid() * q.log() - (-logits).sigmoid() * (1 - q).log()
    else:
        entropy = -q * q.log() - (1 - q) * (1 - q).log()
        loss = F.binary_cross_entropy_with_logits(logits, q, reduction="none") - entropy
    if listed is not None:
        loss = loss * listed.to(wide)
    return loss.sum(1).mean()

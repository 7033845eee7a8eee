"""Algorithm 2, SMIDAS: mirror descent that makes sparse, and the p-norm links of Eqs. (4) and (5).

A column s of S has a dual theta = f(s). A step moves theta down the gradient, shrinks it entry by entry, and maps it
back by s = f^-1(theta). Entries that were shrunk to 0 are exactly 0 in s. The links are the gradients of half the
squared q-norm and p-norm, with 1/p + 1/q = 1; for p = 2 both are the identity, and the step is the proximal one.

Where the print double-counts or is silent: M-14 to M-16 of data/papers/mtfap_readings.md.
"""

import math

import torch
from torch import Tensor

from mtlib.structure.penalties import check_amount, check_count, shrink_entries


def power(size: int) -> float:
    """p = max(2, 2 ln d) with d = K_g, the entries of a column (M-15): 2 ln d is below 2 for d of 1 and 2.

    Raises:
        ValueError: a size that is no whole number of 1 or more.
    """
    return max(2.0, 2 * math.log(check_count("size", size)))


def to_dual(s: Tensor, p: float) -> Tensor:
    """Eq. (4), f_j(s) = sign(s_j) |s_j|^(q-1) / ||s||_q^(q-2) with q = p / (p - 1), column by column.

    Args:
        s: (K, T), each column a vector of its own.  p: 2 or more.

    Raises:
        ValueError: p below 2.
    """
    return _link(s, _checked(p) / (p - 1))


def to_primal(theta: Tensor, p: float) -> Tensor:
    """Eq. (5), the inverse: f^-1_j(theta) = sign(theta_j) |theta_j|^(p-1) / ||theta||_p^(p-2), column by column.

    Args:
        theta: (K, T), each column a vector of its own.  p: 2 or more.

    Raises:
        ValueError: p below 2.
    """
    return _link(theta, _checked(p))


def _link(x: Tensor, exponent: float) -> Tensor:
    """sign(x) ||x|| (|x| / ||x||)^(exponent - 1) down the first axis, 0 at 0 (M-14).

    All is relative to the largest entry: large powers of small numbers would be 0 long before their ratio is.
    """
    largest = x.abs().amax(0, keepdim=True)
    share = x.abs() / torch.where(largest > 0, largest, 1)  # K T, in [0, 1]
    norm = share.pow(exponent).sum(0, keepdim=True).pow(1 / exponent)  # 1 or more, but for a column of zeros
    ratio = share / torch.where(norm > 0, norm, 1)
    return x.sign() * largest * norm * ratio.pow(exponent - 1)


class Mirror:
    """Algorithm 2 as a rule, for all columns of S (K, T) at once.

        theta <- shrink(theta - rate v, rate weight);   S <- f^-1(theta)

    v is the gradient of the data term alone: were the l1 term in it, as printed, it would count twice (M-16). theta is
    in ``state``: S could not give it back, as f^-1 takes small entries to where numbers end.

    theta starts at f(S). M-16's start at theta = 0 is the special case S = 0, which a convex problem can begin with.
    Eq. (3) should not: from S = 0 the data do not pull at L, so the nuclear norm shrinks it until S has grown, and
    with S = 0 and L = 0 nothing would ever move (M-17). So ``Grouped`` starts with a small S.

    Args:
        weight: lambda of Eq. (3).  rate: r of Algorithm 2.  p: of the links; ``power(K)`` if not given.

    Raises:
        ValueError: a negative weight, a rate that is not above 0, or p below 2.
    """

    state: dict[str, Tensor]

    def __init__(self, weight: float = 0.01, rate: float = 1e-3, p: float | None = None) -> None:
        self.weight, self.rate = check_amount("weight", weight), check_amount("rate", rate, positive=True)
        self.p = None if p is None else _checked(p)

    def start(self, value: Tensor) -> None:
        """Before training: theta = f(S)."""
        self.state = {"theta": to_dual(value, self._p(value))}

    def __call__(self, value: Tensor, gradient: Tensor) -> Tensor:
        """One step: value and gradient of the data term, (K, T) -> (K, T)."""
        theta = shrink_entries(self.state["theta"] - self.rate * gradient, self.rate * self.weight)
        self.state["theta"] = theta
        return to_primal(theta, self._p(value))

    def _p(self, value: Tensor) -> float:
        return power(len(value)) if self.p is None else self.p


class ProximalSparse:
    """The proximal step, what a library would do: S <- shrink(S - rate v, rate weight), v of the data term.

    It is Algorithm 2 with p = 2, and remembers nothing.

    Args:
        weight: lambda of Eq. (3).  rate: step size.

    Raises:
        ValueError: a negative weight, or a rate that is not above 0.
    """

    def __init__(self, weight: float = 0.01, rate: float = 1e-3) -> None:
        self.weight, self.rate = check_amount("weight", weight), check_amount("rate", rate, positive=True)

    def __call__(self, value: Tensor, gradient: Tensor) -> Tensor:
        """One step: value and gradient of the data term, (K, T) -> (K, T)."""
        return shrink_entries(value - self.rate * gradient, self.rate * self.weight)


def _checked(p: float) -> float:
    if not isinstance(p, int | float) or isinstance(p, bool) or not 2 <= p < math.inf:
        raise ValueError(f"p of the links must be a finite number of 2 or more, got {p!r}")
    return float(p)

"""Algorithm 1: a step down a stochastic subgradient that never leaves the factors of a low-rank matrix.

X = U Sigma V^T moves by -eta G Y Y^T, where G is a subgradient and Y a few random columns, a probing matrix with
E[Y Y^T] = I. As the step has rank k, the new factors come from two thin QRs and the SVD of an (r + k) x (r + k) core.
So nobody needs all of G, only G Y.

For the d x K_g matrices of Eq. (3) this saves nothing, as K_g is small (M-12): the proximal step beside it costs one
SVD of the same size, and reaches a low rank exactly. Both are rules for ``mtlib.updates.Alternate``.
"""

import math
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from mtlib.seeds import derive, generator
from mtlib.structure.penalties import (
    TOLERANCE,
    check_amount,
    check_count,
    check_tolerance,
    present,
    shrink_singular_values,
)

Probing = Literal["unbiased", "printed"]


class Factors(NamedTuple):
    """X = U diag(sigma) V^T with orthonormal columns: u (m, r), sigma (r,) falling, v (n, r)."""

    u: Tensor
    sigma: Tensor
    v: Tensor

    @classmethod
    def of(cls, x: Tensor) -> "Factors":
        """The thin SVD of x (m, n), with r = min(m, n)."""
        u, sigma, vt = torch.linalg.svd(x, full_matrices=False)
        return cls(u, sigma, vt.T)

    def matrix(self) -> Tensor:
        """X (m, n)."""
        return (self.u * self.sigma) @ self.v.T

    def subgradient(self, tolerance: float = TOLERANCE) -> Tensor:
        """U V^T over the singular values that are not zero, (m, n): a subgradient of ||X||_* (M-13)."""
        return (self.u * present(self.sigma, tolerance).to(self.u.dtype)) @ self.v.T


def draw_z(n: int, k: int, draw: torch.Generator) -> Tensor:
    """Z (n, k): every column is sqrt(n) e_i, its place i drawn evenly and on its own. ||Z||_F^2 = n k, always."""
    places = torch.randint(check_count("n", n), (check_count("k", k),), generator=draw)
    return torch.nn.functional.one_hot(places, n).T * math.sqrt(n)


def probing(z: Tensor, reading: Probing = "unbiased") -> Tensor:
    """The probing matrix Y of Z, both (n, k).

    ``unbiased`` is Z / sqrt(k), for which E[Y Y^T] = I, as the paper asks. ``printed`` is Z / k, for which it is I / k
    (M-10).

    Raises:
        ValueError: another reading.
    """
    k = z.shape[1]
    return z / (math.sqrt(k) if _checked(reading) == "unbiased" else k)


def printed_step(z: Tensor, nu: float = 0.009) -> float:
    """The printed step size eta = nu ||Z||_F^2 = nu n k: it grows with the matrix, see M-11.

    With the printed Y = Z / k the expected step is nu n G: k cancels.
    """
    return nu * z.shape[0] * z.shape[1]


def subgradient_step(x: Factors, probed: Tensor, y: Tensor, eta: float) -> Factors:
    """Lines 2 to 10 of Algorithm 1: the factors of X - eta G Y Y^T.

    Args:
        x: factors of X (m, n), of rank r.  probed: G Y (m, k), line 1.  y: the probing matrix (n, k).
        eta: step size.

    Returns:
        Factors of rank min(r + k, m, n): nothing is truncated here.

    Raises:
        ValueError: shapes that do not fit X.
    """
    m, n = len(x.u), len(x.v)
    if probed.shape != (m, y.shape[-1]) or len(y) != n:
        raise ValueError(
            f"X is ({m}, {n}): y must be ({n}, k) and probed ({m}, k), got {tuple(y.shape)}, {tuple(probed.shape)}"
        )
    left = torch.cat([x.u * x.sigma, probed], 1)  # m r+k
    right = torch.cat([x.v, -eta * y], 1)  # n r+k
    (qu, ru), (qv, rv) = torch.linalg.qr(left), torch.linalg.qr(right)
    core = Factors.of(ru @ rv.T)
    return Factors(qu @ core.u, core.sigma, qv @ core.v)


def truncated(x: Factors, rank: int | None = None, tolerance: float = TOLERANCE) -> Factors:
    """The factors without what Algorithm 1 lets pile up: its rank grows by k with every step (M-12).

    Args:
        x: factors, singular values falling.  rank: how many are kept at most.
        tolerance: singular values up to this share of the largest become 0; their columns stay, so shapes depend on
            ``rank`` alone.
    """
    kept = slice(None) if rank is None else slice(check_count("rank", rank))
    sigma = torch.where(present(x.sigma, check_tolerance(tolerance)), x.sigma, 0)
    return Factors(x.u[:, kept], sigma[kept], x.v[:, kept])


class LowRank:
    """Algorithm 1 as a rule: L <- L - eta G Y Y^T, with G = (gradient of the data term) + weight U V^T.

    The factors are had anew from L at every call, so nothing can drift apart. ``state`` counts the calls and names a
    stream of random numbers, which follows from the seed and the tensor's first value: groups draw their own.

    Args:
        weight: gamma of Eq. (3).
        rate: eta at the first call, for ``unbiased`` probing; it falls as rate / (1 + calls / half).
        half: calls after which it is halved; infinity keeps it. Without decay the steps' noise does not die out.
        probes: k, columns of the probing matrix.
        reading: ``unbiased``, or ``printed`` for Y = Z / k with the constant eta = nu ||Z||_F^2 (M-10, M-11).
        nu: of the printed step size.
        rank: truncation (M-12). A matrix of K_g columns has rank K_g at most anyway, so None is M-12's default.
        tolerance: singular values up to this share of the largest are cut.
        seed: of the probing matrices.

    Raises:
        ValueError: a value that cannot work, by its name.
    """

    state: dict[str, int]

    def __init__(
        self,
        weight: float = 1.0,
        rate: float = 1e-2,
        *,
        half: float = 1000.0,
        probes: int = 1,
        reading: Probing = "unbiased",
        nu: float = 0.009,
        rank: int | None = None,
        tolerance: float = TOLERANCE,
        seed: int = 0,
    ) -> None:
        self.weight, self.rate = check_amount("weight", weight), check_amount("rate", rate, positive=True)
        self.half = half if half == math.inf else check_amount("half", half, positive=True)
        self.probes, self.reading = check_count("probes", probes), _checked(reading)
        self.nu, self.tolerance = check_amount("nu", nu, positive=True), check_tolerance(tolerance)
        self.rank = None if rank is None else check_count("rank", rank)
        self.seed = seed

    def start(self, value: Tensor) -> None:
        """Before training: no calls, and the stream of this tensor (m, n)."""
        self.state = {"calls": 0, "stream": derive("probing", self.seed, value.tolist())}

    def __call__(self, value: Tensor, gradient: Tensor) -> Tensor:
        """One step: value and gradient of the data term, (m, n) -> (m, n)."""
        z = draw_z(value.shape[1], self.probes, generator("probing", self.state["stream"], self.state["calls"]))
        y = probing(z, self.reading).to(value)
        eta = self.rate / (1 + self.state["calls"] / self.half)
        if self.reading == "printed":
            eta = printed_step(z, self.nu)
        self.state["calls"] += 1
        x = Factors.of(value)
        probed = gradient @ y + self.weight * (x.subgradient(self.tolerance) @ y)  # m k
        return truncated(subgradient_step(x, probed, y, eta), self.rank, self.tolerance).matrix()


class ProximalLowRank:
    """The proximal step, what a library would do: L <- shrink(L - rate G, rate weight), G of the data term.

    With a rate of at most 1 / (largest curvature of the data term) the objective never rises, and singular values
    that the data do not hold up become 0. It remembers nothing.

    Args:
        weight: gamma of Eq. (3).  rate: step size.

    Raises:
        ValueError: a negative weight, or a rate that is not above 0.
    """

    def __init__(self, weight: float = 1.0, rate: float = 1e-2) -> None:
        self.weight, self.rate = check_amount("weight", weight), check_amount("rate", rate, positive=True)

    def __call__(self, value: Tensor, gradient: Tensor) -> Tensor:
        """One step: value and gradient of the data term, (m, n) -> (m, n)."""
        return shrink_singular_values(value - self.rate * gradient, self.rate * self.weight)


def _checked(reading: str) -> str:
    if reading not in get_args(Probing):
        raise ValueError(f"reading of the probing matrix is one of {', '.join(get_args(Probing))}, got {reading!r}")
    return reading

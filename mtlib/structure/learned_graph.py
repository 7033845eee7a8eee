"""A graph learned from distances between tasks: what can stand in the place of Algorithm 3's graph step (M-1).

    trace_frobenius   min Tr(W L W^T) + beta ||L||_F^2      subject to  tr(L) = n            (Dong et al. 2016)
    log_degree        min Tr(W L W^T) - alpha sum_i log d_i + beta ||M||_F^2                 (Kalofolias 2016)

over graphs M >= 0, with L = D - M and degrees d. Tr(W L W^T) is sum_{i<j} M_ij Z_ij with Z_ij = ||w_i - w_j||^2.

Both are strictly convex in the n (n - 1) / 2 edges, which only meet in n numbers, the degrees. So each is solved by
its dual, which has one unknown a_i per task and gives the edges as

    M_ij = max(0, a_i + a_j - z_ij),    z = Z in units that the weights set.

The dual is made of quadratic pieces (and a logarithm): Newton's method finds the right piece and is exact from there,
after some ten systems of n equations. First-order steps on the edges would need more of them the more tasks there are,
as their condition number grows with n. A duality gap says how far from the best the graph can be at most.
"""

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from mtlib.structure.laplacian import check_graph
from mtlib.structure.laplacian import relative as in_means
from mtlib.structure.penalties import check_amount

RESIDUAL = 1e-10  # of the degrees, relative: where Newton's method stops
GAP = 1e-8  # relative: accepted where rounding keeps the residual from falling so far
STEPS = 200
POLISH = 3  # steps after the dual's value has stopped to change
RIDGE = 1e-10  # for a step at which no edge is there: the trace's curvature alone is singular


class Learned(NamedTuple):
    """A learned graph.

    graph: M (n, n), on the CPU in double precision.  objective: of the programme, at this graph.
    gap: no graph has an objective that is lower by more than this.  steps: Newton's.
    """

    graph: Tensor
    objective: float
    gap: float
    steps: int


def trace_frobenius(z: Tensor, beta: float, *, relative: bool = True) -> Learned:
    """The graph with tr(L) = sum_i d_i = n that minimises sum_{i<j} M_ij Z_ij + beta ||L||_F^2.

    A small beta leaves an edge between the closest pair alone (all that the trace asks for, M-1), a large one joins
    all tasks alike, by 1 / (n - 1). A task far from all others stays without edges. Only Z / beta matters.

    Args:
        z: (n, n) squared distances.  beta: above 0.
        relative: take Z in units of its mean, so that W and c W have the same graph.

    Returns:
        The graph. A single task has no edges, so its graph is 0 and misses tr(L) = n.

    Raises:
        ValueError: no squared distances (see ``check_graph``), or beta not above 0.
        RuntimeError: not solved, which takes distances beyond the range of double precision.
    """
    z = _prepared(z, relative, beta=beta)
    n = len(z)
    if n == 1:
        return Learned(torch.zeros_like(z), 0.0, 0.0, 0)
    # The edges' sum is fixed, so only differences of distances matter; and of small ones rounding takes less.
    shifted = z - z[~torch.eye(n, dtype=torch.bool)].min()
    graph, gap, steps = _solve(shifted.fill_diagonal_(0) / (4 * beta), _Trace(n))
    objective = _data(z, graph) + beta * float(graph.square().sum() + graph.sum(1).square().sum())
    return Learned(graph, objective, 4 * beta * gap, steps)


def log_degree(z: Tensor, alpha: float = 1.0, beta: float = 1.0, *, relative: bool = True) -> Learned:
    """The graph that minimises sum_{i<j} M_ij Z_ij - alpha sum_i log d_i + beta ||M||_F^2: no task is left alone.

    Which edges there are depends on Z / sqrt(alpha beta) alone; all grow as sqrt(alpha / beta). Kalofolias' first
    term counts every pair twice: his (alpha, beta) are half of these.

    Args:
        z: (n, n) squared distances.  alpha, beta: above 0.
        relative: take Z in units of its mean, so that W and c W have the same graph.

    Returns:
        The graph. A single task has no edges: 0, at an infinite objective.

    Raises:
        ValueError: no squared distances (see ``check_graph``), or alpha or beta not above 0.
        RuntimeError: not solved, which takes distances beyond the range of double precision.
    """
    z = _prepared(z, relative, alpha=alpha, beta=beta)
    n = len(z)
    if n == 1:
        return Learned(torch.zeros_like(z), math.inf, 0.0, 0)
    graph, gap, steps = _solve(z / (2 * math.sqrt(alpha * beta)), _Log())
    graph = graph * math.sqrt(alpha / (4 * beta))
    logs = float(graph.sum(1).log().sum())
    return Learned(graph, _data(z, graph) - alpha * logs + beta * float(graph.square().sum()), alpha * gap, steps)


def _prepared(z: Tensor, relative: bool, **weights: float) -> Tensor:
    """Checked distances, exactly symmetric, on the CPU in double precision."""
    for name, weight in weights.items():
        check_amount(name, weight, positive=True)
    z = check_graph(z, "squared distances").detach().cpu().double()
    z = (z + z.T) / 2
    return in_means(z) if relative else z


def _data(z: Tensor, graph: Tensor) -> float:
    """Tr(W L W^T), every pair once."""
    return float((z * graph).sum()) / 2


class _Degrees(Protocol):
    """The degrees' part phi(d) of a problem min over M of sum_{i<j} (M_ij z_ij + M_ij^2 / 2) + phi(d).

    Its dual is: min over a of sum_{i<j} max(0, a_i + a_j - z_ij)^2 / 2 + phi*(-a).
    """

    def start(self, z: Tensor) -> Tensor:
        """An a (n,) at which there are edges."""

    def conjugate(self, a: Tensor) -> float:
        """phi*(-a), infinite outside its domain."""

    def degrees(self, a: Tensor) -> Tensor:
        """The d (n,) that a asks for, minus the conjugate's gradient."""

    def curvature(self, a: Tensor) -> Tensor:
        """The conjugate's second derivatives, (n, n)."""

    def feasible(self, m: Tensor) -> Tensor:
        """A graph that keeps to the constraints on d, near m (n, n)."""

    def value(self, d: Tensor) -> float:
        """phi(d)."""


class _Trace:
    """phi(d) = ||d||^2 / 4 with sum d = n, from Z / (4 beta)."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.centring = torch.eye(n, dtype=torch.double) - 1 / n

    def start(self, z: Tensor) -> Tensor:
        return torch.full((self.n,), self.n / 4, dtype=z.dtype)  # no less: one edge alone has to weigh n / 2

    def conjugate(self, a: Tensor) -> float:
        return float((a - a.mean()).square().sum() - a.sum()) - self.n / 4

    def degrees(self, a: Tensor) -> Tensor:
        return 1 - 2 * (a - a.mean())

    def curvature(self, a: Tensor) -> Tensor:
        return 2 * self.centring

    def feasible(self, m: Tensor) -> Tensor:
        return m * (self.n / m.sum())

    def value(self, d: Tensor) -> float:
        return float(d.square().sum()) / 4


class _Log:
    """phi(d) = -sum log d, from Z / (2 sqrt(alpha beta)) for edges in units of sqrt(alpha / (4 beta))."""

    def start(self, z: Tensor) -> Tensor:
        far = torch.full((len(z),), math.inf, dtype=z.dtype)
        return (z + torch.diag(far)).amin(1) + 1 / math.sqrt(len(z))  # every task has an edge to its nearest

    def conjugate(self, a: Tensor) -> float:
        return float(-a.log().sum()) - len(a) if bool((a > 0).all()) else math.inf

    def degrees(self, a: Tensor) -> Tensor:
        return 1 / a

    def curvature(self, a: Tensor) -> Tensor:
        return torch.diag(a.square().reciprocal())

    def feasible(self, m: Tensor) -> Tensor:
        return m

    def value(self, d: Tensor) -> float:
        return float(-d.log().sum())


def _solve(z: Tensor, part: _Degrees) -> tuple[Tensor, float, int]:
    """Damped Newton on the dual: the graph (n, n), its duality gap, and the steps taken."""
    n, tiny = len(z), torch.finfo(z.dtype).eps
    far = z + torch.diag(torch.full((n,), math.inf, dtype=z.dtype))  # no edge from a task to itself
    ridge = RIDGE * torch.eye(n, dtype=z.dtype)
    point, steps, idle, solved = _at(part.start(z), far, part), 0, 0, False
    while steps <= STEPS:
        a, m, value = point
        wanted = part.degrees(a)
        gradient = m.sum(1) - wanted
        rounding = 8 * n * tiny * float(a.abs().max())  # of a sum of n edges, each a difference
        solved = bool(gradient.abs().max() <= max(RESIDUAL * float(wanted.abs().max()), rounding))
        if solved or idle == POLISH:
            break
        there = (m > 0).to(z.dtype)
        curvature = there + torch.diag(there.sum(1)) + part.curvature(a) + ridge
        newton = torch.cholesky_solve(gradient.unsqueeze(1), torch.linalg.cholesky(curvature)).squeeze(1)
        slope = float(gradient @ newton)
        if slope <= 64 * tiny * max(abs(value), n):  # the value is the best already, the edges may gain some digits
            idle, point = idle + 1, _at(a - newton, far, part)
        else:
            point = _descend(a, newton, slope, value, far, part)
        steps += 1
    graph = part.feasible(m)
    primal = float((z * graph).sum() / 2 + graph.square().sum() / 4) + part.value(graph.sum(1))
    gap = primal + value
    if not (solved or abs(gap) <= GAP * max(abs(primal), n)):
        raise RuntimeError(
            f"the graph of {n} tasks is not solved after {steps} steps: duality gap {gap:.3g} at an objective of "
            f"{primal:.3g}; leave out tasks that are far from all others, or take larger weights alpha and beta"
        )
    return graph, max(gap, 0.0), steps


_Point = tuple[Tensor, Tensor, float]  # a (n,), its edges (n, n), the dual's value


def _at(a: Tensor, z: Tensor, part: _Degrees) -> _Point:
    """The edges max(0, a_i + a_j - z_ij) and the dual's value."""
    m = (a.unsqueeze(1) + a - z).clamp(min=0)
    return a, m, float(m.square().sum()) / 4 + part.conjugate(a)


def _descend(a: Tensor, newton: Tensor, slope: float, value: float, z: Tensor, part: _Degrees) -> _Point:
    """Along Newton's direction, halved until the dual falls as it should."""
    size = 1.0
    point = _at(a - newton, z, part)
    while not point[2] <= value - 1e-4 * size * slope and size > 1e-12:
        size /= 2
        point = _at(a - size * newton, z, part)
    return point

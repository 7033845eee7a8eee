"""Graph programmes for a general solver (cvxpy): Algorithm 3's line 7 as printed, and what can replace it.

    printed           min Tr(W A W^T)  subject to  A >= eps I,  A_ij <= 0 for i != j,  A 1 = eps 1
    trace_frobenius   min Tr(W L W^T) + beta ||L||_F^2  subject to  tr(L) = n
    log_degree        min Tr(W L W^T) - alpha sum_i log d_i + beta ||M||_F^2

With L = A - eps I the printed constraints say that L is a Laplacian, so Tr(W A W^T) = eps ||W||_F^2 + sum_{i<j} M_ij
||w_i - w_j||^2 is smallest without any edge: A = eps I (M-1). ``learned_graph`` solves the other two much faster.
"""

import warnings
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from mtlib.structure.laplacian import check_graph, edges
from mtlib.structure.laplacian import relative as in_means
from mtlib.structure.penalties import check_amount

if TYPE_CHECKING:
    import cvxpy as cp

ACCURACY = 1e-6  # edges of A / eps below are what a solver leaves of 0
Order = Literal["semidefinite", "entries"]


class Solved(NamedTuple):
    """What a general solver found.

    graph: M (n, n), on the CPU in double precision, no edge below 0; of ``printed``, none below 1e-6 eps.
    objective: as the solver says.  solver: its name.  status: cvxpy's, ``optimal`` or ``optimal_inaccurate``.
    matrix: A as solved, of the printed programme; None of the others.
    """

    graph: Tensor
    objective: float
    solver: str
    status: str
    matrix: Tensor | None = None


def printed(w: Tensor, eps: float = 1.0, *, order: Order = "semidefinite", solver: str = "CLARABEL") -> Solved:
    """Line 7 of Algorithm 3: min Tr(W A W^T) s.t. A >= eps I, A_off <= 0, A 1 = eps 1. It returns A = eps I (M-1).

    Args:
        w: (d, n), one column per task.
        eps: 1 as the constraints are printed; 1e-3 as the text has it (M-2).
        order: what >= means: A - eps I positive semidefinite, or 0 or more entry by entry. The second leaves a single
            point, eps I.
        solver: one that cvxpy has for semidefinite programmes.

    Raises:
        ValueError: w is not a finite matrix, eps is not above 0, or another order.
        RuntimeError: the solver gave up.
    """
    import cvxpy as cp

    if w.ndim != 2 or not w.numel() or not w.is_floating_point() or not w.isfinite().all():
        raise ValueError(f"w must be a finite matrix (d, n), one column per task, got {tuple(w.shape)} of {w.dtype}")
    if order not in get_args(Order):
        raise ValueError(f"order is one of {', '.join(get_args(Order))}, got {order!r}")
    check_amount("eps", eps, positive=True)
    w = w.detach().cpu().double()
    n, size = w.shape[1], float(w.square().mean()) or 1.0
    gram = (w.T @ w / size).numpy()  # n n: Tr(W A W^T) = sum of A * W^T W
    # Solved for A / eps with W in its own units, so that the solver's accuracy is relative to both.
    a = cp.Variable((n, n), symmetric=True)
    off, identity = (1 - torch.eye(n)).numpy(), torch.eye(n).double().numpy()
    constraints = [cp.multiply(off, a) <= 0, cp.sum(a, axis=1) == 1]
    constraints.append(a - identity >> 0 if order == "semidefinite" else a >= identity)
    found, status = _minimise(cp.sum(cp.multiply(gram, a)), constraints, solver)
    matrix = torch.from_numpy(a.value.copy())
    graph = edges(matrix)
    graph = torch.where(graph > ACCURACY, graph, 0)
    return Solved(eps * (graph + graph.T) / 2, eps * size * found, solver, status, eps * matrix)


def trace_frobenius(z: Tensor, beta: float, *, relative: bool = True, solver: str = "CLARABEL") -> Solved:
    """The programme of ``learned_graph.trace_frobenius``, same arguments, by a general solver.

    Raises:
        ValueError: no squared distances, a single task (for which tr(L) = n cannot be), or beta not above 0.
        RuntimeError: the solver gave up.
    """
    import cvxpy as cp

    z, pairs = _pairs(z, relative, beta=beta)
    n = len(z)
    m, d = cp.Variable(pairs.shape[1], nonneg=True), cp.Variable(n)
    squares = 2 * cp.sum_squares(m) + cp.sum_squares(d)  # ||L||_F^2
    objective = _data(z, pairs) @ m + beta * squares
    found, status = _minimise(objective, [d == _sums(n, pairs) @ m, cp.sum(d) == n], solver)
    return Solved(_graph(n, pairs, m), found, solver, status)


def log_degree(
    z: Tensor, alpha: float = 1.0, beta: float = 1.0, *, relative: bool = True, solver: str = "CLARABEL"
) -> Solved:
    """The programme of ``learned_graph.log_degree``, same arguments, by a general solver.

    Raises:
        ValueError: no squared distances, a single task (which has no degree to take the log of), or a bad weight.
        RuntimeError: the solver gave up.
    """
    import cvxpy as cp

    z, pairs = _pairs(z, relative, alpha=alpha, beta=beta)
    n = len(z)
    m = cp.Variable(pairs.shape[1], nonneg=True)
    degrees = _sums(n, pairs) @ m
    objective = _data(z, pairs) @ m - alpha * cp.sum(cp.log(degrees)) + beta * 2 * cp.sum_squares(m)
    found, status = _minimise(objective, [], solver)
    return Solved(_graph(n, pairs, m), found, solver, status)


def _pairs(z: Tensor, relative: bool, **weights: float) -> tuple[Tensor, Tensor]:
    """Checked distances in double precision, and the pairs i < j, (2, n (n - 1) / 2)."""
    for name, weight in weights.items():
        check_amount(name, weight, positive=True)
    z = check_graph(z, "squared distances").detach().cpu().double()
    if len(z) < 2:
        raise ValueError("squared distances must be of 2 tasks or more, a single task has no edges")
    return in_means(z) if relative else z, torch.triu_indices(len(z), len(z), 1)


def _data(z: Tensor, pairs: Tensor) -> object:
    """The distance of every pair, as numpy has it."""
    return z[pairs[0], pairs[1]].numpy()


def _sums(n: int, pairs: Tensor) -> object:
    """The sparse matrix (n, pairs) that sums edges to degrees."""
    from scipy.sparse import csr_array

    number = torch.arange(pairs.shape[1]).repeat(2)
    places = (pairs.flatten().numpy(), number.numpy())
    return csr_array((torch.ones(len(number), dtype=torch.double).numpy(), places), (n, pairs.shape[1]))


def _graph(n: int, pairs: Tensor, m: "cp.Variable") -> Tensor:
    """Edges of pairs as a matrix."""
    graph = torch.zeros(n, n, dtype=torch.double)
    graph[pairs[0], pairs[1]] = torch.from_numpy(m.value.copy()).clamp(min=0)
    return graph + graph.T


def _minimise(objective: "cp.Expression", constraints: list, solver: str) -> tuple[float, str]:
    """Solve; the objective and the status."""
    import cvxpy as cp

    problem = cp.Problem(cp.Minimize(objective), constraints)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")  # the status says so
        problem.solve(solver=solver)
    if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
        raise RuntimeError(f"{solver} did not solve the programme: {problem.status}")
    return float(problem.value), problem.status

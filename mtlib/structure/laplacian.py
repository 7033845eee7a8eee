"""From a graph of tasks to its penalty: the Laplacian L = D - M, A = L + eps I, and Tr(W A W^T), Eqs. (7) to (13).

A graph is M (n, n): M_ij >= 0 says how much tasks i and j are related. W is (d, n), one column per task (M-4).
"""

import torch
from torch import Tensor

EPS = 1e-3  # the symbol that is lost in Eqs. (7) and (12), "about 1e-3" (M-2)


def check_graph(matrix: Tensor, name: str = "graph") -> Tensor:
    """The same matrix, if it can be a graph of tasks, or squared distances between them: (n, n).

    Args:
        name: what it is, for the message.

    Raises:
        ValueError: not a square floating matrix, or not finite, negative, non-zero on the diagonal, non-symmetric.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ValueError(f"{name} must be square, (n, n) with n of 1 or more, got {tuple(matrix.shape)}")
    if not matrix.is_floating_point():
        raise ValueError(f"{name} must hold floating-point numbers, got {matrix.dtype}")
    if not matrix.isfinite().all():
        raise ValueError(f"{name} must be finite, it has {int((~matrix.isfinite()).sum())} entries that are not")
    if (matrix < 0).any():
        raise ValueError(f"{name} must be 0 or more everywhere, its smallest entry is {matrix.min():.3g}")
    if matrix.diagonal().any():
        raise ValueError(f"{name} must be 0 on the diagonal, it has {matrix.diagonal().max():.3g}")
    rounding = 8 * torch.finfo(matrix.dtype).eps
    difference = (matrix - matrix.T).abs()
    if (difference > rounding * matrix.max()).any():
        raise ValueError(f"{name} must be symmetric, entries differ from their mirror image by {difference.max():.3g}")
    return matrix


def laplacian(graph: Tensor) -> Tensor:
    """Eqs. (9) and (10): L = D - M with the degrees D_ii = sum_j M_ij, (n, n); its rows sum to 0.

    Raises:
        ValueError: no graph, see ``check_graph``.
    """
    check_graph(graph)
    return torch.diag(graph.sum(1)) - graph


def regulariser(graph: Tensor, eps: float = EPS) -> Tensor:
    """Eq. (12): A = L + eps I, (n, n).

    Raises:
        ValueError: no graph, or eps below 0.
    """
    if not 0 <= eps < float("inf"):
        raise ValueError(f"eps must be a finite number of 0 or more, got {eps!r}")
    return laplacian(graph) + eps * torch.eye(len(graph), dtype=graph.dtype, device=graph.device)


def edges(regulariser: Tensor) -> Tensor:
    """The graph M of A = L + eps I, or of L: what is off the diagonal, with its sign turned; (n, n)."""
    return torch.diag(regulariser.diagonal()) - regulariser


def trace(w: Tensor, a: Tensor) -> Tensor:
    """Eq. (13): Tr(W A W^T), which is sum_rs A_rs w_r^T w_s, a scalar.

    The sum runs over the d rows of W, not over its columns as printed (M-4).

    Args:
        w: (d, n).  a: (n, n).
    """
    return (w @ a * w).sum()


def coupling(w: Tensor, graph: Tensor, eps: Tensor | float = EPS) -> Tensor:
    """Tr(W A W^T) with A = L + eps I straight from the graph, for losses: no checks, so that it is pure."""
    return (w.square() * (graph.sum(0) + eps)).sum() - (w @ graph * w).sum()


def differences(w: Tensor, graph: Tensor, eps: Tensor | float = EPS) -> Tensor:
    """Eq. (7): 1/2 sum_ij M_ij ||w_i - w_j||^2 + eps sum_q ||w_q||^2, the same scalar term by term.

    Eq. (8), like the sentence below (6), counts every pair twice; with 1/2 it equals Tr(W L W^T) (M-3).

    Args:
        w: (d, n).  graph: (n, n).
    """
    apart = w.unsqueeze(2) - w.unsqueeze(1)  # d n n
    return (graph * apart.square().sum(0)).sum() / 2 + eps * w.square().sum()


def squared_distances(w: Tensor) -> Tensor:
    """Z_ij = ||w_i - w_j||^2 of the columns of (d, n): (n, n), in double precision.

    From differences, not from products: of two close tasks the products would leave mere rounding.
    """
    points = w.detach().double().T  # n d
    return torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").square()


def relative(z: Tensor) -> Tensor:
    """Distances in units of their mean over all pairs, so that W and c W have the same graph; all 0 stays so.

    Args:
        z: (n, n), 0 on the diagonal.
    """
    largest = z.max()
    if not largest > 0:
        return z
    z = z / largest  # first, as the sum of large numbers may overflow
    return z * (len(z) * (len(z) - 1) / z.sum())

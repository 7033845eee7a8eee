"""What a learned graph says: pruned edges, clusters, how stable they are, and which beta to take.

prune -> clusters          the graph's connected parts, Sec. 5.4 (M-5)
path -> stability          edges over a grid of beta, or over resamples
choose                     the smallest beta that leaves most tasks related (M-1)
relation                   another reading of relatedness, without a graph, to compare with
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mtlib.structure.laplacian import check_graph
from mtlib.structure.learned_graph import Learned, trace_frobenius

SHARE = 0.1  # of the largest edge
BETAS = tuple(10.0 ** (k / 4) for k in range(-12, 9))  # from a few pairs to all, where distances have mean 1


def prune(graph: Tensor, share: float = SHARE) -> Tensor:
    """The graph without edges below ``share`` of its largest one, (n, n).

    ``laplacian`` and ``regulariser`` then rebuild the diagonal from what is left.

    Raises:
        ValueError: no graph, or share outside 0 to 1.
    """
    check_graph(graph)
    if not 0 <= share <= 1:
        raise ValueError(f"share must be from 0 to 1, got {share!r}")
    return torch.where(graph >= share * graph.max(), graph, 0)


def prune_literally(regulariser: Tensor, below: float = 0.1) -> Tensor:
    """Sec. 5.4 word by word: elements of A smaller than 0.1 are 0. As A_ij <= 0, that deletes every edge (M-5)."""
    return torch.where(regulariser < below, 0, regulariser)


def components(graph: Tensor) -> Tensor:
    """The number of each task's connected part, (n,) whole numbers from 0 in the order of the first tasks.

    Raises:
        ValueError: no graph.
    """
    from scipy.sparse.csgraph import connected_components

    _, parts = connected_components((check_graph(graph) > 0).cpu().numpy(), directed=False)
    return torch.from_numpy(parts).long()


def clusters(graph: Tensor, names: Sequence[str], share: float = SHARE) -> list[tuple[str, ...]]:
    """The names of each connected part of the pruned graph, large parts first; equals in the order of the names.

    Raises:
        ValueError: no graph, a bad share, or not one name per task.
    """
    parts = components(prune(graph, share)).tolist()
    if len(names) != len(parts):
        raise ValueError(f"names must be one for each of {len(parts)} tasks, got {len(names)}")
    found = [tuple(n for n, part in zip(names, parts, strict=True) if part == k) for k in range(max(parts) + 1)]
    return sorted(found, key=len, reverse=True)


def path(z: Tensor, betas: Sequence[float] = BETAS, *, relative: bool = True) -> Tensor:
    """The graphs of ``trace_frobenius`` over a grid of beta: (K, n, n), or (R, K, n, n) of R resamples (R, n, n)."""
    if z.ndim == 3:
        return torch.stack([path(one, betas, relative=relative) for one in z])
    return torch.stack([trace_frobenius(z, beta, relative=relative).graph for beta in betas])


def stability(graphs: Tensor, share: float = SHARE) -> Tensor:
    """In which part of the runs each edge is there after pruning: (..., n, n) -> (n, n), from 0 to 1.

    Raises:
        ValueError: no runs, or what one of them gave is no graph.
    """
    if graphs.ndim < 3 or not graphs.numel():
        raise ValueError(f"graphs must be (runs, n, n) with one run or more, got {tuple(graphs.shape)}")
    return torch.stack([(prune(graph, share) > 0).double() for graph in graphs.flatten(0, -3)]).mean(0)


class Choice(NamedTuple):
    """A chosen beta, and what ``trace_frobenius`` learned with it."""

    beta: float
    learned: Learned


def choose(z: Tensor, betas: Sequence[float] = BETAS, *, share: float = SHARE, relative: bool = True) -> Choice:
    """The sparsest graph in which the median degree is positive: most tasks still have a neighbour (M-1).

    From the largest beta down, the last one before more than half of the tasks are alone; degrees count edges after
    pruning. With an even number of tasks the median is the lower of the middle two.

    Args:
        z: (n, n) squared distances.  betas: the grid, in any order, above 0.
        share: see ``prune``.  relative: see ``trace_frobenius``.

    Returns:
        beta and its graph. Of a single task, which never has a neighbour, the largest beta.

    Raises:
        ValueError: no betas, no distances, or even the largest beta leaves most tasks alone.
    """
    if not len(betas):
        raise ValueError("betas must be one number above 0 or more, got none")
    chosen = None
    for beta in sorted(betas, reverse=True):
        learned = trace_frobenius(z, beta, relative=relative)
        if len(z) > 1 and not (prune(learned.graph, share) > 0).sum(1).median() > 0:
            break
        chosen = Choice(beta, learned)
        if len(z) == 1:
            break
    if chosen is None:
        raise ValueError(f"betas must go higher: at {max(betas):.3g} half of the {len(z)} tasks or more are alone")
    return chosen


def relation(w: Tensor) -> Tensor:
    """The relation matrix Omega = (W^T W)^{1/2} / tr (W^T W)^{1/2} of Zhang and Yeung (2010), (n, n).

    It minimises Tr(W Omega^{-1} W^T) over positive semidefinite matrices of trace 1. It is no Laplacian: tasks can be
    related negatively, and directions of W count, not distances (M-1 iv).

    Args:
        w: (d, n), one column per task.

    Raises:
        ValueError: w is not a finite matrix, or 0 everywhere.
    """
    if w.ndim != 2 or not w.isfinite().all() or not w.any():
        raise ValueError(f"w must be a finite matrix (d, n) other than 0, one column per task, got {tuple(w.shape)}")
    # The root comes from W's own singular values, which have twice the digits of those of W^T W.
    _, singular, v = torch.linalg.svd(w.detach().cpu().double(), full_matrices=False)
    return v.T * (singular / singular.sum()) @ v

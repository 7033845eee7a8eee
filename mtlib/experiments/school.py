"""Predictors of 139 schools: alone, pooled, on a low-rank basis, along a graph; each tuned on pupils kept apart.

With squared errors all of these are solved, not trained: by a linear system, or by proximal steps until they rest. Each
minimises what the method of ``mtlib.structure`` of the same name has for ``losses``.
"""

from collections.abc import Callable, Iterator
from itertools import product

import torch
from torch import Tensor

from mtlib.experiments.school_data import Playground, Sums
from mtlib.structure import log_degree, regulariser, squared_distances, trace_frobenius
from mtlib.structure.penalties import effective_rank, entries, nuclear, shrink_singular_values

WEIGHTS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)  # of ||w||^2
COUPLINGS = (3e-3, 1e-2, 3e-2, 1e-1)  # xi of Eq. (14)
BETAS = (0.3, 1.0, 3.0)  # of the learned graphs
RANKS, PENALTIES = (1, 2, 3, 5), (1e-3, 5e-3, 2e-2)  # K; gamma, with lambda a tenth of it
ROUNDS = 4  # of W and graph in turn, Algorithm 3
STEPS = 3  # proximal steps before the other factor has its turn
LEARNERS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "graph": lambda z, beta: trace_frobenius(z, beta).graph,
    "graph, log degrees": lambda z, beta: log_degree(z, 1.0, beta).graph,
}
Found = tuple[Tensor, dict[str, float]]  # W (d, T), and what is worth telling about it


def ridge(data: Sums, weight: float) -> Found:
    """Eq. (1): every school alone, squares plus weight ||w_t||^2."""
    eye = torch.eye(data.gram.shape[1], dtype=torch.double)
    return torch.linalg.solve(data.gram + weight * eye, data.cross).T, {}


def pooled(data: Sums, weight: float) -> Found:
    """One predictor for all pupils, whatever their school."""
    one, _ = ridge(Sums(data.gram.sum(0, keepdim=True), data.cross.sum(0, keepdim=True), data.square), weight)
    return one.expand(-1, len(data.gram)), {}


def coupled(data: Sums, a: Tensor, xi: float, start: Tensor | None = None) -> Tensor:
    """The W (d, T) that minimises the squares plus xi Tr(W A W^T), Eq. (14), by conjugate gradients.

    Args:
        a: (T, T), Eq. (12).  start: a W to begin from.

    Raises:
        RuntimeError: they do not converge.
    """
    from scipy.sparse.linalg import LinearOperator, cg

    shape = data.cross.shape  # T d
    alone = xi * a.diagonal().view(-1, 1, 1) * torch.eye(shape[1], dtype=torch.double)
    inverse = torch.linalg.inv(data.gram + alone)  # of each school's own block, to begin with

    def as_operator(apply: Callable[[Tensor], Tensor]) -> LinearOperator:
        def flat(v: "object") -> "object":
            return apply(torch.from_numpy(v.astype("float64")).view(shape)).flatten().numpy()

        return LinearOperator((data.cross.numel(),) * 2, matvec=flat, dtype="float64")

    system = as_operator(lambda w: (data.gram @ w.unsqueeze(2)).squeeze(2) + xi * (a @ w))
    blocks = as_operator(lambda w: (inverse @ w.unsqueeze(2)).squeeze(2))
    first = None if start is None else start.T.flatten().numpy()
    found, failed = cg(system, data.cross.flatten().numpy(), first, rtol=1e-7, maxiter=5000, M=blocks)
    if failed:
        raise RuntimeError(f"conjugate gradients did not converge in 5000 steps at xi = {xi}")
    return torch.from_numpy(found).view(shape).T


def along(data: Sums, xi: float, graph: Tensor) -> Found:
    """Eq. (6): a graph that is given."""
    return coupled(data, regulariser(graph), xi), {}


def complete(data: Sums, xi: float) -> Found:
    """Every school is joined to every other alike, tr(L) = T: all are drawn to their mean."""
    n = len(data.gram)
    return along(data, xi, (1 - torch.eye(n, dtype=torch.double)) / (n - 1))


def learned(data: Sums, xi: float, beta: float, learner: str = "graph") -> Found:
    """Algorithm 3 with a graph step that is not degenerate (M-1): W and graph in turn, from the schools alone."""
    w, _ = ridge(data, 1e-3)
    for _ in range(ROUNDS):
        graph = LEARNERS[learner](squared_distances(w), beta)
        w = coupled(data, regulariser(graph), xi, w)
    return w, {"edges": int((graph > 0).sum()) // 2}


def low_rank(data: Sums, rank: int, gamma: float, lam: float | None = None, *, most: int = 500) -> Found:
    """Eq. (3) with one group: W = L S, squares plus gamma ||L||_* + lambda ||S||_1, by proximal steps in turn.

    Args:
        rank: K, the columns of L (d, K).  gamma, lam: the weights; None takes a tenth of gamma for lambda.
        most: rounds; it stops when the objective falls by less than a hundred-thousandth in ten.
    """
    lam = gamma / 10 if lam is None else lam
    basis, codes = _start(data, rank)
    curvature = torch.linalg.matrix_norm(data.gram, 2)  # T, largest eigenvalues
    before = float("inf")
    for done in range(1, most + 1):
        by = 1 / float(2 * (curvature * codes.square().sum(0)).sum() + 1e-12)
        for _ in range(STEPS):
            slope = 2 * _residual(data, basis @ codes).T @ codes.T  # d K
            basis = shrink_singular_values(basis - by * slope, by * gamma)
        codes = _codes(data, basis, codes, lam)
        if done % 10 == 0:
            now = objective(data, basis, codes, gamma, lam)
            if before - now < 1e-5 * now:
                break
            before = now
    zeros = float((codes == 0).double().mean())
    return basis @ codes, {"rank": int(effective_rank(basis)), "zeros": zeros, "rounds": done}


def _codes(data: Sums, basis: Tensor, codes: Tensor, lam: float) -> Tensor:
    """S (K, T) after some proximal steps with L fixed; a school's pupils then are a Gram matrix of K by K."""
    gram, cross = basis.T @ data.gram @ basis, data.cross @ basis  # T K K, T K
    by = 1 / (2 * gram.diagonal(dim1=1, dim2=2).sum(1) + 1e-12)  # T; a trace is above every eigenvalue
    for _ in range(4 * STEPS):
        slope = 2 * ((gram @ codes.T.unsqueeze(2)).squeeze(2) - cross)  # T K
        moved = codes - by * slope.T
        codes = moved.sign() * (moved.abs() - by * lam).clamp(min=0)  # each school has a step of its own
    return codes


def objective(data: Sums, basis: Tensor, codes: Tensor, gamma: float, lam: float) -> float:
    """Eq. (3) of one group."""
    return float(data.loss(basis @ codes) + gamma * nuclear(basis) + lam * entries(codes))


def _residual(data: Sums, w: Tensor) -> Tensor:
    """Half the gradient of the squares by W, (T, d)."""
    return (data.gram @ w.T.unsqueeze(2)).squeeze(2) - data.cross


def _start(data: Sums, rank: int) -> tuple[Tensor, Tensor]:
    """The best low-rank approximation of the schools' own predictors: L (d, K), S (K, T)."""
    u, sigma, v = torch.linalg.svd(ridge(data, 1e-2)[0], full_matrices=False)
    root = sigma[:rank].sqrt()
    return u[:, :rank] * root, root.unsqueeze(1) * v[:rank]


def settings(few: bool = False) -> Iterator[tuple[str, Callable[..., Found], tuple]]:
    """(method, function, one choice of its settings), all of them; or a few that are good for School."""
    weights, couplings = (WEIGHTS[2:4], COUPLINGS[1:3]) if few else (WEIGHTS, COUPLINGS)
    betas, ranks, penalties = (BETAS[:2], RANKS[1:2], PENALTIES[1:2]) if few else (BETAS, RANKS, PENALTIES)
    for weight in weights:
        yield "alone", ridge, (weight,)
        yield "pooled", pooled, (weight,)
    for xi in couplings:
        yield "complete graph", complete, (xi,)
    for learner in LEARNERS:
        for xi, beta in product(couplings, betas):
            yield learner, learned, (xi, beta, learner)
    for rank, penalty in product(ranks, penalties):
        yield "low rank + sparse", low_rank, (rank, penalty)


METHODS = tuple(dict.fromkeys(method for method, _, _ in settings()))


def tuned(
    data: Playground, advance: Callable[[int], None] = lambda done: None, *, few: bool = False
) -> list[dict[str, object]]:
    """Every method with the settings that explain most of the pupils kept apart, fitted again to all training pupils.

    Args:
        advance: called after every setting that was tried.  few: try a few only, see ``settings``.

    Returns:
        A row per method: "method", "settings", "explained" (per cent of the test scores' variance), "chosen by" (the
        same of the pupils kept apart), and what the method tells about itself.
    """
    best: dict[str, tuple] = {}
    for method, solve, choice in settings(few):
        score = data.choose.explained(solve(data.fit, *choice)[0])
        if method not in best or score > best[method][0]:
            best[method] = (score, solve, choice)
        advance(1)
    rows = []
    for method, (score, solve, choice) in best.items():
        w, told = solve(data.train, *choice)
        row = {"method": method, "settings": list(choice), "explained": data.test.explained(w), "chosen by": score}
        rows.append(row | told)
    return rows

"""Projections onto a dual cone, all tasks at once: what UPGrad solves, without a solver of quadratic programmes."""

import torch
from torch import Tensor

RIDGES = (1e-6, 1e-4, 1e-2)  # on cosines; the next where they are too near singular for one
PIVOTS = 25
ROUNDING = 1e-10


def project(U: Tensor, G: Tensor) -> Tensor:
    """For every row u of U the v that minimises v'G v among all v >= u: what torchjd calls a ``DualConeProjector``.

    With s = v - u the conditions are s >= 0, y = G v >= 0, s'y = 0. Each s_i is either free, and then y_i = 0, or 0.
    Block principal pivoting (Kim and Park 2011) guesses which: it exchanges all that came out negative, and only the
    last of them where that does not help. One batched solve for all rows takes the place of a programme for each.

    Args:
        U: (..., T).  G: (T, T) positive semidefinite. Tasks are counted in units of their gradients' lengths, so that
            a ridge on the cosines does the same to large and to small ones.

    Returns:
        like U.

    Raises:
        ValueError: G is not finite, or it did not end.
    """
    if not G.isfinite().all():
        raise ValueError("UPGrad: the gradients are not finite")
    C = G.double().cpu()
    lengths = C.diagonal().clamp(min=torch.finfo(C.dtype).tiny).sqrt()
    C = C / lengths / lengths[:, None]
    u = U.reshape(-1, len(C)).double().cpu() * lengths  # n T
    for ridge in RIDGES:
        v = _pivoted(C + ridge * torch.eye(len(C), dtype=C.dtype), u)
        if v is not None:
            return (v / lengths).to(U).view_as(U)
    raise ValueError("UPGrad: the projection did not end")


def _pivoted(C: Tensor, u: Tensor) -> Tensor | None:
    """v (n, T), or None where the pivots do not end soon."""
    free, places = torch.zeros_like(u, dtype=torch.bool), torch.arange(len(C))
    fewest, patience = torch.full((len(u),), len(C) + 1), torch.full((len(u),), 3)
    for _ in range(PIVOTS):
        s, y = _solved(C, u, free)
        wrong = torch.where(free, s, y) < -ROUNDING * (u + s).abs().amax(1, keepdim=True)  # n T
        if not wrong.any():
            return u + s
        count = wrong.sum(1)
        patience = torch.where(count < fewest, 3, patience - 1)
        fewest = torch.minimum(fewest, count)
        last = places == torch.where(wrong, places, -1).amax(1, keepdim=True)
        free = free ^ torch.where((patience >= 0)[:, None], wrong, last & wrong)
    return None


def _solved(C: Tensor, u: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
    """s and y (n, T) where ``free`` (n, T) says which of the two is 0."""
    both = free[:, :, None] & free[:, None, :]  # n T T
    matrix = torch.where(both, C, 0) + torch.diag_embed((~free).to(C.dtype))
    s = torch.linalg.solve(matrix, torch.where(free, -(u @ C), 0))
    return s, (s + u) @ C

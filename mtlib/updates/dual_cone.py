"""Projections onto a dual cone, all tasks at once: what UPGrad solves, without a solver of quadratic programmes."""

import torch
from torch import Tensor

RIDGE = 1e-6  # on cosines
STEPS = 60
CLOSE = 1e-9  # relative gap and residual


def project(U: Tensor, G: Tensor) -> Tensor:
    """For every row u of U the v that minimises v'G v among all v >= u: what torchjd calls a ``DualConeProjector``.

    With s = v - u the conditions are y = G v, s >= 0, y >= 0 and s_i y_i = 0. An interior point method keeps s and y
    above 0 and brings all s_i y_i to 0 together (Mehrotra 1992, predictor and corrector). One batched factorisation
    a step for all rows takes the place of a programme for each, and unlike pivoting it needs some ten to twenty steps
    even where the tasks' gradients cancel each other.

    Args:
        U: (..., T).
        G: (T, T) positive semidefinite. Tasks are counted in units of their gradients' lengths, so that a ridge on the
            cosines does the same to large and to small ones.

    Returns:
        like U.

    Raises:
        ValueError: G is not finite.
    """
    if not G.isfinite().all():
        raise ValueError("UPGrad: the gradients are not finite")
    C = G.double().cpu()
    lengths = C.diagonal().clamp(min=torch.finfo(C.dtype).tiny).sqrt()
    C = C / lengths / lengths[:, None] + RIDGE * torch.eye(len(C), dtype=C.dtype)
    u = U.reshape(-1, len(C)).double().cpu() * lengths  # n T
    size = u.abs().amax(1, keepdim=True).clamp(min=torch.finfo(u.dtype).tiny)
    v = _interior(C, u / size) * size
    return (v / lengths).to(U).view_as(U)


def _interior(C: Tensor, u: Tensor) -> Tensor:
    """v (n, T) for u (n, T) of size 1."""
    s = torch.ones_like(u)
    y = torch.ones_like(u)
    for _ in range(STEPS):
        off = (u + s) @ C - y  # n T
        gap = (s * y).mean(1, keepdim=True)
        if max(gap.max(), off.abs().max()) < CLOSE:
            break
        factor = torch.linalg.cholesky(C + torch.diag_embed(y / s))  # n T T
        ds, dy = _move(factor, off, s, y, -s * y)
        length = _length(s, ds, y, dy)
        centre = ((s + length * ds) * (y + length * dy)).mean(1, keepdim=True) ** 3 / gap**2
        ds, dy = _move(factor, off, s, y, centre - s * y - ds * dy)
        length = 0.995 * _length(s, ds, y, dy)
        s, y = s + length * ds, y + length * dy
    return u + s


def _move(factor: Tensor, off: Tensor, s: Tensor, y: Tensor, aim: Tensor) -> tuple[Tensor, Tensor]:
    """The Newton step for y = C v and s_i y_i moved by ``aim``."""
    ds = torch.cholesky_solve((aim / s - off).unsqueeze(-1), factor).squeeze(-1)
    return ds, (aim - y * ds) / s


def _length(s: Tensor, ds: Tensor, y: Tensor, dy: Tensor) -> Tensor:
    """(n, 1) how far one can go, at most 1, until something is 0."""
    both, moves = torch.cat([s, y], 1), torch.cat([ds, dy], 1)
    return torch.where(moves < 0, -both / moves, 1).amin(1, keepdim=True).clamp(max=1)

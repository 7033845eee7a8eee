"""PCGrad for many tasks: every task's gradient is operated on at the same time."""

import torch
from torch import Tensor


def pcgrad(jacobian: Tensor) -> Tensor:
    """sum_i g_i', g_i' being g_i less its part along every g_j that it conflicts with (Yu et al. 2020, Algorithm 1).

    For each i the others come in an order of their own, drawn from torch's generator: g_i' <- g_i' - (g_i'.g_j /
    g_j.g_j) g_j where the product is negative. All i go through their orders side by side, in T steps in place of
    T^2; the draws and the direction are those of ``torchjd.aggregation.PCGrad``.

    Args:
        jacobian: (T, P) rows g_i.

    Returns:
        (P,) the direction.
    """
    gramian, own = (jacobian @ jacobian.T).cpu(), torch.arange(len(jacobian))
    orders = torch.stack([torch.randperm(len(own)) for _ in own])  # row i: what g_i meets
    weights = torch.eye(len(own), dtype=gramian.dtype)  # row i: g_i' in terms of all g
    for others in orders.T:
        products = (gramian[others] * weights).sum(1)  # g_i'.g_j
        conflict = (products < 0) & (others != own)
        weights[own, others] -= torch.where(conflict, products / gramian[others, others], 0)
    return weights.sum(0).to(jacobian) @ jacobian

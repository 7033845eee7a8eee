"""The Nash bargaining solution between tasks, as an aggregator of their gradients."""

import math

import torch
from torch import Tensor

RIDGE = 1e-6  # of the cosines: bounds the weights where gradients cancel each other
NEAR = 0.25  # Newton's decrement below which whole steps converge


def nash(jacobian: Tensor) -> Tensor:
    """sum_i a_i g_i with a > 0 and (J J^T) a = 1 / a (Navon et al. 2022, Nash-MTL), divided by sqrt(T).

    No task can gain in proportion more than the others lose together. In unit gradients u_i = g_i / |g_i| it is
    sum_i b_i u_i with C b = 1 / b, C the cosines: the sizes of the losses do not matter. The condition is that b
    minimises b'C b / 2 - sum log b, a self-concordant function, for which Newton's method needs some ten steps.
    The direction solves a'(J J^T) a = T and so has length sqrt(T) at every step; divided by it, 1, which is the bound
    ``max_norm`` of the authors' code. Nothing is remembered from one call to the next, unlike in that code, where the
    last answer starts the next search.

    A task without gradient (no labels) has no say. Gradients that cancel each other give a direction near 0.

    Args:
        jacobian: (T, P) rows g_i.

    Returns:
        (P,) the direction.
    """
    norms = jacobian.norm(dim=1, keepdim=True)
    units = jacobian / norms.clamp(min=torch.finfo(norms.dtype).tiny)  # T P
    b = bargain((units @ units.T).double().cpu())
    return b.to(units) @ units / math.sqrt(len(units))


def bargain(cosines: Tensor, steps: int = 100) -> Tensor:
    """(T,) b > 0 with C b = 1 / b, by Newton's method with damped steps; C (T, T) positive semidefinite.

    Raises:
        ValueError: C is not finite, or it did not converge.
    """
    if not cosines.isfinite().all():
        raise ValueError("nash: the gradients are not finite")
    C = cosines + RIDGE * torch.eye(len(cosines), dtype=cosines.dtype)
    b = C.sum(1).clamp(min=0.5).rsqrt()
    for _ in range(steps):
        slope = C @ b - 1 / b
        move = torch.linalg.solve(C + torch.diag(b**-2), slope)
        decrement = (slope @ move).clamp(min=0).sqrt().item()
        b = b - move / (1 + decrement if decrement > NEAR else 1)  # inside the domain either way
        if decrement < 1e-9:
            return b
    raise ValueError(f"nash: no solution in {steps} steps")

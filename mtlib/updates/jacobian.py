"""Gradients of the tasks with respect to what they share, one row per task."""

import torch
from torch import Tensor

from mtlib.method import Losses


def rows(losses: Losses, chunk: int | None, who: str) -> Tensor:
    """(T, *features.shape) gradients of ``losses.tasks`` with respect to ``losses.features``; the graph is kept.

    Only what follows the features is gone through, in one batched call, so that the cost hardly depends on T.

    Args:
        chunk: rows at once; None: all. 1 does without ``vmap``, for heads that refuse it.
        who: asks.

    Raises:
        ValueError: no features, or none that a trained parameter moves.
    """
    tasks, features = losses.tasks, losses.features
    if features is None:
        raise ValueError(f"{who}: the method's losses give no features, so what the tasks share is not known")
    if not features.requires_grad:
        raise ValueError(f"{who}: the features depend on no parameter that trains, so nothing is shared")
    if chunk == 1:
        return torch.stack([torch.autograd.grad(task, features, retain_graph=True)[0] for task in tasks])
    basis = torch.eye(len(tasks), dtype=tasks.dtype, device=tasks.device)  # T T
    found = [
        torch.autograd.grad(tasks, features, part, retain_graph=True, is_grads_batched=True)[0]
        for part in basis.split(chunk or len(tasks))
    ]
    return found[0] if len(found) == 1 else torch.cat(found)


def check_chunk(chunk: int | None, who: str) -> None:
    """Raises ValueError where it is neither None nor a whole number of 1 or more."""
    if chunk is not None and (not isinstance(chunk, int) or isinstance(chunk, bool) or chunk < 1):
        raise ValueError(f"{who}: chunk must be a whole number of 1 or more, or None, got {chunk!r}")

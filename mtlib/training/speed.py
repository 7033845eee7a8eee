"""What may make training faster: half precision, channels-last images, one compiled program for the losses."""

import warnings
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from mtlib.method import Losses, Method
from mtlib.recipe import Recipe
from mtlib.tasks import Batch


def prepared(method: Method, recipe: Recipe, first: Batch) -> Callable[[Batch], Losses]:
    """The method's losses as the recipe wants them computed.

    Args:
        method: its filters become channels-last in place, if the recipe says so.
        first: a batch of the shapes to come, for compiling.
    """
    if recipe.precision == "float32" and not (recipe.channels_last or recipe.compile):
        return method.losses
    images = recipe.channels_last and first.x.ndim == 4
    if images:
        method.to(memory_format=torch.channels_last)

    def losses(batch: Batch) -> Losses:
        if images:
            batch = replace(batch, x=batch.x.contiguous(memory_format=torch.channels_last))
        if recipe.precision == "float32":
            return method.losses(batch)
        with torch.autocast(batch.x.device.type, torch.bfloat16):
            return method.losses(batch)

    return compiled(losses, method, first) if recipe.compile else losses


def compiled(losses: Callable[[Batch], Losses], method: Method, first: Batch) -> Callable[[Batch], Losses]:
    """The losses as a compiled program, tried forward and backward on one batch; as they are where that fails.

    The trial leaves the method as it was: buffers are put back, gradients removed.
    """
    buffers = [(buffer, buffer.clone()) for buffer in method.buffers()]
    # Donated buffers would forbid going through a graph twice, as updates that weigh gradients do. Looked at in every
    # backward pass, so it is switched off for good.
    from torch._functorch import config

    config.donated_buffer = False
    try:
        program = torch.compile(losses, dynamic=False)
        program(first).total().backward()
        return program
    except Exception as error:  # no C++ compiler, a graph that cannot be had ...: torch raises many kinds
        reason = str(error).strip().splitlines()[:1]
        warnings.warn(f"training goes on uncompiled: {type(error).__name__}: {' '.join(reason)}", stacklevel=2)
        return losses
    finally:
        _put_back(buffers)
        method.zero_grad()


@torch.no_grad()
def _put_back(buffers: list[tuple[Tensor, Tensor]]) -> None:
    for buffer, before in buffers:
        buffer.copy_(before)

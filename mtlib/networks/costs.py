"""What a network costs: parameters, and multiplications of one pass."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Cost:
    """parameters: numbers that are trained or could be.  multiplications: multiply-adds of one example's forward pass.

    Printed as ``11.18 M parameters, 1.81 G multiply-adds``.
    """

    parameters: int
    multiplications: int

    def __str__(self) -> str:
        return f"{_short(self.parameters)} parameters, {_short(self.multiplications)} multiply-adds"


def cost(network: nn.Module, shape: tuple[int, ...]) -> Cost:
    """Count parameters, and the multiply-adds of one forward pass of one example of ``shape``, (C, H, W) for images.

    Products of matrices and convolutions are counted, as torch's ``FlopCounterMode`` does; it counts a multiplication
    and an addition each, so half of its number stands here. Biases, ReLUs, pools and normalisation are left out. A
    training step takes about three times as many. The network may be on the device ``meta``, and is left as it was.
    """
    parameters = list(network.parameters())
    like = parameters[0] if parameters else torch.empty(0)
    modes = {module: module.training for module in network.modules()}
    network.eval()  # in training mode, batch normalisation would remember this example
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, *shape, device=like.device, dtype=like.dtype))
    finally:
        for module, training in modes.items():
            module.training = training
    return Cost(sum(each.numel() for each in parameters), counter.get_total_flops() // 2)


def _short(count: int) -> str:
    """1 814 073 344 as ``1.81 G``."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.2f} {unit}"
    return str(count)

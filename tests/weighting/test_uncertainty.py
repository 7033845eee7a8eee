"""Uncertainty weighting (Kendall, Gal and Cipolla 2018): terms and slopes by hand, and where it goes."""

import math

import pytest
import torch
from torch import nn

from mtlib.method import Losses, Method
from mtlib.recipe import Recipe
from mtlib.tasks import Batch, Task
from mtlib.updates import Descend
from mtlib.weighting import Uncertainty

BATCH = Batch(torch.zeros(1, 1), {})


def test_uncertainty_term_by_term():
    weighting = Uncertainty(2)
    with torch.no_grad():
        weighting.s.copy_(torch.tensor([0.0, math.log(4.0)]))
    losses = Losses(torch.tensor([3.0, 8.0], requires_grad=True))
    terms = weighting(losses)
    terms.sum().backward()
    assert terms.tolist() == pytest.approx([3.0, 8 / 4 + math.log(4)])
    assert losses.tasks.grad.tolist() == pytest.approx([1, 1 / 4])  # the weights exp(-s)
    assert weighting.s.grad.tolist() == pytest.approx([1 - 3, 1 - 8 / 4])  # 1 - exp(-s) L


class Still(Method):
    """Losses that nothing can change."""

    tasks = (Task("still", "binary", 2),)

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros((), dtype=torch.double))

    def losses(self, batch):
        return Losses(torch.tensor([0.5, 4.0], dtype=torch.double) + 0 * self.w)


def test_uncertainty_left_alone_with_a_loss_weighs_it_by_its_inverse():
    update = Descend(Uncertainty(2))
    update.start(Still(), Recipe(steps=1000, optimiser="sgd", rate=0.1, schedule="constant", weight_decay=0.5))
    for _ in range(400):
        update(BATCH)
    # s -> log L, and not to the smaller s that a penalty on s would give
    assert torch.exp(-update.weighting.s).tolist() == pytest.approx([1 / 0.5, 1 / 4.0], rel=1e-6)

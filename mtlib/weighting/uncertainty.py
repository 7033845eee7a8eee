"""Uncertainty weighting: a learned weight per task, which the loss itself keeps from vanishing."""

import torch
from torch import Tensor, nn

from mtlib.method import Losses
from mtlib.weighting.base import Weighting


class Uncertainty(Weighting):
    """exp(-s_i) L_i + s_i with learned s, from 0 (Kendall, Gal and Cipolla 2018, s_i = log sigma_i^2).

    Left alone with a loss, s_i goes to log L_i, where the weight is 1 / L_i: every task then counts the same.
    A task without labels in a batch has loss 0 there, which pushes its s_i down.
    """

    def __init__(self, heads: int) -> None:
        super().__init__(heads)
        self.s = nn.Parameter(torch.zeros(heads))

    def forward(self, losses: Losses) -> Tensor:
        """(T,) weighted terms."""
        return torch.exp(-self.s) * losses.tasks + self.s

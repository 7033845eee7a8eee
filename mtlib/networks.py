"""Trunks: networks that turn an input into features."""

from itertools import pairwise

from torch import nn


def mlp(*widths: int) -> nn.Sequential:
    """Fully connected layers, each followed by a ReLU: mlp(2, 20, 10) maps (B, 2) to (B, 10)."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers)

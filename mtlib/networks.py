"""Trunks: networks that turn an input into features."""

from itertools import pairwise

from torch import nn


def mlp(*widths: int) -> nn.Sequential:
    """Fully connected layers, each followed by a ReLU: mlp(2, 20, 10) maps (B, 2) to (B, 10)."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def lenet5(channels: int = 1, size: int = 28) -> nn.Sequential:
    """LeNet-5 (LeCun et al. 1998) up to its last hidden layer: (B, channels, size, size) to (B, 84) features.

    Convolutions of 6, 16 and 120 filters of 5 x 5, the first two pooled by 2, and a layer of 84; with the linear
    heads these are three convolutions and two fully connected layers. ReLU and the maximum stand for the sigmoids
    and averages of 1998, as is usual today.

    Args:
        channels: of the images.  size: their width and height, 28 (padded to 32) or 32.

    Raises:
        ValueError: another size.
    """
    if size not in (28, 32):
        raise ValueError(f"LeNet-5 takes images of 28 or 32 pixels, got {size}")
    return nn.Sequential(
        *(nn.Conv2d(channels, 6, 5, padding=(32 - size) // 2), nn.ReLU(), nn.MaxPool2d(2)),  # 6 x 14 x 14
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),  # 16 x 5 x 5
        *(nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten()),  # 120
        *(nn.Linear(120, 84), nn.ReLU()),
    )

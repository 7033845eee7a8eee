"""Trunks: networks that turn an input into features."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class Pixels(nn.Module):
    """The first layer of a network for images: bytes (B, C, H, W) of 0 to 255 as floats of -1 to 1.

    So images travel and are kept as bytes, a quarter of the size. Floats pass as they are.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, H, W), uint8 or floats, as floats."""
        return x if x.is_floating_point() else x.float().sub(127.5).div(127.5)


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


def tiny(channels: int = 3, features: int = 128) -> nn.Sequential:
    """A trunk for two cores: images (B, channels, size, size), bytes or floats, to (B, features).

    Three convolutions of stride 2, with 16, 32 and 64 filters, whose last map is averaged to 4 x 4 places: enough to
    tell an eyebrow from a chin. No batch statistics, so it trains alike alone, in an ensemble and on parts of a batch;
    instead its weights begin as He et al. 2015 have them, which keeps the signal's size from layer to layer.
    With 3 channels and 128 features it has 155 552 parameters; an image of 32 pixels takes 1.0 million multiplications,
    one of 64 pixels 3.7 million.

    Args:
        channels: of the images.  features: what the heads see.

    Images may be of any size from 32 pixels; the filters' layout is channels-last, twice as fast on a CPU.
    """
    trunk = nn.Sequential(
        *(Pixels(), nn.Conv2d(channels, 16, 5, stride=2, padding=2), nn.ReLU()),  # 16, half the size
        *(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()),  # 32, a quarter
        *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU()),  # 64, an eighth
        *(nn.AdaptiveAvgPool2d(4), nn.Flatten()),  # 64 x 4 x 4
        *(nn.Linear(64 * 16, features), nn.ReLU()),
    )
    for layer in trunk:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return trunk.to(memory_format=torch.channels_last)


def small(channels: int = 3, features: int = 256, size: int = 64) -> nn.Sequential:
    """A trunk for minutes on two cores: images (B, channels, size, size), bytes or floats, to (B, features).

    Four convolutions of stride 2 with 24, 48, 96 and 128 filters, each with batch normalisation, and a layer that sees
    every place of the last map. With 3 channels, 64 pixels and 256 features it has 688 000 parameters; it learns small
    things in small places that ``tiny``, which averages its last map, takes far longer for.

    Args:
        channels: of the images.  features: what the heads see.  size: pixels, a multiple of 16.

    Raises:
        ValueError: another size.
    """
    if size < 32 or size % 16:
        raise ValueError(f"this trunk takes images of a multiple of 16 pixels, 32 or more, got {size}")
    layers: list[nn.Module] = [Pixels()]
    for inputs, outputs in pairwise((channels, 24, 48, 96, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    layers += [nn.Flatten(), nn.Linear(128 * (size // 16) ** 2, features), nn.ReLU()]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)

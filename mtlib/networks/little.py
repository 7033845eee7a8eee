"""Networks that two cores train in seconds or minutes."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib.networks.base import Pixels, Trunk


def mlp(*widths: int) -> nn.Sequential:
    """Fully connected layers, each followed by a ReLU: mlp(2, 20, 10) maps (B, 2) to (B, 10)."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def lenet5(channels: int = 1, size: int = 28) -> Trunk:
    """LeNet-5 (LeCun et al. 1998) up to its last hidden layer: (B, channels, size, size) to (B, 84) features.

    Convolutions of 6, 16 and 120 filters of 5 x 5, the first two pooled by 2, and a layer of 84; with the linear
    heads these are three convolutions and two fully connected layers. ReLU and the maximum stand for the sigmoids
    and averages of 1998, as is usual today; the maximum comes first, which gives the same for a quarter of the work.
    The map is the second pooled one, 16 x 5 x 5: after the third convolution a single place is left. The filters'
    layout is channels-last, as in all trunks of this file: faster on a CPU, here by a sixth.

    Args:
        channels: of the images, bytes or floats.  size: their width and height, 28 (padded to 32) or 32.

    Raises:
        ValueError: another size.
    """
    if size not in (28, 32):
        raise ValueError(f"LeNet-5 takes images of 28 or 32 pixels, got {size}")
    body = nn.Sequential(
        *(Pixels(), nn.Conv2d(channels, 6, 5, padding=(32 - size) // 2), nn.MaxPool2d(2), nn.ReLU()),  # 6 x 14 x 14
        *(nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU()),  # 16 x 5 x 5
    )
    neck = nn.Sequential(
        *(nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten()),  # 120
        *(nn.Linear(120, 84), nn.ReLU()),
    )
    return Trunk(body, neck, channels=16, features=84).to(memory_format=torch.channels_last)


class Places(nn.Module):
    """A map averaged to ``places`` x ``places``: (B, C, h, w) to (B, C, places, places).

    As ``nn.AdaptiveAvgPool2d``, whose way back is slow: of 4 x 4 places it makes the same 4 x 4, and took a quarter of
    a training step for it.
    """

    def __init__(self, places: int) -> None:
        super().__init__()
        self.places = places

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, h, w), averaged."""
        h, w = (length / self.places for length in x.shape[-2:])
        if h == w == 1:
            return x
        if h.is_integer() and w.is_integer():
            return F.avg_pool2d(x, (int(h), int(w)))
        return F.adaptive_avg_pool2d(x, self.places)


def tiny(channels: int = 3, features: int = 128) -> Trunk:
    """A trunk for two cores: images (B, channels, size, size), bytes or floats, to (B, features).

    Two convolutions, of 16 filters of 5 x 5 and stride 2 and of 32 filters of 3 x 3, each pooled by 2 before its ReLU.
    The last map is an eighth as wide as the image and averaged to 4 x 4 places: enough to tell an eyebrow from a chin.
    No batch statistics, so it trains alike alone, in an ensemble and on parts of a batch; instead its weights begin as
    He et al. 2015 have them, which keeps the signal's size from layer to layer.
    With 3 channels and 128 features it has 71 520 parameters; an image of 32 pixels takes 0.67 million
    multiplications, one of 64 pixels 2.47 million.

    Args:
        channels: of the images, of any size from 16 pixels.  features: what the heads see.
    """
    body = nn.Sequential(
        Pixels(),
        *(nn.Conv2d(channels, 16, 5, stride=2, padding=2), nn.MaxPool2d(2, ceil_mode=True), nn.ReLU()),  # a quarter
        *(nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2, ceil_mode=True), nn.ReLU()),  # an eighth
    )
    neck = nn.Sequential(Places(4), nn.Flatten(), nn.Linear(32 * 16, features), nn.ReLU())
    for layer in (*body, *neck):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return Trunk(body, neck, channels=32, features=features).to(memory_format=torch.channels_last)


def small(channels: int = 3, features: int = 256, size: int = 64) -> Trunk:
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
    body = nn.Sequential(Pixels(), *_convolutions((channels, 24, 48, 96, 128), (2, 2, 2, 2)))
    neck = nn.Sequential(nn.Flatten(), nn.Linear(128 * (size // 16) ** 2, features), nn.ReLU())
    return Trunk(body, neck, 128, features).to(memory_format=torch.channels_last)


def averaged(channels: int = 3) -> Trunk:
    """``small`` for class activation maps: (B, channels, size, size), bytes or floats, to (B, 128) averages of maps.

    Four convolutions with batch normalisation too, of 24, 48, 64 and 128 filters, but only the first two have stride
    2, and nothing follows but the mean over places, as in MTFAP (M-21): an image of 32 pixels leaves 128 maps of 8 x 8.
    With 3 channels it has 112 920 parameters; an image of 32 pixels takes 7.32 million multiplications.

    Args:
        channels: of the images, of any size from 16 pixels.
    """
    body = nn.Sequential(Pixels(), *_convolutions((channels, 24, 48, 64, 128), (2, 2, 1, 1)))
    return Trunk(body, nn.Sequential(Places(1), nn.Flatten()), 128, 128).to(memory_format=torch.channels_last)


def _convolutions(widths: Sequence[int], strides: Sequence[int]) -> list[nn.Module]:
    """Convolutions of 3 x 3, each with batch normalisation and a ReLU; the first width is the images'."""
    layers: list[nn.Module] = []
    for (inputs, outputs), stride in zip(pairwise(widths), strides, strict=True):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return layers

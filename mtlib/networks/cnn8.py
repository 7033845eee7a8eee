"""The backbone of the SOS paper's experiments on CelebA."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from mtlib.networks.base import Pixels, Trunk

WIDTHS = (32, 64, 64, 128, 128, 256, 256, 512)


def cnn8(
    channels: int = 1, size: int = 128, features: int = 1024, strides: Sequence[int] = (2, 1, 2, 1, 2, 1, 2, 2)
) -> Trunk:
    """CNN8 (SOS, section IV-B): (B, channels, size, size), bytes or floats, to (B, features).

    Eight convolutions of 3 x 3 with 32, 64, 64, 128, 128, 256, 256 and 512 filters, each with batch normalisation and
    a ReLU; flattened, a layer of 1024 with a ReLU. The print calls the convolutions strided and leaves the strides
    open. All eight of stride 2 would halve 128 pixels eight times; here layers 1, 3, 5, 7 and 8 do (S-23): the map is
    512 x 4 x 4, and the layer that reads it has 8.4 million of the 10.7 million parameters.

    Args:
        channels: of the images, which are grey in the paper's ablation.
        size: their width and height, a multiple of the strides' product (32).
        features: what the heads see.  strides: of the eight convolutions.

    Raises:
        ValueError: strides that are not eight whole numbers of 1 or more, or a size that they do not divide.
    """
    if len(strides) != len(WIDTHS) or not all(isinstance(stride, int) and stride >= 1 for stride in strides):
        raise ValueError(f"strides are {len(WIDTHS)} whole numbers of 1 or more, got {tuple(strides)}")
    shrinks = math.prod(strides)
    if size < shrinks or size % shrinks:
        raise ValueError(f"with strides {tuple(strides)}, images are of a multiple of {shrinks} pixels, got {size}")
    layers: list[nn.Module] = [Pixels()]
    for (inputs, outputs), stride in zip(pairwise((channels, *WIDTHS)), strides, strict=True):
        convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)  # the shift comes next
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
    neck = nn.Sequential(nn.Flatten(), nn.Linear(512 * (size // shrinks) ** 2, features), nn.ReLU())
    return Trunk(nn.Sequential(*layers), neck, 512, features).to(memory_format=torch.channels_last)

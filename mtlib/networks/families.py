"""Four families of networks at a size that two cores train: a stack, residual blocks, dense blocks, and a stronger one.

The three small ones cost about the same, 1.2 to 1.4 times the multiply-adds of ``small`` at 48 pixels, so a table of
them compares ideas and not budgets. All four leave a map a sixteenth as wide as the image, as VGG-16 does, and read it
alike; their filters begin as torchvision draws those of the published networks.

| name              | after           | multiply-adds at 32, 48, 64 px | parameters |
|-------------------|-----------------|--------------------------------|------------|
| `little_vgg`      | VGG, 2014       | 3.10, 6.33, 10.85 M            |    669 448 |
| `little_resnet`   | ResNet, 2015    | 3.03, 6.40, 11.12 M            |    600 276 |
| `little_densenet` | DenseNet, 2016  | 2.79, 5.72, 9.81 M             |    565 288 |
| `strong`          | ResNet, 2015    | 8.48, 18.42, 32.34 M           |  1 515 296 |
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from mtlib import vision
from mtlib.networks.base import Pixels, Trunk
from mtlib.networks.little import Places

PLACES = 4  # all places of the last map up to 64 pixels


def little_vgg(channels: int = 3, features: int = 256) -> Trunk:
    """After VGG (Simonyan and Zisserman 2014): (B, channels, H, W), bytes or floats, to (B, features).

    Nothing but convolutions of 3 x 3 and stride 1, and a maximum of 2 x 2 between stages, after which the filters
    double: 8 | 16 | 32, 32 | 64, 64 | 128. That is VGG-11 an eighth as wide, but for the last stage. A batch
    normalisation follows each convolution, as in torchvision's ``vgg11_bn``. The map is 128 x H/16 x W/16, before a
    fifth pooling.

    Args:
        channels: of the images, of any size from 32 pixels.  features: what the heads see.
    """
    layers: list[nn.Module] = []
    for stage, (inputs, *outputs) in enumerate(((channels, 8), (8, 16), (16, 32, 32), (32, 64, 64), (64, 128))):
        layers += [nn.MaxPool2d(2)] if stage else []
        for before, after in pairwise((inputs, *outputs)):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    _draw(layers)
    return _trunk(layers, 128, features)


def little_resnet(channels: int = 3, features: int = 256) -> Trunk:
    """After ResNet-18 (He et al. 2015): (B, channels, H, W), bytes or floats, to (B, features).

    x + f(x) in torchvision's basic blocks, f two convolutions of 3 x 3; two blocks in each of three stages of 20, 40
    and 80 filters. Before them a convolution of 3 x 3 (ResNet-18: 7 x 7) and a maximum halve the image, each once.
    The map is 80 x H/16 x W/16.

    Args:
        channels: of the images, of any size from 32 pixels.  features: what the heads see.
    """
    return _trunk(_residual(channels, (20, 40, 80), (2, 2, 2)), 80, features)


def strong(channels: int = 3, features: int = 256) -> Trunk:
    """``little_resnet`` wider and deeper, three times its multiply-adds: (B, channels, H, W) to (B, features).

    Stages of 32, 64 and 128 filters, the last of three blocks. It stands for NTS-Net (Yang et al. 2018), the stronger
    network of the distribution-matching paper's Table 5, in one respect: more capacity than the others have. What
    makes NTS-Net itself, proposals of informative regions that are ranked, cut out and looked at again, is not rebuilt.
    The map is 128 x H/16 x W/16.

    Args:
        channels: of the images, of any size from 32 pixels.  features: what the heads see.
    """
    return _trunk(_residual(channels, (32, 64, 128), (2, 2, 3)), 128, features)


def little_densenet(channels: int = 3, features: int = 256) -> Trunk:
    """After DenseNet-BC (Huang et al. 2016): (B, channels, H, W), bytes or floats, to (B, features).

    torchvision's network of three dense blocks of 3, 4 and 6 layers: each layer appends 12 maps to all that its block
    has so far, and the transitions between blocks halve the number of maps and their sides. Only the first convolution,
    of 24 filters, is 3 x 3 in place of 7 x 7. The map is 111 x H/16 x W/16, normalised and after a ReLU.

    Args:
        channels: of the images, of any size from 32 pixels.  features: what the heads see.
    """
    vision.torchvision()
    from torchvision.models import DenseNet

    network = DenseNet(growth_rate=12, block_config=(3, 4, 6), num_init_features=24, num_classes=1)
    network.features.conv0 = nn.Conv2d(channels, 24, 3, stride=2, padding=1, bias=False)
    nn.init.kaiming_normal_(network.features.conv0.weight)  # as DenseNet draws its own
    return _trunk([*network.features, nn.ReLU(inplace=True)], network.classifier.in_features, features)


def _residual(channels: int, widths: Sequence[int], blocks: Sequence[int]) -> list[nn.Module]:
    """A convolution and a maximum, of stride 2 each, and stages of so many basic blocks; all but the first halve."""
    vision.torchvision()
    from torchvision.models.resnet import BasicBlock

    stem = nn.Conv2d(channels, widths[0], 3, stride=2, padding=1, bias=False)
    layers = [stem, nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1)]
    inputs = widths[0]
    for width, count in zip(widths, blocks, strict=True):
        for _ in range(count):
            shortcut = None  # the identity
            if width != inputs:
                shortcut = nn.Sequential(nn.Conv2d(inputs, width, 1, stride=2, bias=False), nn.BatchNorm2d(width))
            layers.append(BasicBlock(inputs, width, stride=2 if shortcut else 1, downsample=shortcut))
            inputs = width
    _draw(layers)
    return layers


def _draw(layers: Sequence[nn.Module]) -> None:
    """Filters as torchvision's VGG and ResNet draw theirs (He et al. 2015, of the outputs)."""
    for layer in nn.Sequential(*layers).modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def _trunk(layers: Sequence[nn.Module], channels: int, features: int) -> Trunk:
    """The layers behind ``Pixels``, and a layer that sees every place of the last map averaged to 4 x 4."""
    neck = nn.Sequential(Places(PLACES), nn.Flatten(), nn.Linear(channels * PLACES**2, features), nn.ReLU())
    body = nn.Sequential(Pixels(), *layers)
    return Trunk(body, neck, channels, features).to(memory_format=torch.channels_last)

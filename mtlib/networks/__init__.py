"""Trunks: networks that turn an input into features, and most of them into a last map before that.

| name           | images (B, C, H, W)      | its map        | features |
|----------------|--------------------------|----------------|----------|
| `mlp`          | none, (B, n)             | none           | any      |
| `lenet5`       | 28 or 32 px              | 16 x 5 x 5     | 84       |
| `tiny`         | any size from 16 px      | 32, size / 8   | any      |
| `small`        | a multiple of 16 px      | 128, size / 16 | any      |
| `averaged`     | any size from 16 px      | 128, size / 4  | 128      |
| `cnn8`         | a multiple of 32 px      | 512, size / 32 | any      |
| `little_vgg`   | any size from 32 px      | 128, size / 16 | any      |
| `little_resnet` | the same                | 80, size / 16  | any      |
| `little_densenet` | the same              | 111, size / 16 | any      |
| `strong`       | the same                 | 128, size / 16 | any      |
| `vgg16`        | any size from 32 px, 224 | 512, size / 16 | 512      |
| `resnet18`     | the same                 | 512, size / 32 | 512      |
| `resnet50`     | the same                 | 2048, size / 32 | 2048    |
| `densenet121`  | the same                 | 1024, size / 32 | 1024    |

``trunk(name, channels, size)`` makes one by its name, ``cost(network, shape)`` counts what it takes.
"""

from mtlib.networks.base import Pixels, Trunk
from mtlib.networks.cnn8 import cnn8
from mtlib.networks.costs import Cost, cost
from mtlib.networks.families import little_densenet, little_resnet, little_vgg, strong
from mtlib.networks.little import averaged, lenet5, mlp, small, tiny
from mtlib.networks.published import densenet121, resnet18, resnet50, vgg16
from mtlib.networks.registry import NETWORKS, trunk

__all__ = [
    "NETWORKS",
    "Cost",
    "Pixels",
    "Trunk",
    "averaged",
    "cnn8",
    "cost",
    "densenet121",
    "lenet5",
    "little_densenet",
    "little_resnet",
    "little_vgg",
    "mlp",
    "resnet18",
    "resnet50",
    "small",
    "strong",
    "tiny",
    "trunk",
    "vgg16",
]

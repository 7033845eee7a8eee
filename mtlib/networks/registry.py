"""Networks by name, for a notebook's parameter."""

import inspect
from collections.abc import Callable

from mtlib.networks.base import Trunk
from mtlib.networks.cnn8 import cnn8
from mtlib.networks.families import little_densenet, little_resnet, little_vgg, strong
from mtlib.networks.little import averaged, lenet5, small, tiny
from mtlib.networks.published import densenet121, resnet18, resnet50, vgg16

NETWORKS: dict[str, Callable[..., Trunk]] = {
    build.__name__: build
    for build in (
        *(lenet5, tiny, small, averaged, cnn8),
        *(little_vgg, little_resnet, little_densenet, strong),
        *(vgg16, resnet18, resnet50, densenet121),
    )
}
# Pixels; larger images all do.
SMALLEST = {
    **dict.fromkeys(("tiny", "averaged"), 16),
    **dict.fromkeys(("little_vgg", "little_resnet", "little_densenet", "strong"), 32),
    **dict.fromkeys(("vgg16", "resnet18", "resnet50", "densenet121"), 32),
}


def trunk(name: str, channels: int, size: int, **settings: object) -> Trunk:
    """The network ``name`` for images (B, channels, size, size), say ``trunk("resnet18", 3, 64, weights="imagenet")``.

    Args:
        name: one of ``NETWORKS``.  channels, size: of the images.
        settings: further arguments of that network, such as ``features`` or ``weights``.

    Raises:
        ValueError: an unknown name, a setting that this network has not, or images that it does not take.
    """
    if name not in NETWORKS:
        raise ValueError(f"a network is one of {', '.join(NETWORKS)}, got {name!r}")
    accepted = list(inspect.signature(NETWORKS[name]).parameters)
    for setting in settings:
        if setting not in accepted:
            raise ValueError(f"{name} has no setting {setting!r}; it has {', '.join(accepted)}")
    if "size" in accepted:
        settings["size"] = size
    elif size < SMALLEST[name]:
        raise ValueError(f"{name} takes images of {SMALLEST[name]} pixels or more, got {size}")
    return NETWORKS[name](channels=channels, **settings)

"""Published networks as torchvision has them, up to their last map; torchvision is imported when one is made."""

import re
from pathlib import Path

import torch
from torch import Tensor, nn

from mtlib import vision
from mtlib.networks.base import Pixels, Trunk

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}  # of pixels of 0 to 1, as torchvision has them
HEADS = ("classifier.", "fc.")  # what torchvision's networks end with
# Files of DenseNet are older than the rule that names of modules have no dots.
_DOTTED = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")


def vgg16(channels: int = 3, weights: Path | str | None = None) -> Trunk:
    """VGG-16 (Simonyan and Zisserman 2014) up to conv5_3 and its ReLU: (B, channels, H, W) to (B, 512) features.

    The map is 512 x 14 x 14 at 224 pixels: the fifth pooling is left out (M-21), and with it the two layers of 4096.
    For the arguments, and what is refused, see ``resnet18``.
    """
    network = _network("vgg16", channels, weights)
    return _trunk(list(network.features[:-1]), 512, channels, weights)


def resnet18(channels: int = 3, weights: Path | str | None = None) -> Trunk:
    """ResNet-18 (He et al. 2015) up to its average: (B, channels, H, W) to (B, 512) features.

    The map is 512 x 7 x 7 at 224 pixels. The features are its mean over places, as with all networks of this file.

    Args:
        channels: of the images, bytes or floats: 3, or 1. For grey images the first layer's weights are summed over
            colours: for floats that is what the network makes of an image whose three colours are equal.
        weights: None, drawn as torchvision draws them from torch's own generator (``seeds.seeded``); the path of a
            state dict of torchvision's network, whose classifier is left out; or "imagenet", torchvision's default
            ones, which it downloads. With weights, bytes are normalised by ImageNet's mean and standard deviation
            (by their averages over colours for grey images); floats have to be already.

    Raises:
        ValueError: another number of channels, or a file that does not hold this network's weights.
        FileNotFoundError: no such file.
        ConnectionError: "imagenet" could not be downloaded.
    """
    return _residual("resnet18", 512, channels, weights)


def resnet50(channels: int = 3, weights: Path | str | None = None) -> Trunk:
    """ResNet-50 (He et al. 2015) up to its average: (B, channels, H, W) to (B, 2048) features.

    The map is 2048 x 7 x 7 at 224 pixels. For the arguments, and what is refused, see ``resnet18``.
    """
    return _residual("resnet50", 2048, channels, weights)


def densenet121(channels: int = 3, weights: Path | str | None = None) -> Trunk:
    """DenseNet-121 (Huang et al. 2016) up to its average: (B, channels, H, W) to (B, 1024) features.

    The map is 1024 x 7 x 7 at 224 pixels, normalised and after a ReLU. For the arguments, and what is refused, see
    ``resnet18``.
    """
    network = _network("densenet121", channels, weights)
    return _trunk([*network.features, nn.ReLU(inplace=True)], 1024, channels, weights)


def _residual(name: str, features: int, channels: int, weights: Path | str | None) -> Trunk:
    layers = list(_network(name, channels, weights).children())  # ..., layer4, average, classifier
    return _trunk(layers[:-2], features, channels, weights)


def _trunk(layers: list[nn.Module], features: int, channels: int, weights: Path | str | None) -> Trunk:
    norm = {} if weights is None else IMAGENET
    if channels == 1:
        norm = {name: (sum(values) / 3,) for name, values in norm.items()}
        _to_grey(layers[0])
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Trunk(nn.Sequential(Pixels(**norm), *layers), neck, features, features)


def _to_grey(first: nn.Conv2d) -> None:
    first.in_channels = 1
    first.weight = nn.Parameter(first.weight.detach().sum(1, keepdim=True))


def _network(name: str, channels: int, weights: Path | str | None) -> nn.Module:
    """torchvision's network with its weights, its classifier still there."""
    if channels not in (1, 3):
        raise ValueError(f"{name} takes images of 1 or 3 channels, got {channels}")
    state = None if weights is None or weights == "imagenet" else _state(Path(weights))
    vision.torchvision()
    from torchvision import models

    if weights == "imagenet":
        return _downloaded(name)
    network = models.get_model(name, weights=None)
    if state is not None:
        _load(network, state, f"{weights}: not the weights of torchvision's {name}")
    return network


def _downloaded(name: str) -> nn.Module:
    from torchvision import models

    weights = models.get_model_weights(name).DEFAULT
    try:
        return models.get_model(name, weights=weights)
    except OSError as error:  # all of urllib's errors
        raise ConnectionError(
            f"{weights} could not be downloaded ({error}); get {weights.url} elsewhere and give the file's path"
        ) from error


def _state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f'no file of weights {path}; weights are None, "imagenet" or the path of a state dict')
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds for what is not its own
        raise ValueError(f"{path}: not a state dict as torch.save writes it ({type(error).__name__})") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path}: holds something else than a state dict, {{name: tensor}}")
    return {_DOTTED.sub(r"\1\2", name): value for name, value in state.items()}


def _load(network: nn.Module, state: dict[str, Tensor], wrong: str) -> None:
    """The state but for the classifier; a file without batch counts, as older ones are, is complete."""
    state = {name: value for name, value in state.items() if not name.startswith(HEADS)}
    try:
        found = network.load_state_dict(state, strict=False)
    except RuntimeError as error:  # shapes
        raise ValueError(f"{wrong}: {error}") from error
    missing = [name for name in found.missing_keys if not name.startswith(HEADS)]
    for what, names in (("lacks", missing), ("has besides", found.unexpected_keys)):
        if names:
            raise ValueError(f"{wrong}: {what} {', '.join(names[:5])}{' ...' if names[5:] else ''}")

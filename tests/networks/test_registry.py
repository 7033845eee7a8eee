"""What holds for every network that has a name."""

from functools import cache

import pytest
import torch

from mtlib.networks import NETWORKS, Trunk, trunk
from mtlib.seeds import generator, seeded

SIZE = {"lenet5": 28}  # else 64 pixels
CHANNELS = {"lenet5": 1, "cnn8": 1}  # else 3


@cache
def made(name):
    """The network, and bytes for it."""
    channels, size = CHANNELS.get(name, 3), SIZE.get(name, 64)
    with seeded("weights"):
        network = trunk(name, channels, size)
    return network, torch.randint(0, 256, (4, channels, size, size), dtype=torch.uint8, generator=generator("images"))


def test_the_names_are_the_functions():
    little = ["lenet5", "tiny", "small", "averaged", "cnn8"]
    assert list(NETWORKS) == [
        *little,
        "little_vgg",
        "little_resnet",
        "little_densenet",
        "strong",
        "vgg16",
        "resnet18",
        "resnet50",
        "densenet121",
    ]
    assert all(build.__name__ == name for name, build in NETWORKS.items())


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_a_trunk_says_how_wide_its_map_and_features_are(name):
    network, x = made(name)
    assert isinstance(network, Trunk)
    found = network.eval().spatial(x)
    assert found.ndim == 4
    assert found.shape[:2] == (4, network.channels)
    assert network.neck(found).shape == (4, network.features)
    torch.testing.assert_close(network(x), network.neck(network.spatial(x)))


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_bytes_and_their_floats_agree(name):
    network, x = made(name)
    network.eval()
    floats = network.body[0](x)
    assert floats.is_floating_point()
    assert torch.equal(network(x), network(floats))


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_reach_every_parameter(name):
    network, x = made(name)
    random = torch.randn(4, network.features, generator=generator("directions"))
    network.train().zero_grad()
    (network(x) * random).sum().backward()
    unreached = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert not unreached


@pytest.mark.parametrize("name", ["tiny", "cnn8", "resnet18"])
def test_settings_are_passed_on(name):
    settings = {"tiny": {"features": 7}, "cnn8": {"features": 7}, "resnet18": {"weights": None}}[name]
    with torch.device("meta"):
        assert trunk(name, 1, 64, **settings).features == (512 if name == "resnet18" else 7)


def test_an_unknown_name_is_refused_with_the_list():
    with pytest.raises(ValueError, match=r"one of lenet5, tiny, small, averaged, .*densenet121, got 'resnet19'"):
        trunk("resnet19", 3, 64)


def test_a_setting_that_a_network_has_not_is_refused():
    with pytest.raises(ValueError, match="tiny has no setting 'weights'; it has channels, features"):
        trunk("tiny", 3, 64, weights="imagenet")


@pytest.mark.parametrize(
    ("name", "size"),
    [("tiny", 16), ("averaged", 16), ("vgg16", 32), ("resnet18", 32), ("resnet50", 32), ("densenet121", 32)],
)
def test_the_smallest_images(name, size):
    with pytest.raises(ValueError, match=f"{name} takes images of {size} pixels or more, got {size - 1}"):
        trunk(name, 3, size - 1)
    with torch.device("meta"):
        network = trunk(name, 3, size).eval()
    assert network(torch.empty(2, 3, size, size, device="meta")).shape == (2, network.features)


def test_images_that_a_network_does_not_take_are_refused_by_it():
    with pytest.raises(ValueError, match="28 or 32 pixels, got 64"):
        trunk("lenet5", 1, 64)

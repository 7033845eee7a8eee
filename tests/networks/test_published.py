"""Published networks are torchvision's up to the last map, with torchvision's weights."""

from functools import cache
from urllib.error import URLError

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mtlib import networks, vision
from mtlib.networks import Pixels, densenet121, resnet18, resnet50, vgg16
from mtlib.networks.published import IMAGENET
from mtlib.seeds import generator, seeded

vision.torchvision()
from torchvision import models  # noqa: E402

BUILD = {"vgg16": vgg16, "resnet18": resnet18, "resnet50": resnet50, "densenet121": densenet121}
HEAD = {"resnet18": "fc", "densenet121": "classifier"}


@cache
def published(name):
    """torchvision's network, whole."""
    with seeded("torchvision", name):
        return models.get_model(name, num_classes=5).eval()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The path of a network's state dict."""
    folder = tmp_path_factory.mktemp("weights")

    def write(name, change=lambda state: state):
        path = folder / f"{name}.pth"
        torch.save(change(published(name).state_dict()), path)
        return path

    return write


def drawn(channels=3, size=64, n=2):
    return torch.randint(0, 256, (n, channels, size, size), dtype=torch.uint8, generator=generator("images"))


# ------------------------------------------------------------------ maps


@pytest.mark.parametrize(
    ("name", "shape"),
    [("vgg16", (512, 14, 14)), ("resnet18", (512, 7, 7)), ("resnet50", (2048, 7, 7)), ("densenet121", (1024, 7, 7))],
)
def test_maps_at_224_pixels_and_their_mean(name, shape):
    with torch.device("meta"):
        trunk = BUILD[name]().eval()
    assert trunk.spatial(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, *shape)
    assert trunk(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, shape[0])
    assert trunk.channels == trunk.features == shape[0]


def test_vgg16_ends_after_its_thirteenth_convolution_and_relu():
    with torch.device("meta"):
        body = vgg16().body
    assert isinstance(body[-2], nn.Conv2d)
    assert isinstance(body[-1], nn.ReLU)
    assert sum(isinstance(layer, nn.Conv2d) for layer in body) == 13
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in body) == 4


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_a_trunk_with_weights_and_torchvisions_classifier_is_torchvisions_network(name, file):
    trunk, x = BUILD[name](weights=file(name)).eval(), drawn()
    mean, std = (torch.tensor(IMAGENET[each]).view(-1, 1, 1) for each in ("mean", "std"))
    expected = published(name)((x / 255 - mean) / std)
    head = getattr(published(name), HEAD[name])
    torch.testing.assert_close(F.linear(trunk(x), head.weight, head.bias), expected, rtol=1e-4, atol=1e-4)
    assert (trunk.spatial(x) >= 0).all()
    torch.testing.assert_close(trunk(x), trunk.spatial(x).mean((2, 3)))


def test_without_weights_the_callers_seed_and_torchvisions_rule_decide():
    with seeded("weights", 3):
        trunk = resnet18()
    with seeded("weights", 3):
        expected = models.resnet18().state_dict()
    found = list(trunk.state_dict().values())
    assert all(torch.equal(a, b) for a, b in zip(found, list(expected.values())[:-2], strict=True))
    x = drawn()
    assert torch.equal(trunk.body[0](x), Pixels()(x))  # nothing was learned on ImageNet's pixels


def test_imagenets_mean_and_std_are_those_that_torchvision_uses():
    for name in BUILD:
        preset = models.get_model_weights(name).DEFAULT.transforms()
        assert {"mean": tuple(preset.mean), "std": tuple(preset.std)} == IMAGENET


# ------------------------------------------------------------------ grey images


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_a_grey_image_is_one_of_three_equal_colours(name):
    trunks = []
    for channels in (1, 3):
        with seeded("weights"):
            trunks.append(BUILD[name](channels).eval())
    x = drawn(1)
    torch.testing.assert_close(trunks[0](x), trunks[1](x.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)


def test_pretrained_weights_are_summed_over_colours_for_grey_images(file):
    trunk = resnet18(1, file("resnet18")).train()
    assert torch.equal(trunk.body[1].weight, published("resnet18").conv1.weight.sum(1, keepdim=True))
    assert trunk.body[1].weight.requires_grad
    found = trunk.body[0](torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2, 1)).flatten().tolist()
    assert found == pytest.approx([-0.449 / 0.226, 0.551 / 0.226], rel=1e-5)


@pytest.mark.parametrize("name", BUILD)
def test_other_numbers_of_channels_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} takes images of 1 or 3 channels, got 4"):
        BUILD[name](4)


# ------------------------------------------------------------------ files of weights


def test_old_files_without_batch_counts_and_with_dots_in_names_are_read(file):
    def age(state):
        """As in torchvision's own file of 2018: norm.1 for norm1, no counts of batches."""
        aged = {name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value for name, value in state.items()}
        return {name: value for name, value in aged.items() if not name.endswith("num_batches_tracked")}

    aged = list(densenet121(weights=file("densenet121", age)).parameters())
    plain = list(densenet121(weights=file("densenet121")).parameters())
    assert all(torch.equal(a, b) for a, b in zip(aged, plain, strict=True))


def without(*names):
    return lambda state: {name: value for name, value in state.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("layer1.0.conv1.weight", "bn1.bias"), r"lacks bn1.bias, layer1.0.conv1.weight$"),
        (lambda state: {**state, "layer5.weight": torch.ones(1)}, r"has besides layer5.weight$"),
        (lambda state: {**state, "conv1.weight": torch.ones(64, 1, 7, 7)}, "size mismatch for conv1.weight"),
        (lambda state: published("densenet121").state_dict(), r"lacks conv1.weight, bn1.weight, .* \.\.\.$"),
        (lambda state: {"state_dict": state}, r"something else than a state dict, \{name: tensor\}"),
        (lambda state: [1, 2], "something else than a state dict"),
    ],
)
def test_a_file_of_something_else_is_refused_and_named(change, message, file):
    path = file("resnet18", change)
    with pytest.raises(ValueError, match=message) as raised:
        resnet18(weights=path)
    assert str(path) in str(raised.value)


def test_a_broken_file_is_refused_and_named(file):
    path = file("resnet18")
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ValueError, match=r"resnet18\.pth: not a state dict as torch\.save writes it"):
        resnet18(weights=str(path))


def test_a_whole_network_is_not_unpickled(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "network.pth")
    with pytest.raises(ValueError, match=r"network\.pth: not a state dict as torch\.save writes it"):
        resnet18(weights=tmp_path / "network.pth")


def test_a_missing_file_is_named_with_what_is_accepted(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no file of weights .*none\.pth; weights are None, "imagenet" or'):
        resnet18(weights=tmp_path / "none.pth")
    with pytest.raises(FileNotFoundError, match="no file of weights imagnet"):
        resnet18(weights="imagnet")


# ------------------------------------------------------------------ ImageNet


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_imagenet_asks_torchvision_for_its_default_weights(name, monkeypatch):
    asked, network = [], published(name)  # made before torchvision's own function is replaced

    def get_model(name, weights):
        asked.append((name, weights))
        return network

    monkeypatch.setattr(models, "get_model", get_model)
    trunk = BUILD[name](weights="imagenet")
    assert asked == [(name, models.get_model_weights(name).DEFAULT)]
    assert trunk.body[0].middle.flatten().tolist() == pytest.approx([255 * each for each in IMAGENET["mean"]])


def test_without_a_network_connection_the_file_to_get_is_named(monkeypatch):
    def get_model(name, weights):
        raise URLError("no route to host")

    monkeypatch.setattr(models, "get_model", get_model)
    with pytest.raises(
        ConnectionError, match=r"ResNet18_Weights.* could not be downloaded .*no route.*get https://.*pth"
    ):
        networks.trunk("resnet18", 3, 64, weights="imagenet")

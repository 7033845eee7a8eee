"""Small members of three families, and a stronger one: the idea of each, what they cost, and that they learn."""

from functools import cache

import pytest
import torch
from torch import nn

from mtlib import vision
from mtlib.networks import Cost, cost, little_densenet, little_resnet, little_vgg, small, strong, trunk
from mtlib.seeds import generator, seeded

vision.torchvision()
from torchvision.models.densenet import _DenseBlock, _Transition  # noqa: E402
from torchvision.models.resnet import BasicBlock  # noqa: E402

BUILD = {each.__name__: each for each in (little_vgg, little_resnet, little_densenet, strong)}
LITTLE = ("little_vgg", "little_resnet", "little_densenet")
WIDTH = {"little_vgg": 128, "little_resnet": 80, "little_densenet": 111, "strong": 128}  # of the map


@cache
def made(name):
    """The network, for what leaves it as it was."""
    with seeded("families", name):
        return BUILD[name]().eval()


def of(kind, name):
    return [layer for layer in made(name).body.modules() if isinstance(layer, kind)]


# ------------------------------------------------------------------ the contract of a trunk


@pytest.mark.parametrize("name", BUILD)
@pytest.mark.parametrize(("size", "places"), [(32, 2), (48, 3), (64, 4), (96, 6)])
@torch.no_grad()
def test_the_map_is_a_sixteenth_as_wide_as_the_image(name, size, places):
    x = torch.zeros(1, 3, size, size, dtype=torch.uint8)
    assert made(name).spatial(x).shape == (1, WIDTH[name], places, places)
    assert made(name)(x).shape == (1, 256)
    assert (made(name).channels, made(name).features) == (WIDTH[name], 256)


@pytest.mark.parametrize("name", BUILD)
@torch.no_grad()
def test_grey_images_and_other_features(name):
    network = BUILD[name](1, features=7)
    assert network.features == 7
    assert network(torch.zeros(2, 1, 32, 32)).shape == (2, 7)


@pytest.mark.parametrize("name", BUILD)
@pytest.mark.parametrize("shape", [(33, 33), (50, 41), (100, 64)])
@torch.no_grad()
def test_sides_that_sixteen_does_not_divide(name, shape):
    x = torch.randint(0, 256, (2, 3, *shape), dtype=torch.uint8, generator=generator("images"))
    found = made(name)(x)
    assert found.shape == (2, 256)
    assert found.isfinite().all()


@pytest.mark.parametrize("name", BUILD)
@torch.no_grad()
def test_the_features_tell_where_a_thing_is(name):
    x = torch.zeros(2, 3, 64, 64)
    x[0, :, 8:16, 8:16] = x[1, :, 40:48, 40:48] = 1
    one, other = made(name)(x)
    assert (one - other).norm() > 0.1 * one.norm()


@pytest.mark.parametrize("name", BUILD)
def test_filters_lie_channels_last(name):
    assert all(layer.weight.is_contiguous(memory_format=torch.channels_last) for layer in of(nn.Conv2d, name))


@pytest.mark.parametrize("name", BUILD)
def test_the_same_seed_draws_the_same_weights(name):
    with seeded("families", name):
        again = BUILD[name]().state_dict()
    assert all(torch.equal(value, again[key]) for key, value in made(name).state_dict().items())


# ------------------------------------------------------------------ the idea of each family


def test_vgg_is_a_plain_stack():
    filters = of(nn.Conv2d, "little_vgg")
    assert {(layer.kernel_size, layer.stride, layer.padding) for layer in filters} == {((3, 3), (1, 1), (1, 1))}
    assert [layer.out_channels for layer in filters] == [8, 16, 32, 32, 64, 64, 128]
    assert [type(layer) for layer in made("little_vgg").body].count(nn.MaxPool2d) == 4


@pytest.mark.parametrize(("name", "stages"), [("little_resnet", (20, 40, 80)), ("strong", (32, 64, 128))])
@torch.no_grad()
def test_a_residual_block_without_its_residual_is_the_identity(name, stages):
    with seeded("families", name):
        blocks = [layer for layer in BUILD[name]().eval().body if isinstance(layer, BasicBlock)]
    same = [block for block in blocks if block.downsample is None]
    assert [block.conv2.out_channels for block in blocks if block not in same] == list(stages[1:])
    assert sorted({block.conv2.out_channels for block in same}) == list(stages)
    for block in same:
        x = torch.rand(2, block.conv1.in_channels, 5, 5, generator=generator("map"))  # not negative, as after a ReLU
        assert not torch.equal(block(x), x)
        block.bn2.weight.zero_()
        assert torch.equal(block(x), x)


@torch.no_grad()
def test_a_dense_block_keeps_its_input_and_appends_twelve_maps_a_layer():
    widths = []
    for block in of(_DenseBlock, "little_densenet"):
        inputs = block["denselayer1"].conv1.in_channels
        x = torch.randn(2, inputs, 4, 4, generator=generator("map"))
        found = block(x)
        assert torch.equal(found[:, :inputs], x)
        assert [layer.conv1.in_channels for layer in block.values()] == [inputs + 12 * i for i in range(len(block))]
        widths.append((inputs, found.shape[1]))
    assert widths == [(24, 60), (30, 78), (39, 111)]


@torch.no_grad()
def test_a_transition_halves_maps_and_sides():
    found = of(_Transition, "little_densenet")
    assert [layer(torch.randn(1, n, 8, 8)).shape for layer, n in zip(found, (60, 78), strict=True)] == [
        (1, 30, 4, 4),
        (1, 39, 4, 4),
    ]


# ------------------------------------------------------------------ costs

COUNTED = {  # parameters; multiplications of one image of 32, 48 and 64 pixels
    "little_vgg": (669_448, (3_104_768, 6_330_368, 10_846_208)),
    "little_resnet": (600_276, (3_025_920, 6_398_720, 11_120_640)),
    "little_densenet": (565_288, (2_794_656, 5_719_656, 9_814_656)),
    "strong": (1_515_296, (8_478_720, 18_421_760, 32_342_016)),
}


@pytest.mark.parametrize("name", COUNTED)
def test_they_cost_what_they_did(name):
    parameters, multiplications = COUNTED[name]
    found = [cost(made(name), (3, size, size)) for size in (32, 48, 64)]
    assert found == [Cost(parameters, each) for each in multiplications]


def test_the_files_table_says_so():
    from mtlib.networks import families

    rows = [line.split("|") for line in families.__doc__.splitlines() if line.startswith("| `")]
    said = {row[1].strip(" `"): (row[3].strip(), row[4].strip()) for row in rows}
    assert said == {
        name: (", ".join(f"{each / 1e6:.2f}" for each in counts) + " M", f"{parameters:,}".replace(",", " "))
        for name, (parameters, counts) in COUNTED.items()
    }


def test_the_small_ones_cost_about_the_same_and_the_strong_one_three_times_that():
    of_small = cost(small(size=48), (3, 48, 48)).multiplications
    at_48 = {name: counts[1] for name, (_, counts) in COUNTED.items()}
    assert all(of_small < at_48[name] < 1.5 * of_small for name in LITTLE)
    assert max(at_48[name] for name in LITTLE) < 1.2 * min(at_48[name] for name in LITTLE)
    assert 2.5 < at_48["strong"] / at_48["little_resnet"] < 3.5
    assert all(3e5 < COUNTED[name][0] < 1e6 for name in LITTLE)


# ------------------------------------------------------------------ learning, and what is refused


@pytest.mark.parametrize("name", BUILD)
def test_a_few_steps_lower_the_loss(name):
    random = generator("squares")
    x = torch.randint(0, 60, (16, 3, 32, 32), generator=random, dtype=torch.uint8)
    y = torch.arange(16) % 2
    x[y == 1, :, 10:20, 20:28] += 100
    x[y == 0, :, 10:20, 4:12] += 100
    with seeded("families", name):
        network = nn.Sequential(BUILD[name](), nn.Linear(256, 2)).train()
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(4):
        loss = nn.functional.cross_entropy(network(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("name", BUILD)
def test_small_images_are_refused_by_name(name):
    with pytest.raises(ValueError, match=f"{name} takes images of 32 pixels or more, got 31"):
        trunk(name, 3, 31)


@pytest.mark.parametrize("name", BUILD)
def test_settings_of_other_networks_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} has no setting 'weights'; it has channels, features"):
        trunk(name, 3, 64, weights="imagenet")


@pytest.mark.parametrize("name", BUILD)
def test_images_of_other_channels_are_refused(name):
    with pytest.raises(RuntimeError, match="to have 3 channels, but got 1"):
        made(name)(torch.zeros(2, 1, 32, 32))

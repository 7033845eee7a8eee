"""Small networks: shapes, the sizes that were printed, and that they learn."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mtlib import ensemble
from mtlib.controls import MultiTask
from mtlib.networks import Pixels, Trunk, averaged, cost, lenet5, mlp, small, tiny
from mtlib.networks.little import Places
from mtlib.recipe import Recipe
from mtlib.seeds import generator, seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import accuracy, fit


def said(number, digits):
    """A number as docstrings have it: 148 864."""
    return f"{round(number, digits):,}".replace(",", " ")


def test_an_mlp_ends_in_a_relu():
    network = mlp(2, 20, 10)
    assert [type(layer) for layer in network] == [nn.Linear, nn.ReLU] * 2
    assert (network(torch.randn(7, 2)) >= 0).all()


# ------------------------------------------------------------------ LeNet-5


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (1, 32), (3, 32)])
def test_lenet5_makes_84_features_of_every_image(channels, size):
    assert lenet5(channels, size)(torch.randn(5, channels, size, size)).shape == (5, 84)


def test_lenet5_has_the_layers_of_1998():
    # LeCun et al. 1998: C1 has 156 trainable parameters, C5 48 120, F6 10 164. C3 was sparse there; whole it has
    # (6 * 25 + 1) * 16. The average pooling had weights of its own.
    layers = (*lenet5().body, *lenet5().neck)
    sizes = [sum(p.numel() for p in layer.parameters()) for layer in layers if list(layer.parameters())]
    assert sizes == [156, 2416, 48_120, 10_164]


def test_lenet5_is_its_layers_in_the_usual_order():
    with seeded("weights"):
        trunk = lenet5()
    c1, c3, c5, f6 = (layer for layer in trunk.modules() if isinstance(layer, nn.Conv2d | nn.Linear))
    x = torch.rand(3, 1, 28, 28, generator=generator("images"))
    h = F.max_pool2d(c1(x).relu(), 2)  # the ReLU first
    h = F.max_pool2d(c3(h).relu(), 2)
    assert torch.equal(trunk.spatial(x), h)
    assert torch.equal(trunk(x), f6(c5(h).relu().flatten(1)).relu())


def test_lenet5_refuses_other_sizes():
    with pytest.raises(ValueError, match="28 or 32 pixels, got 64"):
        lenet5(3, 64)


# ------------------------------------------------------------------ tiny


@pytest.mark.parametrize(("size", "places"), [(16, 2), (28, 4), (32, 4), (33, 5), (64, 8), (100, 13), (256, 32)])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiny_takes_images_of_any_size(channels, size, places):
    x = torch.randint(0, 256, (2, channels, size, size), dtype=torch.uint8)
    trunk = tiny(channels, 20)
    assert trunk.spatial(x).shape == (2, 32, places, places)
    assert trunk(x).shape == (2, 20)


def test_tiny_costs_what_its_docstring_says():
    docstring = " ".join(tiny.__doc__.split())
    counted = {size: cost(tiny(), (3, size, size)) for size in (32, 64)}
    assert f"{said(counted[32].parameters, 0)} parameters" in docstring
    first, second, last = 16**2 * 16 * 75, 8**2 * 32 * 144, 512 * 128
    assert counted[32].multiplications == first + second + last == 667_648
    assert counted[64].multiplications == 4 * (first + second) + last == 2_473_984
    assert "32 pixels takes 0.67 million multiplications, one of 64 pixels 2.47 million" in docstring


@pytest.mark.parametrize("size", [16, 32, 33, 35, 47, 64])
def test_tiny_sees_every_row_and_column(size):
    with seeded("weights"):
        network = tiny()
        x = torch.randn(1, 3, size, size)
    changed = x.repeat(2 * size, 1, 1, 1)
    for line in range(size):
        changed[line, :, line] += 3
        changed[size + line, :, :, line] += 3
    assert ((network(changed) - network(x)).abs().amax(1) > 1e-3).all()


def test_tiny_sees_where_it_is():
    # Averaging the last map as a whole would keep what is there and lose where.
    with seeded("weights"):
        network = tiny()
    blob = torch.zeros(2, 3, 64, 64)
    blob[0, :, 8:16, 8:16] = 1
    blob[1, :, 40:48, 40:48] = 1
    found = network(blob)
    assert not torch.allclose(found[0], found[1], atol=1e-3)


def test_tiny_averages_its_map_to_sixteen_places():
    trunk, x = tiny(), torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    places = F.avg_pool2d(trunk.spatial(x), 2).flatten(1)
    torch.testing.assert_close(trunk(x), trunk.neck[2](places).relu())


def test_in_tiny_the_signal_keeps_its_size():
    with seeded("weights"):
        network = tiny()
        x = torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8)
    sizes = [x := layer(x) for layer in (*network.body, *network.neck)]
    sizes = [each.square().mean().sqrt().item() for each in sizes]
    assert min(sizes) > 0.3 * sizes[0]
    assert max(sizes) < 4 * sizes[0]  # a maximum of four is larger than each, twice
    assert not any(value.any() for name, value in network.named_parameters() if name.endswith("bias"))


def test_tiny_learns_from_bytes_where_a_square_is():
    random = torch.Generator().manual_seed(0)
    x = torch.randint(0, 60, (256, 3, 32, 32), generator=random, dtype=torch.uint8)
    y = torch.randint(0, 2, (256, 1), generator=random)
    for image, right in zip(x, y.flatten(), strict=True):
        image[:, 10:20, 20 if right else 4 :][:, :, :8] += 100
    task = Task("right", "binary", 1)
    data = Dataset("squares", (task,), Split(x[:192], {"right": y[:192]}), Split(x[192:], {"right": y[192:]}))
    with seeded("weights"):
        method = MultiTask(tiny(), 128, data.tasks)
    fit(method, data, Recipe(steps=30, batch=32, rate=0.002))
    assert accuracy(method, data.test)["right 1"] > 0.95


@pytest.mark.parametrize("size", [32, 64])
def test_tiny_trains_by_the_hundred_as_it_does_alone(size):
    x = torch.rand(16, 1, size, size, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    task = Task("bright", "binary", 1)
    split = Split(x, {"bright": (x.mean((1, 2, 3)) > 0.5).long().unsqueeze(1)})
    data, recipe = Dataset("noise", (task,), split, split), Recipe(steps=4, batch=8)

    def build(copy):
        with seeded("weights", copy.seed):
            return MultiTask(tiny(1, 8), 8, (task,)).double()

    copies = [ensemble.Copy(seed=seed) for seed in range(3)]
    together = ensemble.fit(build, data, copies, recipe).history  # steps K terms
    for place, copy in enumerate(copies):
        alone = fit(build(copy), data, recipe, seed=copy.seed).history
        assert together[:, place, -1].tolist() == pytest.approx([row["total"] for row in alone], rel=1e-12)


@pytest.mark.parametrize(("h", "w"), [(4, 4), (8, 8), (4, 16), (12, 8), (5, 6), (8, 11), (2, 2), (3, 7)])
def test_places_are_torchs_adaptive_averages(h, w):
    x = torch.randn(2, 3, h, w, generator=generator("map"))
    torch.testing.assert_close(Places(4)(x), F.adaptive_avg_pool2d(x, 4))


def test_a_map_of_as_many_places_stays():
    x = torch.randn(2, 3, 4, 4)
    assert Places(4)(x) is x


# ------------------------------------------------------------------ small


@pytest.mark.parametrize("size", [32, 48, 64])
def test_small_takes_bytes_and_floats_of_its_size(size):
    trunk = small(features=7, size=size).eval()
    x = torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8)
    assert trunk(x).shape == (2, 7)
    assert torch.equal(trunk(x), trunk(Pixels()(x)))


def plain_small():
    """The layers of ``small`` one after another, as it was when the record of the drawn faces was made."""
    layers = []
    for inputs, outputs in pairwise((3, 24, 48, 96, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    layers += [nn.Flatten(), nn.Linear(128 * 4 * 4, 256), nn.ReLU()]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def test_small_is_bit_by_bit_the_network_of_the_committed_record():
    x = torch.randint(0, 256, (8, 3, 64, 64), dtype=torch.uint8, generator=generator("images"))
    floats = x.float().sub(127.5).div(127.5)
    ends = []
    for build, images in ((small, x), (plain_small, floats)):
        with seeded("weights", 0):
            network = build().train()
        optimiser = torch.optim.Adam(network.parameters(), 1e-2, fused=True)
        for _ in range(2):
            optimiser.zero_grad()
            network(images).square().sum().backward()
            optimiser.step()
        ends.append([network(images), network.eval()(images), *network.state_dict().values()])
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


def test_small_has_as_many_parameters_as_it_says():
    counted = sum(parameter.numel() for parameter in small().parameters())
    assert round(counted, -3) == 688_000
    assert said(counted, -3) in " ".join(small.__doc__.split())


@pytest.mark.parametrize("size", [16, 40, 65])
def test_small_refuses_other_sizes(size):
    with pytest.raises(ValueError, match=f"multiple of 16 pixels, 32 or more, got {size}"):
        small(size=size)


# ------------------------------------------------------------------ averaged


def test_averaged_is_the_mean_of_its_last_map_at_every_size():
    with seeded("weights"):
        trunk = averaged(1).eval()
    for size in (16, 32, 40):
        x = torch.randint(0, 256, (2, 1, size, size), dtype=torch.uint8)
        g = trunk.spatial(x)
        assert g.shape == (2, 128, size // 4, size // 4)
        torch.testing.assert_close(trunk(x), g.mean((2, 3)))


def test_averaged_has_the_size_that_it_says():
    found = cost(averaged(), (3, 32, 32))
    words = " ".join(averaged.__doc__.split())
    assert said(found.parameters, 0) in words
    assert f"{found.multiplications / 1e6:.2f} million" in words


@pytest.mark.parametrize("build", [lenet5, tiny, small, averaged])
def test_filters_lie_channels_last(build):
    trunk = build()
    assert isinstance(trunk, Trunk)
    filters = [layer.weight for layer in trunk.modules() if isinstance(layer, nn.Conv2d)]
    assert filters
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in filters)

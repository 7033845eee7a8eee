"""Networks: shapes, and the sizes that were printed."""

import pytest
import torch
from torch import nn

from mtlib import ensemble
from mtlib.controls import MultiTask
from mtlib.networks import Pixels, lenet5, mlp, small, tiny
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import accuracy, fit


def test_an_mlp_ends_in_a_relu():
    network = mlp(2, 20, 10)
    assert [type(layer) for layer in network] == [nn.Linear, nn.ReLU] * 2
    assert (network(torch.randn(7, 2)) >= 0).all()


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (1, 32), (3, 32)])
def test_lenet5_makes_84_features_of_every_image(channels, size):
    assert lenet5(channels, size)(torch.randn(5, channels, size, size)).shape == (5, 84)


def test_lenet5_has_the_layers_of_1998():
    # LeCun et al. 1998: C1 has 156 trainable parameters, C5 48 120, F6 10 164. C3 was sparse there; whole it has
    # (6 * 25 + 1) * 16. The average pooling had weights of its own.
    sizes = [sum(p.numel() for p in layer.parameters()) for layer in lenet5() if list(layer.parameters())]
    assert sizes == [156, 2416, 48_120, 10_164]


def test_lenet5_refuses_other_sizes():
    with pytest.raises(ValueError, match="28 or 32 pixels, got 64"):
        lenet5(3, 64)


def test_bytes_become_floats_from_minus_one_to_one_and_floats_stay():
    x = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    assert Pixels()(x).flatten().tolist() == pytest.approx([-1, -0.6, 1])
    assert Pixels()(x).dtype == torch.float32
    y = torch.randn(1, 3, 2, 2, dtype=torch.double)
    assert Pixels()(y) is y


@pytest.mark.parametrize("size", [32, 33, 64, 100, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiny_takes_images_of_any_size(channels, size):
    x = torch.randint(0, 256, (2, channels, size, size), dtype=torch.uint8)
    assert tiny(channels, 20)(x).shape == (2, 20)


def test_tiny_has_as_many_parameters_as_its_docstring_says():
    assert sum(p.numel() for p in tiny().parameters()) == 155_552
    assert "155 552 parameters" in tiny.__doc__


def test_tiny_sees_every_pixel_and_where_it_is():
    # Averaging the last map as a whole would keep what is there and lose where.
    with seeded("weights"):
        network = tiny()
        x = torch.randn(1, 3, 64, 64).requires_grad_()
    network(x).sum().backward()
    assert (x.grad.abs().sum(1) > 0).all()
    blob = torch.zeros(2, 3, 64, 64)
    blob[0, :, 8:16, 8:16] = 1
    blob[1, :, 40:48, 40:48] = 1
    found = network(blob)
    assert not torch.allclose(found[0], found[1], atol=1e-3)


def test_in_tiny_the_signal_keeps_its_size():
    with seeded("weights"):
        network = tiny()
        x = torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8)
    sizes = [x := layer(x) for layer in network]
    sizes = [each.square().mean().sqrt().item() for each in sizes]
    assert min(sizes) > 0.3 * sizes[0]
    assert max(sizes) < 3 * sizes[0]


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


def test_tiny_trains_by_the_hundred_as_it_does_alone():
    x = torch.rand(16, 1, 32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.double)
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


# ------------------------------------------------------------------ small


@pytest.mark.parametrize("size", [32, 48, 64])
def test_small_takes_bytes_and_floats_of_its_size(size):
    trunk = small(features=7, size=size).eval()
    x = torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8)
    assert trunk(x).shape == (2, 7)
    assert torch.equal(trunk(x), trunk(Pixels()(x)))


def test_small_has_as_many_parameters_as_it_says():
    counted = sum(parameter.numel() for parameter in small().parameters())
    assert round(counted, -3) == 688_000
    assert f"{round(counted, -3):,}".replace(",", " ") in " ".join(small.__doc__.split())


@pytest.mark.parametrize("size", [16, 40, 65])
def test_small_refuses_other_sizes(size):
    with pytest.raises(ValueError, match=f"multiple of 16 pixels, 32 or more, got {size}"):
        small(size=size)

"""How bytes enter a network, and what a trunk is."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from mtlib.controls import MultiTask
from mtlib.networks import Pixels, Trunk
from mtlib.tasks import Task


def test_bytes_become_floats_from_minus_one_to_one_and_floats_stay():
    x = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    assert Pixels()(x).flatten().tolist() == pytest.approx([-1, -0.6, 1])
    assert Pixels()(x).dtype == torch.float32
    y = torch.randn(1, 3, 2, 2, dtype=torch.double)
    assert Pixels()(y) is y


def test_a_mean_and_a_std_of_every_channel_are_those_of_pixels_of_0_to_1():
    x = torch.tensor([[0, 51], [102, 255]], dtype=torch.uint8).view(1, 2, 2, 1)
    found = Pixels(mean=(0.2, 0.4), std=(0.1, 0.2))(x)
    assert found.flatten().tolist() == pytest.approx([-2, 0, 0, 3], abs=1e-6)
    assert x[0, 0, 1, 0] == 51  # the picture itself stays


def test_without_a_mean_nothing_is_kept_and_with_one_nothing_is_saved():
    assert not list(Pixels().buffers())
    pixels = Pixels((0.5,), (0.5,))
    assert pixels.to(torch.double).middle.dtype == torch.double  # they move along
    assert not pixels.state_dict()
    x = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    assert torch.equal(pixels.float()(x), Pixels()(x))  # one number for all channels


@pytest.mark.parametrize(
    ("mean", "std"), [((0.5,), None), (None, (0.5,)), ((0.5, 0.5), (0.5,)), ((0.5,), (0.0,)), ((), ())]
)
def test_a_mean_needs_a_std_that_fits(mean, std):
    with pytest.raises(ValueError, match="one number per channel, std above 0; got mean="):
        Pixels(mean, std)


def test_bytes_of_one_data_set_enter_an_ensemble_of_normalising_networks():
    networks = [nn.Sequential(Pixels((0.5, 0.4), (0.2, 0.1)), nn.Conv2d(2, 1, 1)) for _ in range(3)]
    x = torch.randint(0, 256, (4, 2, 3, 3), dtype=torch.uint8)
    together = vmap(lambda *state: functional_call(networks[0], state, (x,)))(*stack_module_state(networks))
    torch.testing.assert_close(together, torch.stack([network(x) for network in networks]))


def test_a_trunk_is_its_neck_after_its_body():
    body, neck = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.Sequential(nn.Flatten(), nn.Linear(144, 5))
    trunk, x = Trunk(body, neck, channels=4, features=5), torch.randn(2, 3, 8, 8)
    assert torch.equal(trunk.spatial(x), body(x))
    assert torch.equal(trunk(x), neck(body(x)))
    assert (trunk.channels, trunk.features) == (4, 5)
    assert MultiTask(trunk, trunk.features, [Task("b", "binary", 2)])(x)["b"].shape == (2, 2)

"""Class activation maps, Eqs. (15) and (16): what they sum to, and which networks have them."""

import pytest
import torch
from torch import nn

from mtlib.cam import cam, pooled, upsample
from mtlib.controls import MultiTask
from mtlib.networks import Pixels, Trunk, mlp, resnet18, small, tiny
from mtlib.seeds import seeded
from mtlib.tasks import Task

TASKS = [Task("looks", "binary", ("a", "b", "c"))]


@pytest.fixture
def method():
    with seeded("cam"):
        trunk = pooled(tiny(features=8))
        return MultiTask(trunk, trunk.features, TASKS).double()


@pytest.fixture
def images():
    return torch.randint(0, 256, (5, 3, 32, 32), generator=torch.Generator().manual_seed(0)).double() / 255


def test_by_hand():
    maps = torch.tensor([[[1.0, 0.0], [2.0, 1.0]], [[0.0, 3.0], [0.0, 1.0]]])  # two maps of 2 x 2
    trunk = pooled(Trunk(nn.Identity(), nn.Identity(), channels=2, features=8))
    assert cam(trunk, torch.tensor([2.0, -1.0]), maps[None]).tolist() == [[[[2.0, -3.0], [4.0, 1.0]]]]
    assert trunk(maps[None]).tolist() == [[1.0, 1.0]]  # so the logit is 2 - 1 = 1, the mean of 2, -3, 4 and 1
    weights = torch.tensor([[2.0, 0.0], [-1.0, 1.0]])
    assert cam(trunk, weights, maps[None])[0, 1].tolist() == maps[1].tolist()


def test_the_mean_over_places_is_the_logit_less_its_bias(method, images):
    (head,) = method.heads
    maps = cam(method, head.weight.T, images)
    assert maps.shape == (5, 3, 4, 4)
    torch.testing.assert_close(maps.mean((2, 3)) + head.bias, method(images)["looks"])


def test_as_printed_the_sum_over_places_is_the_logit_of_summed_maps(method, images):
    weights = method.heads[0].weight.T  # K n
    summed = method.trunk.spatial(images).sum((2, 3))  # G_k of Eq. (15)
    torch.testing.assert_close(cam(method, weights, images).sum((2, 3)), summed @ weights)
    torch.testing.assert_close(summed @ weights, 16 * method.trunk(images) @ weights)  # M-21: 196 for VGG's 14 x 14


def test_maps_are_linear_in_the_weights_and_a_face_has_its_own(method, images):
    one, other = torch.randn(2, 32, 3, dtype=torch.double)
    both = cam(method, one, images) - 2 * cam(method, other, images)
    torch.testing.assert_close(cam(method, one - 2 * other, images), both)
    torch.testing.assert_close(cam(method, one, images[3:4]), cam(method, one, images)[3:4])
    torch.testing.assert_close(cam(method, one, images, rows=2), cam(method, one, images))


def test_weights_of_one_head_are_a_vector(method, images):
    weights = torch.randn(32, dtype=torch.double)
    assert cam(method, weights, images).shape == (5, 1, 4, 4)
    torch.testing.assert_close(cam(method.trunk, weights, images), cam(method, weights[:, None], images))


def test_bytes_are_taken_and_modes_and_gradients_left_as_they_were():
    with seeded("cam"):
        trunk = pooled(small(size=32))  # with batch normalisation
    trunk.body[0].eval()
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    maps = cam(trunk, torch.ones(128, requires_grad=True), torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    assert not maps.requires_grad
    assert (trunk.training, trunk.body[0].training, trunk.body[1].training) == (True, False, True)
    assert all(torch.equal(value, before[name]) for name, value in trunk.state_dict().items())


def test_published_networks_average_their_map_themselves():
    maps = cam(resnet18(), torch.ones(512), torch.rand(1, 3, 64, 64))
    assert maps.shape == (1, 1, 2, 2)


def test_pooled_trunks_share_their_body():
    trunk = tiny()
    averaged = pooled(trunk)
    assert averaged.body is trunk.body
    assert (averaged.channels, averaged.features) == (32, 32)


def test_nearest_neighbours_repeat_every_place():
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    large = upsample(maps, (4, 6))
    assert large[0, 0].tolist() == [[1.0] * 3 + [2.0] * 3] * 2 + [[3.0] * 3 + [4.0] * 3] * 2
    assert upsample(maps, (5, 5))[0, 0].diagonal().tolist() == [1.0, 1.0, 4.0, 4.0, 4.0]
    torch.testing.assert_close(upsample(maps, (224, 224)).mean((2, 3)), maps.mean((2, 3)))


@pytest.mark.parametrize(
    ("network", "weights", "x", "message"),
    [
        (tiny(), torch.ones(32), (1, 3, 32, 32), "not the means of its 32 maps"),
        (pooled(tiny()), torch.ones(31), (1, 3, 32, 32), r"\(32,\) or \(32, n\), got \(31,\)"),
        (pooled(tiny()), torch.ones(32, 1, 1), (1, 3, 32, 32), "got"),
        (mlp(2, 4), torch.ones(4), (1, 2), "Sequential has no last map"),
        (MultiTask(nn.Linear(2, 4), 4, TASKS), torch.ones(4), (1, 2), "Linear has no last map"),
        (pooled(tiny()), torch.ones(32), (0, 3, 32, 32), "needs rows of 1 or more and images"),
    ],
)
def test_what_has_no_maps_is_refused(network, weights, x, message):
    with pytest.raises(ValueError, match=message):
        cam(network, weights, torch.zeros(x))


def test_a_network_without_a_map_cannot_be_pooled():
    with pytest.raises(ValueError, match="needs a Trunk"):
        pooled(mlp(2, 4))


def test_a_neck_that_happens_to_average_is_one():  # what counts is what it computes
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    trunk = Trunk(nn.Sequential(Pixels(), nn.Conv2d(3, 4, 3)), neck, 4, 4)
    assert cam(trunk, torch.ones(4), torch.rand(2, 3, 8, 8)).shape == (2, 1, 6, 6)

"""Grad-CAM: the class activation map where there is one, and a map for every other network."""

import pytest
import torch
from torch import nn

from mtlib.cam import cam, grad_cam, pooled
from mtlib.controls import MultiTask
from mtlib.networks import Trunk, small, tiny
from mtlib.seeds import seeded
from mtlib.tasks import Task

pytest.importorskip("captum")

TASKS = [Task("looks", "binary", ("a", "b", "c")), Task("mood", "classes", ("m", "w"), classes=4)]


def made(trunk):
    with seeded("grad-cam"):
        return MultiTask(trunk, trunk.features, TASKS)


@pytest.fixture
def images():
    return torch.randint(0, 256, (5, 3, 32, 32), generator=torch.Generator().manual_seed(0)).double() / 255


@pytest.fixture
def averaging():
    with seeded("trunk"):
        return made(pooled(tiny())).double()


def test_of_an_average_and_a_linear_head_it_is_the_class_activation_map_over_h_w(averaging, images):
    weights = averaging.heads[0].weight.T
    maps = cam(averaging, weights, images)
    torch.testing.assert_close(grad_cam(averaging, images, "looks", relu=False), maps / 16)
    torch.testing.assert_close(grad_cam(averaging, images, "looks"), maps.clamp(min=0) / 16)
    assert maps.min() < 0 < maps.max()


def test_columns_come_in_the_order_asked_for_and_batches_change_nothing(averaging, images):
    every = grad_cam(averaging, images, "looks")
    torch.testing.assert_close(grad_cam(averaging, images, "looks", ["c", "a"], rows=2), every[:, [2, 0]])


def test_a_column_of_classes_has_a_map_per_class(averaging, images):
    maps = grad_cam(averaging, images, "mood", ["w"], relu=False)
    weights = averaging.heads[1].weight[4:].T  # the second column's four
    torch.testing.assert_close(maps, cam(averaging, weights, images) / 16)


def test_by_hand_with_a_neck_of_its_own():
    """z = (3 g(0, 0) - g(1, 1))^2: its gradient is 2 (3 g00 - g11) times 3 and -1, which average to 1/2 of that."""

    class Squared(nn.Module):
        def forward(self, g):
            return (3 * g[:, :, 0, 0] - g[:, :, 1, 1]).square()

    method = MultiTask(Trunk(nn.Identity(), Squared(), 1, 1), 1, [Task("t", "binary", 1)])
    nn.init.ones_(method.heads[0].weight)
    x = torch.tensor([[[[1.0, 5.0], [7.0, 2.0]]]])  # 3 - 2 = 1, so a = 2 (3 - 1) / 4 = 1
    assert torch.equal(grad_cam(method, x, "t"), x)


def test_bytes_frozen_filters_and_every_network_with_a_map():
    method = made(pooled(small())).requires_grad_(False)
    x = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    maps = grad_cam(method, x, "looks", ["b"], relu=False)
    torch.testing.assert_close(maps, cam(method, method.heads[0].weight[1], x) / 16)
    plain = made(tiny(features=8))
    assert grad_cam(plain, x, "looks").shape == (2, 3, 8, 8)
    assert not grad_cam(plain, x, "looks").requires_grad


def test_modes_gradients_and_hooks_are_left_as_they_were(averaging, images):
    averaging.trunk.train()
    grad_cam(averaging, images[:1], "looks", ["a"])
    assert averaging.trunk.training
    assert all(parameter.grad is None for parameter in averaging.parameters())
    assert not averaging.trunk.body._forward_hooks


@pytest.mark.parametrize(
    ("task", "columns", "message"),
    [
        ("age", None, "no task 'age'; there are looks, mood"),
        ("looks", ["a", "d"], "columns of 'looks' are one or more of its own"),
        ("looks", [], "one or more"),
        ("looks", "abc", "one or more"),
    ],
)
def test_what_there_is_not_is_refused(averaging, images, task, columns, message):
    with pytest.raises(ValueError, match=message):
        grad_cam(averaging, images, task, columns)


def test_a_method_without_a_map_is_refused():
    with pytest.raises(ValueError, match="no last map"):
        grad_cam(MultiTask(nn.Linear(2, 4), 4, TASKS), torch.zeros(1, 2), "looks")

"""The two controls: one shared trunk, and a network per task."""

import torch
from torch import nn

from mtlib.controls import MultiTask, SingleTask
from mtlib.networks import mlp
from mtlib.tasks import Batch, Task

MIXED = [Task("a", "binary", 2), Task("c", "classes", 2, classes=3), Task("p", "points", 3)]
LABELS = {"a": torch.tensor([[0, 1]] * 4), "c": torch.tensor([[2, 0]] * 4), "p": torch.ones(4, 3)}


def test_mlp_is_linear_layers_each_followed_by_a_relu():
    assert [type(layer) for layer in mlp(2, 20, 10)] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU]
    assert mlp(2, 20, 10)(torch.zeros(7, 2)).shape == (7, 10)


def test_both_controls_give_every_block_in_its_own_shape():
    for model in (MultiTask(mlp(2, 5), 5, MIXED), SingleTask(lambda: mlp(2, 5), 5, MIXED)):
        outputs = model(torch.zeros(4, 2))
        assert {name: tuple(z.shape) for name, z in outputs.items()} == {"a": (4, 2), "c": (4, 2, 3), "p": (4, 3)}
        assert model.losses(Batch(torch.zeros(4, 2), LABELS)).tasks.shape == (5,)


def test_single_task_has_a_network_per_head_in_the_order_of_the_labels():
    model = SingleTask(lambda: mlp(2, 5), 5, MIXED)
    names = [network.tasks[0].columns for network in model.networks]
    assert names == [("a 1",), ("a 2",), ("c 1",), ("c 2",), ("p 1", "p 2", "p 3")]
    x = torch.randn(4, 2)
    assert torch.equal(model(x)["a"][:, 1:], model.networks[1](x)["a"])
    assert torch.equal(model(x)["c"][:, 1:], model.networks[3](x)["c"])


def test_single_task_networks_share_no_parameter_and_no_gradient():
    model = SingleTask(lambda: mlp(2, 5), 5, MIXED)
    model.losses(Batch(torch.randn(4, 2), LABELS)).tasks[1].backward()
    reached = [any(p.grad is not None and p.grad.any() for p in net.parameters()) for net in model.networks]
    assert reached == [False, True, False, False, False]


def test_multi_task_gradients_of_all_tasks_meet_in_the_trunk():
    model = MultiTask(mlp(2, 5), 5, MIXED)
    batch, weight = Batch(torch.randn(4, 2), LABELS), model.trunk[0].weight
    each = [torch.autograd.grad(model.losses(batch).tasks[i], weight)[0] for i in range(5)]
    together = torch.autograd.grad(model.losses(batch).total(), weight)[0]
    assert all(gradient.abs().sum() > 0 for gradient in each)
    torch.testing.assert_close(together, sum(each))


def test_decisions_by_kind():
    model = MultiTask(nn.Identity(), 2, MIXED)
    outputs = {
        "a": torch.tensor([[0.1, -0.1], [0.0, 5.0]]),
        "c": torch.tensor([[[1.0, 3.0, 2.0], [9.0, 0.0, 0.0]]]),
        "p": torch.tensor([[0.25, -1.0, 3.0]]),
    }
    found = {name: labels.tolist() for name, labels in model.decide(outputs).items()}
    assert found == {"a": [[1, 0], [0, 1]], "c": [[1, 0]], "p": [[0.25, -1.0, 3.0]]}

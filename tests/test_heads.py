"""The batched heads against plain nn.Linear layers, one per head."""

import math

import pytest
import torch
from torch import nn

from mtlib.heads import FakeHeads, TaskHeads
from mtlib.sos import SOS
from mtlib.tasks import Batch, Task, by_head

BINARY = [Task("a", "binary", 4)]
MIXED = [Task("p", "points", 3), Task("a", "binary", 2), Task("c", "classes", 2, classes=3)]


def model_of(tasks, common=5, specific=2):
    torch.manual_seed(0)
    return SOS(nn.Identity(), 6, tasks, common, specific).double()


def linear(matrix):
    """An nn.Linear with the weights and biases of one row per output."""
    layer = nn.Linear(matrix.shape[1] - 1, matrix.shape[0]).double()
    layer.load_state_dict({"weight": matrix[:, :-1], "bias": matrix[:, -1]})
    return layer


def spaces_of(model, batch=7):
    torch.manual_seed(1)
    return torch.randn(batch, model.common).double(), torch.randn(batch, model.n, model.specific).double()


@pytest.mark.parametrize("tasks", [BINARY, MIXED])
@pytest.mark.parametrize("common", [5, 0])
def test_every_head_is_a_linear_layer_on_common_and_own_space(tasks, common, unpack):
    model = model_of(tasks, common)
    shared, specific = spaces_of(model)
    outputs, matrices, i = model.predict(shared, specific), unpack(model), 0
    for task in tasks:
        for head, label in enumerate(task.labels):
            alone = linear(matrices["head", (task.name, label)])(torch.cat([shared, specific[:, i]], 1))
            torch.testing.assert_close(by_head(task, outputs[task.name])[:, head], alone)
            i += 1


@pytest.mark.parametrize("tasks", [BINARY, MIXED, [Task("a", "binary", 1), Task("b", "binary", 1)]])
@pytest.mark.parametrize("common", [5, 0])
def test_fake_heads_equal_a_double_loop_of_linear_layers(tasks, common, unpack):
    model = model_of(tasks, common)
    shared, specific = spaces_of(model)
    places, matrices = [(task.name, label) for task in tasks for label in task.labels], unpack(model)
    seen = 0
    for task, heads in zip(model.fake_tasks, model.fake, strict=True):
        outputs = heads(shared, specific).view(len(shared), len(heads.sources), -1, task.outputs)  # B R M o
        for r, k in enumerate(heads.sources):
            for m, column in enumerate(heads.columns.view(len(heads.sources), -1)[r].tolist()):
                alone = linear(matrices["fake", places[k], (task.name, task.labels[column])])
                torch.testing.assert_close(outputs[:, r, m], alone(torch.cat([shared, specific[:, k]], 1)))
                seen += 1
    assert seen == model.n * (model.n - 1)


@pytest.mark.parametrize("tasks", [BINARY, MIXED])
def test_there_is_one_fake_head_for_every_ordered_pair_and_none_for_a_task_itself(tasks, unpack):
    places = [(task.name, label) for task in tasks for label in task.labels]
    fake = {name[1:] for name in unpack(model_of(tasks)) if name[0] == "fake"}
    assert fake == {(k, i) for k in places for i in places if k != i}


def test_frozen_heads_let_gradients_through_and_keep_none():
    model = model_of(BINARY)
    shared, specific = (space.requires_grad_() for space in spaces_of(model))
    heads = model.fake[0]
    heads(shared, specific, frozen=True).sum().backward()
    assert [parameter.grad for parameter in heads.parameters()] == [None] * 3
    assert shared.grad.abs().sum() > 0
    assert specific.grad.abs().sum() > 0


@pytest.mark.parametrize("fake", [False, True])
def test_initial_weights_are_those_of_a_linear_layer_with_as_many_inputs(fake):
    torch.manual_seed(0)
    block = list(range(9))
    heads = FakeHeads(*FakeHeads.tables(block, 9)[0], 30, 10, 3) if fake else TaskHeads(block, 30, 10, 3)
    bound = 1 / math.sqrt(30 + 10)  # nn.Linear's
    for parameter in heads.parameters():
        assert 0.8 * bound < parameter.abs().max() <= bound


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_numbers_of_parameters_at_the_papers_size():  # S-17
    forty = list(range(40))
    ((sources, columns),) = FakeHeads.tables(forty, 40)
    assert count(FakeHeads(sources, columns, 512, 32, 1)) == 40 * 39 * 545 == 850_200
    assert count(TaskHeads(forty, 512, 32, 1)) == 21_800
    assert count(TaskHeads(forty, 1792, 0, 1)) == 71_720
    assert count(nn.Linear(1024, 512 + 40 * 32)) == 1_836_800


def test_labels_go_to_the_head_that_is_after_them(unpack):
    """With only task 3 labelled, only the fake heads after task 3 learn, from every other space."""
    model = model_of(BINARY)
    y = torch.full((6, 4), -1)
    y[:, 2] = torch.tensor([0, 1, 0, 1, 1, 0])
    model.losses(Batch(torch.randn(6, 6).double(), {"a": y})).extra["adversarial"].backward()
    gradients = unpack(model, lambda p: torch.zeros_like(p) if p.grad is None else p.grad)
    learning = {name[1:] for name, gradient in gradients.items() if gradient.abs().sum() > 0}
    assert learning == {(("a", f"a {k}"), ("a", "a 3")) for k in (1, 2, 4)}

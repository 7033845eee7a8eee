"""What cannot train is refused before anything is done."""

import pytest
import torch
from torch import nn

from mtlib import toy
from mtlib.controls import MultiTask
from mtlib.method import Losses, Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit

TASKS = (*toy.TASKS, Task("c", "classes", ("kind",), classes=3))
RECIPE = Recipe(steps=1)


def split(n=8, **changes):
    labels = {"toy": torch.zeros(n, 2).long(), "c": torch.zeros(n, 1).long()} | changes.pop("y", {})
    return Split(**{"x": torch.zeros(n, 2), "y": {k: v for k, v in labels.items() if v is not None}} | changes)


def refused(message, train=None, recipe=RECIPE, **arguments):
    method = MultiTask(mlp(2, 4), 4, TASKS)
    before = [p.clone() for p in method.parameters()]
    train = split() if train is None else train  # one without rows is false
    with pytest.raises(ValueError, match=message):
        fit(method, Dataset("drawn", TASKS, train, train), recipe, **arguments)
    assert all(torch.equal(a, b) for a, b in zip(before, method.parameters(), strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 0}, "train split of 'drawn': there are no rows"),
        ({"y": {"c": None}}, r"no labels for task 'c'; there are \['toy'\]"),
        ({"y": {"toy": torch.zeros(1, 2)}}, r"labels of task 'toy' must be \(8, 2\), got \(1, 2\)"),
        ({"y": {"toy": torch.zeros(8, 3)}}, r"labels of task 'toy' must be \(8, 2\), got \(8, 3\)"),
        ({"y": {"toy": torch.full((8, 2), 2)}}, "labels of task 'toy' go from 0 to 1, got 2"),
        ({"y": {"c": torch.full((8, 1), 3)}}, "labels of task 'c' go from 0 to 2, got 3"),
        ({"source": torch.zeros(7)}, r"source must be \(8,\), got \(7,\)"),
        ({"x": torch.zeros(8, 2, device="meta")}, "x is on meta, the method on cpu; move one of them"),
        ({"y": {"c": torch.zeros(8, 1, device="meta")}}, "labels of 'c' is on meta"),
    ],
)
def test_a_split_that_does_not_fit_is_refused(changes, message):
    refused(message, split(**changes))


@pytest.mark.parametrize(
    "rows", [[0, 1], torch.tensor([0.0]), torch.tensor([[0]]), torch.tensor([]), torch.tensor([8])]
)
def test_rows_that_are_none_are_refused(rows):
    refused(r"rows\(0\) must be one or more whole numbers from 0 to 7", rows=lambda step: rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validate_every": 1}, "data set 'drawn' has no validation split"),
        ({"validate_every": 0}, "validate_every must be a whole number of 1 or more, got 0"),
        ({"save_every": -1}, "save_every must be seconds, 0 or more, got -1"),
        ({"logged": 0}, "logged must be a whole number of 1 or more, got 0"),
        ({"recipe": Recipe(steps=1, schedule="plateau")}, "waits for validations"),
        ({"recipe": Recipe(epochs=1), "rows": lambda step: torch.tensor([0])}, "give the recipe steps"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    refused(message, **arguments)


def test_labels_may_be_missing():
    train = split(y={"toy": torch.full((8, 2), -1), "c": torch.full((8, 1), -1)})
    assert fit(MultiTask(mlp(2, 4), 4, TASKS), Dataset("drawn", TASKS, train, train), RECIPE).history[0]["total"] == 0


class Frozen(Method):
    tasks = ()

    def __init__(self, *parameters):
        super().__init__()
        self.all = nn.ParameterList(parameters)

    def losses(self, batch):
        return Losses(torch.zeros(0))


@pytest.mark.parametrize("parameters", [[], [nn.Parameter(torch.zeros(2), requires_grad=False)]])
def test_a_method_without_parameters_to_train_is_refused(parameters):
    train = split()
    with pytest.raises(ValueError, match="Frozen has no parameter to train"):
        fit(Frozen(*parameters), Dataset("drawn", (), train, train), RECIPE)

"""What the tests of training share: methods so simple that every step is known."""

import pytest
import torch
from torch import nn

from mtlib import toy
from mtlib.controls import MultiTask
from mtlib.method import Losses, Method
from mtlib.networks import mlp
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split, Task


class Slope(Method):
    """Loss a and the batch's mean x as a second term; a has gradient 1, so that Adam moves it by its rate."""

    tasks = (Task("t", "points", 1),)

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.zeros((), dtype=torch.double))

    def losses(self, batch):
        return Losses(self.a.view(1) + 0, {"x": batch.x.mean()})


@pytest.fixture
def slope():
    return Slope


@pytest.fixture
def numbers():
    """numbers(x (N, ...)) -> data set for Slope, validated on the same rows."""

    def numbers(x):
        split = Split(x, {"t": torch.zeros(len(x), 1)})
        return Dataset("numbers", Slope.tasks, split, split, split)

    return numbers


@pytest.fixture
def noisy():
    """A network with all that a resumed run could get wrong: dropout and batch statistics."""

    def noisy():
        with seeded("weights", 0):
            trunk = nn.Sequential(mlp(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), mlp(8, 4))
            return MultiTask(trunk, 4, toy.TASKS)

    return noisy


@pytest.fixture
def plane():
    data = toy.make(8, 200, 50)
    data.validation = toy.make(8, 1, 60, seed=1).test
    return data

"""A critic with an optimiser of its own: one step by hand, whose rate falls how, and what Adam cannot feel."""

import pytest
import torch
from torch import nn

from mtlib import toy
from mtlib.method import Losses, Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.tasks import Batch, Task
from mtlib.training import fit
from mtlib.updates import Descend, Separate

MAIN = Recipe(steps=100, optimiser="sgd", rate=0.1, schedule="constant")
EMPTY = Batch(torch.zeros(1, 1), {})


class Pursuit(Method):
    """The critic phi, from 0, follows theta, from 2, which wants to be 0."""

    tasks = (Task("theta", "points", 1),)

    def __init__(self, marks=(False, True)):
        super().__init__()
        self.theta, self.phi = (nn.Parameter(torch.tensor(value, dtype=torch.double)) for value in (2.0, 0.0))
        self.marks = marks

    def losses(self, batch):
        follow = (self.phi - self.theta.detach()).square() / 2
        return Losses((self.theta.square() / 2).view(1), {"critic": follow})

    def groups(self):
        theta, phi = self.marks
        return [{"params": [self.theta], "critic": theta}, {"params": [self.phi], "critic": phi, "rate": 2.0}]


def started(own, method=None, main=MAIN):
    update = Separate(own)
    update.start(method or Pursuit(), main)
    return update


def test_one_step_of_both_by_hand():
    update = started(Recipe(optimiser="sgd", rate=0.25))
    logs = update(EMPTY)
    assert update.method.theta.item() == pytest.approx(2 - 0.1 * 2)
    assert update.method.phi.item() == pytest.approx(0 + 2 * 0.25 * 2)  # the group's own factor multiplies its rate
    assert logs["total"].item() == pytest.approx(4.0)


def test_each_rate_follows_its_own_schedule_over_the_steps_of_the_run():
    update = started(Recipe(steps=7, optimiser="sgd", rate=1.0, schedule="polynomial"))
    for _ in range(50):
        update(EMPTY)
        update.scheduled()
    main, critic = (optimiser.param_groups[0]["lr"] for optimiser in update.optimisers)
    assert main == pytest.approx(0.1)
    assert critic == pytest.approx(2 * 0.5)  # half of the run's 100 steps, not of its own 7


@pytest.mark.parametrize(("marks", "missing"), [((False, False), "none marked"), ((True, True), "none without")])
def test_both_sides_are_needed(marks, missing):
    with pytest.raises(ValueError, match=missing):
        started(Recipe(), Pursuit(marks))


def heads(update, weight, steps=30):
    data = toy.make(8, n_train=200)
    data.train.x = data.train.x.double()
    with seeded("separate"):
        model = SOS(mlp(2, 10), 10, toy.TASKS, 6, 3, lambda_disc=weight).double()
    fit(model, data, Recipe(steps=steps, rate=0.01), update)
    return torch.cat([parameter.detach().flatten() for parameter in model.fake.parameters()])


def test_adam_cannot_feel_the_weight_of_the_fake_heads_loss_and_plain_descent_can():
    """S-6: a constant factor cancels in Adam."""

    def apart(recipe):
        low, high = heads(Separate(recipe), 0.05), heads(Separate(recipe), 0.5)
        return ((low - high).norm() / low.norm()).item()

    assert apart(Recipe(rate=0.01)) < 1e-3
    assert apart(Recipe(optimiser="sgd", rate=1.0)) > 0.05


def test_with_the_same_recipe_for_both_it_is_plain_descent():
    own = Recipe(rate=0.01)
    assert torch.allclose(heads(Separate(own), 0.01), heads(Descend(), 0.01), rtol=1e-12)

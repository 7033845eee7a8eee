"""A critic ahead of what it criticises: two numbers by hand, whose gradients go where, what is refused."""

import pytest
import torch
from torch import nn

from mtlib.method import Losses, Method
from mtlib.recipe import Recipe
from mtlib.tasks import Batch, Task
from mtlib.updates import Critic, Descend

SGD = Recipe(steps=100, optimiser="sgd", rate=0.1, schedule="constant")
EMPTY = Batch(torch.zeros(1, 1), {})


class Pursuit(Method):
    """The critic phi, from 0, follows theta, from 2, which wants to be 0 and orthogonal to phi."""

    tasks = (Task("theta", "points", 1),)

    def __init__(self, marks=(False, True)):
        super().__init__()
        self.theta, self.phi = (nn.Parameter(torch.tensor(value, dtype=torch.double)) for value in (2.0, 0.0))
        self.marks = marks

    def losses(self, batch):
        follow = (self.phi - self.theta).square() / 2
        return Losses((self.theta.square() / 2).view(1), {"critic": follow, "product": self.theta * self.phi})

    def groups(self):
        theta, phi = self.marks
        return [
            {"params": [self.theta], "rate": 1.0, "critic": theta},
            {"params": [self.phi], "rate": 5.0, "critic": phi},
        ]


def started(method=None, **options):
    update = Critic(**options)
    update.start(method or Pursuit(), SGD)
    return update


def test_two_steps_of_the_critic_and_one_of_the_rest_by_hand():
    update = started(steps=2)
    logs = update(EMPTY)
    # phi at rate 0.5: 0 + 0.5 * 2 = 1, 1 + 0.5 * 1 = 1.5.  theta at 0.1: its gradients are 2 and 1.5, not the critic's.
    assert update.method.phi.item() == pytest.approx(1.5)
    assert update.method.theta.item() == pytest.approx(2 - 0.1 * (2 + 1.5))
    assert {name: value.item() for name, value in logs.items()} == pytest.approx(
        {"tasks": 2.0, "critic": 0.125, "product": 3.0, "total": 5.0}
    )


def test_ever_more_steps_bring_the_critic_to_its_best_answer():
    update = started(steps=60)
    update(EMPTY)
    assert update.method.phi.item() == pytest.approx(2, abs=1e-12)
    assert update.method.theta.item() == pytest.approx(2 - 0.1 * (2 + 2))


def test_the_critic_is_clipped_after_each_of_its_steps():
    update = started(steps=2, clip=0.5)
    update(EMPTY)
    assert update.method.phi.item() == 0.5
    assert update.method.theta.item() == pytest.approx(2 - 0.1 * (2 + 0.5))


def test_several_terms_are_added_up():
    update = started(terms=("critic", "product"))
    update(EMPTY)
    assert update.method.phi.item() == pytest.approx(-0.5 * (-2 + 2))
    assert update.method.theta.item() == pytest.approx(2 - 0.1 * 2)


def test_the_mark_reaches_the_optimiser_and_plain_descent_does_not_mind_it():
    update, plain = started(), Descend()
    assert [[group["critic"] for group in one.param_groups] for one in update.optimisers] == [[False], [True]]
    assert [[group["lr"] for group in one.param_groups] for one in update.optimisers] == [[0.1], [0.5]]
    plain.start(Pursuit(), SGD)
    plain(EMPTY)
    assert plain.method.phi.item() == pytest.approx(0 - 0.5 * (-2 + 2))  # both terms at once
    assert plain.method.theta.item() == pytest.approx(2 - 0.1 * (2 + 2 + 0))


def test_frozen_parameters_stay():
    method = Pursuit()
    method.scale = nn.Parameter(torch.ones(()), requires_grad=False)
    method.groups = lambda: [
        {"params": [method.theta, method.scale], "rate": 1.0},
        {"params": [method.phi], "rate": 5.0, "critic": True},
    ]
    started(method)(EMPTY)
    assert method.scale.item() == 1
    assert method.theta.item() != 2


@pytest.mark.parametrize(
    ("options", "marks", "message"),
    [
        ({}, (False, False), r"the method's groups\(\) have none marked {'critic': True}"),
        ({}, (True, True), "have none without the mark 'critic'"),
        ({"steps": 0}, (False, True), "steps must be a whole number of 1 or more, got 0"),
        ({"clip": -1.0}, (False, True), "clip must be above 0, or None, got -1.0"),
        ({"terms": ()}, (False, True), r"terms are names of extra terms, got \(\)"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(options, marks, message):
    with pytest.raises(ValueError, match=message):
        started(Pursuit(marks), **options)


def test_a_parameter_on_both_sides_is_refused():
    method = Pursuit()
    method.groups = lambda: [{"params": [method.theta]}, {"params": [method.phi, method.theta], "critic": True}]
    with pytest.raises(ValueError, match="both to the critic and to the rest"):
        started(method)


def test_a_term_that_the_losses_do_not_have_is_named():
    with pytest.raises(ValueError, match="the losses have no term 'fool', only critic, product"):
        started(terms="fool")(EMPTY)

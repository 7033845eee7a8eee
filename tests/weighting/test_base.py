"""Weightings: every term and gradient by hand, and what may change without changing the outcome."""

import math

import pytest
import torch
from torch import nn

from mtlib.method import Losses, Method
from mtlib.recipe import Recipe
from mtlib.tasks import Batch, Task
from mtlib.updates import Descend
from mtlib.weighting import Adaptive, DynamicAverage, Fixed, Uncertainty, ValidationTrend

SGD = Recipe(steps=100, optimiser="sgd", rate=0.1, schedule="constant")
BATCH = Batch(torch.zeros(1, 1), {})


class Bowls(Method):
    """Task i is scale_i / 2 |w - c_i|^2 with gradient scale_i (w - c_i); the extra term is 3 w_1."""

    tasks = (Task("bowl", "binary", 2),)

    def __init__(self, centres=((1.0, 0.0), (0.0, 2.0)), scales=(1.0, 1.0)):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2, dtype=torch.double))
        self.register_buffer("centres", torch.tensor(centres, dtype=torch.double))
        self.register_buffer("scales", torch.tensor(scales, dtype=torch.double))

    def losses(self, batch):
        return Losses(self.scales / 2 * (self.w - self.centres).square().sum(1), {"tilt": 3 * self.w[0]})


def moved(method, weighting, steps=1, recipe=SGD):
    """Where w is after some steps."""
    update = Descend(weighting)
    update.start(method, recipe)
    for _ in range(steps):
        update(BATCH)
    return method.w.detach()


def test_fixed_weights_scale_the_tasks_and_not_the_extra_term():
    # w = 0: the tasks' gradients are (-1, 0) and (0, -2), the extra term's (3, 0)
    expected = -0.1 * torch.tensor([5 * -1 + 3, 0.5 * -2])
    torch.testing.assert_close(moved(Bowls(), Fixed([5, 0.5])), expected.double())


def test_weights_of_one_and_no_weighting_are_the_same():
    assert torch.equal(moved(Bowls(), Fixed([1, 1]), 10), moved(Bowls(), None, 10))


def test_a_loss_in_other_units_is_made_up_for_by_its_weight():
    other = moved(Bowls(scales=(1, 1000)), Fixed([1, 0.002]), 10)
    torch.testing.assert_close(other, moved(Bowls(), Fixed([1, 2]), 10))


def test_weights_belong_to_tasks_whatever_their_order():
    turned = moved(Bowls(centres=((0, 2), (1, 0))), Fixed([2, 1]), 10)
    torch.testing.assert_close(turned, moved(Bowls(), Fixed([1, 2]), 10))


def test_a_function_of_the_losses_may_read_a_buffer_that_the_method_changes():
    method = Bowls()
    update = Descend(lambda losses: method.scales * losses.tasks)  # scale^2 / 2 |w - c|^2
    update.start(method, SGD)
    method.scales.copy_(torch.tensor([0.0, 2.0]))  # as validated() would
    update(BATCH)
    torch.testing.assert_close(method.w.detach(), -0.1 * torch.tensor([3.0, 4 * -2.0]).double())


def test_the_total_is_what_is_descended_and_the_tasks_are_shown_without_weights():
    update = Descend(Fixed([5, 0.5]))
    update.start(Bowls(), SGD)
    logs = update(BATCH)
    assert logs["tasks"].tolist() == [0.5, 2.0]
    assert logs["total"].item() == 5 * 0.5 + 0.5 * 2.0
    assert list(logs) == ["tasks", "tilt", "total"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fixed([1, -1]), "finite numbers of 0 or more"),
        (lambda: Fixed([1, math.nan]), "finite numbers of 0 or more"),
        (lambda: Fixed([[1, 2]]), r"one row of numbers, got shape \(1, 2\)"),
        (lambda: Uncertainty(0), "heads must be a whole number of 1 or more, got 0"),
        (lambda: DynamicAverage(2, 0), "period must be a whole number of 1 or more, got 0"),
        (lambda: DynamicAverage(2, 5, temperature=0), "temperature must be above 0, got 0"),
        (lambda: Adaptive(2, period=True), "period must be a whole number of 1 or more, got True"),
        (lambda: ValidationTrend(2, floor=-1), "floor must be a finite number of 0 or more, got -1"),
        (lambda: ValidationTrend(2, direction="rise"), "direction is one of absolute, decrease, got 'rise'"),
    ],
)
def test_a_weighting_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("weighting", [Fixed([1, 2, 3]), Uncertainty(3), DynamicAverage(3, 5), ValidationTrend(3)])
def test_a_weighting_for_another_number_of_heads_is_refused_at_the_start(weighting):
    with pytest.raises(ValueError, match="the weighting is for 3 heads, the method has 2"):
        Descend(weighting).start(Bowls(), SGD)


def test_an_update_starts_anew_from_the_weighting_it_was_given():
    given = Uncertainty(2)
    update, ways = Descend(given), []
    for _ in range(2):
        method = Bowls()
        update.start(method, SGD)
        for _ in range(5):
            update(BATCH)
        ways.append((method.w.detach(), update.weighting.s.detach()))
    assert not given.s.any()
    assert ways[0][1].all()
    assert all(torch.equal(a, b) for a, b in zip(*ways, strict=True))

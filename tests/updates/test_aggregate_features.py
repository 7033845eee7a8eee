"""Aggregation at the features: by hand, beside plain descent, and what it leaves alone."""

import pytest
import torch
from torch import nn

from mtlib import toy
from mtlib.controls import MultiTask, SingleTask
from mtlib.method import Losses, Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.tasks import Batch, Task
from mtlib.updates import Aggregate, Descend

SGD = Recipe(steps=100, optimiser="sgd", rate=0.1, schedule="constant")


class Stretched(Method):
    """Features f = (2 w_1, w_2), tasks f.g_i + own_i; extra terms 5 f_1 and 7 own_1."""

    def __init__(self, slopes=((1.0, 0.0), (-1.0, 1.0)), extra=True):
        super().__init__()
        self.tasks = (Task("slope", "binary", len(slopes)),)
        self.register_buffer("slopes", torch.tensor(slopes, dtype=torch.double))
        self.w = nn.Parameter(torch.zeros(2, dtype=torch.double))
        self.own = nn.Parameter(torch.zeros(len(slopes), dtype=torch.double))
        self.extra = extra

    def losses(self, batch):
        features = torch.tensor([2.0, 1.0]) * self.w
        extra = {"shared": 5 * features[0], "own": 7 * self.own[0], "seen": features.detach().sum()}
        return Losses(self.slopes @ features + self.own, extra if self.extra else {}, features)


def moved(aggregator, method, at="features"):
    """- (new - old) / rate of w and own, after one step."""
    update = Aggregate(aggregator, at=at)
    update.start(method, SGD)
    update(Batch(torch.zeros(1, 1), {}))
    return [(-value.detach() / 0.1).tolist() for value in (method.w, method.own)]


@pytest.mark.parametrize(
    ("aggregator", "direction"),
    [("Sum", [0, 1]), ("Mean", [0, 0.5]), ("PCGrad", [0.5, 1.5]), ("MGDA", [0.2, 0.4])],
)
def test_the_direction_is_found_at_the_features_and_sent_back_through_the_trunk(aggregator, direction):
    w, own = moved(aggregator, Stretched(extra=False))
    assert w == pytest.approx([2 * direction[0], direction[1]], abs=1e-6)
    assert own == [1, 1]


def test_extra_terms_are_added_as_they_are_wherever_they_reach():
    w, own = moved("MGDA", Stretched())
    assert w == pytest.approx([2 * (0.2 + 5), 0.4], abs=1e-6)
    assert own == [8, 1]


def test_it_is_another_direction_than_at_the_parameters():
    (here, _), (there, _) = (moved("MGDA", Stretched(extra=False), at) for at in ("features", "parameters"))
    # at the parameters the rows are (2, 0) and (-2, 1), the shortest 9/17 of the first and 8/17 of the second
    assert there == pytest.approx([2 / 17, 8 / 17], abs=1e-3)
    assert here == pytest.approx([0.4, 0.4], abs=1e-6)


@pytest.fixture(scope="module")
def batch():
    batch = toy.make(8, 64, 8).train.take(torch.arange(32))
    return Batch(batch.x.double(), batch.y)


def build(model):
    with seeded("weights", 0):
        return {
            "MT": lambda: MultiTask(mlp(2, 6, 4), 4, toy.TASKS),
            "SOS": lambda: SOS(mlp(2, 6), 6, toy.TASKS, 4, 2),
        }[model]().double()


def after(update, method, batch, steps=3):
    update.start(method, SGD)
    for _ in range(steps):
        update(batch)
    return dict(method.named_parameters())


@pytest.mark.parametrize("chunk", [None, 1, 2])
@pytest.mark.parametrize("model", ["MT", "SOS"])
def test_the_sum_is_plain_descent(model, chunk, batch):
    plain = after(Descend(), build(model), batch)
    summed = after(Aggregate("Sum", at="features", chunk=chunk), build(model), batch)
    for name, value in plain.items():
        torch.testing.assert_close(summed[name], value, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("aggregator", ["MGDA", "UPGrad", "AlignedMTL", "NashMTL"])
def test_rows_one_by_one_are_the_rows_at_once(aggregator, batch):
    whole, single = (
        after(Aggregate(aggregator, at="features", chunk=chunk), build("MT"), batch) for chunk in (None, 1)
    )
    for name, value in whole.items():
        torch.testing.assert_close(single[name], value, rtol=1e-8, atol=1e-10)


def test_heads_move_as_in_plain_descent_and_the_trunk_does_not(batch):
    before = dict(build("MT").named_parameters())
    plain, halved = (after(update, build("MT"), batch, 1) for update in (Descend(), Aggregate("Mean", at="features")))
    heads = len(build("MT").losses(batch).tasks)
    for name, value in before.items():
        share = heads if name.startswith("trunk") else 1
        torch.testing.assert_close((halved[name] - value) * share, plain[name] - value, rtol=1e-9, atol=1e-13)


def test_what_cannot_be_is_refused(batch):
    with pytest.raises(ValueError, match="at is one of parameters, features, got 'heads'"):
        after(Aggregate("Sum", at="heads"), build("MT"), batch)
    with pytest.raises(ValueError, match="chunk must be a whole number"):
        after(Aggregate("Sum", at="features", chunk=0), build("MT"), batch)
    alone, frozen = SingleTask(lambda: mlp(2, 6, 4), 4, toy.TASKS).double(), build("MT")
    with pytest.raises(ValueError, match="the method's losses give no features"):
        after(Aggregate("Sum", at="features"), alone, batch)
    frozen.trunk.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing is shared"):
        after(Aggregate("Sum", at="features"), frozen, batch)

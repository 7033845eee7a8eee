"""Training: rows, the schedule, and that a run is a pure function of its arguments."""

import math

import pytest
import torch
from torch import nn

from mtlib import toy
from mtlib.controls import MultiTask, SingleTask
from mtlib.method import Losses, Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.rows import Epoch
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import accuracy, fit

SHORT = Recipe(steps=20, batch=32, rate=0.01)


# ------------------------------------------------------------------ rows


def test_rows_are_a_pure_function_of_seed_and_step():
    rows, again = Epoch(50, 8, seed=3), Epoch(50, 8, seed=3)
    forwards = [rows(step).tolist() for step in range(20)]
    assert [again(step).tolist() for step in reversed(range(20))] == forwards[::-1]
    assert Epoch(50, 8, seed=4)(0).tolist() != forwards[0]


def test_every_epoch_is_a_new_order_and_its_batches_do_not_overlap():
    rows = Epoch(50, 8, seed=0)  # 6 batches of 8; 2 rows are left out
    epochs = [[row for step in range(6) for row in rows(6 * epoch + step).tolist()] for epoch in range(3)]
    for epoch in epochs:
        assert len(set(epoch)) == 48
        assert set(epoch) <= set(range(50))
    assert epochs[0] != epochs[1] != epochs[2]


def test_an_epoch_that_divides_evenly_is_a_permutation():
    rows = Epoch(12, 4, seed=0)
    assert sorted(row for step in range(3) for row in rows(step).tolist()) == list(range(12))


def test_a_batch_larger_than_the_set_is_the_set():
    assert sorted(Epoch(5, 128, seed=0)(7).tolist()) == [0, 1, 2, 3, 4]


# ------------------------------------------------------------------ recipe


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps must be a whole number of 1 or more, got 0"),
        ({"steps": 1.5}, "steps must be a whole number"),
        ({"batch": -1}, "batch must be a whole number of 1 or more, got -1"),
        ({"rate": 0.0}, "rate must lie between 0 and inf, got 0.0"),
        ({"rate": math.nan}, "rate"),
        ({"beta1": 1.0}, "beta1 must lie between 0 and 1, got 1.0"),
        ({"power": -1.0}, "power"),
        ({"schedule": "cosine"}, "schedule is one of polynomial, constant, step, plateau, got 'cosine'"),
    ],
)
def test_a_recipe_that_cannot_train_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**arguments)


def test_the_default_recipe_is_the_papers():  # SOS Sec. IV-A.1
    recipe = Recipe()
    assert (recipe.steps, recipe.batch, recipe.rate, recipe.beta1) == (50_000, 128, 5e-4, 0.9)
    assert recipe.schedule == "polynomial"


# ------------------------------------------------------------------ a method so simple that every step is known


class Slope(Method):
    """Loss a + b + the batch's x: both parameters have gradient 1, so that Adam moves each by its rate."""

    tasks = (Task("t", "points", 1),)

    def __init__(self):
        super().__init__()
        self.a, self.b = (nn.Parameter(torch.zeros((), dtype=torch.double)) for _ in range(2))

    def losses(self, batch):
        return Losses((self.a + self.b).view(1), {"broken": batch.x.mean()})

    def groups(self):
        return [{"params": [self.a], "rate": 1.0}, {"params": [self.b], "rate": 0.1}]


def data_of(x):
    split = Split(x, {"t": torch.zeros(len(x), 1)})
    return Dataset("numbers", Slope.tasks, split, split)


def way(recipe):
    """The values of a and b after every step."""
    method, values = Slope(), [(0.0, 0.0)]
    fit(method, data_of(torch.zeros(4, 1)), recipe, advance=lambda _: values.append((method.a.item(), method.b.item())))
    return values


def test_the_polynomial_schedule_by_hand():
    values = [a for a, _ in way(Recipe(steps=4, rate=0.1, power=2.0))]
    moves = [values[step] - values[step + 1] for step in range(4)]
    assert moves == pytest.approx([0.1 * 1, 0.1 * 0.75**2, 0.1 * 0.5**2, 0.1 * 0.25**2], rel=1e-5)


def test_the_constant_schedule_stays():
    assert [a for a, _ in way(Recipe(steps=3, rate=0.1, schedule="constant"))] == pytest.approx([0, -0.1, -0.2, -0.3])


def test_the_rate_of_a_group_multiplies_the_recipes():
    a, b = way(Recipe(steps=5, rate=0.1))[-1]
    assert a == pytest.approx(10 * b)


def test_history_has_evenly_spaced_rows_and_the_last_step():
    x = torch.arange(40.0).view(40, 1)
    history = fit(Slope(), data_of(x), Recipe(steps=10, batch=1, rate=0.1), logged=3).history
    assert [row["step"] for row in history] == [0, 3, 6, 9]
    assert list(history[0]) == ["step", "t", "broken", "total"]
    rows = Epoch(40, 1, seed=0)
    assert [row["broken"] for row in history] == [rows(step).item() for step in (0, 3, 6, 9)]
    assert all(row["total"] == pytest.approx(row["t"] + row["broken"]) for row in history)


@pytest.mark.parametrize(("logged", "value"), [(10, math.inf), (1, math.inf), (1, math.nan)])
def test_a_loss_that_is_no_number_names_its_first_step_and_term_even_between_rows(logged, value):
    x = torch.zeros(10, 1)
    bad = 6
    x[Epoch(10, 1, seed=2)(bad)] = value  # the gradient stays finite: the next step is fine again
    with pytest.raises(FloatingPointError, match=f"step {bad}: the loss of 'broken' is {value}"):
        fit(Slope(), data_of(x), Recipe(steps=10, batch=1), seed=2, logged=logged)


# ------------------------------------------------------------------ real methods on the toy plane


def networks():
    return {
        "ST": lambda: SingleTask(lambda: mlp(2, 6, 4), 4, toy.TASKS),
        "MT": lambda: MultiTask(mlp(2, 6, 4), 4, toy.TASKS),
        "SOS": lambda: SOS(mlp(2, 6), 6, toy.TASKS, 4, 2),
    }


def fitted(model, seed=0, recipe=SHORT):
    with seeded("weights", 0):
        method = networks()[model]()
    return fit(method, toy.make(8, 200, 50), recipe, seed=seed)


@pytest.mark.parametrize("model", networks())
def test_training_twice_is_bitwise_the_same_and_the_seed_matters(model):
    first, again, other = fitted(model), fitted(model), fitted(model, seed=1)
    assert first.history == again.history
    assert all(torch.equal(a, b) for a, b in zip(first.method.parameters(), again.method.parameters(), strict=True))
    assert first.history[-1] != other.history[-1]


@pytest.mark.parametrize("model", networks())
def test_training_lowers_the_loss(model):
    history = fitted(model, recipe=Recipe(steps=200, batch=32, rate=0.02)).history
    assert history[-1]["total"] < 0.8 * history[0]["total"]
    assert not fitted(model).method.training


def test_single_task_networks_train_together_as_they_would_alone():
    together = fitted("ST").method
    with seeded("weights", 0):
        alone = networks()["ST"]().networks
    for i, network in enumerate(alone):
        data = toy.make(8, 200, 50)
        own = Split(data.train.x, {"toy": data.train.y["toy"][:, i : i + 1]})
        fit(network, Dataset("own", network.tasks, own, own), SHORT)
        for a, b in zip(network.parameters(), together.networks[i].parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


class Constant(Method):
    """Says 1 for the first column, 0 for the second, class 2 for the third, whatever it sees."""

    tasks = (Task("a", "binary", ("yes", "no")), Task("c", "classes", ("two",), classes=3), Task("p", "points", 1))

    def forward(self, x):
        ones = torch.ones(len(x), 1)
        return {"a": torch.cat([ones, -ones], 1), "c": torch.eye(3)[2].expand(len(x), 1, 3), "p": ones}


def test_accuracy_is_over_the_examples_with_a_label():
    y = {
        "a": torch.tensor([[1, 1], [0, -1], [-1, -1], [1, 0]]),
        "c": torch.tensor([[2], [-1], [0], [1]]),
        "p": torch.ones(4, 1),
    }
    assert accuracy(Constant(), Split(torch.zeros(4, 2), y)) == pytest.approx({"yes": 2 / 3, "no": 1 / 2, "two": 1 / 3})

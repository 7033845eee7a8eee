"""Recipes: what is refused, schedules and optimiser steps by hand, and any recipe trains."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mtlib import toy
from mtlib.controls import MultiTask
from mtlib.method import Losses, Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps must be a whole number of 1 or more, got 0"),
        ({"steps": 1.5}, "steps must be a whole number"),
        ({"steps": True}, "steps must be a whole number"),
        ({"epochs": 0}, "epochs must be a whole number of 1 or more, got 0"),
        ({"steps": 3, "epochs": 2}, "steps or epochs, not both, got 3 and 2"),
        ({"batch": -1}, "batch must be a whole number of 1 or more, got -1"),
        ({"rate": 0.0}, "rate must lie between 0 and inf, got 0.0"),
        ({"rate": math.nan}, "rate"),
        ({"rate": "0.1"}, "rate"),
        ({"beta1": 1.0}, "beta1 must lie between 0 and 1, got 1.0"),
        ({"momentum": 1.0}, "momentum must lie between 0 and 1, got 1.0"),
        ({"weight_decay": -0.1}, "weight_decay must lie between 0 and inf, got -0.1"),
        ({"power": -1.0}, "power"),
        ({"factor": 1.0}, "factor"),
        ({"patience": 0.5}, "patience must be a whole number of 0 or more, got 0.5"),
        ({"optimiser": "lamb"}, "optimiser is one of adam, sgd, got 'lamb'"),
        ({"schedule": "cosine"}, "schedule is one of polynomial, constant, step, plateau, got 'cosine'"),
        ({"precision": "float16"}, "precision is one of float32, bfloat16, got 'float16'"),
        ({"schedule": "step"}, "drops are rising shares"),
        ({"schedule": "step", "drops": (0.7, 0.5)}, "drops are rising shares"),
        ({"schedule": "step", "drops": (0.5, 1.0)}, "drops are rising shares"),
        ({"drops": (0.5,)}, r"only for it; got \(0.5,\) with schedule 'polynomial'"),
        ({"compile": 1}, "compile is True or False, got 1"),
    ],
)
def test_a_recipe_that_cannot_train_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**arguments)


def test_the_default_recipe_is_the_papers():  # SOS Sec. IV-A.1
    recipe = Recipe()
    assert (recipe.steps, recipe.batch, recipe.rate, recipe.beta1) == (50_000, 128, 5e-4, 0.9)
    assert (recipe.optimiser, recipe.schedule) == ("adam", "polynomial")


def test_epochs_become_steps():
    assert Recipe(epochs=3).resolved(7).steps == 21
    assert Recipe(steps=5).resolved(7) == Recipe(steps=5)


# ------------------------------------------------------------------ steps by hand


class Slope(Method):
    """Loss a^2 / 2 + b: the gradient is (a, 1), so that every step of a and b is known."""

    tasks = (Task("t", "points", 1),)

    def __init__(self, a=0.0):
        super().__init__()
        self.a, self.b = (nn.Parameter(torch.tensor(value, dtype=torch.double)) for value in (a, 0.0))

    def losses(self, batch):
        return Losses((self.a.square() / 2 + self.b).view(1))

    def groups(self):
        return [{"params": [self.a]}, {"params": [self.b], "rate": 0.1}]


def numbers(rows=4):
    split = Split(torch.zeros(rows, 1), {"t": torch.zeros(rows, 1)})
    return Dataset("numbers", Slope.tasks, split, split, split)


def way(recipe, a=0.0, **arguments):
    """The values of a and b after every step, b by ten: its group's rate is a tenth."""
    method, values = Slope(a), [(a, 0.0)]

    def note(_):
        values.append((method.a.item(), 10 * method.b.item()))

    fit(method, numbers(), recipe, advance=note, **arguments)
    return values


def moves(recipe, **arguments):
    b = [value for _, value in way(recipe, **arguments)]
    return [before - after for before, after in pairwise(b)]


def test_the_polynomial_schedule_by_hand():
    # Adam's bias-corrected moments of a constant gradient are that gradient and its square: it moves by its rate.
    expected = [0.1 * 1, 0.1 * 0.75**2, 0.1 * 0.5**2, 0.1 * 0.25**2]
    assert moves(Recipe(steps=4, rate=0.1, power=2.0)) == pytest.approx(expected, rel=1e-5)


def test_the_constant_schedule_stays():
    assert moves(Recipe(steps=3, rate=0.1, schedule="constant")) == pytest.approx([0.1] * 3)


def test_the_step_schedule_by_hand():
    recipe = Recipe(steps=8, rate=0.1, schedule="step", drops=(0.25, 0.75), factor=0.5)
    assert moves(recipe) == pytest.approx([0.1] * 2 + [0.05] * 4 + [0.025] * 2)


def test_the_plateau_schedule_by_hand():
    # Validated after every step; the first score is the best so far, then one without a rise is borne, the second
    # halves the rate and the count begins anew.
    scores = iter([1.0, 1.0, 1.0, 2.0, 0.0, 0.0, 0.0])
    recipe = Recipe(steps=7, rate=0.1, schedule="plateau", factor=0.5, patience=1)
    found = moves(recipe, validate_every=1, score=lambda *_: {"score": next(scores)})
    assert found == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025])


def test_a_plateau_needs_validations():
    with pytest.raises(ValueError, match="give validate_every"):
        fit(Slope(), numbers(), Recipe(steps=1, schedule="plateau"))


def test_adam_by_hand():
    recipe = Recipe(steps=2, rate=0.1, beta1=0.9, beta2=0.99, schedule="constant", weight_decay=0.5)
    (a, b), m, v, expected = (2.0, 0.0), [0.0, 0.0], [0.0, 0.0], []
    for t in (1, 2):
        for i, gradient in enumerate((a + 0.5 * a, 1 + 0.5 * b)):  # L2: 0.5 times the parameter joins the gradient
            m[i] = 0.9 * m[i] + 0.1 * gradient
            v[i] = 0.99 * v[i] + 0.01 * gradient**2
            step = (m[i] / (1 - 0.9**t)) / (math.sqrt(v[i] / (1 - 0.99**t)) + 1e-8)
            a, b = (a - 0.1 * step, b) if i == 0 else (a, b - 0.01 * step)
        expected.append((a, 10 * b))
    assert way(recipe, a=2.0)[1:] == [pytest.approx(values) for values in expected]


def test_sgd_with_momentum_by_hand():
    recipe = Recipe(steps=3, rate=0.1, optimiser="sgd", momentum=0.5, schedule="constant")
    # Velocities of a: 2; 0.5 * 2 + 1.8 = 2.8; 0.5 * 2.8 + 1.52 = 2.92.  Of b: 1, 1.5, 1.75.
    expected = [(1.8, -0.1), (1.52, -0.25), (1.228, -0.425)]
    assert way(recipe, a=2.0)[1:] == [pytest.approx(values) for values in expected]


def test_epochs_train_so_many_steps():
    assert len(way(Recipe(epochs=3, batch=2))) == 1 + 3 * 2


# ------------------------------------------------------------------ frozen values

# The loss before each of five updates of a small network in double precision, by recipe: what must not change
# unnoticed. Made by this test.
FROZEN = {
    "adam": (
        Recipe(steps=5, batch=32, rate=0.05),
        [1.32055092947, 1.29233733197, 1.37857076188, 1.27736227171, 1.26262259557],
    ),
    "sgd": (
        Recipe(steps=5, batch=32, rate=0.5, optimiser="sgd", momentum=0.9, schedule="constant"),
        [1.32055092947, 1.28445392975, 1.30173626873, 1.16660007048, 1.25009270573],
    ),
    "step": (
        Recipe(steps=5, batch=32, rate=0.05, schedule="step", drops=(0.5,), weight_decay=0.1),
        [1.32055092947, 1.29817433364, 1.36736005623, 1.28102750179, 1.27671847503],
    ),
}


@pytest.mark.parametrize("name", FROZEN)
def test_losses_are_what_they_were(name):
    recipe, losses = FROZEN[name]
    data = toy.make(8, 100, 10)
    data.train.x = data.train.x.double()
    with seeded("weights", 0):
        method = MultiTask(mlp(2, 6, 4), 4, toy.TASKS).double()
    assert [row["total"] for row in fit(method, data, recipe).history] == pytest.approx(losses, rel=1e-9)


# ------------------------------------------------------------------ any recipe trains

RECIPES = st.fixed_dictionaries(
    {
        "steps": st.integers(1, 4),
        "batch": st.integers(1, 300),
        "optimiser": st.sampled_from(["adam", "sgd"]),
        "rate": st.floats(1e-6, 0.5),
        "beta1": st.floats(0, 0.999),
        "beta2": st.floats(0, 0.9999),
        "momentum": st.floats(0, 0.99),
        "weight_decay": st.floats(0, 1),
        "schedule": st.sampled_from(["polynomial", "constant", "step", "plateau"]),
        "power": st.floats(0.01, 10),
        "drops": st.just(()) | st.lists(st.floats(0.01, 1.1), max_size=2, unique=True).map(sorted).map(tuple),
        "factor": st.floats(0.01, 1.0),
        "patience": st.integers(0, 3),
        "precision": st.sampled_from(["float32", "bfloat16"]),
        "channels_last": st.booleans(),
    }
)


@settings(max_examples=60, deadline=None)
@given(RECIPES, st.booleans())
def test_any_recipe_trains_finitely_or_is_refused(arguments, validating):
    data = toy.make(8, 100, 20)
    data.validation = data.test
    with seeded("weights", 0):
        method = MultiTask(mlp(2, 4), 4, toy.TASKS)
    try:
        result = fit(method, data, Recipe(**arguments), validate_every=2 if validating else None)
    except ValueError:
        return
    assert result.history[-1]["step"] == arguments["steps"] - 1
    assert all(math.isfinite(value) for row in result.history for value in row.values())
    assert all(p.isfinite().all() for p in method.parameters())

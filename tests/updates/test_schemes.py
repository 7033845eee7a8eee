"""Schemes by name: one interface, any number of tasks, and what each makes of the same twenty steps."""

import math

import pytest
import torch

from mtlib.controls import MultiTask
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import generator, seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit, losses
from mtlib.updates import SCHEMES, scheme

# Mean validation loss of three tasks after twenty steps, aggregated at the parameters and at the features.
FROZEN = {
    "uniform": (0.622713, 0.622713),
    "DWA": (0.623227, 0.623227),
    "AW": (0.634010, 0.634010),
    "validation trend": (0.638548, 0.638548),
    "uncertainty": (0.619114, 0.619114),
    "GradNorm": (0.626509, 0.626509),
    "MGDA": (0.622705, 0.625496),
    "PCGrad": (0.620047, 0.622032),
    "CAGrad": (0.617259, 0.629067),
    "Nash-MTL": (0.620300, 0.622835),
    "UPGrad": (0.619433, 0.622009),
    "Aligned-MTL": (0.618044, 0.619826),
}


def data_of(tasks):
    draw, task = generator("schemes", tasks), Task("t", "binary", tasks)
    x = torch.randn(96, 5, generator=draw, dtype=torch.double)
    y = ((x @ torch.randn(5, tasks, generator=draw, dtype=torch.double)) > 0).long()
    y[::7, 0] = -1
    train, test = Split(x[:64], {"t": y[:64]}), Split(x[64:], {"t": y[64:]})
    return Dataset("planes", (task,), train, test, test)


def trained(name, tasks, at="parameters", steps=20):
    """The mean validation loss."""
    data = data_of(tasks)
    with seeded("weights", 0):
        method = MultiTask(mlp(5, 8, 6), 6, data.tasks).double()
    update = scheme(name, tasks, period=2, validation=data.validation, at=at)
    fit(method, data, Recipe(steps=steps, batch=16, rate=0.05), update, validate_every=4, score=losses)
    return -losses(method, data.validation)["score"]


def test_the_names_are_in_reading_order():
    weights = ["uniform", "DWA", "AW", "validation trend", "uncertainty", "GradNorm"]
    directions = ["MGDA", "PCGrad", "CAGrad", "Nash-MTL", "UPGrad", "Aligned-MTL"]
    assert list(SCHEMES) == weights + directions


@pytest.mark.parametrize("tasks", [1, 40])
@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_trains_one_task_and_forty(name, tasks):
    for at in ("parameters", "features"):
        assert trained(name, tasks, at, steps=4) < 0.9


@pytest.mark.parametrize("name", SCHEMES)
def test_what_twenty_steps_come_to(name):
    found = trained(name, 3), trained(name, 3, "features")
    assert found == pytest.approx(FROZEN[name], rel=1e-4)


def test_a_scheme_of_another_name_is_refused_with_all_there_are():
    with pytest.raises(ValueError, match=r"no scheme 'GradVac', only uniform, DWA, .*Aligned-MTL"):
        scheme("GradVac", 2, period=5)


def test_aw_without_validation_examples_is_refused():
    with pytest.raises(ValueError, match="'AW' watches validation examples"):
        scheme("AW", 2, period=5)


def test_every_call_gives_a_fresh_update():
    for name in SCHEMES:
        first, second = (scheme(name, 2, period=5, validation=data_of(2).validation) for _ in range(2))
        assert first is not second
        assert first.settings().keys() == second.settings().keys()


def test_a_head_that_knows_nothing_in_a_batch_stops_nobody():
    for name in SCHEMES:
        data = data_of(3)
        data.train.y["t"][:40, 1] = -1
        with seeded("weights", 0):
            method = MultiTask(mlp(5, 8, 6), 6, data.tasks).double()
        before = method.trunk[0].weight.clone()
        update = scheme(name, 3, period=2, validation=data.validation)
        history = fit(method, data, Recipe(steps=3, batch=4), update, validate_every=3, score=losses).history
        assert all(math.isfinite(value) for row in history for value in row.values())
        assert not torch.equal(method.trunk[0].weight, before)

"""Eq. (4) of DMM-CNN: values by hand, what the print does to a task that stands still, and the report it needs."""

import math
import signal

import pytest
import torch

from mtlib import toy
from mtlib.controls import MultiTask
from mtlib.method import Losses
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.training import fit, losses
from mtlib.updates import Descend
from mtlib.weighting import ValidationTrend, trend


def report(*values):
    return {**{f"loss/{k}": value for k, value in enumerate(values)}, "score": 0.5}


def after(weighting, *reports):
    """The weights after some validations."""
    for values in reports:
        weighting.validated(report(*values))
    return weighting.weights.tolist()


def test_the_weights_are_the_relative_changes_from_the_second_validation_on():
    weighting = ValidationTrend(3)
    assert after(weighting, (2.0, 1.0, 0.5)) == [1, 1, 1]  # D-7
    assert after(weighting, (1.5, 1.1, 0.5)) == pytest.approx([0.25, 0.1, 1e-3])  # the last stands still: the floor
    assert after(weighting, (1.2, 1.1, 1.0)) == pytest.approx([0.2, 1e-3, 1.0])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"floor": 0}, [0.1, 0.1, 0.0]),  # the print: 1 -> 0.9 and 1 -> 1.1 count the same (D-4)
        ({"floor": 0, "direction": "decrease"}, [0.1, 0.0, 0.0]),
        ({"floor": 0.02, "direction": "decrease"}, [0.1, 0.02, 0.02]),
        ({"floor": 0, "normalise": True}, [1.5, 1.5, 0.0]),
        ({"floor": 0.04, "normalise": True}, [1.25, 1.25, 0.5]),  # the floor comes first
    ],
)
def test_the_departures_from_the_print(settings, expected):
    weights = after(ValidationTrend(3, **settings), (1.0, 1.0, 1.0), (0.9, 1.1, 1.0))
    assert weights == pytest.approx(expected, abs=1e-6)


def test_the_change_alone_is_a_function():
    now, before = torch.tensor([3.0, 0.0]), torch.tensor([4.0, 0.0])
    assert trend(now, before).tolist() == [0.25, 0.0]  # a task that was solved and is
    assert trend(before, before, normalise=True).tolist() == [0.0, 0.0]


def test_as_printed_a_task_of_weight_0_never_comes_back():
    """D-5: a loss that falls by exp(-lambda) between validations, and once did not move."""
    ends = []
    for floor in (0, 1e-3):
        weighting, loss = ValidationTrend(1, floor=floor).double(), 1.0
        after(weighting, [loss], [loss])
        for _ in range(50):
            loss *= math.exp(-weighting.weights.item())
            after(weighting, [loss])
        ends.append(loss)
    assert ends[0] == 1
    assert ends[1] == pytest.approx(math.exp(-0.05), abs=1e-4)


def test_units_and_order_do_not_matter():
    series = torch.rand(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.double) + 0.5
    plain = after(ValidationTrend(3).double(), *series.tolist())
    scaled = after(ValidationTrend(3).double(), *(series * torch.tensor([1.0, 60, 1e-3])).tolist())
    turned = after(ValidationTrend(3).double(), *series[:, [2, 0, 1]].tolist())
    assert scaled == pytest.approx(plain)
    assert turned == pytest.approx([plain[2], plain[0], plain[1]])


def test_terms_and_slopes_are_the_weights():
    weighting = ValidationTrend(2)
    after(weighting, (1.0, 1.0), (0.5, 0.75))
    tasks = torch.tensor([3.0, 8.0], requires_grad=True)
    terms = weighting(Losses(tasks))
    terms.sum().backward()
    assert terms.tolist() == [1.5, 2.0]
    assert tasks.grad.tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"score": 1.0}, "needs 2 losses 'loss/<label>', the report has none; validate with score=training.losses"),
        ({"loss/0": 1.0}, "needs 2 losses .* the report has loss/0"),
        (report(1.0, 2.0, 3.0), "needs 2 losses .* loss/0, loss/1, loss/2"),
        (report(1.0, math.nan), "'loss/1' is nan"),
        (report(math.inf, 1.0), "'loss/0' is inf"),
    ],
)
def test_a_report_that_says_too_little_is_refused_by_name(found, message):
    weighting = ValidationTrend(2)
    with pytest.raises(ValueError, match=message):
        weighting.validated(found)
    assert weighting.last.isnan().all()


# ------------------------------------------------------------------ through fit


def trained(**options):
    data = toy.make(8, 200, 50)
    data.validation = toy.make(8, 1, 60, seed=1).test
    with seeded("weights", 0):
        method = MultiTask(mlp(2, 6, 4), 4, toy.TASKS)
    update = Descend(ValidationTrend(sum(task.heads for task in toy.TASKS)))
    recipe = Recipe(steps=14, batch=32, rate=0.02)
    return fit(method, data, recipe, update, validate_every=3, score=losses, **options), update


def test_fit_tells_the_weighting_every_validation():
    result, update = trained()
    looks = [row for row in result.history if any(name.startswith("validation") for name in row)]
    before, now = (torch.tensor([v for k, v in row.items() if k.startswith("validation loss/")]) for row in looks[-2:])
    assert len(looks) == 5
    torch.testing.assert_close(update.weighting.weights, trend(now, before, 1e-3))
    assert not torch.equal(update.weighting.weights, torch.ones_like(now))


def test_a_run_cut_off_between_validations_ends_where_it_would_have(tmp_path):
    whole, update = trained()
    done = []

    def interrupt(_):
        done.append(1)
        if len(done) == 8:
            signal.raise_signal(signal.SIGINT)

    cut, _ = trained(checkpoint=tmp_path / "run.pt", advance=interrupt)
    assert cut.interrupted
    again, resumed = trained(checkpoint=tmp_path / "run.pt")
    assert again.history == whole.history
    assert torch.equal(resumed.weighting.weights, update.weighting.weights)


def test_a_score_without_losses_is_refused_at_the_first_validation():
    data = toy.make(8, 200, 50)
    data.validation = data.test
    method = MultiTask(mlp(2, 4), 4, toy.TASKS)
    update = Descend(ValidationTrend(sum(task.heads for task in toy.TASKS)))
    with pytest.raises(ValueError, match=r"validate with score=training\.losses"):
        fit(method, data, Recipe(steps=2), update, validate_every=1)

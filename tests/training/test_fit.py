"""``fit``: history, losses that are no numbers, validation, and that a run is a pure function of its arguments."""

import math

import pytest
import torch
from torch import nn

from mtlib import toy
from mtlib.controls import MultiTask, SingleTask
from mtlib.method import Losses, Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.rows import Epoch, Mixed
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import accuracy, fit
from mtlib.updates import Descend

SHORT = Recipe(steps=20, batch=32, rate=0.01)


# ------------------------------------------------------------------ history


def test_history_has_evenly_spaced_rows_and_the_last_step(slope, numbers):
    x = torch.arange(40.0).view(40, 1)
    history = fit(slope(), numbers(x), Recipe(steps=10, batch=1, rate=0.1), logged=3).history
    assert [row["step"] for row in history] == [0, 3, 6, 9]
    assert list(history[0]) == ["step", "t", "x", "total"]
    rows = Epoch(40, 1, seed=0)
    assert [row["x"] for row in history] == [rows(step).item() for step in (0, 3, 6, 9)]
    assert all(row["total"] == pytest.approx(row["t"] + row["x"]) for row in history)


def test_history_as_a_table(slope, numbers):
    result = fit(slope(), numbers(torch.zeros(4, 1)), Recipe(steps=4), validate_every=3, score=lambda *_: {"a": 1})
    table = result.table()
    assert table.columns.tolist() == ["step", "t", "x", "total", "validation a", "validation score"]
    assert table["step"].tolist() == [0, 1, 2, 3]
    assert table["validation a"].isna().tolist() == [True, True, False, False]


def test_a_bar_and_a_caller_are_told_of_every_step(slope, numbers, capsys, monkeypatch):
    monkeypatch.setenv("MTLIB_HEADLESS", "1")
    told = []
    fit(slope(), numbers(torch.zeros(4, 1)), Recipe(steps=3), label="two slopes", advance=told.append)
    assert told == [1, 1, 1]
    assert capsys.readouterr().out == "· two slopes: done\n"


def test_rows_may_be_anybodys(slope, numbers):
    x = torch.arange(10.0).view(10, 1)
    seen = fit(slope(), numbers(x), Recipe(steps=5), rows=lambda step: torch.tensor([step, step + 1])).history
    assert [row["x"] for row in seen] == [0.5, 1.5, 2.5, 3.5, 4.5]
    data = numbers(x)
    data.train.source = torch.tensor([0] * 6 + [1] * 4)
    mixed = Mixed(data.train.source, {0: 2, 1: 2}, seed=0)
    assert fit(slope(), data, Recipe(epochs=2), rows=mixed).history[-1]["step"] == 2 * 3 - 1


class Told(Method):
    """Notes what its batches say of how far training is."""

    tasks = (Task("t", "points", 1),)

    def __init__(self):
        super().__init__()
        self.a, self.seen = nn.Parameter(torch.zeros(())), []

    def losses(self, batch):
        self.seen.append(batch.progress)
        return Losses(self.a.view(1))


def test_a_batch_says_how_far_training_is(numbers):
    method = Told()
    fit(method, numbers(torch.zeros(4, 1)), Recipe(steps=4))
    assert [value.item() for value in method.seen] == [0, 0.25, 0.5, 0.75]
    assert all(value.shape == () and value.dtype == torch.float32 for value in method.seen)


# ------------------------------------------------------------------ losses that are no numbers


@pytest.mark.parametrize(("logged", "value"), [(10, math.inf), (1, math.inf), (1, math.nan)])
def test_a_loss_that_is_no_number_names_its_first_step_and_term_even_between_rows(slope, numbers, logged, value):
    x = torch.zeros(10, 1)
    bad = 6
    x[Epoch(10, 1, seed=2)(bad)] = value  # the gradient stays finite: the next step is fine again
    with pytest.raises(FloatingPointError, match=f"step {bad}: the loss of 'x' is {value}$"):
        fit(slope(), numbers(x), Recipe(steps=10, batch=1), seed=2, logged=logged)


class Cliff(Method):
    """A finite loss whose gradient is not: the slope of sqrt at 0."""

    tasks = (Task("t", "points", 1),)

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(()))

    def losses(self, batch):
        return Losses(self.a.sqrt().view(1))


def test_a_parameter_that_is_no_number_after_the_last_step_is_named(numbers):
    with pytest.raises(FloatingPointError, match="step 0: parameter 'a' is not finite after it"):
        fit(Cliff(), numbers(torch.zeros(4, 1)), Recipe(steps=1))


def test_a_loss_that_is_no_number_is_never_saved(slope, numbers, tmp_path):
    x = torch.zeros(10, 1)
    x[Epoch(10, 1, seed=2)(6)] = math.inf
    path = tmp_path / "run"
    arguments = (numbers(x), Recipe(steps=10, batch=1))
    with pytest.raises(FloatingPointError, match=r"step 6.*; the last good checkpoint is .*run, of 6 updates"):
        fit(slope(), *arguments, seed=2, logged=1, checkpoint=path, save_every=0)  # looks only where it saves
    with pytest.raises(FloatingPointError, match=r"step 6.*of 6 updates"):
        fit(slope(), *arguments, seed=2, logged=1, checkpoint=path, save_every=1000)  # goes on from there
    assert torch.load(path, weights_only=True)["state"]["step"] == 6


# ------------------------------------------------------------------ validation


class Watched(Method):
    """Counts down; every validation moves its threshold to the score."""

    tasks = (Task("t", "points", 1),)

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(()))
        self.register_buffer("threshold", torch.zeros(()))
        self.reports = []

    def losses(self, batch):
        return Losses(self.a.view(1) + 0)

    def validated(self, report):
        self.reports.append(report)
        self.threshold.fill_(report["score"])


def rising_then_falling(method, split):
    """Best where a is -0.3, which is after the third step of 0.1."""
    assert not method.training
    return {"near": -abs(method.a.item() + 0.3), "far": 2.0, "unknown": math.nan, "score": -abs(method.a.item() + 0.3)}


@pytest.mark.parametrize("every", [1, 3])
def test_the_best_parameters_and_buffers_are_put_back(numbers, every):
    method, recipe = Watched(), Recipe(steps=7, rate=0.1, schedule="constant")
    result = fit(method, numbers(torch.zeros(4, 1)), recipe, validate_every=every, score=rising_then_falling)
    assert result.best == 2
    assert method.a.item() == pytest.approx(-0.3, abs=1e-6)
    assert method.threshold.item() == pytest.approx(0, abs=1e-6)
    assert len(method.reports) == (7 if every == 1 else 3)  # after the third, the sixth and the last
    assert result.history[-1]["validation near"] == pytest.approx(-0.4, abs=1e-6)
    assert result.history[-1]["t"] == pytest.approx(-0.6, abs=1e-6)


def test_without_a_score_the_mean_of_what_is_finite_decides(numbers):
    method = Watched()
    fit(
        *(method, numbers(torch.zeros(4, 1)), Recipe(steps=1)),
        validate_every=1,
        score=lambda *_: {"a": 1, "b": 2.0, "c": math.nan},
    )
    assert method.reports[0]["score"] == 1.5


def test_a_report_without_numbers_is_refused(numbers):
    data = numbers(torch.zeros(4, 1))
    for score in (lambda *_: {}, lambda *_: {"a": math.nan}, lambda *_: {"a": 1, "score": math.inf}):
        with pytest.raises(ValueError, match="no finite number"):
            fit(Watched(), data, Recipe(steps=1), validate_every=1, score=score)
    with pytest.raises(ValueError, match="tasks of points have no accuracy; give a score"):
        fit(Watched(), data, Recipe(steps=1), validate_every=1)


def test_validating_does_not_change_what_is_trained(noisy, plane):
    def trained(**arguments):
        method = noisy()
        history = fit(method, plane, SHORT, **arguments).history
        return [{name: row[name] for name in ("step", "task 1", "total")} for row in history]

    def random_score(method, split):
        return {"score": torch.rand(()).item()}

    assert trained() == trained(validate_every=1) == trained(validate_every=3, score=random_score)


# ------------------------------------------------------------------ a pure function of its arguments


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


def test_random_numbers_in_a_step_are_the_runs_own(noisy, plane):
    def losses(caller, seed=0):
        torch.manual_seed(caller)
        result = fit(noisy(), plane, SHORT, seed=seed)
        after = torch.rand(3)
        assert torch.equal(after, torch.rand(3, generator=torch.Generator().manual_seed(caller)))
        return result.history

    assert losses(caller=1) == losses(caller=2) != losses(caller=1, seed=1)


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


def test_an_update_can_train_again(noisy, plane):
    update = Descend()
    assert fit(noisy(), plane, SHORT, update).history == fit(noisy(), plane, SHORT, update).history


# ------------------------------------------------------------------ scores


class Constant(Method):
    """Says 1 for the first column, 0 for the second, class 2 for the third, whatever it sees."""

    tasks = (Task("a", "binary", ("yes", "no")), Task("c", "classes", ("two",), classes=3), Task("p", "points", 1))

    def forward(self, x):
        ones = torch.ones(len(x), 1)
        return {"a": torch.cat([ones, -ones], 1), "c": torch.eye(3)[2].expand(len(x), 1, 3), "p": ones}


@pytest.mark.parametrize("rows", [1, 3, 1024])
def test_accuracy_is_over_the_examples_with_a_label(rows):
    y = {
        "a": torch.tensor([[1, 1], [0, -1], [-1, -1], [1, 0]]),
        "c": torch.tensor([[2], [-1], [0], [1]]),
        "p": torch.ones(4, 1),
    }
    found = accuracy(Constant(), Split(torch.zeros(4, 2), y), rows)
    assert found == pytest.approx({"yes": 2 / 3, "no": 1 / 2, "two": 1 / 3})


def test_a_column_without_labels_has_no_accuracy():
    y = {"a": torch.tensor([[-1, 1]] * 3), "c": torch.full((3, 1), 2)}
    assert accuracy(Constant(), Split(torch.zeros(3, 2), y)) == pytest.approx(
        {"yes": math.nan, "no": 0, "two": 1}, nan_ok=True
    )

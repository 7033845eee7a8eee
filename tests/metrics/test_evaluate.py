"""A method on a split: its table by hand, its own thresholds, its modes, and ``fit`` going by a score."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mtlib import metrics, toy
from mtlib.controls import MultiTask
from mtlib.lazy import Selected
from mtlib.method import Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import generator, seeded
from mtlib.tasks import Split, Task
from mtlib.training import accuracy, fit

pytestmark = pytest.mark.filterwarnings("error")

NAN = pytest.approx(math.nan, nan_ok=True)
SMILES = Task("smiles", "binary", ["mouth", "eyes"])
DIGIT = Task("digit", "classes", ["digit"], classes=3)
NOSE = Task("nose", "points", ["x", "y"])
WIDTHS = {"smiles": 2, "digit": 3, "nose": 2}


class Said(Method):
    """Its outputs are its inputs, block by block; ``threshold`` moves what it decides."""

    def __init__(self, *tasks, threshold=0.0):
        super().__init__()
        self.tasks = tasks
        self.register_buffer("threshold", torch.tensor(threshold))
        self.frozen, self.modes = nn.Dropout(), []

    def forward(self, x):
        assert not torch.is_grad_enabled()
        self.modes.append((self.training, self.frozen.training, len(x)))
        parts = dict(
            zip([task.name for task in self.tasks], x.split([WIDTHS[t.name] for t in self.tasks], 1), strict=True)
        )
        return parts | ({"digit": parts["digit"].unsqueeze(1)} if "digit" in parts else {})

    def decide(self, outputs):
        decided = super().decide(outputs)
        return decided | ({"smiles": (outputs["smiles"] > self.threshold).long()} if "smiles" in outputs else {})


@pytest.fixture
def split():
    """Four examples: mouth is known of all of them, eyes of one."""
    x = torch.tensor(
        [
            [2.0, 1.0, 5.0, 0.0, 0.0, 0.0, 0.0],
            [1.0, 1.0, 0.0, 5.0, 0.0, 1.0, 0.0],
            [0.5, 1.0, 0.0, 0.0, 5.0, 2.0, 0.0],
            [-1.0, 1.0, 5.0, 0.0, 0.0, 3.0, 0.0],
        ]
    )
    y = {
        "smiles": torch.tensor([[1, -1], [1, -1], [0, 1], [0, -1]], dtype=torch.int8),
        "digit": torch.tensor([[0], [1], [1], [-1]]),
        "nose": torch.tensor([[0.0, math.nan], [1.0, math.nan], [2.0, 1.0], [5.0, math.nan]]),
    }
    return Split(x, y)


def test_the_table_of_four_examples_by_hand(split):
    table = metrics.table(Said(SMILES, DIGIT, NOSE), split)
    assert table.columns.tolist() == [
        *("task", "column", "n", "positives", "accuracy", "balanced accuracy", "F1", "AUC", "MAE", "RMSE", "R2")
    ]
    assert table.values.tolist() == [
        ["smiles", "mouth", 4, 0.5, 0.75, 0.75, pytest.approx(0.8), 1, NAN, NAN, NAN],
        ["smiles", "eyes", 1, 1, 1, NAN, 1, NAN, NAN, NAN, NAN],
        ["digit", "digit", 3, NAN, pytest.approx(2 / 3), 0.75, pytest.approx((1 + 2 / 3 + 0) / 3), *[NAN] * 4],
        ["nose", "x", 4, *[NAN] * 5, 0.5, 1, pytest.approx(1 - 4 / 14)],
        ["nose", "y", 1, *[NAN] * 5, 1, 1, NAN],
    ]
    assert str(table["n"].dtype) == "int64"


def test_a_table_has_the_columns_of_its_tasks_kinds_alone(split):
    split.x = split.x[:, 5:]
    assert metrics.table(Said(NOSE), split).columns.tolist() == ["task", "column", "n", "MAE", "RMSE", "R2"]


def test_decisions_are_the_methods_own_and_the_area_is_that_of_its_outputs(split):
    split.x = split.x[:, :2]
    plain, strict = (metrics.table(Said(SMILES, threshold=t), split).loc[0] for t in (0.0, 0.75))
    assert (plain["accuracy"], strict["accuracy"]) == (0.75, 1)
    assert plain["AUC"] == strict["AUC"] == 1


def test_outputs_are_those_of_evaluation_mode_and_every_part_is_then_as_it_was(split):
    method = Said(SMILES, DIGIT, NOSE)
    method.train()
    method.frozen.eval()  # on purpose, as a frozen normalisation would be
    found = metrics.outputs(method, split, rows=3)
    assert method.modes == [(False, False, 3), (False, False, 1)]
    assert (method.training, method.frozen.training) == (True, False)
    assert torch.equal(found["smiles"], split.x[:, :2])
    assert found["digit"].shape == (4, 1, 3)


def test_a_method_that_fails_is_in_its_mode_again(split):
    method = Said(SMILES)
    with pytest.raises(RuntimeError):
        metrics.outputs(method, split)  # seven inputs for two
    assert method.training


def test_inputs_may_be_made_when_asked_for(split):
    lazy = Split(Selected(split.x, torch.tensor([3, 0])), {name: y[[3, 0]] for name, y in split.y.items()})
    found = metrics.outputs(Said(SMILES, DIGIT, NOSE), lazy, rows=1)
    assert torch.equal(found["smiles"], split.x[[3, 0], :2])


def test_predictions_are_labels_or_probabilities(split):
    method = Said(SMILES, DIGIT, NOSE, threshold=0.75)
    labels = metrics.predictions(method, split)
    assert labels["smiles"][:, 0].tolist() == [1, 1, 0, 0]
    assert labels["digit"].tolist() == [[0], [1], [2], [0]]
    found = metrics.predictions(method, split, probabilities=True)
    assert found["smiles"][3, 0].item() == pytest.approx(1 / (1 + math.e))
    assert found["digit"].sum(-1).tolist() == [pytest.approx([1])] * 4
    assert torch.equal(found["nose"], labels["nose"])


# ------------------------------------------------------------------ the score of a validation


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.sampled_from([0.0, 0.5, 1.0]))
def test_accuracy_is_what_training_validates_by(seed, n, missing):
    random = generator("accuracy", seed)
    x = torch.randn(n, 5, generator=random)
    y = {"smiles": torch.randint(2, (n, 2), generator=random), "digit": torch.randint(3, (n, 1), generator=random)}
    y = {name: torch.where(torch.rand(v.shape, generator=random) < missing, -1, v) for name, v in y.items()}
    method, split = Said(SMILES, DIGIT), Split(x, y)
    with torch.no_grad():
        expected = accuracy(method, split, rows=7)
    table = metrics.table(method, split)
    assert dict(zip(table["column"], table["accuracy"], strict=True)) == pytest.approx(expected, nan_ok=True)
    balanced = dict(zip(table["column"], table["balanced accuracy"], strict=True))
    assert metrics.balanced(method, split, rows=7) == pytest.approx(balanced, nan_ok=True)


def test_fit_goes_by_balanced_accuracy():
    """Of rare positives plain accuracy is content with none; the report that fit keeps is the balanced one."""
    data = toy.make(8, 200, 10)
    data.validation = toy.make(8, 10, 300, seed=1, reading=toy.Reading(sampling="uniform")).test
    with seeded("weights", 0):
        method = MultiTask(mlp(2, 8), 8, toy.TASKS)
    result = fit(method, data, Recipe(steps=4), validate_every=2, score=metrics.balanced)
    expected = metrics.balanced(method, data.validation)
    assert set(expected) == set(toy.TASKS[0].columns)
    best = result.history[[row["step"] for row in result.history].index(result.best)]
    assert best["validation score"] == pytest.approx(sum(expected.values()) / 2)


# ------------------------------------------------------------------ correlations of labels and predictions


def test_the_matrices_of_figure_6(split):
    columns = Task("smiles", "binary", ["a", "b", "c"])
    y = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, -1], [0, 0, 1]])
    x = torch.where(y == 1, 2.0, -2.0)  # right, but for an unknown one
    x[1, 1] = 3.0

    class Repeats(Said):
        def forward(self, x):
            return {"smiles": x}

    method, split = Repeats(columns), Split(x, {"smiles": y})
    truth, predicted = metrics.correlation_matrices(method, split, "smiles")
    assert torch.allclose(truth, metrics.correlation(y))
    decided = (x > 0).double().where(y >= 0, math.nan)  # the unknown one does not count
    assert torch.allclose(predicted, metrics.correlation(decided))
    truth, predicted = metrics.correlation_matrices(method, split, "smiles", balanced=True, probabilities=True)
    assert torch.allclose(truth, metrics.balanced_correlation(y))
    assert torch.allclose(predicted, metrics.balanced_correlation(x.sigmoid(), y))
    assert not torch.allclose(
        metrics.correlation_matrices(method, split, "smiles", balanced=True, printed=True)[0], truth
    )


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda split: metrics.outputs(Said(SMILES), split, rows=0), "rows of 1 or more"),
        (lambda split: metrics.outputs(Said(SMILES), Split(torch.zeros(0, 2), {})), "0 examples"),
        (lambda split: metrics.table(Said(Task("hats", "binary", 1)), split), r"no labels for task 'hats'; the split"),
        (lambda split: metrics.table(Said(Task("smiles", "binary", 3)), split), r"labels must be \(B, 3\)"),
        (
            lambda split: metrics.table(Said(SMILES), Split(split.x[:, :2] / 0, split.y)),
            "task 'smiles': column 0: scores",
        ),
        (lambda split: metrics.balanced(Said(NOSE), split), "points have no balanced accuracy; give another score"),
        (lambda split: metrics.correlation_matrices(Said(DIGIT), split, "digit"), r"no binary task 'digit'.*\[\]"),
        (lambda split: metrics.correlation_matrices(Said(SMILES), split, "smiles", printed=True), "balanced=True"),
    ],
)
def test_what_cannot_be_scored_is_refused(split, call, message):
    with pytest.raises(ValueError, match=message):
        call(split)

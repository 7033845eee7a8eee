"""The score of losses: the mean over a split in any number of parts, whatever labels are missing."""

import math

import pytest
import torch
from torch import nn

from mtlib.controls import MultiTask
from mtlib.method import Losses
from mtlib.seeds import seeded
from mtlib.tasks import Split, Task
from mtlib.training import losses

TASKS = (
    Task("a", "binary", ("left", "right")),
    Task("c", "classes", ("one", "two"), classes=3),
    Task("p", "points", 4),
)
LABELS = ["left", "right", "one", "two", "p"]


@pytest.fixture
def split():
    draw = torch.Generator().manual_seed(0)
    y = {
        "a": torch.randint(-1, 2, (23, 2), generator=draw),
        "c": torch.randint(-1, 3, (23, 2), generator=draw),
        "p": torch.randn(23, 4, generator=draw, dtype=torch.double),
    }
    y["a"][:8, 0] = -1  # no label in the first part
    y["p"][torch.rand(23, 4, generator=draw) < 0.6] = math.nan
    return Split(torch.randn(23, 3, generator=draw, dtype=torch.double), y)


@pytest.fixture
def method():
    with seeded("weights", 0):
        return MultiTask(nn.Linear(3, 4), 4, TASKS).double()


@pytest.mark.parametrize("rows", [1, 7, 8, 100])
def test_parts_of_any_size_give_the_losses_of_the_whole(rows, split, method):
    whole = method.losses(split.take(torch.arange(23))).tasks
    report = losses(method, split, rows)
    assert list(report) == [*(f"loss/{label}" for label in LABELS), "score"]
    assert list(report.values()) == pytest.approx([*whole.tolist(), -whole.mean().item()])


def test_a_head_without_labels_has_no_loss_and_no_say_in_the_score(split, method):
    split.y["a"][:, 1] = -1
    report = losses(method, split)
    assert math.isnan(report["loss/right"])
    others = [report[f"loss/{label}"] for label in LABELS if label != "right"]
    assert report["score"] == pytest.approx(-sum(others) / 4)


def test_a_loss_of_its_own_is_reported_as_the_method_has_it(split, method):
    plain = losses(method, split)
    method.losses = lambda batch, given=method.losses: Losses(3 * given(batch).tasks, {"extra": torch.ones(())})
    assert losses(method, split)["loss/p"] == pytest.approx(3 * plain["loss/p"])


def test_heads_of_one_name_are_refused(split):
    tasks = (TASKS[0], Task("b", "binary", ("left",)))
    split.y["b"] = split.y["a"][:, :1]
    with pytest.raises(ValueError, match="two heads are called 'left'"):
        losses(MultiTask(nn.Linear(3, 4), 4, tasks).double(), split)

"""Tasks: kinds, shapes, losses by hand, and labels that are missing."""

import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtlib.tasks import Split, Task, by_block, by_head, check_tasks, example_losses, masked_mean, supervised, targets

NAN = float("nan")


@pytest.mark.parametrize(
    ("task", "heads", "outputs", "labels"),
    [
        (Task("a", "binary", ("hat", "smile")), 2, 1, ("hat", "smile")),
        (Task("b", "classes", 2, classes=10), 2, 10, ("b 1", "b 2")),
        (Task("c", "points", ("x", "y", "z")), 1, 3, ("c",)),
    ],
)
def test_a_block_has_a_head_per_column_but_points_share_one(task, heads, outputs, labels):
    assert (task.heads, task.outputs, task.labels) == (heads, outputs, labels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "ternary", "columns": 1}, "ternary"),
        ({"kind": "binary", "columns": 0}, "one or more columns"),
        ({"kind": "binary", "columns": ("a", "a")}, "different names"),
        ({"kind": "classes", "columns": 1}, "classes"),
        ({"kind": "classes", "columns": 1, "classes": 1}, "2 or more"),
        ({"kind": "binary", "columns": 1, "classes": 3}, "only"),
        ({"kind": "points", "columns": 1, "norm": 3}, "norm"),
    ],
)
def test_an_impossible_task_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        Task("mine", **arguments)
    assert "'mine'" in str(error.value)


def test_tasks_need_different_names():
    with pytest.raises(ValueError, match="different names"):
        check_tasks([Task("a", "binary", 1), Task("a", "points", 1)])
    with pytest.raises(ValueError, match="one or more"):
        check_tasks([])


def test_binary_loss_by_hand():
    z, y = torch.tensor([[[2.0]], [[-1.0]]]), torch.tensor([[1], [1]])
    loss, known = example_losses(Task("a", "binary", 1), z, y)
    assert loss.flatten().tolist() == pytest.approx([math.log(1 + math.exp(-2)), math.log(1 + math.exp(1))])
    assert known.flatten().tolist() == [1, 1]


def test_class_loss_by_hand():
    z, y = torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[2]])
    loss, _ = example_losses(Task("a", "classes", 1, classes=3), z, y)
    assert loss.item() == pytest.approx(math.log(math.exp(1) + math.exp(2) + math.exp(3)) - 3)


@pytest.mark.parametrize(("norm", "by_hand"), [(2, (9 + 16) / 2), (1, (3 + 4) / 2)])
def test_points_loss_is_the_mean_over_the_known_coordinates(norm, by_hand):
    z, t = torch.tensor([[[3.0, 5.0, 4.0]]]), torch.tensor([[[0.0, NAN, 0.0]]])
    loss, known = example_losses(Task("a", "points", 3, norm=norm), z, t)
    assert (loss.item(), known.item()) == (by_hand, 1)


KINDS = [
    (Task("a", "binary", 1), torch.tensor([[1], [-1]])),
    (Task("a", "classes", 1, classes=3), torch.tensor([[2], [-1]])),
    (Task("a", "points", 3), torch.tensor([[[0.5, 0.5, 0.5]], [[NAN, NAN, NAN]]])),
    (Task("a", "points", 3, norm=1), torch.tensor([[[0.5, 0.5, 0.5]], [[NAN, NAN, NAN]]])),
]


@pytest.mark.parametrize(("task", "t"), KINDS)
def test_an_example_without_label_has_no_loss_and_exactly_no_gradient(task, t):
    z = torch.ones(2, 1, task.outputs, requires_grad=True)
    loss, known = example_losses(task, z, t)
    loss.sum().backward()
    assert loss[0] > 0
    assert loss[1] == 0
    assert known.flatten().tolist() == [1, 0]
    assert z.grad[0].abs().sum() > 0
    assert torch.equal(z.grad[1], torch.zeros_like(z.grad[1]))


@pytest.mark.parametrize(("task", "t"), KINDS)
def test_a_batch_without_any_label_gives_zero_not_nan(task, t):
    z = torch.ones(1, 1, task.outputs, requires_grad=True)
    mean = masked_mean(*example_losses(task, z, torch.full_like(t[1:], task.missing)))
    mean.sum().backward()
    assert mean.tolist() == [0]
    assert torch.equal(z.grad, torch.zeros_like(z.grad))


def test_the_mean_is_over_the_examples_that_have_a_label():
    loss, known = torch.tensor([[3.0], [0.0], [5.0]]), torch.tensor([[1.0], [0.0], [1.0]])
    assert masked_mean(loss, known).tolist() == [(3 + 5) / 2]


def test_supervised_losses_stand_in_the_order_of_the_blocks():
    tasks = [Task("p", "points", 2), Task("b", "binary", 2)]
    outputs = {"b": torch.tensor([[0.0, 100.0]]), "p": torch.tensor([[1.0, 3.0]])}
    y = {"b": torch.tensor([[1, 1]]), "p": torch.zeros(1, 2)}
    assert supervised(tasks, outputs, y).tolist() == pytest.approx([(1 + 9) / 2, math.log(2), 0])


def test_a_missing_block_or_a_wrong_shape_of_labels_is_named():
    task = Task("hats", "binary", 2)
    with pytest.raises(ValueError, match=r"'hats'.*\['other'\]"):
        supervised([task], {}, {"other": torch.zeros(1, 2)})
    with pytest.raises(ValueError, match=r"'hats'.*\(B, 2\).*\(4, 3\)"):
        targets(task, torch.zeros(4, 3))


@given(kind=st.sampled_from(["binary", "classes", "points"]), columns=st.integers(1, 4), batch=st.integers(0, 3))
def test_by_head_undoes_by_block(kind, columns, batch):
    task = Task("a", kind, columns, classes=3 if kind == "classes" else None)
    z = torch.arange(batch * task.heads * task.outputs).view(batch, task.heads, task.outputs)
    assert torch.equal(by_head(task, by_block(task, z)), z)


def test_take_gives_the_rows_asked_for_in_their_order():
    split = Split(torch.tensor([10, 20, 30]), {"a": torch.tensor([[1], [2], [3]])})
    batch = split.take(torch.tensor([2, 0]))
    assert (batch.x.tolist(), batch.y["a"].tolist(), len(split)) == ([30, 10], [[3], [1]], 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a", "binary", "smile"), "names or their number, got 'smile'"),
        (("a", "binary", 2.5), "names or their number, got 2.5"),
        (("a", "classes", 1, 0), "classes=0"),
        (("a", "classes", 1, 2.5), "classes=2.5"),
    ],
)
def test_a_slip_in_a_task_is_named(arguments, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        Task(*arguments)


def test_one_row_of_labels_is_not_spread_over_the_batch():
    task = Task("digit", "classes", 1, classes=3)
    with pytest.raises(ValueError, match="1 rows of labels for 4 examples"):
        supervised([task], {"digit": torch.zeros(4, 1, 3)}, {"digit": torch.zeros(1, 1).long()})


def test_a_missing_label_may_be_nan_for_binary_too():
    task = Task("a", "binary", 1)
    y = torch.tensor([[1.0], [float("nan")]])
    assert supervised([task], {"a": torch.zeros(2, 1)}, {"a": y}).item() == pytest.approx(math.log(2))

"""Two data sets as one: whose labels are known, in which order, and what cannot be mixed."""

import pytest
import torch
from torch import nn

from mtlib.controls import MultiTask
from mtlib.datasets import load
from mtlib.datasets.mixture import missing
from mtlib.networks import Pixels, lenet5
from mtlib.recipe import Recipe
from mtlib.rows import Mixed
from mtlib.seeds import seeded
from mtlib.tasks import Task
from mtlib.training import fit


@pytest.fixture
def mixed(example, tmp_path):
    """MNIST and CIFAR-10 as SOS mixes them, at 32 pixels in colour."""
    example("mnist")
    root = example("cifar10")
    options = {"root": root, "size": 32, "channels": 3, "cache": tmp_path / "cache"}
    return load("mnist+cifar10", **options), load("mnist", **options), load("cifar10", **options)


def test_every_example_has_the_labels_of_its_own_set(mixed):
    both, digits, things = mixed
    assert both.name == "MNIST + CIFAR-10, 32 pixels, crop, colour"
    assert [task.name for task in both.tasks] == ["mnist", "cifar10"]
    for split in ("train", "test"):
        found, first, second = (getattr(data, split) for data in (both, digits, things))
        n, rest = len(first), len(second)
        assert found.source.tolist() == [1] * n + [2] * rest
        assert torch.equal(found.x, torch.cat([first.x, second.x]))
        assert torch.equal(found.y["mnist"], torch.cat([first.y["mnist"], torch.full((rest, 1), -1)]))
        assert torch.equal(found.y["cifar10"], torch.cat([torch.full((n, 1), -1), second.y["cifar10"]]))
    assert both.train.x.shape == (90, 3, 32, 32)


def test_a_missing_label_teaches_nothing(mixed):
    both, _, _ = mixed
    with seeded("mixture"):
        method = MultiTask(nn.Sequential(Pixels(), lenet5(3, 32)), 84, both.tasks)
    rows = (both.train.source == 1).nonzero().flatten()
    losses = method.losses(both.train.take(rows)).tasks
    assert losses[0] > 1
    assert losses[1] == 0
    losses[1].backward()
    assert all(not parameter.grad.any() for parameter in method.heads[1].parameters())


def test_lenet_trains_on_batches_of_both(mixed):
    both, _, _ = mixed
    with seeded("mixture"):
        method = MultiTask(nn.Sequential(Pixels(), lenet5(3, 32)), 84, both.tasks)
    rows = Mixed(both.train.source, {1: 8, 2: 16}, seed=0)
    assert both.train.source[rows(0)].bincount().tolist() == [0, 8, 16]
    result = fit(method, both, Recipe(steps=60, batch=24, rate=3e-3), rows=rows)
    for column in ("MNIST", "CIFAR-10"):
        assert result.history[-1][column] < 0.9 * result.history[0][column]


def test_limits_and_validation_hold_for_each_of_the_two(example, tmp_path):
    example("mnist")
    root = example("cifar10")
    options = {"root": root, "size": 32, "channels": 3, "train": 8, "validation": 5, "cache": tmp_path / "cache"}
    both = load("mnist+cifar10", **options)
    parts = [load(name, **options) for name in ("mnist", "cifar10")]
    assert both.train.source.tolist() == [1] * 8 + [2] * 8
    assert both.validation.source.tolist() == [1] * 5 + [2] * 5
    for split in ("train", "validation"):
        expected = torch.cat([getattr(part, split).x for part in parts])
        assert torch.equal(getattr(both, split).x, expected)


def test_which_set_comes_first_is_up_to_the_reader(example, tmp_path):
    example("cifar10")
    root = example("cifar100")
    data = load("cifar100+cifar10", root=root, cache=tmp_path / "cache")
    assert [task.name for task in data.tasks] == ["cifar100", "cifar10"]
    assert data.train.source.tolist() == [1] * 120 + [2] * 60
    coarse = load("cifar100+cifar10", root=root, tasks=["cifar100_coarse"], cache=tmp_path / "cache")
    assert coarse.train.y["cifar100_coarse"].flatten().tolist().count(-1) == 60


def test_tables_of_numbers_may_be_mixed(example):
    root = example("scene")
    example("andro")
    data = load("scene+andro", root=root)
    assert data.train.x.shape == (20, 5)
    assert data.train.y["labels"][12:].unique().tolist() == [-1]
    assert data.train.y["targets"][:12].isnan().all()
    example("school")
    with pytest.raises(ValueError, match="School and Mulan: andro cannot be mixed: 28 and 5 features"):
        load("school+andro", root=root)


def test_pictures_of_different_sizes_need_one(example, tmp_path):
    example("mnist")
    root = example("cifar10")
    with pytest.raises(ValueError, match="give a size and channels to make them alike"):
        load("mnist+cifar10", root=root, cache=tmp_path / "cache")


def test_what_cannot_be_mixed(example, tmp_path):
    example("mnist")
    root = example("school")
    for name, message in (
        ("mnist+mnist", "MNIST and MNIST both have a task 'mnist'"),
        ("mnist+school", "MNIST and School cannot be mixed: one has pictures, the other numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            load(name, root=root, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("task", "dtype"),
    [
        (Task("a", "binary", 3), torch.int64),
        (Task("a", "classes", 3, classes=4), torch.int64),
        (Task("a", "points", 3), torch.float32),
    ],
)
def test_labels_that_are_missing(task, dtype):
    found = missing(task, 2)
    assert (found.shape, found.dtype) == ((2, 3), dtype)
    assert found.isnan().all() if task.kind == "points" else (found == -1).all()


def test_only_tasks_that_are_wanted_must_differ(example, tmp_path):
    example("celeba")
    root = example("att_faces")
    options = {"root": root, "size": 16, "channels": 1, "validation": 2, "cache": tmp_path / "cache"}
    assert [task.name for task in load("celeba+att_faces", **options).tasks] == ["attributes", "identity"]
    with pytest.raises(ValueError, match="both have a task 'identity'"):
        load("celeba+att_faces", tasks=["identity"], **options)
    with pytest.raises(ValueError, match="tasks are one or more of attributes, identity"):
        load("celeba+att_faces", tasks=["x"], **options)

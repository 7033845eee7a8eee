"""Features in units of their spread over the training split."""

import pytest
import torch

from mtlib.datasets import load, standardise
from mtlib.tasks import Dataset, Split, Task

NAN = float("nan")


@pytest.fixture
def data():
    task, labels = Task("points", "points", 2), Task("labels", "binary", 1)
    train = Split(
        torch.tensor([[1.0, 5, 0.1], [3, 5, 0.1], [1, 5, 0.1], [3, 5, 0.1]]),
        {"points": torch.tensor([[10.0, NAN], [30, NAN], [NAN] * 2, [NAN] * 2]), "labels": torch.zeros(4, 1).long()},
        torch.tensor([7, 8, 8, 7]),
    )
    test = Split(torch.tensor([[4.0, 6, 0.1]]), {"points": torch.tensor([[NAN, 4.0]]), "labels": torch.tensor([[1]])})
    return Dataset("numbers", (task, labels), train, test, validation=test)


def test_by_hand(data):
    found = standardise(data)
    assert found.train.x.tolist() == [[-1, 0, 0], [1, 0, 0]] * 2
    assert found.test.x.tolist() == found.validation.x.tolist() == [[2, 1, 0]]  # the training split's mean and spread
    assert found.name == "numbers, standardised"
    assert found.train.y["points"][0, 0] == 10
    assert found.train.source.tolist() == [7, 8, 8, 7]
    assert data.train.x[0, 0] == 1  # nothing is changed in place


def test_targets_on_request_by_the_labels_that_there_are(data):
    found = standardise(data, targets=True)
    assert found.train.y["points"][:, 0].nan_to_num(9).tolist() == [-1, 1, 9, 9]
    assert found.train.y["points"][:, 1].isnan().all()
    assert found.test.y["points"][0, 0].isnan()
    assert found.test.y["points"][0, 1] == 4  # no label of it to train on
    assert found.train.y["labels"].tolist() == [[0]] * 4


def test_another_unit_changes_nothing(data):
    other = standardise(data)
    for split in (data.train, data.test):
        split.x = split.x * 25.4 + 1000
    varied = standardise(data).test.x[:, 0]
    torch.testing.assert_close(varied, other.test.x[:, 0], rtol=1e-4, atol=1e-4)


def test_real_percentages(example):
    found = standardise(load("school", root=example("school")), targets=True)
    assert found.train.x.mean(0).abs().max() < 1e-6
    deviations = found.train.x.std(0, correction=0)
    assert (deviations[:27] - 1).abs().max() < 1e-5
    assert deviations[27] == 0  # the bias
    exam = found.train.y["exam"]
    assert exam.nanmean(0).abs().max() < 1e-5


def test_pictures_are_for_a_networks_first_layer():
    with pytest.raises(ValueError, match="Digits, as they are: only tables of numbers can be standardised"):
        standardise(load("digits"))

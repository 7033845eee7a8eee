"""The digits that scikit-learn brings."""

import torch
from sklearn.datasets import load_digits

from mtlib.datasets import load


def test_they_are_scikit_learns_in_256_levels():
    found, data = load_digits(), load("digits")
    assert data.name == "Digits, as they are"
    assert (data.train.x.shape, data.test.x.shape) == ((1297, 1, 8, 8), (500, 1, 8, 8))
    x = torch.cat([data.train.x, data.test.x])[:, 0]
    assert sorted(x.unique().tolist()) == [round(level * 255 / 16) for level in range(17)]
    assert torch.equal((x.double() * 16 / 255).round(), torch.from_numpy(found.images))
    y = torch.cat([data.train.y["digit"], data.test.y["digit"]])
    assert torch.equal(y.flatten(), torch.from_numpy(found.target))
    assert y.dtype == torch.int64
    assert data.tasks[0].classes == 10


def test_every_digit_is_in_both_splits():
    data = load("digits")
    assert data.train.y["digit"].flatten().bincount().min() > 120
    assert data.test.y["digit"].flatten().bincount().min() > 40


def test_they_need_no_folder_of_their_own(tmp_path):
    assert len(load("digits", root=tmp_path, train=5).train) == 5

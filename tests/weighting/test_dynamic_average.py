"""Dynamic weight average (Liu, Johns and Davison 2019): three periods by hand, units and order."""

import math

import pytest
import torch

from mtlib.method import Losses
from mtlib.weighting import DynamicAverage


def weights_of(weighting, series):
    """The weights that each (T,) of losses is given."""
    return torch.stack([weighting(Losses(one)) / one for one in series])


def test_dynamic_average_by_hand():
    # Periods of 2 updates. Means: (2, 4), then (1, 4), then (1, 1).
    series = torch.tensor([[1.0, 4], [3, 4], [0.5, 6], [1.5, 2], [1, 1], [1, 1], [1, 1]]).double()
    weights = weights_of(DynamicAverage(2, period=2, temperature=2.0).double(), series)
    assert weights[:4].flatten().tolist() == [1.0] * 8  # nothing to compare in the first two periods
    a, b = math.exp(0.5 / 2), math.exp(1 / 2)  # ratios 1/2 and 4/4
    for step in (4, 5):
        assert weights[step].tolist() == pytest.approx([2 * a / (a + b), 2 * b / (a + b)])
    c, d = math.exp(1 / 2), math.exp(0.25 / 2)  # ratios 1/1 and 1/4
    assert weights[6].tolist() == pytest.approx([2 * c / (c + d), 2 * d / (c + d)])


def test_dynamic_average_knows_no_units_and_no_order():
    series = torch.rand(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.double) + 0.1
    weights = weights_of(DynamicAverage(3, period=3).double(), series)
    assert weights[-1].std() > 0.01
    torch.testing.assert_close(weights.sum(1), torch.full((12,), 3.0).double())
    torch.testing.assert_close(
        weights_of(DynamicAverage(3, 3).double(), series * torch.tensor([1.0, 60, 1e-3]).double()), weights
    )
    torch.testing.assert_close(weights_of(DynamicAverage(3, 3).double(), series[:, [2, 0, 1]]), weights[:, [2, 0, 1]])


def test_dynamic_average_bears_a_task_that_is_solved():
    series = torch.tensor([[1.0, 0.0]] * 4)
    weighting = DynamicAverage(2, period=1)
    assert all(weighting(Losses(one)).isfinite().all() for one in series)

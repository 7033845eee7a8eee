"""AW (He et al. 2017): two periods by hand, and what leaves the weights as they are."""

import pytest
import torch

from mtlib.method import Losses
from mtlib.weighting import Adaptive

SERIES = torch.rand(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.double) + 0.1


def weights_of(weighting, series):
    """The weights (N, T) after each (T,) of watched losses."""
    found = []
    for values in series:
        weighting.watched(values)
        found.append(weighting.weights.clone())
    return torch.stack(found)


def test_two_periods_by_hand():
    # Periods of 2. Means: (2, 4), then (1, 3).
    weights = weights_of(Adaptive(2, period=2).double(), torch.tensor([[1.0, 4], [3, 4], [0.5, 2], [1.5, 4]]).double())
    assert weights[:3].flatten().tolist() == [1.0] * 6
    # changes |1 - 2| / 1 = 1 and |3 - 4| / 3 = 1/3, mean 2/3: 3/2 and 1/2; losses over their mean 2: 1/2 and 3/2
    assert weights[3].tolist() == pytest.approx([1.0, 1.0])
    # products 3/4 and 3/4, mean 3/4: the same. One more period with means (1, 6): changes 0 and 1/2
    weighting = Adaptive(2, period=1).double()
    assert weights_of(weighting, torch.tensor([[1.0, 3], [0.5, 2]]).double())[1].tolist() == pytest.approx(
        # changes 1 and 1/2: 4/3 and 2/3; losses 2/5 and 8/5: 8/15 and 16/15, mean 12/15
        [2 / 3, 4 / 3]
    )


def test_the_terms_carry_the_weights():
    weighting = Adaptive(2, period=1)
    weights_of(weighting, torch.tensor([[1.0, 3], [0.5, 2]]))
    assert weighting(Losses(torch.tensor([3.0, 3.0]))).tolist() == pytest.approx([2.0, 4.0])


def test_the_mean_is_1_and_neither_a_common_unit_nor_the_order_matters():
    weights = weights_of(Adaptive(3, 2).double(), SERIES)
    assert weights[-1].std() > 0.01
    torch.testing.assert_close(weights.mean(1), torch.ones(12).double())
    torch.testing.assert_close(weights_of(Adaptive(3, 2).double(), 50 * SERIES), weights)
    torch.testing.assert_close(weights_of(Adaptive(3, 2).double(), SERIES[:, [2, 0, 1]]), weights[:, [2, 0, 1]])


def test_where_nothing_moves_the_weights_stay():
    weighting = Adaptive(2, period=1)
    before = weights_of(weighting, torch.tensor([[1.0, 3], [0.5, 2]]))[-1]
    assert torch.equal(weights_of(weighting, torch.tensor([[0.5, 2]]))[-1], before)


def test_a_task_that_is_solved_and_one_alone_are_borne():
    assert weights_of(Adaptive(2, 1), torch.tensor([[1.0, 0.5], [0.5, 0.0], [0.4, 0.0]])).isfinite().all()
    assert weights_of(Adaptive(1, 1), torch.tensor([[1.0], [0.5], [0.2]])).flatten().tolist() == [1, 1, 1]

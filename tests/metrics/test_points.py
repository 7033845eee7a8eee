"""Errors of points: by hand, and with holes."""

import math

import pytest
import torch

from mtlib import metrics

pytestmark = pytest.mark.filterwarnings("error")

NAN = pytest.approx(math.nan, nan_ok=True)
# Column 1: errors 1, -1, 2.  Column 2: one known.  Column 3: none.  Column 4: labels that do not vary.
Y = torch.tensor([[0.0, 2.0, 4.0, math.nan], [3.0, *[math.nan] * 3], [math.nan] * 4, [1.0] * 4]).T
PREDICTED = torch.tensor([[1.0, 1.0, 6.0, math.nan], [5.0] * 4, [0.0] * 4, [1.0] * 4]).T


def test_errors_by_hand():
    assert metrics.mean_absolute_error(PREDICTED, Y).tolist() == [pytest.approx(4 / 3), 2, NAN, 0]
    assert metrics.root_mean_square_error(PREDICTED, Y).tolist() == [pytest.approx(2**0.5), 2, NAN, 0]
    assert metrics.r2(PREDICTED, Y).tolist() == [pytest.approx(1 - 6 / 8), NAN, NAN, NAN]


def test_the_labels_own_mean_explains_nothing_and_worse_is_negative():
    y = torch.tensor([[1.0, 2.0, 3.0]]).T
    assert [metrics.r2(guess.expand(3, 1), y).item() for guess in (y, y.mean(), y.mean() + 1)] == [1, 0, -1.5]


def test_a_prediction_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="column 0: scores and predictions of known labels must be finite"):
        metrics.r2(torch.tensor([[math.nan]]), torch.tensor([[0.0]]))

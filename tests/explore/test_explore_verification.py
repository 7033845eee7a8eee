"""The explorer of thresholds: counts by hand, and what a base rate does."""

import math

import pytest

from mtlib.explore.verification import counts, thresholds

CURVES = {
    "worse": {"grid": [0.001, 0.01, 0.1, 1.0], "mean": [0.1, 0.2, 0.6, 1.0]},
    "better": {"grid": [0.001, 0.01, 0.1, 1.0], "mean": [0.2, 0.5, 0.9, 1.0]},
}


def test_counts_by_hand():
    # 100 of 1000 comparisons are of one person, half of whom match; of the other 900 one in a hundred does.
    misses, false, wrong = counts(0.5, 0.01, 0.1)
    assert (misses, false) == pytest.approx((50, 9))
    assert wrong == pytest.approx(9 / 59)
    assert math.isnan(counts(0.0, 0.0, 0.5)[2])


def test_the_same_rates_are_mostly_wrong_where_genuine_pairs_are_rare():
    assert counts(0.5, 0.01, 0.5)[2] < 0.02
    assert counts(0.5, 0.01, 0.001)[2] > 0.95


def test_it_starts_at_one_per_cent_and_names_the_best():
    explorer = thresholds(CURVES, "n = 5")
    assert explorer.start == {"rate": "1 %", "genuine": "1 in 10"}
    drawing = explorer.draw(**explorer.start)
    assert list(drawing.arrays["misses"]) == pytest.approx([80, 50])
    assert '9.0 false matches of 1000 comparisons; "better" misses fewest, 50.0 of 100, and 15 %' in drawing.finding


def test_every_position_can_be_drawn():
    explorer = thresholds(CURVES, "n = 5")
    assert len({explorer.draw(**values).finding for values in explorer.grid()}) == 16


def test_curves_that_do_not_fit():
    with pytest.raises(ValueError, match="one curve or more on one grid, got 0 curves on 0 grids"):
        thresholds({}, "n = 5")
    other = {"grid": [0.01, 1.0], "mean": [0.1, 1.0]}
    with pytest.raises(ValueError, match="got 2 curves on 2 grids"):
        thresholds({"a": CURVES["worse"], "b": other}, "n = 5")

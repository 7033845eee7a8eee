"""Intervals over seeds against a textbook and by simulation, and that metrics are loaded when they are asked for."""

import subprocess
import sys

import pytest
import torch

from mtlib import claims, metrics
from mtlib.metrics import interval, mean_of, single_run

FIVE = [0.8, 0.9, 1.0, 1.1, 1.2]  # mean 1, standard deviation sqrt(0.025) = 0.1581
HALF = 2.776 * 0.15811 / 5**0.5  # textbook: t for 95 % and 4 degrees of freedom is 2.776


def test_the_interval_of_five_numbers_by_the_textbook():
    found = interval(FIVE)
    assert (found.n, found.mean) == (5, pytest.approx(1))
    assert (found.low, found.high) == (pytest.approx(1 - HALF, abs=1e-4), pytest.approx(1 + HALF, abs=1e-4))
    assert str(found) == "+1.00 [+0.80, +1.20]"
    assert mean_of(FIVE) == {"n": 5, "mean": found.mean, "low": found.low, "high": found.high}


def test_the_same_bits_as_ever():
    """Committed records hold these; they were made before the functions moved here."""
    found = interval([0.1, 0.25, -0.3, 1.7])
    assert (found.mean, found.low, found.high) == (0.4375, -0.951786051177399, 1.826786051177399)
    assert single_run([0.1, 0.25, -0.3, 1.7], 0.1) == (-1.8597306068521302, 2.73473060685213)


def test_one_further_run_spreads_more_than_the_mean_does():
    low, high = single_run(FIVE)
    half = 2.776 * 0.15811 * (1 + 1 / 5) ** 0.5  # of one run about a mean of five
    assert (low, high) == (pytest.approx(1 - half, abs=1e-4), pytest.approx(1 + half, abs=1e-4))


@pytest.mark.parametrize("samples", [[], [1.0], [1.0, float("nan")], [1.0, float("inf")]])
def test_an_interval_needs_two_finite_samples(samples):
    with pytest.raises(ValueError, match="two or more finite samples"):
        interval(samples)


def test_splits_of_the_same_examples_have_a_wider_interval():
    found = interval(FIVE, overlap=1 / 3)  # a quarter is tested on: variance times 1/5 + 1/3 instead of 1/5
    half = 2.776 * 0.15811 * (1 / 5 + 1 / 3) ** 0.5
    assert (found.low, found.high) == (pytest.approx(1 - half, abs=1e-4), pytest.approx(1 + half, abs=1e-4))
    with pytest.raises(ValueError, match="overlap is test examples per training example"):
        interval(FIVE, overlap=-1)


@pytest.mark.parametrize("level", [0.05, 0.2])
def test_intervals_hold_what_they_promise(level):
    """Of 4 000 experiments with five runs each, 95 (80) % hold the true mean, and as many the next run."""
    runs = torch.randn(4000, 6, generator=torch.Generator().manual_seed(0)).double() * 3 + 1
    mean = next_run = 0
    for *samples, further in runs.tolist():
        found, (low, high) = interval(samples, level), single_run(samples, level)
        mean += found.low <= 1 <= found.high
        next_run += low <= further <= high
    assert mean / 4000 == pytest.approx(1 - level, abs=0.01)
    assert next_run / 4000 == pytest.approx(1 - level, abs=0.01)


def test_claims_and_metrics_have_the_same_ones():
    assert claims.Interval is metrics.Interval
    assert claims.single_run is metrics.single_run


def test_nothing_is_loaded_before_it_is_asked_for():
    """The runner reads claims in a process without torch; a trained method is scored where there is no statsmodels."""
    code = """
import sys, mtlib.metrics as metrics
def loaded(): return {"torch", "scipy", "pandas", "torchmetrics", "sklearn", "statsmodels"} & set(sys.modules)
assert not loaded(), loaded()
import mtlib.claims
assert "torch" not in sys.modules
metrics.correlation, metrics.table, metrics.paired
assert loaded() == {"torch", "scipy"}, loaded()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_every_public_name_is_where_it_is_said_to_be():
    assert all(callable(getattr(metrics, name)) and name in dir(metrics) for name in metrics.__all__)
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        metrics.guess  # noqa: B018

"""Explained variance over splits: paired differences, and intervals as wide as overlapping splits need."""

import pytest

from mtlib.experiments.school_table import OVERLAP
from mtlib.figures import structure_school as draw
from mtlib.metrics import interval

FOUND = {"alone": [30.0, 32.0, 31.0], "graph": [34.0, 36.5, 35.0], "pooled": [31.0, 30.0, 33.0]}


def test_the_finding_names_the_best_and_who_is_clearly_better(checked):
    drawing = checked(draw.explained(FOUND, "School", "n = 3"))
    assert "graph explains most, 35.2 %, alone 31.0 %; clearly above alone: graph" in drawing.finding
    assert drawing.arrays["means"] == [31, pytest.approx(35.1667, abs=1e-3), pytest.approx(31.333, abs=1e-3)]


def test_overlapping_splits_widen_the_bars(checked):
    gains = [0.9, 1.1, 1.0]
    narrow, wide = interval(gains), interval(gains, overlap=1 / 3)
    assert wide.high - wide.low > 1.4 * (narrow.high - narrow.low)
    found = {"alone": [30.0, 30.0, 30.0], "graph": [30 + gain for gain in (0.7, 1.3, 1.0)]}
    widened = interval([0.7, 1.3, 1.0], overlap=OVERLAP)
    assert interval([0.7, 1.3, 1.0]).low > 0 > widened.low
    assert "clearly above alone: none" in draw.explained(found, "x", "n = 3").finding


def test_one_split_has_no_interval_and_a_missing_base_is_named(checked):
    checked(draw.explained({name: values[:1] for name, values in FOUND.items()}, "School", "n = 1"))
    with pytest.raises(ValueError, match="'alone' and others"):
        draw.explained({"graph": [1.0]}, "School", "n = 1")

"""The figures of the coupling's losses and soft labels show what the formulas say by hand."""

import math

import numpy as np
import pytest

from mtlib.figures import coupling_method, packed


def test_the_loss_along_p_is_the_formula_of_each_form():
    p, q = np.array([0.25, 0.5]), 0.8
    cross = -q * np.log(p) - (1 - q) * np.log(1 - p)
    entropy = -q * math.log(q) - (1 - q) * math.log(1 - q)
    assert coupling_method.along(p, q, "printed") == pytest.approx(-p * math.log(q))
    assert coupling_method.along(p, q, "mended") == pytest.approx(cross)
    assert coupling_method.along(p, q, "divergence") == pytest.approx(cross - entropy)


def test_only_a_printed_minimum_ignores_the_target():
    drawing = coupling_method.forms()
    assert drawing.id == "coupling-forms"
    assert drawing.arrays["targets"] == [0.1, 0.5, 0.9]
    assert drawing.arrays["minima"] == pytest.approx([0, 0, 0, 0.1, 0.5, 0.9, 0.1, 0.5, 0.9])
    assert set(packed(drawing)) >= {"mean p", "loss"}
    for name in ("printed", "mended", "divergence", "updates"):
        assert name in drawing.alt


def test_left_alone_the_printed_loss_ends_at_no_unit_and_the_mended_one_at_neutral():
    printed, mended, divergence = (coupling_method.descent(form) for form in coupling_method.FORMS)
    assert printed["loss"][0] > 10 > 0.05 > printed["loss"][-1]
    assert printed["p"].max() < 0.01 < 0.9 < printed["q"].max()
    assert mended["p"].max() < 0.01
    assert mended["classes"][0] == pytest.approx(1, abs=1e-3)
    assert divergence["p"] == pytest.approx(divergence["q"], abs=1e-4)
    assert divergence["p"].mean() > 0.2
    assert "every face is called neutral" in coupling_method.forms((0.3,)).finding


def test_a_flat_loss_has_no_minimum():
    assert coupling_method.lowest(np.ones(len(coupling_method.P))) is None
    assert coupling_method.lowest(coupling_method.P) == 0
    assert coupling_method.lowest(-coupling_method.P) == 1


@pytest.mark.parametrize("targets", [(), (0.0,), (1.2,), (float("nan"),), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)])
def test_targets_that_cannot_be(targets):
    with pytest.raises(ValueError, match="targets q inside 0 to 1"):
        coupling_method.forms(targets)


def test_soft_labels_by_hand():
    drawing = coupling_method.soft_labels()
    assert drawing.id == "coupling-soft-labels"
    smile, frown, none = drawing.arrays.values()
    assert none[:3] == pytest.approx(np.full((3, 7), 1 / 7))
    assert none[3].argmax() == 0  # by Bayes' rule, absence speaks for neutral
    assert smile[0].argmax() == 1
    # Happiness has all of its units, AU25 also belongs to fear and surprise, AU6 to sadness.
    indicator = np.array([0, 1, 0.5 / 4.03, 1 / 5.53, 0, 1 / 4.66, 0])
    assert smile[0] == pytest.approx(np.exp(indicator) / np.exp(indicator).sum(), abs=1e-6)
    assert smile[2, 1] > 0.99
    assert frown[0, 2] == pytest.approx(0.163, abs=5e-4)
    assert "happiness 0.29, 0.77, 1.00 at T = 1, T = 0.3, T = 0.1" in drawing.finding
    assert "uniform by Eq. (5)" in drawing.finding
    assert "uniform" in drawing.alt


@pytest.mark.parametrize("temperatures", [(), (0.0,), (1.0, 1.0), (float("inf"),), (1, 2, 3, 4, 5)])
def test_temperatures_that_cannot_be(temperatures):
    with pytest.raises(ValueError, match="temperatures above 0"):
        coupling_method.soft_labels(temperatures)


def test_a_unit_that_the_table_does_not_have():
    table = coupling_method.relations("study")
    assert coupling_method.active((12,), table).sum() == 1
    with pytest.raises(ValueError, match="no AU99"):
        coupling_method.active((99,), table)

"""The figures of notebook 03b show the arrays that they are given, and say what these say."""

import numpy as np
import pytest

from mtlib.faces.names import ATTRIBUTES
from mtlib.figures import png, weighting

COSTS = {"DWA": 1.0, "MGDA": 3.0, "UPGrad": 3.1}


def spread(mean):
    return list(mean + 0.1 * np.linspace(-1, 1, 5))


def test_gain_against_cost():
    gains = {"DWA": spread(-1), "MGDA": spread(0), "UPGrad": spread(2), "without a cost": spread(9)}
    drawing = weighting.against_cost(gains, COSTS, spread(0))
    assert drawing.arrays["means"] == pytest.approx([-1, 0, 2])
    assert "of 3 weightings 1 are clearly better" in drawing.finding
    assert "and 1 clearly worse" in drawing.finding
    assert "UPGrad, gains +2.00 points" in drawing.finding
    (ax,) = drawing.figure.axes
    assert ax.get_xscale() == "log"
    assert {text.get_text() for text in ax.texts} == {"DWA", "MGDA", "UPGrad"}
    with pytest.raises(ValueError, match="no costs of without a cost"):
        weighting.against_cost({"without a cost": [1.0]}, COSTS, [])


def test_neighbours_names_do_not_meet():
    gains = {"MGDA": spread(0), "UPGrad": spread(0.001)}
    (ax,) = weighting.against_cost(gains, COSTS, spread(0)).figure.axes
    first, second = sorted(ax.texts, key=lambda text: text.get_position()[0])
    assert (first.get_ha(), second.get_ha()) == ("right", "left")  # to either side of two points close together
    gains |= {"DWA": spread(0.001)}
    (ax,) = weighting.against_cost(gains, COSTS | {"DWA": 3.05}, spread(0)).figure.axes
    heights = sorted(text.get_position()[1] for text in ax.texts if text.get_ha() == "right")
    low, high = ax.get_ylim()
    assert heights[1] - heights[0] > (high - low) / 30  # two at one side stand one above the other


def test_tuning_marks_the_rate_that_was_taken_and_leaves_out_what_diverged():
    trials = [{"arm": "a", "rate": rate, "loss": loss} for rate, loss in ((1e-2, 0.3), (1e-3, 0.5), (3e-2, None))]
    trials += [{"arm": "b", "rate": 1e-3, "loss": 0.4}, {"arm": "not shown", "rate": 1e-3, "loss": 0.4}]
    drawing = weighting.tuning(trials, {"a": 1e-2, "b": 1e-3}, {"a": "DWA", "b": "MGDA"})
    assert drawing.arrays["losses"] == [0.5, 0.3, 0.4]
    assert "0.001: 1; 0.01: 1" in drawing.finding
    assert drawing.finding.endswith("none at the edge of what was tried.")
    edge = weighting.tuning(trials, {"a": 1e-3}, {"a": "DWA"})
    assert edge.finding.endswith("at the edge of what was tried: DWA.")
    left, right = drawing.figure.axes
    assert (len(left.lines), len(right.lines)) == (2, 2)  # the line, and the mark


@pytest.mark.parametrize(("sign", "turn"), [(1, "towards hard attributes"), (-1, "towards easy attributes")])
def test_whom_late_weights_favour(sign, turn):
    loss = np.linspace(0.2, 1, 40)
    drawing = weighting.favoured([np.exp(sign * loss)] * 2, [loss] * 2, ATTRIBUTES)
    assert drawing.arrays["rank correlations"] == pytest.approx([sign, sign])
    assert drawing.finding.endswith(f"{turn}.")
    assert len(png(drawing.figure)) > 1000
    either = weighting.favoured([np.exp(loss), np.exp(-loss)], [loss] * 2, ATTRIBUTES)
    assert either.finding.endswith("lean to neither side clearly.")
    with pytest.raises(ValueError, match="no network with dynamic weights"):
        weighting.favoured([], [], ATTRIBUTES)

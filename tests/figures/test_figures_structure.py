"""Figures of task structure: what their sentences say is what the arrays hold."""

import numpy as np
import pytest

from mtlib.figures import structure as draw
from mtlib.figures.circle import angles, checked, pairs, relatives

PATHS = {"printed": [[11.0, 8.0, 6.0]], "proximal": [[11.0, 2.0, 1.01]]}


def test_objectives_are_told_relative_to_the_start(checked):
    drawing = checked(draw.objectives(PATHS, [1, 10, 100], 1.0, "n = 1"))
    assert "there remain (median): proximal 0.1 %, printed 50 %." in drawing.finding  # 0.01 and 5 of 10
    assert drawing.figure.axes[0].get_yscale() == "log"


@pytest.mark.parametrize("paths", [{}, {"a": [[1.0, 2.0]]}, {"a": [[float("nan"), 1.0, 1.0]]}])
def test_objectives_that_do_not_fit_are_refused(paths):
    with pytest.raises(ValueError, match="objectives"):
        draw.objectives(paths, [1, 10, 100], 1.0, "n = 1")


def test_graphs_count_edges_within_and_between_and_begin_with_the_printed_one(checked):
    pair, every = np.zeros((4, 4)), 1 - np.eye(4)
    pair[0, 1] = pair[1, 0] = 1
    drawing = checked(draw.graphs([pair, every], (0.1, 10.0), [0, 0, 1, 1], "n = 1"))
    assert drawing.arrays == {"edges within": [1, 2], "edges between": [0, 4]}
    assert [ax.get_title() for ax in drawing.figure.axes][:1] == ["as printed:\nno edge, whatever the tasks"]
    weak = every.copy()
    weak[:2, 2:] = weak[2:, :2] = 0.05  # below a tenth of the largest: left out
    assert draw.graphs([weak], (1.0,), [0, 0, 1, 1], "n = 1").arrays["edges between"] == [0]
    with pytest.raises(ValueError, match="one graph for each of 2 betas"):
        draw.graphs([pair], (0.1, 1.0), [0, 0, 1, 1], "n = 1")


def test_curves_tell_the_best_value_of_each_and_take_keys_of_a_record(checked):
    found = {"xi": {"0.1": [80.0, 82.0], "1": [85.0, 85.0]}, "gamma": {0.01: [70.0, None], 0.1: [None, None]}}
    drawing = checked(draw.curves(found, {"xi": 0.75}, "n = 2"))
    assert "xi is best at 1 (in print 0.75), its means lie between 81.00 and 85.00" in drawing.finding
    assert "gamma is best at 0.01, its means lie between 70.00 and 70.00" in drawing.finding
    assert drawing.arrays["means"] == [81, 85, 70]
    with pytest.raises(ValueError, match="values above 0"):
        draw.curves({"xi": {0: [1.0]}}, {}, "n = 1")


def test_the_circle_keeps_groups_together_and_pairs_once():
    at = angles([1, 0, 1, 0])
    clockwise = np.argsort(-at).tolist()
    assert clockwise == [1, 3, 0, 2]
    assert at[1] == pytest.approx(np.pi / 2)  # the first stands on top
    z = np.array([[0, 9, 1], [9, 0, 8], [1, 8, 0.0]])
    assert relatives(z).index(1) in (0, 2)  # the far one at an end
    assert pairs(z).tolist() == [9, 1, 8]


def test_a_matrix_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"a graph must be \(3, 3\), got \(2, 2\)"):
        checked(np.eye(2), "a graph", 3)
    with pytest.raises(ValueError, match="must be finite, it has 1 entries"):
        checked(np.array([[np.nan]]), "a graph")

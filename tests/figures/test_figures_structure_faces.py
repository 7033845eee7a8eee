"""Figures of learned relations between attributes: hits, shares and verdicts are those of the arrays."""

import numpy as np
import pytest

from mtlib.figures import structure_faces as draw

NAMES = ["Bald", "Young", "Gray_Hair", "Smiling"]
TRUTH = np.zeros((4, 4), bool)
TRUTH[0, 2] = TRUTH[2, 0] = TRUTH[1, 3] = TRUTH[3, 1] = True


def graph(*pairs):
    found = np.zeros((4, 4))
    for i, j, weight in pairs:
        found[i, j] = found[j, i] = weight
    return found


def test_heat_counts_true_pairs_among_the_largest(checked):
    maps = {"learned": graph((0, 2, 3.0), (0, 1, 2.0)), "excluding": graph((0, 2, -3.0), (1, 3, -1.0))}
    drawing = checked(draw.heat(maps, NAMES, [2, 0, 1, 3], TRUTH, "n = 2"))
    assert "true ones are 1 for learned, 0 for excluding; chance would give 1" in drawing.finding
    assert drawing.arrays["learned"][0, 1] == 1  # Gray_Hair beside Bald, in units of the largest
    with pytest.raises(ValueError, match="an order of 0 to 3"):
        draw.heat(maps, NAMES, [0, 0, 1, 2], TRUTH, "n = 2")
    with pytest.raises(ValueError, match="learned must be finite"):
        draw.heat({"learned": np.full((4, 4), np.nan)}, NAMES, range(4), TRUTH, "n = 2")


def test_network_tells_which_edges_are_true_and_who_is_alone(checked):
    drawing = checked(draw.network(graph((0, 2, 1.0), (0, 1, 0.5)), NAMES, [0, 0, 0, 1], TRUTH, "n = 2"))
    assert "1 of 2 edges (50 %) are edges of the generating graph, which has 2" in drawing.finding
    assert "of edges at random 33 % would be" in drawing.finding
    assert "Without any edge: Smiling." in drawing.finding
    assert "Gray Hair" in [text.get_text() for text in drawing.figure.axes[0].texts]
    checked(draw.network(graph(), NAMES, [0, 1, 2, 3], TRUTH, "nothing"))
    with pytest.raises(ValueError, match="one group for each of 4 names"):
        draw.network(graph(), NAMES, [0], TRUTH, "n = 2")


def test_recovery_compares_the_lead_with_chance_and_the_best_baseline(checked):
    found = {
        "learned": {"positive": [0.60, 0.62, 0.61], "pixels": [0.5, 0.48, 0.53]},
        "|correlation|": {"positive": [0.7, 0.7, 0.7], "pixels": [0.4, 0.4, 0.4]},
        "partial": {"positive": [0.8, 0.8, 0.8], "pixels": [0.45, 0.45, 0.45]},
    }
    drawing = checked(draw.recovery(found, "n = 3", ("|correlation|", "partial")))
    assert "positive: learned 0.61, above chance (best without predictors: partial, 0.80)" in drawing.finding
    assert "pixels: learned 0.50, not clearly off chance" in drawing.finding
    with pytest.raises(ValueError, match="same truths"):
        draw.recovery({"a": {"x": [1.0]}, "b": {"y": [1.0]}}, "n = 1")

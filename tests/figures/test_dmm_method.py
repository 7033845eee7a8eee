"""The figures of how DMM-CNN works show what they are given, and count rightly."""

import numpy as np
import pytest

from mtlib.figures import dmm_method, dmm_threshold, png


def test_the_layers_of_the_branches_have_the_printed_sizes():
    drawing = dmm_method.architecture()
    layers = drawing.arrays["parameters of the layers"]
    assert (28_672 + 1) * 2048 in layers
    assert sum(layers) == 88_713_464 - 23_508_032  # all of the network but ResNet-50
    texts = " ".join(text.get_text() for text in drawing.figure.axes[0].texts)
    assert "28 672" in texts.replace("\u202f", " ").replace("\u00a0", " ")
    assert "144 coordinates" in texts
    with pytest.raises(ValueError, match="side 3 or more"):
        dmm_method.architecture(side=2)


def test_a_finer_grid_tells_better_where_the_largest_was():
    picture = np.zeros((6, 6))
    picture[0, 0] = 2.0
    drawing = dmm_method.pyramid(picture)
    assert list(drawing.arrays["possible places"]) == [36, 9, 4]
    assert drawing.arrays["3 × 3"].max() == 2
    assert "1 × 1, 36; 2 × 2, 9; 3 × 3, 4" in drawing.finding
    assert len(png(drawing.figure)) > 1000
    for wrong in (np.zeros((2, 5)), np.full((3, 3), np.nan), np.zeros(9)):
        with pytest.raises(ValueError, match="3 by 3 or larger"):
            dmm_method.pyramid(wrong)


def test_freezing_tells_what_is_left():
    curves = {"fast": {"loss": [1, 0.1], "weight": [1, 0.9]}, "slow": {"loss": [1, 0.8], "weight": [1, 0.0]}}
    drawing = dmm_method.freezing(curves)
    assert '"fast" keeps 10 % of its first loss' in drawing.finding
    assert '"slow" keeps 80 % of its first loss, its last weight is 0' in drawing.finding
    right = drawing.figure.axes[1]
    assert right.get_yscale() == "log"
    assert "below 0.0001 drawn there" in right.get_title("left")
    with pytest.raises(ValueError, match="all lines of one length"):
        dmm_method.freezing({"a": {"loss": [1, 2], "weight": [1]}})


def test_accuracy_over_the_threshold_by_hand():
    z, y = np.array([0.0, 1, 1, 2]), np.array([0.0, 0, 1, 1])
    grid, right = dmm_threshold.accuracies(z, y)
    assert grid.tolist() == [-1, 0, 1, 2]  # everything is positive; then above 0, above 1, above 2
    assert right.tolist() == [0.5, 0.75, 0.75, 0.5]


def test_thresholds_are_judged_against_the_commoner_answer():
    z, y = np.array([-1.0, 0, 1, 2]), np.array([0, 0, 0, 1])
    drawing = dmm_threshold.threshold(z, y, {"low": -0.5, "high": 1.5}, "Bald")
    assert list(drawing.arrays["accuracy"]) == [50, 100]
    assert list(drawing.arrays["always the commoner answer"]) == [75]
    assert 'worse than that: "low"' in drawing.finding
    assert drawing.finding.startswith("Bald, 25.0 % yes")
    missing = dmm_threshold.threshold(np.append(z, 9.0), np.append(y, -1), {"low": -0.5, "high": 1.5}, "Bald")
    assert missing.arrays == drawing.arrays
    for wrong in ({}, {"nan": float("nan")}):
        with pytest.raises(ValueError, match="finite thresholds"):
            dmm_threshold.threshold(z, y, wrong)
    with pytest.raises(ValueError, match="both occur"):
        dmm_threshold.threshold(z, np.zeros(4), {"a": 0.0})

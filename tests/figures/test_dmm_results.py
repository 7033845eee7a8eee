"""The figures of notebook 03's results show the arrays that they are given, and say what these say."""

import numpy as np
import pytest

from mtlib.dmm import groups
from mtlib.faces.names import ATTRIBUTES
from mtlib.figures import dmm_results, png

PRINTED = {"DMM-EQ-AT": 0.95, "DMM-CNN": 1.57}


def spread(mean, n=5):
    return list(mean + 0.1 * np.linspace(-1, 1, n))


def test_printed_gains_have_a_panel_of_their_own():
    drawing = dmm_results.variants({"DMM-FAC": spread(-2), "DMM-CNN": spread(1)}, PRINTED, stamp="Record, n = 5")
    left, right = drawing.figure.axes
    assert drawing.arrays["means"] == pytest.approx([-2, 1])
    assert drawing.arrays["printed"] == [1.57]
    assert left.get_xlim() != right.get_xlim()
    assert "CelebA as printed" in right.get_title("left")
    assert "not printed" in "".join(text.get_text() for text in right.texts)
    assert "1 are clearly better than Baseline and 1 clearly worse" in drawing.finding
    assert "the best here is DMM-CNN, +1.0 points" in drawing.finding
    assert len(png(drawing.figure)) > 1000


def test_the_finding_follows_the_data():
    drawing = dmm_results.variants({"DMM-FAC": spread(2), "DMM-CNN": spread(1)}, {})
    assert "2 are clearly better than Baseline and 0 clearly worse" in drawing.finding
    with pytest.raises(ValueError, match="no variant"):
        dmm_results.variants({}, {})


def test_attributes_are_sorted_within_their_group():
    gains = {name: spread(at / 10 - 2) for at, name in enumerate(ATTRIBUTES)}
    drawing = dmm_results.by_attribute(gains, groups(ATTRIBUTES), "A minus B")
    for ax, (group, members) in zip(drawing.figure.axes, groups(ATTRIBUTES).items(), strict=True):
        assert group in ax.get_title("left")
        shown = [label.get_text().replace(" ", "_") for label in ax.get_yticklabels()]
        assert shown == sorted(members, key=ATTRIBUTES.index, reverse=True)
    assert len(drawing.arrays["means"]) == 40
    assert "of 22 objective attributes" in drawing.finding


def run(end):
    t = np.arange(10)
    line = list(1 - (1 - end) * t / 9)
    return {
        "loss": {"mean": line, "Young": line},
        "weight": {"Young": list(0.1 / (1 + t))},
        "threshold": {name: list(0.01 * t * k) for k, name in enumerate(ATTRIBUTES[:10])},
    }


@pytest.mark.parametrize(("equal", "dynamic", "lower"), [(0.3, 0.4, "equal weights"), (0.4, 0.3, "dynamic weights")])
def test_curves_say_which_weights_end_lower(equal, dynamic, lower):
    drawing = dmm_results.curves(range(10), {"equal weights": run(equal), "dynamic weights": run(dynamic)})
    assert drawing.finding.endswith(f"lower with {lower}.")
    assert np.array(drawing.arrays["mean losses"])[:, -1] == pytest.approx([equal, dynamic])
    losses, weights, thresholds = drawing.figure.axes
    assert weights.get_yscale() == "log"
    looks = {(line.get_color(), line.get_marker()) for line in thresholds.lines}
    assert len(looks) == len(thresholds.lines) == 10
    assert {line.get_linestyle() for line in losses.lines} >= {"-", "--"}

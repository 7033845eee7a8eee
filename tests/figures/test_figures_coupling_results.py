"""The figures of what coupling brings show the numbers that they are given, and say what these say."""

import numpy as np
import pytest

from mtlib.figures import coupling_results, packed
from mtlib.figures.coupling_surface import crossing


def spread(mean, n=5):
    return list(mean + 0.1 * np.linspace(-1, 1, n))


OURS = {
    "expression": {"ST": spread(2), "C (study)": spread(-9)},
    "units": {"ST": spread(-3), "C (study)": spread(0)},
}
PRINTED = {"expression": {"C (study)": [5.1, 4.9], "C (database)": [4.0]}, "units": {"ST": [-3.0]}}


def test_gains_stand_in_panels_of_their_own():
    drawing = coupling_results.gains(OURS, PRINTED, "demonstration, n = 5")
    assert drawing.id == "coupling-gains"
    assert drawing.arrays["expressions, means"] == pytest.approx([2, -9])
    assert drawing.arrays["action units, means"] == pytest.approx([-3, 0])
    assert drawing.arrays["expressions, printed"] == [5.1, 4.9, 4.0]
    assert drawing.finding.startswith("demonstration, n = 5: ")
    assert "expressions, clearly better: ST, clearly worse: C (study), printed at best +4.9 to +5.1" in drawing.finding
    assert "action units, clearly better: none, clearly worse: ST, printed at best -3.0 (ST" in drawing.finding
    ours, printed = drawing.figure.axes[:2]
    assert not ours.get_shared_x_axes().joined(ours, printed)
    assert [text.get_text() for text in ours.get_yticklabels()] == ["ST", "C (study)", "C (database)"]
    assert "single runs" in drawing.alt
    assert set(drawing.trained) == {"expressions, means", "action units, means"}
    packed(drawing)


def test_gains_without_a_printed_number():
    drawing = coupling_results.gains(OURS, {})
    assert "nothing printed" in drawing.finding
    packed(drawing)


@pytest.mark.parametrize(
    "ours",
    [{}, {"units": {}}, {"units": {"ST": []}}, {"units": {"ST": [1.0, float("nan")]}}, {"units": {"ST": [None]}}],
)
def test_gains_that_are_missing(ours):
    with pytest.raises(ValueError, match="gains"):
        coupling_results.gains(ours, {})


def test_readings_name_what_is_clearly_worse():
    own = {"C (study), T = 1": spread(-4), "C (true table)": spread(3, 3), "C (study)": [-9.0]}
    drawing = coupling_results.readings({"expression": own, "units": {"C (true table)": spread(2)}}, "n = 5")
    assert drawing.id == "coupling-readings"
    assert drawing.arrays["expressions, means"] == pytest.approx([-4, 3, -9])
    assert 'are, expressions: "C (study), T = 1"; action units: none' in drawing.finding  # one run is not clear
    assert drawing.finding.endswith("clearly better on both: C (true table).")
    with pytest.raises(ValueError, match="readings"):
        coupling_results.readings({})
    with pytest.raises(ValueError, match="nothing to draw"):
        coupling_results.readings({"units": {}})


def test_a_crossing_lies_on_the_straight_line_between_means():
    assert crossing([0, 0.35, 0.7], [4, 2, -2]) == pytest.approx(0.525)
    assert crossing([0, 1], [-1, 5]) == 0
    assert crossing([0, 1], [2, 0]) is None


def test_the_surface():
    gain = {0.0: {0.0: spread(4), 1.0: spread(-4)}, 1.0: {0.0: spread(1), 1.0: spread(0.05)}}
    drawing = coupling_results.surface(gain, "expressions", "n = 5")
    assert drawing.id == "coupling-surface"
    assert drawing.arrays["means"] == pytest.approx(np.array([[4, 1], [-4, 0.05]]))
    assert drawing.arrays["clear"].tolist() == [[True, True], [True, False]]
    assert "of 4 places coupling clearly helps at 2 and clearly hurts at 1" in drawing.finding
    assert "0 %: from 50 % on; 100 %: at no share" in drawing.finding
    texts = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert texts[0].startswith("+4.0 ± 0.1")
    image = drawing.figure.axes[0].images[0]
    assert image.get_clim() == (-4, 4)  # as far to either side: no gain is the middle
    assert sum(bool(own.get_hatch()) for own in drawing.figure.axes[0].collections) == 1
    packed(drawing)


def test_a_single_run_is_not_clear():
    drawing = coupling_results.surface({0.0: {0.0: [3.0]}}, "units")
    assert not drawing.arrays["clear"].any()
    packed(drawing)


@pytest.mark.parametrize(
    ("gain", "match"),
    [
        ({}, "needs the same shares|every overlap"),
        ({0.0: {}}, "every overlap"),
        ({0.0: {0.0: [1.0]}, 1.0: {0.5: [1.0]}}, "every overlap"),
        ({0.0: {0.0: []}}, "one finite value"),
        ({0.0: {35.0: [1.0]}}, "0 to 1"),
    ],
)
def test_places_that_cannot_be(gain, match):
    with pytest.raises(ValueError, match=match):
        coupling_results.surface(gain, "units")


def test_sizes():
    own = {"NC": {"48": spread(30), "768": spread(50)}, "C (study)": {"48": spread(35), "768": spread(50)}}
    drawing = coupling_results.sizes({"expression": own, "units": own}, "expressions", "n = 5")
    assert drawing.id == "coupling-sizes"
    assert drawing.arrays["expressions, C (study)"] == pytest.approx([35, 50])
    assert "expressions at 48: NC 30.0, C (study) 35.0 and at 768" in drawing.finding
    assert drawing.figure.axes[0].get_xscale() == "log"
    styles = {line.get_linestyle() for line in drawing.figure.axes[0].lines if line.get_marker() not in ("None", None)}
    assert len(styles) == 2
    assert coupling_results.sizes({"units": own}, id="other").id == "other"
    packed(drawing)


@pytest.mark.parametrize(
    "scores", [{}, {"units": {}}, {"units": {"NC": {}}}, {"units": {"NC": {"0": [1.0]}}}, {"units": {"NC": {"4": []}}}]
)
def test_sizes_that_cannot_be(scores):
    with pytest.raises(ValueError, match="sizes"):
        coupling_results.sizes(scores)

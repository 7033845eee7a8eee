"""The figures of notebook 04b show the arrays that they are given, and say what these say."""

import numpy as np
import pytest

from mtlib.figures import coupling_classes as figures

STEPS = {"C minus NC": 2.0, "NC minus ST": -1.0}


def spread(mean):
    return list(mean + 0.1 * np.linspace(-1, 1, 3))


def both(mean):
    return {"classes": spread(mean), "attributes": spread(mean / 10)}


def test_relations_mark_what_was_never_seen(checked):
    plain = np.array([[0.0, 1.0], [0.5, 0.0]])
    drawing = checked(figures.relations(plain, 0.8 * plain + 0.1, ("Bald", "Young"), [4, 6]))
    assert drawing.arrays["zeros (%)"] == [50]
    assert drawing.arrays["means"] == pytest.approx([0.5, 0.3])  # common ones first
    assert "from 4 to 6 training examples" in drawing.finding
    assert drawing.figure.axes[0].get_xticklabels()[0].get_text() == "Young"


def test_soft_labels_over_the_temperature(checked):
    found = {
        "indicators": {"own": [0.5, 0.02], "largest": [0.8, 0.021], "first": [0.5, 0.5]},
        "Bayes": {"own": [0.6], "largest": [0.7], "first": [0.65]},
    }
    drawing = checked(figures.soft_labels((0.1, 1.0), found, 64))
    assert drawing.arrays["own"] == [0.5, 0.02]
    assert "has 0.0200 on average, uniform would be 0.0156" in drawing.finding
    assert "right for 50 % of the examples at any temperature, by Bayes' rule with the same table for 65 %" in (
        drawing.finding
    )
    assert [ax.get_xscale() for ax in drawing.figure.axes] == ["log", "log"]


def test_table_4_keeps_ours_and_printed_ones_on_axes_of_their_own(checked):
    ours = {step: {name: both(mean) for name in ("VGG", "ResNet")} for step, mean in STEPS.items()}
    printed = {step: {name: {"classes": 4.0, "attributes": 1.0} for name in ("VGG", "ResNet")} for step in STEPS}
    drawing = checked(figures.table4(ours, printed, "Record, n = 3"))
    assert drawing.arrays["classes"] == pytest.approx([2, 2, -1, -1])
    assert "of 2 networks" in drawing.finding
    assert "C minus NC 2 clearly up and 0 clearly down" in drawing.finding
    assert "NC minus ST 0 clearly up and 2 clearly down" in drawing.finding
    titles = [ax.get_title(loc="left") for ax in drawing.figure.axes]
    assert titles[:2] == ["classes: Record, n = 3, drawn faces", "classes: CelebA as printed"]
    with pytest.raises(ValueError, match="no difference to draw"):
        figures.table4({}, {})


def test_table_5_names_who_is_below_single_task(checked):
    ours = {"MGDA-UB": both(1.0), "Task Routing": both(-3.0)}
    drawing = checked(figures.table5(ours, {"MGDA-UB": {"classes": 3.5, "attributes": 1.4}}))
    assert drawing.arrays["attributes"] == pytest.approx([0.1, -0.3])
    assert drawing.finding.endswith("on average: Task Routing.")
    right = drawing.figure.axes[1]
    assert [len(line.get_xdata()) for line in right.lines if line.get_marker() == "D"] == [
        1
    ]  # the other is not printed


def test_yeast_says_what_coupling_costs(checked):
    drawing = checked(figures.yeast({"coupled, all labels": both(-2.65), "wrong relations": both(-8.4)}, "Record"))
    assert drawing.arrays["classes"] == pytest.approx([-2.65, -8.4])
    assert "coupled, all labels -2.7" in drawing.finding or "coupled, all labels -2.6" in drawing.finding
    with pytest.raises(ValueError, match="no difference to draw"):
        figures.yeast({})

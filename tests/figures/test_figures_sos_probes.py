"""The probe matrix of many tasks: its three means by hand, and rows that stay with their columns."""

import numpy as np
import pytest

from mtlib.figures import sos_probes as draw

MATRIX = np.array([
    [0.8, 0.9, 1.0],  # common
    [0.9, 0.5, 0.6],
    [0.6, 0.8, 0.7],
    [0.5, 0.6, 0.7],
])  # fmt: skip
NAMES = ["Bald", "Wearing_Hat", "Young"]


def test_summary_by_hand():
    assert draw.summary(MATRIX) == pytest.approx({"common": 0.9, "own": 0.8, "others": 3.5 / 6})
    unknown = MATRIX.copy()
    unknown[:, 2] = np.nan  # the third task has one label only
    assert draw.summary(unknown) == pytest.approx({"common": 0.85, "own": 0.85, "others": 2.2 / 4})


def test_probes_reorder_spaces_and_tasks_together(checked):
    drawing = checked(draw.probes({"SOS": MATRIX, "without (6)": MATRIX}, NAMES, [2, 0, 1], "n = 2"))
    panels = {ax.get_label(): ax for ax in drawing.figure.axes}
    shown = panels["specific/SOS"].images[0].get_array()
    assert np.diag(shown).tolist() == [0.7, 0.9, 0.8]  # Young, Bald, Wearing_Hat
    assert shown[0, 1] == 0.5  # Young's space, Bald
    assert panels["common/SOS"].images[0].get_array().tolist() == [[1.0, 0.8, 0.9]]
    names = [label.get_text() for label in panels["specific/SOS"].get_yticklabels()]
    assert names == ["Young", "Bald", "Wearing Hat"]
    assert "SOS: own task 0.80, other tasks 0.58, common space 0.90" in drawing.finding


def test_unknown_cells_are_left_out_and_shapes_are_checked(checked):
    unknown = MATRIX.copy()
    unknown[:, 0] = np.nan
    drawing = checked(draw.probes({"SOS": unknown}, NAMES, range(3), "n = 2"))
    assert drawing.arrays["SOS"][0, 0] == 0.5
    with pytest.raises(ValueError, match=r"SOS is \(4, 3\), got \(3, 3\)"):
        draw.probes({"SOS": MATRIX[1:]}, NAMES, range(3), "n = 2")

"""The drawings of notebook 01c show the numbers that they are given."""

import pytest
import torch

from mtlib import figures
from mtlib.experiments import two_sets_summary
from mtlib.figures import two_sets as draw

NAMES = {"a": "MNIST + CIFAR-10 (JPEG copy)", "b": "stand-in: expressions + actions of drawn faces"}


@pytest.fixture
def printed():
    return two_sets_summary.printed()


def around(centres, shifts=(-0.1, 0.0, 0.1)):
    return {key: [value + shift for shift in shifts] for key, value in centres.items()}


def panels(drawing):
    """[[printed, ours] of every pair]."""
    axes = drawing.figure.axes
    return [axes[i : i + 2] for i in range(0, len(axes), 2)]


def labels(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def test_masks_say_which_picture_counts():
    rows = {"(2) digit": [True, False], "(4), (5)": [True, True]}
    drawing = draw.masks(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), rows)
    assert drawing.arrays["counts"] == [[1, 0], [1, 1]]
    assert [text.get_text() for text in drawing.figure.axes[1].texts] == ["counts", "–", "counts", "counts"]
    assert "(2) digit, 1; (4), (5), 2" in drawing.alt
    assert "(4), (5) see all of them" in drawing.finding


def test_changes_show_means_beside_the_print(printed):
    drawing = draw.changes(around(printed), printed, NAMES, "Record, n = 3")
    assert sorted(drawing.arrays["means"]) == pytest.approx(sorted(printed.values()))
    assert drawing.arrays["printed"] == list(printed.values())
    assert len(drawing.figure.axes) == 4
    assert figures.packed(drawing)["means"]["kind"] == "trained"
    for left, _ in panels(drawing):
        assert left.get_title(loc="left").count("Printed, one run each") == 1


def test_a_stand_in_is_labelled_and_has_a_scale_of_its_own(printed):
    found = around(printed) | {key: [30.0, 31.0] for key in printed if key.startswith("b")}
    (left, right), (theirs, ours) = panels(draw.changes(found, printed, NAMES, "n"))
    assert left.get_xlim() == right.get_xlim()  # the paper's own data
    assert ours.get_xlim()[1] > 30 > theirs.get_xlim()[1]
    assert "stand-in" in ours.get_title(loc="left")
    assert labels(ours)[::4] == ["expressions (as CIFAR-10)", "actions (as CIFAR-100)"]
    assert labels(right)[::4] == ["MNIST", "CIFAR-10 (JPEG copy)"]
    assert labels(right)[1:4] == ["MT − ST", "SOS − ST", "SOS − MT"]


def test_the_finding_counts_intervals_beyond_zero(printed):
    found = {key: [-1.0, 1.0] for key in printed}
    found |= {"a/CIFAR-10/MT-ST": [-1.5, -1.5, -1.6], "b/CIFAR-100/SOS-MT": [0.3, 0.4, 0.35]}
    drawing = draw.changes(found, printed, NAMES, "n = 2")
    assert "of 4 data bases plain sharing (MT) clearly gains on 0 and loses on 1" in drawing.finding
    assert "SOS is clearly better than MT on 1 and worse on 0" in drawing.finding


def test_one_pair_alone_is_drawn(printed):
    found = {key: values for key, values in around(printed).items() if key.startswith("b")}
    drawing = draw.changes(found, printed, NAMES, "n = 3")
    assert len(drawing.figure.axes) == 2
    assert len(drawing.arrays["means"]) == 6
    assert "of 2 data bases" in drawing.finding


def test_every_difference_has_a_mark_of_its_own():
    colours, markers = zip(*draw.LOOK.values(), strict=True)
    assert len(set(colours)) == len(set(markers)) == len(two_sets_summary.DIFFERENCES)

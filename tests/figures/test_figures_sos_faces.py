"""The figures of Table II and of the fake heads' weight show the numbers that they are given."""

import pytest

from mtlib.figures import sos_faces as draw

PRINTED = {"SOS(512, 32)": 0.55, "+ (4)": 0.73, "+ (7): all": 1.67, "SOS(32, 44)": 0.82}
NAN = float("nan")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_ablation_counts_intervals_and_names_both_ends(checked):
    ours = {"SOS(512, 32)": [1.0, 1.1, 1.2], "+ (4)": [-1.0, 0.0, 1.1], "+ (7): all": [-2.0, -2.1, -1.9]}
    drawing = checked(draw.ablation(ours, PRINTED, "n = 3"))
    assert "1 of 3 settings lie above the baseline and 1 below" in drawing.finding
    assert "from -2.00 points, + (7)" in drawing.finding
    assert "to +1.10, SOS(512, 32), no extra term" in drawing.finding
    assert drawing.arrays["means"] == pytest.approx([1.1, 0.1 / 3, -2.0])
    assert drawing.arrays["printed"] == [0.55, 0.73, 1.67, 0.82]


def test_printed_and_drawn_stand_in_panels_with_scales_of_their_own():
    drawing = draw.ablation({"+ (4)": [-5.0, -5.1]}, PRINTED, "n = 2")
    left, right = drawing.figure.axes
    assert left.get_title(loc="left") == "CelebA, as printed, one run"
    assert right.get_title(loc="left") == "drawn faces, ours, n = 2"
    told = draw.ablation({"+ (4)": [-5.0, -5.1]}, PRINTED, "n = 2", data="CelebA").figure.axes[1]
    assert told.get_title(loc="left") == "CelebA, ours, n = 2"
    assert not left.get_shared_x_axes().joined(left, right)
    assert left.get_xlim()[0] > -1 > right.get_xlim()[0]
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == [
        "SOS(512, 32), no extra term",
        "+ (4) common–specific",
        "+ (7) fake heads learn: all terms",
        "SOS(32, 44), all terms",
    ]


def test_ablation_with_two_arms_and_missing_seeds_says_what_was_not_run(checked):
    ours = {"SOS(512, 32)": [0.3, NAN, 0.5], "+ (7): all": [None, -1.0, None], "CNN8 wide": [0.1, 0.2, 0.3]}
    drawing = checked(draw.ablation(ours, PRINTED, "n = 3"))
    left, right = drawing.figure.axes
    assert texts(right).count("not run") == 2
    assert texts(left).count("not printed") == 1
    assert right.get_title(loc="left").endswith("n = 1 to 3")
    assert "of 3 settings" in drawing.finding
    assert "no setting was run" in checked(draw.ablation({"+ (4)": [None]}, PRINTED, "nothing")).finding


def test_rates_count_what_diverged_and_average_the_rest(checked):
    found = {"Adam": {0.01: [84.0, 85.0], 0.5: [86.0, 87.0]}, "SGD": {0.01: [80.0, 81.0], 0.5: [None, 70.0]}}
    drawing = checked(draw.rates(found, "n = 2", ("CNN8-MT", 85.0)))
    assert drawing.arrays["means"] == [84.5, 86.5, 80.5, 70.0]
    assert "under Adam the means of 2 weights lie between 84.5 and 86.5 %, 0 of 4 runs diverged" in drawing.finding
    assert "under SGD the means of 2 weights lie between 70.0 and 80.5 %, 1 of 4 runs diverged" in drawing.finding
    adam, sgd = drawing.figure.axes
    assert not texts(adam)
    assert texts(sgd) == ["1 of 2"]
    styles = {line.get_linestyle() for ax in (adam, sgd) for line in ax.lines if len(line.get_xdata()) == 2}
    assert {"-", "--"} <= styles  # not by colour alone


def test_rates_take_a_weight_of_zero_and_keys_of_a_record(checked):
    found = {"Adam": {}, "SGD": {"0": [80.0], "0.05": [None, None], "0.5": [81.0, 82.0]}}
    drawing = checked(draw.rates(found, "n = 2"))
    assert drawing.arrays["means"] == [80.0, 81.5]
    labels = [label.get_text() for label in drawing.figure.axes[0].get_xticklabels()]
    assert labels == ["0", "0.05", "0.5"]
    assert "2 of 5 runs diverged" in drawing.finding
    assert "no run ended, 1 of 1" in checked(draw.rates({"SGD": {5.0: [None]}}, "n = 1")).finding
    with pytest.raises(ValueError, match="no optimiser has any runs"):
        draw.rates({"SGD": {}}, "n = 0")

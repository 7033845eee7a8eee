"""The figures of the pair search show the numbers that they are given, and say what these say."""

import numpy as np
import pytest

from mtlib.figures import packed, pair_choice, pair_map

NAMES = ("Big_Lips", "Straight_Hair", "Gray_Hair")
GAIN = np.array([[np.nan, -1.0, -2.0], [0.5, np.nan, 0.0], [0.1, 0.2, np.nan]])
MARKED = np.array([[False, True, True], [True, False, False], [False, False, False]])


def seeds(mean, n=5):
    return list(mean + 0.01 * np.linspace(-1, 1, n))


def test_the_map_orders_rows_and_columns_and_counts_marks():
    drawing = pair_map.transfer(GAIN, MARKED, NAMES, "n = 5")
    ax = drawing.figure.axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Big Lips", "Gray Hair", "Straight Hair"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["Gray Hair", "Straight Hair", "Big Lips"]
    assert "of 6 ordered pairs 2 are shown to hurt and 1 to help" in drawing.finding
    assert "the worst entry -2.00, the best +0.50" in drawing.finding
    (dots,) = ax.lines
    assert set(zip(dots.get_xdata(), dots.get_ydata(), strict=True)) == {(0, 0), (1, 0), (2, 2)}
    assert drawing.arrays["gain"].shape == (3, 3)
    packed(drawing)


@pytest.mark.parametrize(
    ("gain", "marked"), [(GAIN[:2], MARKED), (GAIN, MARKED[:, :2]), (np.full((3, 3), np.nan), MARKED)]
)
def test_a_map_that_does_not_fit_is_refused(gain, marked):
    with pytest.raises(ValueError, match="transfer"):
        pair_map.transfer(gain, marked, NAMES, "")


def test_label_correlation_against_change():
    labels = np.array([[1, 0.1, 0.4], [0.1, 1, -0.3], [0.4, -0.3, 1]])
    drawing = pair_map.correlation(labels, GAIN, [0.1, -0.1, 0.03], "n = 3", 0.004)
    assert drawing.alt.startswith("6 dots")
    assert "is +0.01 on average over seeds; the paper prints 0.004" in drawing.finding
    packed(drawing)
    with pytest.raises(ValueError, match="correlation"):
        pair_map.correlation(labels[:2], GAIN, [0.1], "", 0.0)


GAINS = {
    "adversarial, worst partner": {"validation": seeds(0.2), "test": seeds(0.1)},
    "multi-task, all attributes": {"validation": seeds(-0.5), "test": seeds(-0.6)},
    "chance: best of so many single": {"validation": seeds(0.05), "test": seeds(0.0)},
}


def test_arrows_go_from_validation_to_test():
    printed = {"adversarial, worst partner": {"validation": 0.13, "test": 0.21}}
    drawing = pair_choice.selection(GAINS, printed, "record, n = 5")
    left, right = drawing.figure.axes
    assert drawing.arrays["validation"] == pytest.approx([0.2, -0.5, 0.05])
    assert drawing.arrays["test"] == pytest.approx([0.1, -0.6, 0.0], abs=1e-9)
    assert (
        "clearly better than one single network: adversarial, worst partner; clearly worse: multi-task"
        in drawing.finding
    )
    assert not left.get_shared_x_axes().joined(left, right)
    assert sum(text.get_text() == " not printed" for text in right.texts) == 2
    low, high = left.get_xlim()
    assert low > -0.8
    assert high < 0.4
    packed(drawing)


def test_one_seed_has_no_interval_and_proves_nothing():
    drawing = pair_choice.selection({"a": {"validation": [0.3], "test": [0.2]}}, {}, "n = 1")
    assert "clearly better than one single network: none; clearly worse: none" in drawing.finding
    packed(drawing)


@pytest.mark.parametrize("gains", [{}, {"a": {"validation": [], "test": [0.1]}}])
def test_a_selection_without_gains_is_refused(gains):
    with pytest.raises(ValueError, match="selection"):
        pair_choice.selection(gains, {}, "")


def test_the_observed_gain_on_its_chance_distribution():
    observed = {"validation": [0.1, 0.2], "test": [0.0, 0.02]}
    by_chance = {"validation": [0.1, 0.12, 0.14], "test": [-0.01, 0.0, 0.01]}
    drawing = pair_choice.chance(observed, by_chance, "n = 2", 0.13)
    assert drawing.arrays["validation"] == pytest.approx([0.15, 0.12])
    assert "on test data +0.01 observed, +0.00 by chance" in drawing.finding
    assert "prints +0.13 on validation photographs" in drawing.finding
    packed(drawing)
    with pytest.raises(ValueError, match="two or more by chance on test data"):
        pair_choice.chance(observed, by_chance | {"test": [0.0]}, "", 0.13)


def test_attributes_are_ordered_by_what_the_adversary_gives():
    shared = np.array([[-1.0, 0.2, 0.0], [-1.1, 0.1, 0.0]])
    adversarial = np.array([[0.1, 0.5, -0.4], [0.0, 0.51, -0.41]])
    drawing = pair_choice.attributes(shared, adversarial, NAMES, "n = 2")
    labels = [text.get_text() for text in drawing.figure.axes[0].get_yticklabels()]
    assert labels == ["Straight Hair", "Big Lips", "Gray Hair"]
    assert "1 of 3 attributes are better than a single network and 1 worse" in drawing.finding
    packed(drawing)
    with pytest.raises(ValueError, match="attributes"):
        pair_choice.attributes(shared, adversarial[:, :2], NAMES, "")

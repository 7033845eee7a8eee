"""Correlation maps: what is unknown stays unknown, and distances are over the pairs that all models predict."""

import numpy as np
import pytest

from mtlib.figures import sos_maps as draw

NAMES = ["Bald", "Young", "Gray_Hair", "Smiling"]
NAN = float("nan")


def matrix(**pairs):
    """A correlation matrix of four, "ab" for the first two."""
    found = np.eye(4)
    for pair, value in pairs.items():
        i, j = ("abcd".index(letter) for letter in pair)
        found[i, j] = found[j, i] = value
    return found


def lost(found, k):
    found = found.copy()
    found[k] = found[:, k] = NAN
    return found


TRUTH = {"plain": matrix(ab=-0.5, ac=0.4), "balanced": matrix(ab=-0.7, ac=0.6)}
PREDICTED = {
    "CNN8-MT": {"plain": matrix(ab=-0.5, ac=0.1), "balanced": lost(matrix(ab=-0.7), 3)},
    "SOS": {"plain": matrix(ab=-0.4, ac=0.4), "balanced": matrix(ab=-0.1, ac=0.6, cd=0.9)},
}


def test_distances_by_hand_over_the_pairs_that_all_predict():
    plain = draw.distances(TRUTH["plain"], {name: of["plain"] for name, of in PREDICTED.items()})
    assert plain == pytest.approx({"CNN8-MT": (0.3**2 / 6) ** 0.5, "SOS": (0.1**2 / 6) ** 0.5})
    balanced = draw.distances(TRUTH["balanced"], {name: of["balanced"] for name, of in PREDICTED.items()})
    # Three pairs without the last attribute: SOS's error on "cd" does not count, as CNN8-MT has no say there.
    assert balanced == pytest.approx({"CNN8-MT": (0.6**2 / 3) ** 0.5, "SOS": (0.6**2 / 3) ** 0.5})
    assert draw.distances(TRUTH["plain"], {"SOS": np.full((4, 4), NAN)}) == {}


def test_maps_are_reordered_without_diagonal_and_say_who_is_near(checked):
    drawing = checked(draw.maps(TRUTH, PREDICTED, NAMES, [2, 0, 1, 3], "n = 3"))
    shown = drawing.arrays["labels, plain"]
    assert shown[0, 1] == 0.4  # Gray_Hair beside Bald
    assert (np.diag(shown) == 0).all()
    assert "plain: SOS 0.041, CNN8-MT 0.122" in drawing.finding
    assert "CNN8-MT 1" in drawing.alt
    panels = {ax.get_title(loc="center"): ax for ax in drawing.figure.axes}
    assert panels["CNN8-MT, balanced"].get_xlabel() == "hatched: 1 not predicted"
    assert panels["SOS, plain"].get_xlabel() == ""
    names = [label.get_text() for label in panels["labels, plain"].get_yticklabels()]
    assert names == ["Gray Hair", "Bald", "Young", "Smiling"]
    assert "labels, plain" not in drawing.trained
    assert "SOS, plain" in drawing.trained


def test_maps_of_one_kind_and_of_a_model_that_predicts_nothing(checked):
    nothing = {"SOS": {"plain": np.full((4, 4), NAN)}}
    drawing = checked(draw.maps({"plain": TRUTH["plain"]}, nothing, NAMES, range(4), "n = 2"))
    assert "no pair that all predict" in drawing.finding
    assert "SOS 4" in drawing.alt


def test_many_names_are_staggered(checked):
    truth = {"plain": np.eye(22)}
    drawing = checked(draw.maps(truth, {"SOS": truth}, [f"name {k}" for k in range(22)], range(22), "n = 2"))
    ax = drawing.figure.axes[0]
    near, far = ([label.get_text() for label in ax.get_yticklabels(minor=minor)] for minor in (False, True))
    assert near == [f"name {k}" for k in range(0, 22, 2)]
    assert far == [f"name {k}" for k in range(1, 22, 2)]


def test_maps_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"SOS needs a balanced map of \(4, 4\), got nothing"):
        draw.maps(TRUTH, {"SOS": {"plain": np.eye(4)}}, NAMES, range(4), "n = 2")
    with pytest.raises(ValueError, match="order holds each of 0 to 3 once"):
        draw.maps(TRUTH, PREDICTED, NAMES, [0, 0, 1, 2], "n = 2")
    with pytest.raises(ValueError, match="one model or more"):
        draw.ranked(TRUTH, {}, NAMES)
    with pytest.raises(ValueError, match="'weighted' of"):
        draw.ranked(TRUTH, PREDICTED, NAMES, "weighted")


def test_ranked_puts_the_widest_gap_first_and_keeps_what_is_unknown():
    plain = draw.ranked(TRUTH, PREDICTED, NAMES, n=2)
    assert list(plain.columns) == ["pair", "labels", "CNN8-MT", "SOS", "furthest"]
    assert plain.iloc[0].tolist() == ["Bald – Gray Hair", 0.4, 0.1, 0.4, "CNN8-MT"]
    assert plain.iloc[1][["pair", "furthest"]].tolist() == ["Bald – Young", "SOS"]
    balanced = draw.ranked(TRUTH, PREDICTED, NAMES, "balanced")
    assert balanced.iloc[0][["pair", "SOS", "furthest"]].tolist() == ["Gray Hair – Smiling", 0.9, "SOS"]
    assert np.isnan(balanced.iloc[0]["CNN8-MT"])
    assert len(balanced) == 6  # all pairs of four
    nothing = {"SOS": {"plain": np.full((4, 4), NAN)}}
    assert draw.ranked(TRUTH, nothing, NAMES).empty


def test_closeness_names_the_nearest_and_whether_the_next_is_further_seed_by_seed(checked):
    found = {
        "CNN8-MT": {"plain": [0.10, 0.20, 0.30], "balanced": [0.10, 0.20, 0.30]},
        "SOS": {"plain": [0.12, 0.22, 0.32], "balanced": [0.05, 0.30, 0.10]},
    }
    drawing = checked(draw.closeness(found, "n = 3"))
    assert "plain, CNN8-MT is nearest (0.200), then SOS (0.220), further seed by seed" in drawing.finding
    assert "balanced, SOS is nearest (0.150), then CNN8-MT (0.200), not clearly further" in drawing.finding
    assert drawing.arrays["means"] == pytest.approx([0.2, 0.22, 0.2, 0.15])
    assert drawing.figure.axes[0].get_xlim()[0] == 0


def test_closeness_with_missing_seeds_and_one_model(checked):
    found = {"CNN8-MT": {"plain": [0.1, None]}, "SOS": {"plain": [None, 0.2]}, "SOS-SE": {"plain": [NAN, None]}}
    assert "CNN8-MT is nearest (0.100), then SOS (0.200)." in checked(draw.closeness(found, "n = 2")).finding
    uneven = {"CNN8-MT": {"plain": [0.1, 0.2, 0.3]}, "SOS": {"plain": [0.3, 0.4]}}
    assert "seed by seed" not in draw.closeness(uneven, "n = 2").finding  # which seed is missing is not known
    assert "SOS alone was run (0.200)" in checked(draw.closeness({"SOS": {"plain": [0.1, 0.3]}}, "n = 2")).finding

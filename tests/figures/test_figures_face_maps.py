"""Figures of activation maps: hits are those of the pixels, and rows are sorted and counted against both baselines."""

import numpy as np
import pytest

from mtlib.figures import face_maps as draw

MASK = np.zeros((4, 4), bool)
MASK[0, :2] = True  # half of the block of pixels that the first of 2 x 2 places covers
LEFT = np.array([[1.0, 0.5], [-2.0, 0.0]])  # largest at that place
BELOW = np.array([[0.0, 0.0], [0.0, 3.0]])
IMAGES = np.full((2, 3, 4, 4), 128, np.uint8)
NAMES = ["Wearing_Hat", "Bald"]


def test_a_map_is_shown_in_units_of_its_own_largest_size():
    shown = draw.scaled(np.stack([LEFT, BELOW, np.zeros((2, 2))]))
    assert shown[0].tolist() == [[0.5, 0.25], [-1.0, 0.0]]  # the largest size is that of evidence against
    assert shown[1].max() == 1
    assert not shown[2].any()


def test_hits_are_the_share_of_the_largest_places_pixels_that_the_mask_holds():
    whole = np.ones((4, 4), bool)
    found = draw.hits(np.stack([LEFT, BELOW, BELOW, LEFT]), np.stack([MASK, MASK, whole, ~whole]))
    assert found[:3].tolist() == [0.5, 0.0, 1.0]
    assert np.isnan(found[3])  # no pixel, nothing to hit
    assert [draw.verdict(share) for share in found] == ["50 % on it", "miss", "hit", ""]


def test_maps_count_hits_beside_chance(checked):
    masks = np.stack([MASK, ~MASK])
    drawing = checked(draw.maps(IMAGES, np.stack([LEFT, BELOW]), np.stack([BELOW, BELOW]), masks, NAMES, "a network"))
    assert "on the mask: class activation map 1.5; Grad-CAM 1; a place at random would hit 1.0." in drawing.finding
    assert drawing.arrays["class activation map, largest at"].tolist() == [[0.25, 0.25], [0.75, 0.75]]
    assert drawing.arrays["mask's share of the picture"].tolist() == [0.125, 0.875]
    assert drawing.figure.axes[0].get_title(loc="center") == "Wearing\nHat"


def test_a_map_without_evidence_for_the_attribute_frames_no_place():
    drawing = draw.maps(IMAGES, np.stack([LEFT, -BELOW]), None, np.stack([MASK, MASK]), NAMES, "a network")
    below = {ax.get_xlabel(): len(ax.lines) for ax in drawing.figure.axes[2:4]}
    assert below == {"50 % on it": 1, "all against": 0}


def test_maps_that_do_not_fit_are_refused():
    maps, masks = np.stack([LEFT, BELOW]), np.stack([MASK, MASK])
    with pytest.raises(ValueError, match=r"for 2 names images are \(2, 3, H, W\)"):
        draw.maps(IMAGES[:1], maps, None, masks, NAMES, "n = 1")
    with pytest.raises(ValueError, match=r"Grad-CAM is \(2, h, w\) and finite"):
        draw.maps(IMAGES, maps, maps * np.nan, masks, NAMES, "n = 1")
    with pytest.raises(ValueError, match=r"none for \['Bald'\]"):
        draw.maps(IMAGES, maps, None, np.stack([MASK, MASK & False]), NAMES, "n = 1")


def row(score, own, chance, centre):
    return {score: own, "by chance": [chance] * len(own), "centre": [centre] * len(own)}


POINTING = {
    "Male": row("pointing", [0.90, 0.91, 0.92], 0.5, 1.0),  # high, but the centre is always on a face
    "Bald": row("pointing", [0.30, 0.31, None], 0.2, 0.0),
    "Wearing_Hat": row("pointing", [0.60, 0.62, 0.61], 0.2, 0.1),
    "Smiling": row("pointing", [0.00, 0.30, 0.10], 0.1, 0.0),
}


def test_rows_are_sorted_by_the_lead_over_the_better_of_chance_and_centre():
    drawing = draw.localised({"pointing": POINTING}, "3 networks")
    names = [text.get_text() for text in drawing.figure.axes[0].get_yticklabels()]
    assert names == ["Wearing Hat", "Bald", "Smiling", "Male"]
    assert drawing.arrays["pointing, maps"] == pytest.approx([0.61, 0.305, 0.4 / 3, 0.91])
    assert drawing.arrays["pointing, centre"] == pytest.approx([0.1, 0, 0, 1])
    assert "pointing, 2 of 4 clearly above both, 1 clearly below one" in drawing.finding  # Smiling is undecided
    assert "by chance 0.25, of the centre 0.28" in drawing.finding


def test_a_second_score_keeps_the_firsts_rows(checked):
    overlap = {name: row("overlap", [k / 10] * 2, 0.3, 0.0) for k, name in enumerate(sorted(POINTING), 1)}
    drawing = checked(draw.localised({"pointing": POINTING, "overlap": overlap}, "networks"))
    assert drawing.arrays["overlap, maps"] == pytest.approx([0.4, 0.1, 0.3, 0.2])  # Hat, Bald, Smiling, Male


def test_one_network_has_no_intervals(checked):
    one = {"Bald": row("pointing", [0.4], 0.2, 0.1), "Male": row("pointing", [0.4], 0.5, 0.1)}
    assert "1 of 2 above both chance and centre (no intervals)" in draw.localised({"pointing": one}, "one").finding


def test_scores_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="all of the same attributes"):
        draw.localised({"pointing": POINTING, "overlap": {"Bald": row("overlap", [0.1], 0.1, 0.1)}}, "n = 1")
    with pytest.raises(ValueError, match="one score or more"):
        draw.localised({}, "n = 1")
    with pytest.raises(ValueError, match="pointing of Bald needs"):
        draw.localised({"pointing": {"Bald": row("pointing", [None, None], 0.1, 0.1)}}, "n = 1")

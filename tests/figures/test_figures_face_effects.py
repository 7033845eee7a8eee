"""Figures of what moves a logit: shortcuts are counted and named."""

import numpy as np
import pytest

from mtlib.figures.face_effects import effects, suggested

NAMES = ["Hat", "Hair", "Young", "Calm"]
EFFECT = np.array([[2.0, 0.1, 0.3, 0.0], [0.2, 1.0, -1.5, 0.0], [0.0, 0.0, 0.4, 0.0], [0.9, 3.0, 0.0, 0.5]])
MOVERS = np.array([True, True, True, False])


def test_shortcuts_are_counted_and_a_mover_without_pixels_of_its_own_is_not_blamed(checked):
    drawing = checked(effects(EFFECT, NAMES, [2, 0, 1, 3], MOVERS, "n = 5"))
    assert "of the 3 logits whose attribute has pixels of its own, 1 are moved more by another's" in drawing.finding
    assert "Hair moves Young by -1.5" in drawing.finding  # Calm moves Hair by 3, but is no mover
    assert drawing.arrays["effect"][0, 0] == 0.4  # in the order given: Young first
    everyone = checked(effects(EFFECT, NAMES, range(4), np.ones(4, bool), "n = 5"))
    assert "of the 4 logits whose attribute has pixels of its own, 2 are" in everyone.finding


def test_the_scatter_names_the_strongest_and_tells_both_correlations(checked):
    share = np.array([[1.0, 2.0, 0.5, 1.0], [1.5, 3.0, 0.2, 1.0], [0.1, 1.0, 1.0, 1.0], [np.nan] * 4])
    told = {"map's evidence": [0.1, 0.2, 0.3], "number of pixels": [0.4, 0.5, 0.6]}
    drawing = checked(suggested(share, EFFECT, NAMES, ["Young"], MOVERS, told, "n = 3"))
    assert drawing.finding == (
        "n = 3: mean rank correlation with the size of effects 0.20 for the map's evidence, 0.50 for the number of "
        "pixels."
    )
    texts = {text.get_text() for text in drawing.figure.axes[0].texts}
    assert texts == {"Hair", "Hat", "itself"}


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="movers; got"):
        effects(EFFECT[:3], NAMES, range(4), MOVERS, "n = 1")
    with pytest.raises(ValueError, match="each of 0 to 3 once"):
        effects(EFFECT, NAMES, [0, 0, 1, 2], MOVERS, "n = 1")
    with pytest.raises(ValueError, match="chosen logits of"):
        suggested(EFFECT, EFFECT, NAMES, ["Old"], MOVERS, {"x": [0.1]}, "n = 1")

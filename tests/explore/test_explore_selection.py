"""The explorer of chance: what choosing gains where there is nothing to find."""

import pytest

from mtlib.adversarial import best_of
from mtlib.explore import selection
from mtlib.figures import packed

EXPLORER = selection.best_of_noise()


def test_every_control_steps():
    for name, values in EXPLORER.controls.items():
        for value in (values[0], values[-1]):
            drawing = EXPLORER.draw(**{**EXPLORER.start, name: value})
            assert drawing.id == "explore-chance"
            packed(drawing)
    assert all(len(label) <= 18 for label in EXPLORER.labels.values())


def test_one_try_gains_nothing_and_five_gain_what_theory_says():
    assert EXPLORER.draw(noise=0.1, tries=1, lasting=0.5).arrays["means"] == pytest.approx([0, 0], abs=2e-3)
    found = EXPLORER.draw(noise=0.1, tries=5, lasting=0.5).arrays["means"]
    assert found == pytest.approx([0.1 * best_of(5), 0.05 * best_of(5)], abs=3e-3)
    assert EXPLORER.draw(noise=0.1, tries=5, lasting=0.0).arrays["means"][1] == pytest.approx(0, abs=2e-3)
    lasts = EXPLORER.draw(noise=0.1, tries=5, lasting=1.0).arrays["means"]
    assert lasts[0] == pytest.approx(lasts[1])


def test_the_finding_counts_papers():
    drawing = EXPLORER.draw(noise=0.3, tries=39, lasting=0.0)
    assert drawing.arrays["as much on validation"] == [1]
    assert "100 % of such papers would print +0.13 or more" in drawing.finding

"""Every callback of notebook 01's explorers, along every control and at every corner of its grid."""

from itertools import product

import pytest

from mtlib import explore, figures
from mtlib.explore import sos as explorers


@pytest.fixture
def walk(monkeypatch):
    """walk(explorer) -> what is drawn at every value of every control, and where all are at one of their ends."""

    def walk(explorer):
        monkeypatch.setattr(explore, "MOST", 0)  # no combinations: the other controls stay at the start
        ends = product(*((values[0], values[-1]) for values in explorer.controls.values()))
        corners = (dict(zip(explorer.controls, corner, strict=True)) for corner in ends)
        drawings = [(at, explorer.draw(**at)) for at in (*explorer.grid(), *corners)]
        for _, drawing in drawings:
            figures.packed(drawing)  # refuses what is not finite
        return drawings

    return walk


def test_templates_over_the_grid(walk):
    explorer = explorers.templates()
    assert len(list(explorer.grid())) == 2 * 13 * 6 * 2
    assert len(walk(explorer)) == (1 + 1 + 12 + 5 + 1) + 2**4


def test_overlaps_by_hand():
    def overlap(*at):
        return explorers.slide(*at).arrays["overlap"][0]

    for template in ("ring", "band"):
        assert overlap(template, -0.25, 0.25, 0.1) == 1.0  # the template on itself
        assert 0.4 < overlap(template, -0.25, 0.25, 0.2) < 0.6  # twice as wide
    assert overlap("ring", 0.75, 0.15, 0.1) == 0.0  # far away
    # Rings of radius 0.25, centres half a unit apart: set 9, touching from outside, overlapping by 0.08.
    assert overlap("ring", 0.25, 0.25, 0.1) == pytest.approx(0.077, abs=0.01)


def test_training_over_the_grid(walk):
    explorer = explorers.training(steps=2)
    assert len(list(explorer.grid())) == 10 * 3 * len(explorers.LAMBDAS) ** 2
    drawings = walk(explorer)
    assert {at["number"] for at, _ in drawings} == set(range(1, 11))
    for at, drawing in drawings:
        assert drawing.finding.startswith(f"{at['model']} on set {at['number']}")
        assert all(0 <= score <= 1 for score in drawing.arrays["accuracy"])


def test_the_weights_reach_sos_and_nothing_else():
    draw = explorers.training(steps=150, rate=0.02).draw

    def score(model, soft, game):
        return draw(3, model, soft, game).arrays["accuracy"]

    assert score("MT", 0.0, 0.0) == score("MT", 1.0, 1.0)
    assert len({tuple(score("SOS", *weights)) for weights in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))}) == 3


def test_the_finding_names_the_commoner_answer():
    twice_as_wide = explorers.slide("ring", -0.25, 0.25, 0.2)  # task 2 holds all of task 1: yes is commoner
    assert "always 'yes'" in twice_as_wide.finding
    assert "Always answering 'no'" in twice_as_wide.finding

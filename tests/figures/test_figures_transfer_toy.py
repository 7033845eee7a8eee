"""The figures of transfer on the plane show the gains that they are given, and say what these say."""

import pandas as pd
import pytest

from mtlib.experiments import transfer_toy as transfer
from mtlib.figures import transfer_toy as figures

REVERSED = "adversarial 0.1"


def rows(places, gain, seeds=(0, 1, 2)):
    """Sharing gains ``gain(overlap)`` and the adversary loses half of it, with a little noise."""
    found = []
    for place in places:
        for main in (0, 1):
            for seed in seeds:
                own = gain(transfer.overlap(place)) + 0.05 * seed
                for arm, more in ((transfer.SINGLE, 0.0), (transfer.SHARED, own), (REVERSED, -own / 2)):
                    score = 80.0 + seed + more
                    scores = dict.fromkeys(("test", "validation", "balanced", "partner"), score)
                    found.append({"place": place, "main": main, "arm": arm, "seed": seed, **scores, "frozen": None})
    return pd.DataFrame(found)


def test_sets_stand_by_overlap(checked):
    own = rows(transfer.MODES["sets"], lambda overlap: 8 * overlap - 1)
    drawing = checked(figures.sets(own, stamp="Record, n = 3"))
    overlaps = drawing.arrays["overlap"]
    assert overlaps == sorted(overlaps, reverse=True)
    means = drawing.arrays["sharing with the partner: means"]
    assert means == pytest.approx([8 * overlap - 1 + 0.05 for overlap in overlaps])
    assert drawing.finding.startswith("Record, n = 3: ")
    assert "sharing with the partner clearly gains in set 1, set 2, set 7 and clearly loses in set 3" in drawing.finding
    assert len(drawing.figure.axes[0].child_axes) == 10  # one small drawing for each


def test_one_set_is_enough_for_a_demonstration(checked):
    drawing = checked(figures.sets(rows(("set 3",), lambda overlap: 1.0), (transfer.SHARED,)))
    assert "clearly loses in none" in drawing.finding


def test_slides_run_from_one_on_the_other_to_apart(checked):
    drawing = checked(figures.slides(rows(transfer.MODES["slide"], lambda overlap: 4 * overlap - 1)))
    assert drawing.arrays["overlap of bands"][0] == 1
    assert drawing.arrays["overlap of bands"][-2:] == [0, 0]
    assert drawing.arrays["overlap of rings"][-1] == 0  # the complement
    assert drawing.arrays["bands, sharing with the partner: means"][0] == pytest.approx(3.05)
    assert drawing.arrays["bands, blind to the partner (λ = 0.1): means"][0] == pytest.approx(-3.05 / 2)
    assert "rings +3.0 at overlap 1.00" in drawing.finding or "rings +3.1 at overlap 1.00" in drawing.finding
    ticks = [[tick.get_text() for tick in ax.get_xticklabels()] for ax in drawing.figure.axes[2:4]]
    assert ticks[0][-2:] == ["0.00\napart", "0\ncomplement"]
    assert ticks[1][-2:] == ["0.00\ntouching", "0.00\napart"]


def test_one_slide_of_few_places_and_one_seed(checked):
    drawing = checked(figures.slides(rows(("rings 0", "rings 0.5"), lambda overlap: 4 * overlap - 1, seeds=(0,))))
    assert drawing.arrays["rings, sharing with the partner: means"] == pytest.approx([3, -1])


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="sets: there is no row of set 1, set 2"):
        figures.sets(rows(("rings 0",), lambda overlap: 1.0))
    with pytest.raises(ValueError, match="slide: there is no row of rings 0"):
        figures.slides(rows(("set 3",), lambda overlap: 1.0))
    with pytest.raises(ValueError, match="gains need rows of 'adversarial 1'"):
        figures.sets(rows(("set 3",), lambda overlap: 1.0), ("adversarial 1",))

"""The explorer of partners: what was picked on validation data, and what test data say of it."""

import pytest

from mtlib.explore import pair_search
from mtlib.figures import packed
from tests.experiments.test_pair_choice import found

NAMES = ("Big_Lips", "Straight_Hair", "Gray_Hair")
EXPLORER = pair_search.partners([found(0), found(7)], NAMES)


def test_every_place_of_the_sliders():
    for values in EXPLORER.grid():
        drawing = EXPLORER.draw(**values)
        assert drawing.id == "explore-partners"
        packed(drawing)
    assert EXPLORER.controls["rank"] == (1, 2)


def test_the_worst_partner_by_hand():
    """Attribute 3 loses 4 points by attribute 1 on validation data, and none on test data."""
    drawing = EXPLORER.draw(attribute="Gray Hair", rank=1, seed=7)
    assert drawing.arrays["picked"] == pytest.approx([-4, 0])
    assert drawing.arrays["worst by chance"] == pytest.approx([-1, 0])  # run 5
    assert drawing.finding.startswith(
        "Big Lips, number 1 from the worst on validation data (-4.00 points), gives +0.00"
    )
    assert EXPLORER.draw(attribute="Gray Hair", rank=2, seed=7).arrays["picked"] == pytest.approx([-1, -5])


@pytest.mark.parametrize(("seeds", "names"), [([], NAMES), ([found()], NAMES[:2])])
def test_seeds_that_do_not_fit_are_refused(seeds, names):
    with pytest.raises(ValueError, match="partners"):
        pair_search.partners(seeds, names)

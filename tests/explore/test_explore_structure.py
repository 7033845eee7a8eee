"""The explorer of learned edges: from a few to all as beta grows, counted against the truth."""

import numpy as np
import pytest

from mtlib.explore.structure import edges

PLACES = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 5.2])
Z = (PLACES[:, None] - PLACES) ** 2
SAME = (PLACES[:, None] < 1) == (PLACES < 1)
TRUTH = SAME & ~np.eye(6, dtype=bool)
NAMES = list("abcdef")


def test_edges_are_counted_from_a_few_to_all():
    explorer = edges(Z, NAMES, TRUTH, (0.001, 0.3, 100.0))
    assert explorer.controls == {"beta": (0.001, 0.3, 100.0)}
    drawings = [explorer.draw(**values) for values in explorer.grid()]
    assert [drawing.arrays["beta"] for drawing in drawings] == [[0.001], [0.3], [100.0]]
    right, wrong = drawings[0].arrays["true edges"], drawings[0].arrays["wrong edges"]
    assert right.tolist()[1:] == [6, 6]  # all pairs within two groups of three
    assert wrong.tolist()[1:] == [0, 9]
    assert "6 edges, 6 of them true (100 %; chance 40 %), which are 6 of all 6 true ones" in drawings[1].finding


def test_what_is_no_graph_is_refused():
    with pytest.raises(ValueError, match="squared distances must be"):
        edges(Z[:2], NAMES, TRUTH)
    with pytest.raises(ValueError, match="three tasks or more"):
        edges(Z[:2, :2], NAMES[:2], TRUTH[:2, :2])

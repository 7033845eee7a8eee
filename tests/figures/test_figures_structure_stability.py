"""Edges that last over seeds: counted, and compared with chance."""

import pytest

from mtlib.figures.structure_stability import lasting

FOUND = {
    "0.1": {"every seed": {"edges": 4, "true": 3}, "some seeds": {"edges": 10, "true": 2}},
    "10": {"every seed": {"edges": 60, "true": 12}, "some seeds": {"edges": 0, "true": 0}},
}


def test_the_finding_compares_both_kinds_where_most_edges_are_unsure(checked):
    drawing = checked(lasting(FOUND, 0.2, 60, "Record, n = 5"))
    assert drawing.arrays["edges"].tolist() == [[4, 60], [10, 0]]
    assert drawing.arrays["true"].tolist() == [[3, 12], [2, 0]]
    assert drawing.finding == (
        "Record, n = 5: at β = 0.1, 4 edges are there with every seed (75 % true) and 10 edges are there with some "
        "seeds (20 % true); chance is 20 %."
    )


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="betas above 0"):
        lasting({}, 0.2, 60, "n = 5")
    with pytest.raises(ValueError, match="every seed, some seeds"):
        lasting({0.1: {"every seed": {"edges": 1, "true": 1}}}, 0.2, 60, "n = 5")

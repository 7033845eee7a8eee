"""Rows of dots: few seeds, missing seeds, and intervals longer than the axis."""

import pytest

from mtlib.claims import interval
from mtlib.figures import dots, new

NAN = float("nan")


def axis(low=-1.0, high=1.0):
    ax = new(4, 2).subplots()
    ax.set(xlim=(low, high), ylim=(low, high))
    return ax


def test_known_leaves_out_what_is_missing():
    assert dots.known([1, None, NAN, float("inf"), -2.0]) == [1.0, -2.0]


def test_counted_says_where_groups_differ():
    assert dots.counted([[1, 2, 3], [4, 5, 6]]) == "n = 3"
    assert dots.counted([[1, 2, None], [4, 5, 6]]) == "n = 2 to 3"
    assert dots.counted([]) == "n = 0"


def test_beyond_counts_whole_intervals_on_either_side():
    sure, unsure = [1.0, 1.1, 1.2], [-1.0, 1.0, 0.5]
    assert dots.beyond([sure, unsure, [-x for x in sure], [5.0]]) == (1, 1)  # one value has no interval
    assert dots.beyond([sure], at=2.0) == (0, 1)


def test_limits_hold_all_dots_but_not_an_interval_of_two_seeds():
    low, high = dots.limits([[0.0, 1.0]])
    assert interval([0.0, 1.0]).low < low < 0 < 1 < high < interval([0.0, 1.0]).high
    low, high = dots.limits([[0.9, 1.0, 1.1]], 0)
    assert low < 0
    assert high > interval([0.9, 1.0, 1.1]).high  # short enough to be drawn whole
    low, high = dots.limits([])
    assert low < high


def test_spread_draws_seeds_bar_and_mean_and_gives_the_interval():
    ax = axis()
    found = dots.spread(ax, 0, [0.1, 0.2, None, 0.3], "k")
    assert found == interval([0.1, 0.2, 0.3])
    bar, seeds, mean = ax.lines
    assert list(bar.get_xdata()) == [found.low, found.high]
    assert list(seeds.get_xdata()) == [0.1, 0.2, 0.3]
    assert list(mean.get_xdata()) == pytest.approx([0.2])


def test_an_interval_beyond_the_axis_ends_in_arrows_and_the_legend_says_so():
    ax = axis()
    dots.spread(ax, 0, [0.1, 0.5], "k")
    arrows = [line for line in ax.lines if line.get_gid() == dots.CUT]
    assert [line.get_xdata()[0] for line in arrows] == [-1, 1]
    dots.key(ax.figure)
    assert any("arrow" in text.get_text() for text in ax.figure.legends[0].get_texts())
    whole = axis()
    dots.spread(whole, 0, [0.1, 0.2, 0.3], "k")
    dots.key(whole.figure, {"printed": whole.lines[0]})
    names = [text.get_text() for text in whole.figure.legends[0].get_texts()]
    assert names == ["printed", "one seed", "mean, 95 % interval"]


def test_one_value_is_a_dot_and_none_is_nothing():
    ax = axis()
    assert dots.spread(ax, 0, [0.4], "k") is None
    assert len(ax.lines) == 1
    assert dots.spread(ax, 1, [None, NAN], "k") is None
    assert len(ax.lines) == 1


def test_upright_rows_go_up():
    ax = axis()
    dots.spread(ax, 0.5, [0.1, 0.2, 0.3], "k", upright=True)
    assert list(ax.lines[1].get_ydata()) == [0.1, 0.2, 0.3]
    assert set(ax.lines[0].get_xdata()) == {0.5}


def test_every_model_has_a_colour_and_a_marker_of_its_own():
    models = ["CNN8-MT", "SOS", "SOS-SE", "mine", "yours"]
    looks = [dots.look(model, models) for model in models]
    assert len({colour for colour, _ in looks}) == len({marker for _, marker in looks}) == 5


@pytest.mark.parametrize("sizes", [[10.7], [1.4, 4.8, 10.7], [0.03, 900], []])
def test_millions_has_ticks_whatever_the_sizes(sizes):
    ax = axis()
    dots.millions(ax, sizes)
    low, high = ax.get_xlim()
    assert high / low >= 9.99
    assert all(low < size < high for size in sizes)
    assert len(ax.get_xticks()) >= 3

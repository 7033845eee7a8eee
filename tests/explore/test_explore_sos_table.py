"""The callback of notebook 01b's explorer, over its grid."""

import pytest

from mtlib.claims import interval
from mtlib.explore.sos_table import PAIRS, few_seeds

SAMPLES = {f"{where}/{pair}": [1.0, 2.0, 4.0] for where in ("set 8", "average") for pair in PAIRS}
SAMPLES |= {"overlap/MT-ST": [1.0, 2.0, 3.0], "average/SOS-without all": [1.0, 2.0], "set 8/MT-ST": [-1.0, -2.0, -4.0]}


def test_few_seeds_over_the_grid():
    explorer = few_seeds(SAMPLES)
    assert explorer.controls["where"] == ("set 8", "average")
    assert explorer.controls["n"] == (2, 3)
    for at in explorer.grid():
        if at["again"] > 1:  # other seeds, the same picture
            continue
        drawing = explorer.draw(**at)
        mean, low, high = drawing.arrays["mean and ends"]
        assert low < mean < high
        assert f"With these {at['n']} seeds" in drawing.finding


def test_the_whole_is_the_interval_of_all_seeds_whatever_was_drawn():
    draw = few_seeds(SAMPLES).draw
    whole = interval([1.0, 2.0, 4.0])
    for again in range(10):
        assert draw("average", "SOS-MT", 3, again).arrays["mean and ends"] == pytest.approx(
            [whole.mean, whole.low, whole.high]
        )
    assert len({tuple(draw("average", "SOS-MT", 2, again).arrays["mean and ends"]) for again in range(10)}) > 1


def test_it_says_who_is_better_or_that_nothing_is_decided():
    sure = {f"set 3/{pair}": [2.0, 2.1, 2.2] for pair in PAIRS} | {"set 3/MT-ST": [-2.0, -2.1, -2.2]}
    draw = few_seeds(sure).draw
    assert "SOS is better" in draw("set 3", "SOS-MT", 3, 0).finding
    assert "ST is better" in draw("set 3", "MT-ST", 3, 0).finding
    assert "nothing decided" in few_seeds(SAMPLES).draw("average", "SOS-MT", 3, 0).finding

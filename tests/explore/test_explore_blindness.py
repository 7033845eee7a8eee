"""The explorer of blindness: every lambda of every pair, and who is said to see."""

import pytest

from mtlib.experiments.blindness import LADDER, PAIRS, WEIGHTS
from mtlib.explore import blindness
from mtlib.figures import packed


def row(pair, weight, seed):
    same = {"main": pair[0], "partner": pair[1], "arm": WEIGHTS[weight], "seed": seed, "diverged": None, "floor": 70.0}
    read = {"linear probe": 82 - 14 * weight, "MLP probe": 83 - 4 * weight, "adversary": 80 - 30 * weight}
    return same | {name: value + 0.5 * seed for name, value in read.items()} | {"accuracy": 90 - 2 * weight + seed}


ROWS = [row(pair, weight, seed) for pair in LADDER for weight in WEIGHTS for seed in (0, 1)]


def test_every_control_steps():
    explorer = blindness.weights(ROWS)
    assert explorer.controls["weight"] == tuple(WEIGHTS)
    assert explorer.controls["pair"] == ("Smiling | Mouth open", "Male | Lipstick")
    for values in explorer.grid():
        drawing = explorer.draw(**values)
        assert drawing.id == "explore-blindness"
        assert drawing.alt
        packed(drawing)


def test_who_is_fooled_and_who_sees():
    explorer = blindness.weights(ROWS)
    pair = explorer.start["pair"]
    after = explorer.draw(pair=pair, weight=1)
    assert after.arrays["read"] == [50.25, 68.25, 79.25]
    assert "own adversary 50.2 % (-30.0), linear probe 68.2 % (-14.0), MLP probe 79.2 % (-4.0)" in after.finding
    assert "More than the main label tells is seen by: MLP probe." in after.finding
    assert "Accuracy of the main attribute 88.5 % (-2.0); n = 2." in after.finding
    before = explorer.draw(pair=pair, weight=0)
    assert "seen by: own adversary, linear probe, MLP probe." in before.finding


def test_a_pair_with_fewer_weights_shows_the_nearest():
    rows = [*ROWS, row(PAIRS[5], 0, 0), row(PAIRS[5], 1, 0)]
    explorer = blindness.weights(rows)
    name = explorer.controls["pair"][-1]
    assert "λ = 0, " in explorer.draw(pair=name, weight=0.3).finding
    assert "n = 1" in explorer.draw(pair=name, weight=1).finding


def test_every_pair_has_a_name_that_fits_beside_its_slider():
    rows = [row(pair, weight, 0) for pair in PAIRS for weight in (0, 1)]
    assert len(set(blindness.weights(rows).controls["pair"])) == len(PAIRS)


def test_rows_without_a_ladder_are_refused():
    with pytest.raises(ValueError, match="two lambdas or more"):
        blindness.weights([row(PAIRS[0], 0, 0)])

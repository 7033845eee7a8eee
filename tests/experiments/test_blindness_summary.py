"""What rows of blindness say, from rows made by hand: pairing, means over pairs, ladders and forms."""

import json

import pytest

from mtlib.experiments import blindness_summary as summary
from mtlib.experiments.blindness import AFTER, ARMS, BEFORE, FORMS, LADDER, PAIRS, WEAK, WEIGHTS

SCORES = ("linear probe", "MLP probe", "floor")


def row(pair, arm, seed, linear=80.0, mlp=82.0, **others):
    same = {"accuracy": 90.0, "balanced": 89.0, "adversary": 75.0, "floor": 70.0, "logit": 71.0, "moved": -0.5}
    same |= {"mass partner": 4.0, "mass own": 30.0, "area partner": 2.0, "area own": 20.0}
    same |= {"plain": 88.0, "do 0": 80.0, "do 1": 86.0, "diverged": None, "size": 32, "data": "drawn_faces"}
    named = {"main": pair[0], "partner": pair[1], "arm": arm, "seed": seed}
    return named | same | {"linear probe": linear, "MLP probe": mlp} | others


ROWS = [
    row(PAIRS[0], BEFORE, 0),
    row(PAIRS[0], AFTER, 0, 70.0, 79.0, moved=0.25),
    row(PAIRS[0], BEFORE, 1, 82.0),
    row(PAIRS[0], AFTER, 1, 76.0, 80.0),
    row(PAIRS[5], BEFORE, 0, 60.0),
    row(PAIRS[5], AFTER, 0, 58.0),
    row(PAIRS[5], BEFORE, 1, 60.0),
    row(PAIRS[5], AFTER, 1, **{"diverged": "step 3"}),
]


def test_a_change_is_paired_by_seed_and_leaves_out_what_diverged():
    assert summary.change(ROWS, PAIRS[0], "linear probe") == {0: -10, 1: -6}
    assert summary.change(ROWS, PAIRS[5], "linear probe") == {0: -2}
    assert summary.change(ROWS, PAIRS[1], "linear probe") == {}
    assert summary.pairs(ROWS) == [PAIRS[0], PAIRS[5]]
    assert summary.arms(ROWS) == [BEFORE, AFTER]


def test_means_of_pairs_need_the_seed_in_all_of_them():
    found = summary.samples(ROWS)
    assert found["linear probe, after minus before, mean of pairs"] == [-6]  # seed 1 diverged for a pair
    assert found["linear probe, after minus before, mean of tied pairs"] == [-10, -6]
    assert found["linear probe, after minus before, mean of untied pairs"] == [-2]
    assert found["MLP minus linear probe, after, mean of tied pairs"] == [9, 4]
    assert found["linear probe minus own adversary, after, mean of tied pairs"] == [-5, 1]
    assert found["linear probe minus main logit, after, mean of tied pairs"] == [-1, 5]
    assert found["logit moved by do, after minus before, mean of tied pairs"] == [-0.25, 0]  # of sizes
    assert found["accuracy of the main attribute, after minus before, mean of pairs"] == [0]
    assert found["linear probe, after minus before, Smiling | Mouth Slightly Open"] == [-10, -6]  # each pair by itself
    assert summary.samples([]) == {}


def test_a_score_that_is_missing_is_left_out():
    rows = [row(PAIRS[0], BEFORE, 0, **{"mass partner": None}), row(PAIRS[0], AFTER, 0)]
    assert summary.change(rows, PAIRS[0], "map on the partner") == {}
    assert summary.before_after(rows, ["map on the partner"]) == {}


def test_tables_have_a_line_per_pair():
    table = summary.compared(ROWS, SCORES)
    assert list(table.index) == ["Smiling | Mouth Slightly Open", "Straight Hair | Big Lips"]
    first = table.iloc[0]
    assert (first["n"], first["linear probe, before"], first["linear probe, after"]) == (2, "81.0", "73.0")
    assert first["linear probe, change"].startswith("-8.00 [")
    assert summary.before_after(ROWS, SCORES)["Straight Hair | Big Lips"]["linear probe"] == ([60.0], [58.0])


def test_forms_and_ladders_are_of_the_pairs_that_have_them():
    rows = ROWS + [row(LADDER[0], arm, seed) for arm in ARMS if arm not in (BEFORE, AFTER) for seed in (0, 1)]
    table = summary.forms(rows, ["linear probe"])
    assert list(table.index) == [("Smiling | Mouth Slightly Open", arm) for arm in (BEFORE, AFTER, *FORMS)]
    assert summary.forms(ROWS, ["linear probe"]).empty
    found = summary.ladder(rows, ["linear probe"])
    # A pair with two lambdas has a ladder of two.
    assert {name: list(own) for name, own in found.items()} == {
        "Smiling | Mouth Slightly Open": list(WEIGHTS),
        "Straight Hair | Big Lips": [0, 1],
    }
    assert found["Smiling | Mouth Slightly Open"][1]["linear probe"] == [70, 76]
    assert WEAK in summary.arms(rows)
    more = [*rows, row(LADDER[0], BEFORE, 7, 99.0)]  # a seed that has no other lambda
    assert summary.ladder(more, ["linear probe"]) == found


def test_a_record_says_the_same():
    kept = json.loads(json.dumps(summary.to_record([row(PAIRS[0], AFTER, 0, 70.12345678)])))
    assert kept[0]["linear probe"] == pytest.approx(70.1235)
    assert "size" not in kept[0]
    assert summary.samples(json.loads(json.dumps(summary.to_record(ROWS)))) == summary.samples(ROWS)

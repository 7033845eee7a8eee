"""What is said of rows of coupling networks: tables, gains, places of the map, sizes, by hand from made-up rows."""

import pytest

from mtlib import claims
from mtlib.experiments import coupling_summary as summary
from mtlib.experiments import dm_printed
from mtlib.experiments.coupling_arms import ARMS, MAP, NC, SIZES, C, at

# Accuracy of expressions and AFA of units; a seed adds its number.
SCORES = {"ST expression": (40, None), "ST action units": (None, 55), NC: (42, 50), "S-T NC": (41, 51)}
SCORES |= {C["study"]: (48, 56), C["database"]: (45, 54)}


def row(arm, seed, expression, units):
    found = {"arm": arm, "seed": seed, "diverged": None}
    if expression is not None:
        found["expression"] = {"accuracy": expression + seed}
    if units is not None:
        found["units"] = {"AFA": units + seed * 0.5}
    return found


@pytest.fixture
def rows():
    made = [row(arm, seed, *scores) for seed in (0, 1, 2) for arm, scores in SCORES.items()]
    for arm in ARMS:
        if arm in SCORES:
            continue
        loss = 3 * ARMS[arm].wrong + (2 if ARMS[arm].relations is None else 0)
        learned = {"both": (47 - loss, 55 - loss), "expression": (39, None), "action_units": (None, 54)}
        made += [row(arm, seed, *learned[ARMS[arm].learns]) for seed in (0, 1, 2)]
    return made


def test_single_task_is_another_network_for_each_task(rows):
    gains = summary.gains(rows, ["ST", C["study"]])
    assert gains["expression"] == {"ST": [-2.0] * 3, C["study"]: [6.0] * 3}
    assert gains["units"] == {"ST": [5.0] * 3, C["study"]: [6.0] * 3}


def test_table_2_has_the_printed_range_beside_ours(rows):
    found = summary.table2(rows, dm_printed.gains("ST"))
    assert list(found.index) == ["ST", NC, "S-T NC", *C.values()]
    assert found.loc[NC, "expressions: to ST"] == "+2.00 [+2.00, +2.00]"
    assert found.loc[NC, "expressions: to ST, printed"] == "-2.4 to -1.7"
    assert found.loc["ST", "action units: AFA (%)"].startswith("55.50 [")
    assert found.loc["ST", "action units: to ST"] == "–"


def test_negative_transfer_counts_seeds_that_are_worse_in_any_task(rows):
    found = summary.negative_transfer(rows)
    assert found.loc[NC].tolist() == [3, 0, 3, 3]
    assert found.loc[C["study"]].tolist() == [3, 0, 0, 0]
    assert found.loc[C["database"], "any of the two"] == 3


def test_every_place_of_the_map_is_compared_at_its_own_overlap(rows):
    found = summary.surface(rows, "expression")
    assert list(found) == [0.0, 0.25, 0.5, 1.0]
    assert found[0.0][0.0] == [6.0] * 3
    assert found[0.5][1.0] == [-1.0] * 3  # 3 for what is wrong, 2 of no coupling
    assert summary.surface([one for one in rows if one["arm"] != at(0.5, 1.0)], "units") == {}


def test_sizes_are_in_images(rows):
    found = summary.sizes(rows, 2048)
    assert list(found) == ["few expressions", "few action units"]
    assert list(found["few expressions"]["expression"][NC]) == ["128", "512", "2048"]
    assert found["few expressions"]["expression"]["ST"]["128"] == [39, 40, 41]
    assert found["few expressions"]["units"]["ST"]["128"] == found["few expressions"]["units"]["ST"]["2048"]
    assert summary.sizes([one for one in rows if one["arm"] not in SIZES], 2048) == {}


def test_every_claim_has_its_samples(rows):
    found = summary.samples(rows)
    assert {claim.key for claim in claims.load("dm").claims} <= set(found)
    assert found["C (study) minus ST, units"] == [1.0] * 3
    assert found["wrong 1 minus NC, expression"] == [2.0] * 3  # 47 - 3 minus 42
    assert found["gain at overlap 0 minus at overlap 1, expression"] == [4.0] * 3


def test_what_was_not_trained_is_left_out(rows):
    few = [one for one in rows if one["arm"] in (NC, C["study"]) or one["arm"].startswith("ST")]
    found = summary.samples(few)
    assert "S-T NC minus NC, expression" not in found
    assert found["NC minus ST, expression"] == [2.0] * 3
    assert set(summary.readings(few)["units"]) == {C["study"]}
    assert "S-T NC" not in summary.ablation(few)["units"]


def test_the_scoreboard_has_both_baselines(rows):
    found = summary.scoreboard(rows)
    assert found["C (study) over NC, units"]["mean"] == 6.0
    assert found["NC over ST, expression"]["n"] == 3


def test_every_arm_of_the_map_has_its_place():
    assert {at(o, w) for o in (0.0, 0.25, 0.5, 1.0) for w in (None, 0.0, 0.35, 0.7, 1.0)} == {*MAP, NC, C["study"]}

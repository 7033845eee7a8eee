"""What rows say, on rows made up by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from mtlib import claims
from mtlib.experiments import face_summary, face_table
from mtlib.faces.names import ATTRIBUTES


def row(arm, seed, accuracy, **more):
    base = {"arm": arm, "seed": seed, "data": "drawn_faces", "size": 32, "diverged": None, "made by": "a test"}
    base |= {"accuracy": accuracy, "balanced": accuracy - 20, "by attribute": [accuracy] * 40}
    base |= {"parameters": [10, 30], "multiply-adds": 100}
    for kind in ("plain", "balanced"):
        base |= {f"map {kind}": [0.5] * 780, f"truth {kind}": [0.1] * 780, f"distance {kind}": 0.4}
    return base | more


def probes(common, own, others):
    matrix = np.full((41, 40), others)
    matrix[0] = common
    matrix[1 + np.arange(40), np.arange(40)] = own
    return {"probes": matrix.tolist(), "known": {"common": common, "own": own, "others": others}}


@pytest.fixture
def rows():
    return [
        row("MT", 0, 80.0),
        row("MT", 1, 81.0),
        row("SOS", 0, 82.0, **probes(0.6, 0.9, 0.7), **{"distance plain": 0.3, "map plain": [0.3] * 779 + [None]}),
        row("SOS", 1, 82.0, **probes(0.5, 0.9, 0.7)),
        row("SOS, (4)–(5)", 0, 81.5, **probes(0.8, 0.8, 0.7)),
        row("SOS, SGD, λ = 0.5", 0, 70.0),
        {"arm": "SOS, SGD, λ = 0.5", "seed": 1, "diverged": "step 2", "data": "drawn_faces", "size": 32},
    ]


def test_differences_are_paired_by_seed_and_leave_out_what_diverged(rows):
    found = face_summary.differences(rows)
    assert found == {"SOS, (4)–(5)": [1.5], "SOS": [2.0, 1.0], "SOS, SGD, λ = 0.5": [-10.0]}


def test_every_claim_names_an_estimate_that_rows_of_all_arms_give():
    everything = [
        row(arm, seed, 80.0, **(probes(0.6, 0.9, 0.7) if arm != "MT" else {}))
        for arm in face_table.ARMS
        for seed in (0, 1)
    ]
    keys = set(face_summary.samples(everything))
    assert {claim.key for claim in claims.load("sos_attributes").claims} <= keys


def test_estimates_by_hand(rows):
    found = face_summary.samples(rows)
    assert found["SOS-MT"] == [2.0, 1.0]
    assert found["probe/own-others, SOS"] == pytest.approx([20, 20])
    assert found["probe/game empties common"] == pytest.approx([20])  # of the one seed that both have
    assert found["map plain/SOS-MT"] == pytest.approx([10, 0])
    assert "SOS-SE-MT" not in found


def test_the_printed_differences_are_the_tables():
    ours, theirs = face_summary.ablation([row("MT", 0, 80.0), row("SOS", 0, 81.0)])
    assert ours == {"+ (7): all": [1.0]}
    assert theirs["+ (7): all"] == pytest.approx(1.67)
    assert theirs["SOS(512, 32)"] == pytest.approx(0.55)
    assert len(theirs) == 9


def test_printed_claims_agree_with_the_printed_table():
    table = face_summary.printed().drop_duplicates("arm").set_index("arm")["accuracy"]
    rules = claims.load("sos_attributes")
    for first, second in (*face_summary.STEPS, ("SOS", "MT"), ("SOS, no terms", "MT")):
        (claim,) = [each for each in rules.claims if each.key == f"{first}-{second}"]
        assert claim.printed == pytest.approx(table[first] - table[second])


def test_table_two_in_words(rows):
    table = face_summary.table2(rows)
    assert table.loc["MT", "to the baseline"] == "–"
    assert table.loc["SOS", "n"] == 2
    assert table.loc["SOS, (4)–(5)", "to the baseline"] == "+1.50"  # one seed: no interval
    assert table.loc["SOS", "to the baseline"].startswith("+1.50 [")


def test_a_record_gives_back_what_was_gathered(rows):
    evidence = face_summary.gather(rows)
    assert all("probes" not in each for each in evidence.rows)
    assert math.isnan(evidence.maps["SOS"]["plain"][38, 39])  # one seed's network never predicts one of them
    back = face_summary.from_record(face_summary.to_record(evidence))
    assert back.rows == evidence.rows
    np.testing.assert_allclose(back.maps["SOS"]["plain"], evidence.maps["SOS"]["plain"], atol=1e-4)
    np.testing.assert_allclose(back.probes["SOS"], evidence.probes["SOS"], atol=1e-4)
    assert back.truth["plain"][0, 1] == pytest.approx(0.1)


def test_rates_pair_adam_with_sgd_on_the_same_seeds(rows):
    found = face_summary.rates(rows)
    assert found == {"Adam": {0.05: [82.0, 82.0]}, "SGD": {0.5: [70.0, None]}}


def test_settings_leave_out_the_variants(rows):
    found = face_summary.settings(rows)
    assert [(each["common"], each["specific"], each["lambda"]) for each in found] == [(512, 32, 0), (512, 32, 0.05)]
    assert found[1]["probes"]["common"] == pytest.approx(0.55)


def test_every_attribute_has_its_difference(rows):
    found = face_summary.per_attribute(rows, "SOS")
    assert list(found) == list(ATTRIBUTES)
    assert found["Male"] == [2.0, 1.0]


def test_the_scoreboard_has_gain_and_cost(rows):
    board = face_summary.scoreboard(rows)
    assert board["SOS"]["gain over MT"]["mean"] == pytest.approx(1.5)
    assert board["SOS"]["multiply-adds over MT"] == 1
    assert set(board) == {"SOS"}


def test_text_of_samples():
    assert face_summary.spelled([]) == "–"
    assert face_summary.spelled([1.234], sign=True) == "+1.23"
    assert isinstance(face_summary.printed(), pd.DataFrame)

"""What rows of verification say, on rows made up by hand."""

import pytest

from mtlib.experiments import verification_summary, verification_table
from mtlib.experiments.verification_scores import GRID
from mtlib.experiments.verification_summary import curves, groups, samples

FLAT = [0.5] * len(GRID)


def rate(value):
    return {"rate": value, "low": 0.0, "high": 3.0, "pairs": 100 if value is not None else 0}


def row(arm, seed, match=40.0, **more):
    base = {"arm": arm, "seed": seed, "data": "drawn_faces", "size": 32, "diverged": None, "made by": "a test"}
    base |= {"AUC": 90.0, "equal error rate": 15.0, "true match at 1 %": match, "true match at 0.1 %": 5.0}
    tones = {"light": rate(1.0), "middle": rate(2.0), "dark": rate(4.0)}
    return base | {"roc": FLAT, "pairs": 300, "false match by tone": tones, "within groups": rate(2.5)} | more


@pytest.fixture
def rows():
    return [
        row("attributes, matched", 1, 47.0),
        row("attributes, matched", 0, 44.0, roc=[0.25] * len(GRID)),
        row("identity", 0, 40.0, roc=[0.75] * len(GRID)),
        row("identity", 1, 41.0, roc=[1.0] * len(GRID)),
        row("attributes", 0, 42.0),
        row("pixels", 0, 10.0),
        {"arm": "identity, usual hinge", "seed": 0, "diverged": "step 2", "data": "drawn_faces"},
    ]


def test_estimates_by_hand(rows):
    found = samples(rows)
    assert found["verify/attributes, matched-identity"] == [4, 6]  # by seed
    assert found["verify/attributes-identity"] == [2]
    assert found["verify/attributes, matched-attributes"] == [2]
    assert found["verify/within-all"] == [1.5, 1.5]
    assert found["verify/dark-light"] == [3, 3]
    assert "verify/usual-printed hinge" not in found
    assert verification_summary.gains(rows) == {"attributes": [2], "attributes, matched": [4, 6], "pixels": [-30]}


def test_every_difference_is_one_of_arms():
    everything = [row(arm, 0) for arm in verification_table.ARMS]
    assert set(samples(everything)) == {
        *("verify/attributes, matched-identity", "verify/attributes-identity"),
        *("verify/attributes, matched-attributes", "verify/usual-printed hinge", "verify/printed-balanced mean"),
        *("verify/identity-pixels", "verify/within-all", "verify/dark-light"),
    }


def test_without_tones_there_are_no_groups():
    celeba = [row("identity", 0, **dict.fromkeys(("false match by tone", "within groups")))]
    assert groups(celeba) == {}
    assert samples(celeba) == {}
    few = [row("identity", 0, **{"false match by tone": {"light": rate(None)}, "within groups": rate(None)})]
    assert groups(few) == {}
    assert samples(few) == {}


def test_groups_are_by_arm_and_third(rows):
    found = groups(rows)
    assert list(found) == ["identity", "attributes", "attributes, matched", "pixels"]
    assert found["identity"] == {"light": [1, 1], "middle": [2, 2], "dark": [4, 4]}


def test_curves_are_means_with_intervals_that_stay_rates(rows):
    found = curves(rows)
    assert "identity, usual hinge" not in found
    own = found["identity"]
    assert own["grid"] == list(GRID)
    assert set(own["mean"]) == {0.875}
    assert set(own["low"]) == {0.0}  # two seeds: 0.875 - 12.7 * 0.125 is below 0
    assert set(own["high"]) == {1.0}
    assert found["attributes"]["low"] == found["attributes"]["mean"] == found["attributes"]["high"] == FLAT


def test_the_table_in_words(rows):
    table = verification_summary.table(rows)
    assert list(table.index) == ["identity", "attributes", "attributes, matched", "identity, usual hinge", "pixels"]
    assert table.loc["identity", "AUC, to identity"] == "–"
    assert table.loc["identity", "true match at 1 % (%)"].startswith("40.50 [")
    assert table.loc["attributes, matched", "true match at 1 %, to identity"].startswith("+5.00 [")
    assert table.loc["identity, usual hinge", "n"] == 0


def test_a_record_has_a_line_per_curve_and_gives_back_the_rows(rows):
    record = verification_summary.to_record(rows)
    assert record[2]["roc"].startswith("0.7500 0.7500 ")
    assert verification_summary.from_record(record) == rows


def test_photographs_are_told_by_arm():
    rows = [
        row("pixels", 0, 20.0, interval=[15.0, 26.5]),
        row("trained", 0, 50.0, interval=[41.0, 60.0]),
        row("trained", 1, 54.0, interval=None, roc=[1.0] * len(GRID)),
    ]
    table = verification_summary.photographs(rows)
    assert table.loc["pixels", "true match at 1 % (%)"] == "20.00"
    assert table.loc["trained", "over people, first seed"] == "41.0 to 60.0"
    assert verification_summary.photograph_curves(rows)["trained"]["mean"] == [0.75] * len(GRID)

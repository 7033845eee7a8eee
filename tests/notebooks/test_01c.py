"""Notebook 01c: its equations by hand, its exercises, its take-away, and what its committed record says."""

import re

import pytest

from mtlib import claims
from mtlib.experiments import two_sets_summary
from mtlib.paths import repository
from mtlib.runs import notebooks, record

NOTEBOOK = repository() / "notebooks" / "01c_two_data_bases.ipynb"
RECORD = repository() / "data" / "results" / "01c_two_data_bases.standard.json"


def test_every_masked_equation_is_written_and_checked_by_hand(source):
    text, code = source("markdown"), source("code")
    for number in (2, 6):
        assert re.search(rf"\\tag\{{{number}\}}|quad \({number}\)", text), number
    for number in (2, 6, 7):
        assert re.search(rf'same\(f?"Eq. \({number}\)', code), number


def test_there_is_a_place_to_stop_and_predict_and_its_answer(source):
    assert source("markdown").count("**Stop and predict.**") == 1
    assert source("markdown").count("**The answer:**") == 1


ANSWERS = {
    "over_all, with_mask = None, None": "over_all, with_mask = 9, 1",
    "    return cross_entropy(z, y.clamp(min=0))\n": "    return cross_entropy(z[y >= 0], y[y >= 0])\n",
    "standard_error = None": "standard_error = 0.69",
    "more_than_twice = None": "more_than_twice = False",
}


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 2
    assert "\nrepaired\n" in f"\n{said}"
    assert not re.search("not answered|not so|still broken", said)


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "your two loaders" in c.source]
    said = said_by("import torch\n" + cell.source)
    assert said == "{'digit': (32, 1, 10), 'thing': (32, 1, 5)}\n"


def test_committed_outputs_say_which_data_stand_in():
    shown = record.bundle(notebooks.load(NOTEBOOK))
    assert shown["data"]["scope"] == {"a": "stand-in", "b": "stand-in"}  # what every machine has
    assert all("stand-in" in one["data"] for one in shown["claims"])


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    if not RECORD.exists():
        pytest.skip("there is no record yet")
    return record.read(RECORD)


def test_the_record_is_what_the_rules_ask_for(found):
    assert found["metrics"]["recipe"]["updates"] == {"a": 2500, "b": 2500}
    assert found["metrics"]["recipe"]["rate"] == 0.001
    assert found["seeds"] == list(range(5))
    assert found["data"]["scope"] == {"a": "same-data", "b": "stand-in"}
    assert found["data"]["names"]["b"].startswith("stand-in: ")
    assert not any(commit.endswith("+changes") for commit in found["metrics"]["trained by commit"])


def test_its_verdicts_follow_from_its_scores_and_the_rules(found):
    rules = claims.load("sos_two_sets")
    samples = two_sets_summary.samples(two_sets_summary.from_record(found["metrics"]["scores"]))
    assert {one["id"] for one in found["claims"]} == {claim.id for claim in rules.claims}
    for one in found["claims"]:
        letter = rules[one["id"]].key[0]
        options = {"data": one["data"], "scope": found["data"]["scope"][letter], "updates": 2500}
        again = rules.judge(one["id"], samples[rules[one["id"]].key], **options)
        assert again == one


def test_its_differences_follow_from_its_scores(found):
    samples = two_sets_summary.samples(two_sets_summary.from_record(found["metrics"]["scores"]))
    assert set(samples) == set(found["metrics"]["differences"]) == set(two_sets_summary.printed())
    for key, values in samples.items():
        assert found["metrics"]["differences"][key]["mean"] == pytest.approx(sum(values) / 5, abs=0.002)

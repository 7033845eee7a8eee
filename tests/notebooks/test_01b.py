"""Notebook 01b: Table I's exercises, its take-away, and what its committed record says."""

import re

import pytest

from mtlib import claims, toy
from mtlib.experiments import sos_toy, toy_summary, toy_table
from mtlib.paths import repository
from mtlib.runs import notebooks, record

NOTEBOOK = repository() / "notebooks" / "01b_table_one.ipynb"
RECORD = repository() / "data" / "results" / "01b_table_one.paper.json"


def test_there_are_three_places_to_stop_and_predict(source):
    assert [f"Stop and predict ({i})" in source("markdown") for i in (1, 2, 3, 4)] == [True, True, True, False]


ANSWERS = {
    "probability = None": "probability = 1 / 1024",
    "wrong = None": "wrong = 25",
    "finite = None": "finite = {0, 1, 2}",
}


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 3
    assert not re.search("not answered|not so", said)


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "many = " in c.source]
    needs = (
        "import torch\nfrom mtlib import ensemble\nfrom mtlib.ensemble import Copy\nfrom mtlib.recipe import Recipe\n"
    )
    needs += "from mtlib.seeds import seeded\n"
    assert said_by(needs + cell.source).startswith("20 networks, final loss ")


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_the_record_is_the_printed_recipe_on_all_sets_with_twenty_seeds(found):
    assert found["metrics"]["recipe"]["updates"] == 50_000
    assert found["metrics"]["recipe"]["rate"] == 0.0005
    assert found["data"]["sets"] == list(toy.SETS)
    assert found["seeds"] == list(range(20))
    assert not any(commit.endswith("+changes") for commit in found["metrics"]["trained by commit"])


def test_its_table_follows_from_its_scores(found):
    scores = toy_summary.from_record(found["metrics"]["scores"])
    for model in sos_toy.MODELS:
        own = scores[scores["arm"] == model]
        assert len(own) == 200
        mean = found["metrics"]["table1"][model]["average"]
        assert mean["n"] == 20
        assert mean["mean"] == pytest.approx(own["average"].mean(), abs=0.01)
        assert mean["low"] < mean["mean"] < mean["high"] <= 100


def test_its_verdicts_follow_from_its_scores_and_the_rules(found):
    rules = claims.load("sos_table1")
    samples = toy_summary.samples(toy_summary.from_record(found["metrics"]["scores"]))
    again = rules.judge_all(samples, data="", updates=50_000)
    assert [(one["id"], one["verdict"], one["n"]) for one in again] == [
        (one["id"], one["verdict"], one["n"]) for one in found["claims"]
    ]
    assert len(again) == len(rules.claims) >= 8


def test_every_arm_is_in_the_record(found):
    assert set(found["metrics"]["scores"]) == set(toy_table.ARMS)

"""Notebook 03b: what it derives by hand, its exercises, its take-away, and what its record says."""

import json
import re

import pytest

from mtlib import claims
from mtlib.experiments import dmm_family, dmm_summary
from mtlib.experiments.dmm_arms import ARMS
from mtlib.paths import repository
from mtlib.runs import notebooks, record
from mtlib.updates import SCHEMES

NOTEBOOK = repository() / "notebooks" / "03b_weighting.ipynb"
RECORD = repository() / "data" / "results" / "03b_weighting.standard.json"


def test_what_is_written_by_hand_is_compared_with_the_library(source):
    code = source("code")
    assert code.count("assert torch.allclose(dwa(Losses(ones)), by_hand)") == 1
    assert code.count("assert torch.allclose(aw(Losses(ones)), by_hand)") == 1
    assert "assert learned.s.grad.abs().max() < 1e-6" in code
    assert 'assert torch.allclose(aggregator("MGDA")(g), mgda' in code
    assert 'assert torch.allclose(aggregator("PCGrad")(g), pcgrad' in code


def test_it_names_every_weighting_of_the_library(source):
    text = source("markdown")
    assert all(re.search(rf"^\| {name} ", text, re.MULTILINE) for name in SCHEMES)


def test_every_question_has_its_answer(source):
    text = source("markdown")
    assert re.findall(r"\*\*Stop and predict \((\d)\)", text) == ["1", "2"]
    assert "**The answer to (1) and (2):**" in text


ANSWERS = {
    "two_weights = None": "two_weights = (0.9, 1.1)",
    "changes = None": "changes = 'uncertainty'",
    "enough_seeds = None": "enough_seeds = 5",
    "missing_experiment = None": "missing_experiment = 'equal weights at a tuned rate'",
}
WRONG = ("(1.1, 0.9)", "'DWA'", "3", "'more tasks'")


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 4
    assert not re.search("not answered|not so", said)


def test_wrong_answers_are_not(said_with):
    wrong = {given: f"{given.split(' = ')[0]} = {value}" for given, value in zip(ANSWERS, WRONG, strict=True)}
    assert said_with(NOTEBOOK, wrong).count("not so: ") == 4


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and 'scheme("UPGrad"' in c.source]
    begin = "import torch\nfrom mtlib.training import fit\n" + cell.source
    said = said_by(begin)
    assert said == "6 rows of history; best after update 6\n"


def test_costs_are_of_the_weightings_and_say_how_they_were_measured():
    file = repository() / "data" / "costs" / "weighting.json"
    assert set(dmm_family.costs()) == set(SCHEMES) - {"uniform"}
    assert "benchmarks/weighting_dmm.py" in json.loads(file.read_text())["measured by"]


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_the_record_has_every_weighting_with_its_seeds(found):
    rows = found["metrics"]["rows"]
    for arm in dmm_summary.KEPT["03b_weighting"]:
        seeds = sorted(row["seed"] for row in rows if row["arm"] == arm)
        assert seeds == list(range(3 if ARMS[arm].few else 5)), arm


def test_every_weighting_had_the_same_effort(found):
    tried = {arm: [one["rate"] for one in found["metrics"]["trials"] if one["arm"] == arm] for arm in ARMS}
    own = {name: sorted(tried[arm]) for name, arm in dmm_family.SCHEMES.items()}
    assert len({tuple(rates) for rates in own.values()}) == 1
    assert all(len(rates) == 3 for rates in own.values())


def test_its_verdicts_follow_from_its_rows_and_the_rules(found):
    rules = claims.load("dmm_weighting")
    samples = dmm_summary.samples(found["metrics"]["rows"])
    updates = found["metrics"]["recipe"]["updates"]
    assert {one["id"] for one in found["claims"]} == {claim.id for claim in rules.claims}
    for one in found["claims"]:
        options = {"data": one["data"], "scope": one["scope"], "updates": updates}
        again = rules.judge(one["id"], samples[rules[one["id"]].key], **options)
        assert (again["verdict"], again["n"], again["rule"]) == (one["verdict"], one["n"], one["rule"])

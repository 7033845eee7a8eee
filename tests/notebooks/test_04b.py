"""Notebook 04b: what it derives by hand, its exercises, its take-away, and what its record says."""

import re

import pytest

from mtlib import claims
from mtlib.experiments import class_summary
from mtlib.experiments.class_arms import ARMS, RATES
from mtlib.paths import repository
from mtlib.runs import notebooks, record

NOTEBOOK = repository() / "notebooks" / "04b_classes_attributes.ipynb"
RECORD = repository() / "data" / "results" / "04b_classes_attributes.standard.json"


def test_what_is_written_by_hand_is_compared_with_the_library(source):
    code = source("code")
    assert "assert torch.allclose(counted(names, attributes, who, has).probability, smooth.float())" in code
    assert 'assert torch.allclose(found["matching"], L_DM' in code
    assert 'assert torch.allclose(found["co-annotation"], L_SCA' in code


def test_it_says_what_is_not_rebuilt_and_not_the_papers(source):
    text = source("markdown")
    assert "**NTS-Net is not rebuilt**" in text
    assert all(label in text for label in ("**X-11**", "**X-12**", "**X-13**", "**X-20**", "**X-4**"))


def test_every_question_has_its_answer(source):
    text = source("markdown")
    assert re.findall(r"\*\*Stop and predict \((\d)\)", text) == ["1", "2"]
    assert "**The answer to (2):**" in text


ANSWERS = {
    "with_hat = None": "with_hat = 1 / 22",
    "unchanged = None": "unchanged = 'share of right first names'",
    "repaired = None": "repaired = lambda logits, q: matching_loss(logits, q) / q.shape[1]",
    "missing_first = None": "missing_first = 'several seeds'",
}
WRONG = ("0.0", "'entropy'", "matching_loss", "'more classes'")


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 4
    assert not re.search("not answered|not so", said)


def test_wrong_answers_are_not(said_with):
    wrong = {given: f"{given.split(' = ')[0]} = {value}" for given, value in zip(ANSWERS, WRONG, strict=True)}
    assert said_with(NOTEBOOK, wrong).count("not so: ") == 4


def test_the_take_away_runs_as_it_stands(said_by):
    cells = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "matching=1 / 3" in c.source]
    said = said_by("import torch\n" + cells[0].source)
    assert said == "['co-annotation', 'matching'] True\n"


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_every_row_has_as_many_seeds_as_the_claims_ask_for_or_none(found):
    for key, seeds in (("rows", 5), ("yeast rows", 10)):
        rows = found["metrics"][key]
        for arm in {row["arm"] for row in rows}:
            own = sorted(row["seed"] for row in rows if row["arm"] == arm)
            assert own == list(range(3 if ARMS[arm].few else seeds)), arm


def test_every_tuned_network_had_the_same_effort(found):
    rates, tried = found["metrics"]["rates"], found["metrics"]["trials"]
    for arm in {ARMS[arm].like or arm for arm in rates}:
        assert sorted(one["rate"] for one in tried if one["arm"] == arm) == list(RATES)
    assert all(rates[arm] == rates[ARMS[arm].like] for arm in rates if ARMS[arm].like)


def test_its_verdicts_follow_from_its_rows_and_the_rules(found):
    rules, metrics = claims.load("dm_classes"), found["metrics"]
    faces, genes = class_summary.samples(metrics["rows"]), class_summary.yeast_samples(metrics["yeast rows"])
    assert {one["id"] for one in found["claims"]} == {one.id for one in rules.claims if one.key in faces | genes}
    for one in found["claims"]:
        claim = rules[one["id"]]
        updates = metrics["recipe"]["yeast updates" if claim.key in genes else "updates"]
        options = {"data": one["data"], "scope": one["scope"], "updates": updates}
        again = rules.judge(one["id"], (faces | genes)[claim.key], **options)
        assert (again["verdict"], again["n"], again["rule"]) == (one["verdict"], one["n"], one["rule"])

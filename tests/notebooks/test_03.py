"""Notebook 03: what it derives by hand, its exercises, its take-away, and what its record says."""

import re

import pytest

from mtlib import claims
from mtlib.experiments import dmm_summary, dmm_table, tuned
from mtlib.experiments.dmm_arms import ARMS, EQUAL
from mtlib.paths import repository
from mtlib.runs import notebooks, record

NOTEBOOK = repository() / "notebooks" / "03_dmm_cnn.ipynb"
RECORD = repository() / "data" / "results" / "03_dmm_cnn.standard.json"


def test_what_is_written_by_hand_is_compared_with_the_library(source):
    code = source("code")
    for line in (
        "assert torch.allclose(torch.stack(by_hand), pooled[0])",
        "assert torch.allclose(losses.tasks, L_FAC, atol=1e-6)",
        'assert torch.allclose(losses.extra["landmarks"], 0.5 * L_FLD)',
        "assert torch.allclose(losses.total(), L)",
        "assert torch.allclose(trend_rule.weights.float(), by_hand, atol=1e-6)",
        "assert torch.allclose(same, by_hand.view(1))",
    ):
        assert line in code


def test_every_question_has_its_answer(source):
    text = source("markdown")
    asked = re.findall(r"\*\*Stop and predict \((\d)\)", text)
    assert asked == re.findall(r"\*\*The answer to \((\d)\)", text) == ["1", "2", "3"]


def test_the_printed_sizes_stand_in_its_output():
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and 'device("meta")' in c.source]
    said = "".join(part.get("text", "") for part in cell.outputs)
    assert "14 blocks, 28672 numbers" in said
    assert "88.7 M parameters, 355 MB; printed: 360M" in said
    assert "{'objective': 22, 'subjective': 18}" in said


def test_it_says_what_drawn_faces_cannot_show(source):
    text = source("markdown")
    assert "Printed and drawn accuracies are never put on one axis" in text
    assert {f"D-{n}" for n in (1, 2, 3, 4, 5, 6, 8, 12, 17, 18, 22)} <= set(re.findall(r"D-\d+", text))
    shown = record.bundle(notebooks.load(NOTEBOOK))
    assert {one["verdict"] for one in shown["claims"]} == {"not testable here"}


ANSWERS = {
    "change = None": "change = -0.0016",
    "larger_and_weight = None": "larger_and_weight = ('B', 0.02)",
    "missing_network = None": "missing_network = 'groups swapped'",
}
WRONG = ("0.0016", "('A', 0.01)", "'no landmarks'")


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 3
    assert not re.search("not answered|not so", said)


def test_wrong_answers_are_not(said_with):
    wrong = {given: f"{given.split(' = ')[0]} = {value}" for given, value in zip(ANSWERS, WRONG, strict=True)}
    assert said_with(NOTEBOOK, wrong).count("not so: ") == 3


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "your trunk" in c.source]
    begin = (
        "import torch\nfrom mtlib.tasks import Batch, Task\nfrom mtlib.weighting import ValidationTrend\n" + cell.source
    )
    said = said_by(begin)
    assert said == "torch.Size([16, 5]) torch.Size([5])\n"


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_the_record_has_every_network_with_its_seeds(found):
    rows = found["metrics"]["rows"]
    for arm in dmm_summary.KEPT["03_dmm_cnn"]:
        seeds = sorted(row["seed"] for row in rows if row["arm"] == arm)
        assert seeds == list(range(3 if ARMS[arm].few else 5)), arm
    assert tuned.TUNED_ON not in found["seeds"]
    assert {row["arm"] for row in rows if "traces" in row} == set(dmm_table.TRACED)


def test_rates_follow_from_the_trials(found):
    trials = [
        one | {"validation loss": one["loss"], "diverged": one["loss"] is None} for one in found["metrics"]["trials"]
    ]
    assert dmm_table.chosen(list(found["metrics"]["rates"]), trials) == found["metrics"]["rates"]
    assert all(row["rate"] == found["metrics"]["rates"][row["arm"]] for row in found["metrics"]["rows"])
    assert found["metrics"]["rates"][EQUAL] in dmm_table.RATES["adam"]


def test_its_verdicts_follow_from_its_rows_and_the_rules(found):
    rules = claims.load("dmm")
    samples = dmm_summary.samples(found["metrics"]["rows"])
    updates = found["metrics"]["recipe"]["updates"]
    assert {one["id"] for one in found["claims"]} == {claim.id for claim in rules.claims}
    for one in found["claims"]:
        options = {"data": one["data"], "scope": one["scope"], "updates": updates}
        again = rules.judge(one["id"], samples[rules[one["id"]].key], **options)
        assert (again["verdict"], again["n"], again["rule"]) == (one["verdict"], one["n"], one["rule"])

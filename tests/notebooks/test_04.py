"""Notebook 04: what it derives by hand, its exercises, its take-away, and what its record says."""

import json
import re

import pytest

from mtlib import claims
from mtlib.experiments import coupling_summary
from mtlib.experiments.coupling_arms import ARMS, RATES
from mtlib.paths import repository
from mtlib.runs import notebooks, record

NOTEBOOK = repository() / "notebooks" / "04_distribution_matching.ipynb"
RECORD = repository() / "data" / "results" / "04_distribution_matching.standard.json"


def test_every_equation_is_written_by_hand_and_compared(source):
    text, code = source("markdown"), source("code")
    assert [int(n) for n in re.findall(r"\\tag\{(\d)\}", text)] == [1, 2, 3, 4, 5, 6]
    for compared in (
        "assert torch.allclose(losses.tasks, torch.stack([L_exp, L_au])",
        "assert torch.allclose(q[:, unit_2], two)",
        'assert torch.allclose(matching_loss(out["action_units"], q, form="printed"), printed_3)',
        'assert torch.allclose(losses.extra["matching"], mended_3)',
        "assert torch.allclose(score[0, happy], torch.tensor((1 + 1 + 0.51) / 2.51))",
        'assert torch.allclose(losses.extra["co-annotation"], mended_6)',
        "assert torch.allclose(losses.total(), L_exp + L_au + mended_3 + mended_6",
    ):
        assert compared in code, compared


def test_every_question_has_its_answer(source):
    text = source("markdown")
    assert re.findall(r"\*\*Stop and predict \((\d)\)", text) == ["1", "2", "3"]
    assert re.findall(r"\*\*The answer to \((\d)\):\*\*", text) == ["1", "2", "3"]


def test_it_says_that_expression_is_not_emotion(source):
    assert "**Expression is not emotion.**" in source("markdown")


ANSWERS = {
    "indicator = None": "indicator = 0.563",
    "push = None": "push = 'down'",
    "control = None": "control = 'wrong relations'",
}
WRONG = ("0.5", "'up'", "'more seeds'")


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 3
    assert not re.search("not answered|not so", said)


def test_wrong_answers_are_not(said_with):
    wrong = {given: f"{given.split(' = ')[0]} = {value}" for given, value in zip(ANSWERS, WRONG, strict=True)}
    assert said_with(NOTEBOOK, wrong).count("not so: ") == 3


def test_the_loss_is_repaired_by_a_divergence_and_not_by_half_of_it(said_by):
    (begin,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "p_grid, q_grid =" in c.source]
    printed = "    return -p * q.log()"
    assert said_by("import torch\n" + begin.source) == "not repaired yet\n"
    half = "    return -q * p.log() - (1 - q) * (1 - p).log()"  # its minimum is right, but not 0
    assert said_by("import torch\n" + begin.source.replace(printed, half)) == "not repaired yet\n"
    whole = "    return q * (q / p).log() + (1 - q) * ((1 - q) / (1 - p)).log()"
    assert said_by("import torch\n" + begin.source.replace(printed, whole)) == "right\n"


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "counted(birds" in c.source]
    begin = "import torch\nfrom mtlib.coupling import Coupled\nfrom mtlib.tasks import Batch\n" + cell.source
    said = said_by(begin)
    assert said == "['matching', 'co-annotation'] [(), ()]\n"


def test_costs_say_how_they_were_measured():
    cost = json.loads((repository() / "data" / "costs" / "coupling.json").read_text())
    assert cost["measured by"] == "benchmarks/coupling.py"
    assert cost["steps"]["7 x 17"]["coupled"] <= 1.02


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_the_record_has_every_arm_with_its_seeds(found):
    rows = found["metrics"]["rows"]
    for arm in ARMS:
        seeds = sorted(row["seed"] for row in rows if row["arm"] == arm)
        assert seeds == list(range(3 if ARMS[arm].few else 5)), arm


def test_every_arm_that_is_tuned_had_the_same_effort(found):
    tried = {arm: [one["rate"] for one in found["metrics"]["trials"] if one["arm"] == arm] for arm in ARMS}
    leaders = {ARMS[arm].like or arm for arm in ARMS}
    assert {arm: tuple(sorted(own)) for arm, own in tried.items() if own} == dict.fromkeys(leaders, RATES)


def test_its_verdicts_follow_from_its_rows_and_the_rules(found):
    rules = claims.load("dm")
    samples = coupling_summary.samples(found["metrics"]["rows"])
    updates = found["metrics"]["recipe"]["updates"]
    assert {one["id"] for one in found["claims"]} == {claim.id for claim in rules.claims}
    for one in found["claims"]:
        options = {"data": one["data"], "scope": one["scope"], "updates": updates}
        again = rules.judge(one["id"], samples[rules[one["id"]].key], **options)
        assert (again["verdict"], again["n"], again["rule"]) == (one["verdict"], one["n"], one["rule"])

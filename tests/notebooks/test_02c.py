"""Notebook 02c: what it derives by hand, its exercises, its take-away, and what it says of drawn and of real people."""

import json
import re

import pytest

from mtlib import claims
from mtlib.experiments import verification_summary, verification_table
from mtlib.paths import repository
from mtlib.runs import copies, execute, notebooks, record

NOTEBOOK = repository() / "notebooks" / "02c_verification.ipynb"
RECORD = repository() / "data" / "results" / "02c_verification.standard.json"


def test_what_is_written_by_hand_is_compared_with_the_library(source):
    code = source("code")
    assert 'assert torch.allclose(printed, coupling(z, who, Coupling(average="printed")))' in code
    assert "assert torch.allclose(balanced, coupling(z, who))" in code
    assert 'assert abs(row["printed hinge"] - (D if D < 1 else 0)) < 1e-9' in code
    assert 'assert abs(row["usual hinge"] - max(0, 1 - D)) < 1e-9' in code
    assert "assert int(tally" in code


def test_the_student_copy_runs_without_solutions(tmp_path, monkeypatch):  # this one takes the least time
    monkeypatch.setenv("MTLIB_FIGURES", "arrays")  # pictures are nobody's concern here
    copies.teach(tmp_path)
    student = tmp_path / "student" / NOTEBOOK.name
    assert "solution" not in {tag for cell in notebooks.load(student).cells for tag in cell.metadata.get("tags", [])}
    written = execute.run(student, {"profile": "smoke"}, tmp_path)
    assert json.loads(written.read_text())["claims"]
    assert "not answered yet" in written.with_suffix(".ipynb").read_text()


def test_every_question_has_its_answer(source):
    text = source("markdown")
    asked = re.findall(r"\*\*Stop and predict \((\d)\)", text)
    answered = re.findall(r"\*\*The answer to \((\d)\)", text)
    assert asked == answered == ["1", "2"]


def test_it_says_what_drawn_faces_cannot_show(source):
    text = source("markdown")
    assert "None of them can be tested here, and nothing here is a statement about people" in text
    assert "no difference between these thirds says anything about people of any skin" in text
    assert "the consent of those compared" in text
    assert {"M-23", "M-24"} <= set(re.findall(r"M-\d+", text))
    shown = record.bundle(notebooks.load(NOTEBOOK))
    assert {one["verdict"] for one in shown["claims"]} == {"not testable here"}
    assert "undecided" in {one["evidence"].split(": ")[1].split(";")[0] for one in shown["claims"]}


def test_no_claim_rests_on_the_pilot():
    rules = claims.load("mtfap_verification")
    assert {claim.n for claim in rules.claims} == {5}
    assert {claim.updates for claim in rules.claims} == {512}
    assert [rules.family(name) for name in ("mtfap-verify", "mtfap-tone")] == [3, 2]
    assert 900 not in record.bundle(notebooks.load(NOTEBOOK))["seeds"]


ANSWERS = {
    "genuine_and_impostor = None": "genuine_and_impostor = (1.0, 0.0)",
    "per_cent = None": "per_cent = 100 / 48",
    "rate_needed = None": "rate_needed = 1e-5",
    "missing_arm = None": "missing_arm = 'attributes without matching'",
}


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 4
    assert not re.search("not answered|not so", said)


def test_wrong_answers_are_not(said_with):
    wrong = {given: f"{given.split(' = ')[0]} = {value}" for given, value in zip(ANSWERS, WRONG, strict=True)}
    said = said_with(NOTEBOOK, wrong)
    assert said.count("not so: ") == 4


WRONG = ("(2.0, 0.5)", "25", "0.01", "'more people'")


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "averaged(3)" in c.source]
    said = said_by("import torch\n" + cell.source)
    assert said == "torch.Size([2])\n"


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_the_record_has_every_row_with_five_seeds(found):
    rows = found["metrics"]["verification"]
    for arm in verification_table.ARMS:
        assert sorted(row["seed"] for row in rows if row["arm"] == arm) == list(range(5))
    assert {row["people"] for row in rows} == {205}
    assert found["metrics"]["photographs"]


def test_its_verdicts_follow_from_its_rows_and_the_rules(found):
    rules = claims.load("mtfap_verification")
    samples = verification_summary.samples(verification_summary.from_record(found["metrics"]["verification"]))
    updates = found["metrics"]["recipe"]["updates"]
    assert {one["id"] for one in found["claims"]} == {claim.id for claim in rules.claims}
    for one in found["claims"]:
        options = {"data": one["data"], "scope": one["scope"], "updates": updates}
        assert rules.judge(one["id"], samples[rules[one["id"]].key], **options) == one

"""Notebook 01d: what it derives by hand, its exercises, its take-away, and what its committed record says."""

import re

import pytest

from mtlib import claims
from mtlib.experiments import face_summary, face_table
from mtlib.paths import repository
from mtlib.runs import notebooks, record

NOTEBOOK = repository() / "notebooks" / "01d_attributes.ipynb"
RECORD = repository() / "data" / "results" / "01d_attributes.standard.json"


def test_what_is_written_by_hand_is_compared_with_the_library(source):
    code = source("code")
    assert "assert torch.allclose(by_hand, specific_specific(specific))" in code
    assert "assert torch.allclose(g, first.gains)" in code
    assert "assert torch.allclose(by_hand, metrics.balanced_correlation(y)[0, 1])" in code
    assert "metrics.balanced_accuracy(p, y)" in code


def test_every_question_has_its_answer(source):
    text = source("markdown")
    asked = re.findall(r"\*\*Stop and predict \((\d)\)", text)
    answered = re.findall(r"\*\*The answer to \((\d)\)", text)
    assert asked == answered == ["1", "2"]


def test_it_says_what_drawn_faces_cannot_show(source):
    text = source("markdown")
    assert "No verdict" not in text
    assert "A printed number of CelebA cannot be tested on them" in text
    shown = record.bundle(notebooks.load(NOTEBOOK))
    assert {one["verdict"] for one in shown["claims"]} == {"not testable here"}


ANSWERS = {
    "batch_needed = None": "batch_needed = 3278",
    "accuracy_and_balanced = None": "accuracy_and_balanced = (0.76, 0.5)",
    "seeds_needed = None": "seeds_needed = 18",
    "expected = None": "expected = 34",
}


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 4
    assert not re.search("not answered|not so", said)


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "channels=3" in c.source]
    start = "import torch\nfrom mtlib.tasks import Task\n"
    said = said_by(start + cell.source)
    assert said == "torch.Size([16, 5])\n"


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    if not RECORD.exists():
        pytest.skip("there is no record yet")
    return record.read(RECORD)


def test_the_record_has_every_row_with_five_seeds(found):
    rows = found["metrics"]["evidence"]["rows"]
    for arm in (*face_table.TABLE, *face_table.SE):
        assert sorted(row["seed"] for row in rows if row["arm"] == arm) == list(range(5))
    assert not any(commit.endswith("+changes") for commit in found["metrics"]["trained by commit"])


def test_its_verdicts_follow_from_its_rows_and_the_rules(found):
    rules = claims.load("sos_attributes")
    samples = face_summary.samples(found["metrics"]["evidence"]["rows"])
    updates = found["metrics"]["recipe"]["updates"]
    for one in found["claims"]:
        options = {"data": one["data"], "scope": one["scope"], "updates": updates}
        assert rules.judge(one["id"], samples[rules[one["id"]].key], **options) == one

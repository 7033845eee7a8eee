"""Notebook 02b: what it derives by hand, its exercises, and what its committed record says."""

import re

import pytest

from mtlib import claims
from mtlib.experiments import attribute_curves, face_maps, face_maps_summary
from mtlib.faces.data import TASKS
from mtlib.paths import repository
from mtlib.runs import notebooks, record

NOTEBOOK = repository() / "notebooks" / "02b_where_it_looks.ipynb"
RECORD = repository() / "data" / "results" / "02b_where_it_looks.standard.json"


def test_what_is_written_by_hand_is_compared_with_the_library(source):
    code = source("code")
    assert "assert torch.allclose(A, cam(model, W, by_hand_faces.images), atol=1e-5)" in code  # Eq. (16)
    assert "assert torch.allclose(A.mean((2, 3)), logits, atol=1e-5)" in code  # Eq. (15), M-21
    assert "assert torch.allclose(theirs, A.clamp(min=0) / places, atol=1e-6)" in code


def test_every_question_has_its_answer(source):
    text = source("markdown")
    asked = re.findall(r"\*\*Stop and predict \((\d)\)", text)
    assert asked == re.findall(r"\*\*The answer to \((\d)\)", text) == ["1", "2"]


def test_it_says_what_is_left_out(source):
    text = source("markdown")
    assert "*Attractive* has no pixels of its own and *Blurry* has all of them: both are left out" in text
    shown = record.bundle(notebooks.load(NOTEBOOK))
    assert {one["verdict"] for one in shown["claims"]} == {"not testable here"}


ANSWERS = {
    "logit_by_hand = None": "logit_by_hand = 0",
    "scores_expected = None": "scores_expected = (25, 50)",
    "control = None": "control = 'the centre'",
    "experiment = None": "experiment = 'change the colour alone'",
}


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 4
    assert not re.search("not answered|not so", said)


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_the_record_has_every_row(found):
    rows = found["metrics"]["maps"]["rows"]
    for arm in face_maps.ARMS:
        assert sorted(row["seed"] for row in rows if row["arm"] == arm) == list(range(5))
    curves = found["metrics"]["curves"]["rows"]
    for arm in attribute_curves.WANTED:
        assert len({row["seed"] for row in curves if row["arm"] == arm}) >= 3


def test_its_network_is_the_one_that_its_pictures_need(found):
    network = face_maps.build("averaged", found["metrics"]["recipe"]["size"], (TASKS["attributes"],), 0)
    before = network.W.clone()
    face_maps.from_text(network, found["metrics"]["maps"]["network"])
    assert network.W.isfinite().all()
    assert not network.W.equal(before)


def test_its_verdicts_follow_from_its_rows_and_the_rules(found):
    rules, metrics = claims.load("mtfap_maps"), found["metrics"]
    samples = face_maps_summary.samples(metrics["maps"]["rows"])
    curves = attribute_curves.samples(metrics["curves"]["rows"])
    assert {one["id"] for one in found["claims"]} == {claim.id for claim in rules.claims}
    for one in found["claims"]:
        key = rules[one["id"]].key
        own = curves if key in curves else samples
        updates = metrics["recipe"]["curve updates" if key in curves else "updates"]
        again = rules.judge(one["id"], own[key], data=one["data"], scope=one["scope"], updates=updates)
        assert again == one

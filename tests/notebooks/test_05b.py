"""Notebook 05b: what it derives by hand, its exercises, its take-away, and what its record says."""

import re

import pytest

from mtlib import claims
from mtlib.experiments import blindness, blindness_summary
from mtlib.paths import repository
from mtlib.runs import notebooks, record

NOTEBOOK = repository() / "notebooks" / "05b_blind_or_not.ipynb"
RECORD = repository() / "data" / "results" / "05b_blind_or_not.standard.json"


def test_what_is_derived_is_compared(source):
    code = source("code")
    assert "assert torch.allclose(downhill, p * (1 - p) * (h[b == 1].mean(0) - h[b == 0].mean(0))" in code
    text = source("markdown")
    for part in (r"P(a \mid b) - P(a \mid \neg b)", r"p (1 - p) \big( \boldsymbol\mu_1 - \boldsymbol\mu_0"):
        assert part in text


def test_every_question_has_its_answer(source):
    text = source("markdown")
    assert re.findall(r"\*\*Stop and predict \((\d)\)", text) == ["1", "2", "3"]
    assert re.findall(r"\*\*The answer to \((\d)\):\*\*", text) == ["1", "2", "3"]


def test_it_says_what_its_faces_are(source):
    text = source("markdown")
    assert "Label statistics follow CelebA; the pixels and their causes are invented" in text
    assert all(label in text for label in ("**L-3**", "**L-20**"))


ANSWERS = {
    "best_guess = None": "best_guess = 75",
    "verdict_on_it = None": "verdict_on_it = 'sees'",
    "missing = None": "missing = 'the floor'",
}
WRONG = ("80", "'blind'", "'more epochs'")


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 3
    assert not re.search("not answered|not so", said)


def test_wrong_answers_are_not(said_with):
    wrong = {given: f"{given.split(' = ')[0]} = {value}" for given, value in zip(ANSWERS, WRONG, strict=True)}
    assert said_with(NOTEBOOK, wrong).count("not so: ") == 3


def test_the_probe_is_repaired_by_other_images_and_not_by_less_of_the_same(said_by):
    (begin,) = [
        c.source for c in notebooks.load(NOTEBOOK).cells if "(features, labels), (features, labels)" in c.source
    ]
    imports = "import torch\nfrom mtlib.metrics import linear_probe\n"
    given = "return linear_probe((features, labels), (features, labels))"
    assert given in begin
    assert said_by(imports + begin) == "not repaired yet\n"
    half = "return linear_probe((features[:300], labels[:300]), (features[:300], labels[:300]))"
    assert said_by(imports + begin.replace(given, half)) == "not repaired yet\n"
    apart = "return linear_probe((features[:300], labels[:300]), (features[300:], labels[300:]))"
    assert said_by(imports + begin.replace(given, apart)) == "right\n"


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "# yours" in c.source]
    imports = "import torch\nfrom mtlib.metrics import floor, linear_probe, mlp_probe\n"
    assert said_by(imports + cell.source) == "a probe reads more than the main label tells: True\n"


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_the_record_has_every_network(found):
    profile = blindness.PROFILES["standard"]
    cells = [blindness.Cell(row["arm"], row["seed"], (row["main"], row["partner"])) for row in found["metrics"]["rows"]]
    assert cells == profile.cells(range(profile.seeds))
    assert profile.seeds >= 5
    assert found["metrics"]["recipe"]["updates"] == profile.updates


def test_its_verdicts_follow_from_its_numbers_and_the_rules(found):
    rules = claims.load("aal_blind")
    samples = blindness_summary.samples(found["metrics"]["rows"])
    assert [one["id"] for one in found["claims"]] == [claim.id for claim in rules.claims]
    for claim, one in zip(rules.claims, found["claims"], strict=True):
        options = {"data": one["data"], "scope": one["scope"], "updates": found["metrics"]["recipe"]["updates"]}
        again = rules.judge(claim.id, samples[claim.key], **options)
        assert (again["verdict"], again["n"], again["rule"]) == (one["verdict"], one["n"], one["rule"]), claim.id

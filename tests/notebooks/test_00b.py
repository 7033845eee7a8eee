"""Notebook 00b: the drawn faces' gallery, its exercises, its take-away, and what its committed record says."""

import re

import pytest

from mtlib import claims
from mtlib.experiments import drawn_faces
from mtlib.faces import ATTRIBUTES, structure
from mtlib.paths import repository
from mtlib.runs import notebooks, record

NOTEBOOK = repository() / "notebooks" / "00b_drawn_faces.ipynb"
RECORD = repository() / "data" / "results" / "00b_drawn_faces.standard.json"


def test_there_are_three_places_to_stop_and_predict(source):
    assert [f"Stop and predict ({i})" in source("markdown") for i in (1, 2, 3, 4)] == [True, True, True, False]


def test_it_says_what_drawn_faces_cannot_show(source):
    text = source("markdown")
    assert "Label statistics follow CelebA; the pixels and their causes are invented." in text
    for words in ("labelled Male", "Expression is not emotion", "noisy opinion", "false matches"):
        assert words in text


ANSWERS = {
    "both_share = None": "both_share = 0.387",
    "gained = None": "gained = 0.6",
    "    torch.manual_seed(0)\n    return images + torch.rand(images.shape)": (
        "    numbers = counter.uniform(0, 'mine', index, 16)\n    return images + numbers.view_as(images)"
    ),
}


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 2
    assert "\nrepaired\n" in f"\n{said}"
    assert not re.search("not answered|not so|still broken", said)


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "result = fit(" in c.source]
    said = said_by("import torch\n" + cell.source)
    assert said.endswith("{'attributes': (8, 40), 'landmarks': (8, 144)}\n")


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_the_record_is_what_the_rules_ask_for(found):
    assert (found["data"]["faces"], found["data"]["train"], found["data"]["epochs"]) == (100_000, 24_000, 8)
    assert found["seeds"] == list(range(200, 205))


def test_its_gaps_follow_from_its_accuracies(found):
    scores = found["metrics"]["accuracy"]
    runs = [
        drawn_faces.gaps({model: {name: scores[model][name][k] for name in ATTRIBUTES} for model in scores})
        for k in range(5)
    ]
    for name, kept in found["metrics"]["gaps"].items():
        assert claims.mean_of([run[name] for run in runs])["mean"] == pytest.approx(kept["mean"], abs=0.02)


def test_its_verdicts_follow_from_its_metrics(found):
    gaps, likeness = found["metrics"]["gaps"], found["metrics"]["likeness"]
    room = {
        "faces.shares": drawn_faces.MARGINALS - likeness["largest difference of a share"]["mean"],
        "faces.correlations": 100 * (drawn_faces.CORRELATIONS - likeness["error of the correlations"]["mean"]),
        "faces.identity": likeness["identity shares within 0.10"]["mean"] - 34,
        "faces.easy": drawn_faces.WITHIN - gaps["worst easy gap"]["mean"],
        "faces.hard": gaps["mean hard gap"]["mean"] - gaps["mean easy gap"]["mean"],
        "faces.linear": gaps["network over linear"]["mean"],
    }
    assert {one["id"] for one in found["claims"]} == set(room)
    rules = claims.load("faces")
    for one in found["claims"]:
        assert f"{room[one['id']]:+.2f} [" in one["evidence"]
        if one["verdict"] == "reproduced":
            assert room[one["id"]] > rules[one["id"]].smallest


def test_the_graphs_it_counted_are_those_of_today(found):
    known = structure.load()
    assert found["metrics"]["edges"]["dependence"] == int(known.dependence.sum()) // 2
    assert found["metrics"]["edges"]["pixels"] == int(known.pixels.sum()) // 2

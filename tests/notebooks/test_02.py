"""Notebook 02: what it derives by hand, its exercises, its take-away, and what its committed record says."""

import re

import pytest

from mtlib import claims
from mtlib.experiments import attribute_graph, attribute_graph_summary, school_table
from mtlib.paths import repository
from mtlib.runs import record

NOTEBOOK = repository() / "notebooks" / "02_task_structure.ipynb"
RECORD = repository() / "data" / "results" / "02_task_structure.standard.json"


def test_what_is_written_by_hand_is_compared_with_the_library(source):
    code = source("code")
    assert code.count("assert torch.allclose(by_hand, losses.total())") == 2  # Eqs. (1), (2) and (3)
    assert "assert torch.allclose(new, direct) and torch.allclose(library, direct)" in code  # Algorithm 1
    assert "assert torch.allclose(theta, to_dual(s[:, None], p)[:, 0])" in code  # Eqs. (4), (5)
    assert "assert torch.allclose(pairs / 2 + 1e-3 * W.square().sum(), trace(W, A))" in code  # Eqs. (7) to (13)


def test_every_question_has_its_answer(source):
    text = source("markdown")
    asked = re.findall(r"\*\*Stop and predict \((\d)\)", text)
    assert asked == re.findall(r"\*\*The answer to \((\d)\)", text) == ["1", "2", "3"]


ANSWERS = {
    "trace_by_hand = None": "trace_by_hand = 15",
    "rank_and_norm = None": "rank_and_norm = (2, 3)",
    "edges_left = None": "edges_left = 1",
    "comparison = None": "comparison = 'a true graph'",
}


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right\n") == 4
    assert not re.search("not answered|not so", said)


# ------------------------------------------------------------------ the record


@pytest.fixture(scope="module")
def found():
    return record.read(RECORD)


def test_the_record_has_every_row_with_five_seeds_and_ten_splits(found):
    rows = found["metrics"]["faces"]["rows"]
    for arm in attribute_graph.TABLE:
        assert sorted(row["seed"] for row in rows if row["arm"] == arm) == list(range(5))
    assert sorted({row["split"] for row in found["metrics"]["schools"]}) == list(range(10))


def test_its_verdicts_follow_from_its_rows_and_the_rules(found):
    rules = claims.load("mtfap")
    samples = attribute_graph_summary.samples(found["metrics"]["faces"]["rows"])
    samples |= school_table.samples(found["metrics"]["schools"])
    samples["printed/edge"] = [attribute_graph_summary.printed_edge(seed) for seed in range(5)]
    updates = found["metrics"]["recipe"]["updates"]
    assert len(found["claims"]) == 13
    for one in found["claims"]:
        options = {"data": one["data"], "scope": one["scope"]}
        options |= {"updates": updates} if rules[one["id"]].updates else {}
        again = rules.judge(one["id"], samples[rules[one["id"]].key], **options)
        assert (again["verdict"], again["scope"], again["n"]) == (one["verdict"], one["scope"], one["n"])

"""Notebook 01: its equations, its refusals, its take-away."""

import re

import pytest
from click.testing import CliRunner

from mtlib.paths import repository
from mtlib.runs import execute, notebooks
from mtlib.runs.cli import cli

NOTEBOOK = repository() / "notebooks" / "01_semantic_orthogonal_spaces.ipynb"


def test_every_equation_is_written_and_checked_by_hand(source):
    text, code = source("markdown"), source("code")
    text = re.sub(r"Stop and predict \(\d\)", "", text)
    for number in range(1, 9):
        assert re.search(rf"\\tag\{{{number}\}}|quad \({number}\)|Equation \({number}\)", text), number
    for number in (2, 4, 5, 6, 7, 8):
        assert re.search(rf'same\("Eq. \({number}\)', code), number
    assert code.count("assert torch.allclose(logits,") == 2  # Eqs. (1) and (3): outputs, no loss


def test_there_are_three_places_to_stop_and_predict(source):
    assert [f"Stop and predict ({i})" in source("markdown") for i in (1, 2, 3, 4)] == [True, True, True, False]


ANSWERS = {
    "factor_outer = None": "factor_outer = 16",
    "factor_batch = None": "factor_batch = 1",
    "floor = None": "floor = 0.01 * 512 * 32 / 127",
    "spread, n_needed = 1.2, None": "spread, n_needed = 1.2, 25",
    "noise = None": "noise = {1, 4, 7, 8}",
    "return cross_entropy(features @ weight, y).mean()": "return cross_entropy(features.detach() @ weight, y).mean()",
}


def test_the_right_answers_are_called_right(said_with):
    said = said_with(NOTEBOOK, ANSWERS)
    assert said.count("right") == 5
    assert "repaired\n" in said
    assert not re.search("not answered|not so|not yet|still broken|too few|enough, but", said)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("profile", "fast"), ("steps", "-5"), ("steps", "1e3"), ("seeds", "1"), ("seeds", "many"), ("seeds", "-1"),
        ("seeds", "1001"), ("sets", "11"), ("sets", "[]"), ("sets", "8;3"), ("seed", "-1"), ("seed", "0.5"),
        ("device", "tpu"), ("data_root", "/does/not/exist"), ("stepps", "5"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_before_any_kernel(name, value, monkeypatch):
    monkeypatch.setattr(execute, "run", lambda *a, **k: pytest.fail("a kernel would have started"))
    done = CliRunner().invoke(cli, ["run", "01", "-p", name, value])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert f"'{name}'" in done.stderr
    assert "accepts" in done.stderr or "known:" in done.stderr


def test_the_take_away_runs_as_it_stands(said_by):
    (cell,) = [c for c in notebooks.load(NOTEBOOK).cells if c.cell_type == "code" and "loader = " in c.source]
    assert said_by(f"import torch\n{cell.source}").strip() == "{'attributes': (64, 40)}"

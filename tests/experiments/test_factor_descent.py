"""Algorithms 1 and 2 beside a proximal method, and a solver's word on where they end."""

import pytest
import torch

from mtlib.experiments import factor_descent


@pytest.fixture(scope="module")
def rows():
    return {row["algorithm"]: row for row in factor_descent.compare([0], steps=120)}


def test_all_begin_at_the_same_objective_and_bring_it_down(rows):
    assert set(rows) == set(factor_descent.ALGORITHMS)
    starts = [row["objective"][0] for row in rows.values()]
    assert starts == pytest.approx([starts[0]] * len(starts), rel=1e-6)
    assert all(row["end"] < 0.95 * starts[0] for row in rows.values())


def test_the_printed_step_is_far_behind_and_the_mended_one_is_not(rows):
    ends = {name: row["end"] for name, row in rows.items()}
    assert ends["Algorithms 1 + 2, as printed"] > ends["Algorithms 1 + 2, mended"] + 1
    assert ends["proximal"] <= ends["Algorithms 1 + 2, mended"] + 0.05


def test_proximal_steps_never_raise_the_objective_and_reach_zeros(rows):
    path = torch.tensor(rows["proximal"]["objective"])
    assert (path[1:] <= path[:-1] + 1e-5).all()
    assert rows["Adam on everything"]["zeros"] == 0


def test_what_is_told_of_a_path_is_relative_to_the_best_of_its_problem(rows):
    found = factor_descent.above_best(list(rows.values()))
    assert min(min(path) for (path,) in found.values()) >= 0
    best = min(row["end"] - row["solver"] for row in rows.values())
    assert found["proximal"][0][0] == pytest.approx(rows["proximal"]["objective"][0] - best)
    assert rows["proximal"]["steps"][0] == 1
    assert rows["proximal"]["steps"][-1] == 120
    shown = factor_descent.table(list(rows.values()))
    assert float(shown.loc["Algorithms 1 + 2, as printed", "above the best"]) > 1
    assert shown.loc["Adam on everything", "zeros in S (%)"] == "0"


def test_a_solver_finds_much_at_the_start_and_little_at_the_end():
    data = factor_descent.problem(0)
    method = factor_descent.start(0, "seen")
    early = factor_descent.gain_by_solver(method, data)
    _, method = factor_descent.descend("proximal", 0, 300)
    kept = [part.detach().clone() for part in method.parameters()]
    late = factor_descent.gain_by_solver(method, data)
    assert early > 1
    assert 0 <= late < 0.05
    assert all(torch.equal(a, b) for a, b in zip(kept, method.parameters(), strict=True))  # nothing is left changed

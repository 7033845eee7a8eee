"""Table II's cells: what the rows are, that they start alike, that done work is kept; CelebA is the same call."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from mtlib.experiments import face_table, jobs
from mtlib.experiments.face_table import ARMS, TABLE, Cell, Plan
from mtlib.paths import repository
from mtlib.recipe import Recipe
from mtlib.sos import SOS


@pytest.fixture
def plan(tmp_path):
    return Plan(Recipe(steps=1, batch=16, rate=1e-3), tmp_path, train=32, test=24, made_by="a test")


def test_the_rows_are_those_printed():
    printed = pd.read_csv(repository() / "data" / "papers" / "sos_table2.csv")
    for name, row in zip(face_table.ROWS, printed.itertuples(), strict=True):
        arm = ARMS[name]
        assert (arm.common, arm.specific) == (row.common, row.specific)
        assert arm.weights == (row.lambda_cs, row.lambda_ss, row.lambda_adv, row.lambda_adv_disc)


def test_arms_of_one_seed_start_from_the_same_trunk_and_another_seed_from_another():
    tasks = (face_table.Task("attributes", "binary", 40),)
    one, other = (face_table.build(ARMS[name], 32, tasks, 3).trunk.state_dict() for name in ("MT", "SOS"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    again = face_table.build(ARMS["MT"], 32, tasks, 4).trunk.state_dict()
    assert not torch.equal(one["neck.1.weight"], again["neck.1.weight"])


def test_weights_and_readings_reach_the_head():
    tasks = (face_table.Task("attributes", "binary", 3),)
    head = face_table.build(ARMS["SOS, (4)–(6), heads follow"], 32, tasks, 0)
    assert isinstance(head, SOS)
    assert head.lambdas.tolist() == pytest.approx([0.01, 0.01, 0.05, 0])
    assert head.reading.semantic_reaches_heads


def test_cells_come_seed_by_seed():
    found = face_table.cells({"MT": [0, 1], "SOS": [0, 1], "SOS-SE": [1]})
    assert [(cell.seed, cell.arm) for cell in found] == [(0, "MT"), (0, "SOS"), (1, "MT"), (1, "SOS"), (1, "SOS-SE")]


def test_what_decides_the_outcome_names_the_file(plan):
    cell = Cell("SOS", 0)
    others = [replace(plan, size=64), replace(plan, train=48), replace(plan, recipe=Recipe(steps=2, batch=16))]
    stems = {each.stem(cell) for each in (plan, *others)} | {plan.stem(Cell("SOS", 1)), plan.stem(Cell("MT", 0))}
    assert len(stems) == 6
    assert replace(plan, made_by="somebody else").stem(cell) == plan.stem(cell)


def test_a_cell_is_trained_once_and_read_afterwards(plan, monkeypatch):
    told = []
    (row,) = face_table.train([Cell("MT", 0)], plan, advance=told.append)
    assert sum(told) == face_table.total(plan, 1) == 1
    assert row["made by"] == "a test"
    assert row["diverged"] is None
    assert len(row["by attribute"]) == 40
    assert len(row["map plain"]) == 780
    monkeypatch.setattr(face_table, "fit", lambda *a, **k: pytest.fail("trained again"))
    assert face_table.train([Cell("MT", 0)], plan) == [row]
    assert [path.suffix for path in plan.folder.iterdir()] == [".json"]


def test_a_network_that_diverges_is_a_row_and_not_an_error(plan, monkeypatch):
    def fails(*arguments, **options):
        raise FloatingPointError("step 3: semantic is not finite")

    monkeypatch.setattr(face_table, "fit", fails)
    (row,) = face_table.run_cell(Cell("MT", 0), plan)
    assert row["diverged"] == "step 3: semantic is not finite"
    assert "accuracy" not in row


def test_an_interrupted_network_leaves_no_scores(plan, monkeypatch):
    monkeypatch.setattr(face_table, "fit", lambda *a, **k: type("R", (), {"interrupted": True, "history": []})())
    with pytest.raises(KeyboardInterrupt):
        face_table.run_cell(Cell("MT", 0), plan)
    assert not list(plan.folder.iterdir())


def test_fake_heads_that_move_by_sgd_are_marked_in_the_arm():
    rates = {name: arm.sgd for name, arm in ARMS.items() if arm.sgd}
    assert len(rates) == 3
    # S-28: 1560 heads share the mean of (7), so this rate makes steps of 0.1 at the printed weight.
    assert [rate * 0.05 / 1560 for rate in rates.values()] == pytest.approx([0.1] * 3)


def test_celeba_is_the_same_call(plan, monkeypatch):
    asked = {}
    monkeypatch.setattr(face_table.datasets, "load", lambda name, **options: asked.update(name=name, **options))
    face_table.load.cache_clear()
    face_table.load(replace(plan, data="celeba", root="somewhere", size=128, train=None, test=None), 7)
    face_table.load.cache_clear()
    assert asked["name"] == "celeba"
    assert (asked["size"], asked["channels"], asked["root"]) == (128, 1, "somewhere")
    assert asked["train"] is None
    assert "seed" not in asked


def test_the_table_has_the_printed_weights():
    assert TABLE["SOS"].weights == (0.01, 0.01, 0.05, 0.05)
    assert jobs.digest(TABLE["SOS"]) != jobs.digest(TABLE["MT"])

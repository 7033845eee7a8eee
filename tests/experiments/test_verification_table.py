"""Cells of verification: what the arms are, that they start alike, that nobody tested on was trained on; CelebA too."""

from dataclasses import replace

import pytest
import torch

from mtlib.experiments import face_table, verification_table
from mtlib.experiments.verification_scores import GRID, TONES
from mtlib.experiments.verification_table import ARMS, WHO, Cell, Plan
from mtlib.faces.names import ATTRIBUTES
from mtlib.recipe import Recipe
from mtlib.tasks import Dataset, Split, Task

TASKS = (Task("attributes", "binary", ATTRIBUTES), Task(WHO, "classes", (WHO,), classes=9))


@pytest.fixture
def plan(tmp_path):
    return Plan(Recipe(steps=3, batch=16, rate=1e-3), tmp_path, train=100, test=100, made_by="a test")


def photographs(who_train, who_test):
    """A stand-in for CelebA: noise with labels, and who is on it."""
    draw = torch.Generator().manual_seed(0)
    parts = []
    for who in (who_train, who_test):
        x = torch.randint(0, 256, (len(who), 3, 32, 32), generator=draw, dtype=torch.uint8)
        y = torch.randint(0, 2, (len(who), 40), generator=draw)
        parts.append(Split(x, {"attributes": y, WHO: torch.tensor(who).unsqueeze(1)}))
    return Dataset("photographs", TASKS, *parts)


def test_the_arms_are_a_baseline_what_is_added_to_it_readings_and_what_needs_no_training():
    built = {name: verification_table.build(arm, TASKS[:1], 0) for name, arm in ARMS.items()}
    assert {name for name, method in built.items() if method.tasks} == {"attributes", "attributes, matched"}
    assert {name for name, method in built.items() if method.invariant} == {"attributes, matched"}
    assert [ATTRIBUTES[j] for j in built["attributes, matched"].invariant] == ["Male", "Young"]
    readings = {name: (method.reading.hinge, method.reading.average) for name, method in built.items()}
    assert readings["identity"] == ("printed", "balanced")
    assert readings["identity, usual hinge"] == ("usual", "balanced")
    assert readings["identity, printed mean"] == ("printed", "printed")
    assert [name for name, arm in ARMS.items() if arm.compared != "trained"] == ["untrained", "pixels"]


def test_arms_of_one_seed_start_from_the_same_network_and_another_seed_from_another():
    own = [verification_table.build(arm, TASKS[:1], 3).state_dict() for arm in ARMS.values()]
    same = [key for key in own[0] if key.startswith(("trunk", "embedding"))]
    assert all(torch.equal(each[key], own[0][key]) for each in own for key in same)
    again = verification_table.build(ARMS["identity"], TASKS[:1], 4).state_dict()
    assert not torch.equal(own[0]["embedding.weight"], again["embedding.weight"])


def test_what_decides_the_outcome_names_the_file(plan):
    cell = Cell("identity", 0)
    others = [replace(plan, size=64), replace(plan, test=200), replace(plan, recipe=Recipe(steps=2, batch=16))]
    stems = {each.stem(cell) for each in (plan, *others)} | {plan.stem(Cell("pixels", 0)), plan.stem(Cell("pixels", 1))}
    assert len(stems) == 6
    assert replace(plan, made_by="somebody else").stem(cell) == plan.stem(cell)
    assert plan.stem(cell).name.startswith("verify-")


def test_every_batch_has_four_pictures_of_each_of_its_people(plan):
    who = torch.arange(8).repeat_interleave(6).unsqueeze(1)
    rows = verification_table.batches(who, plan, 0)(0)
    assert who[rows, 0].unique(return_counts=True)[1].tolist() == [4] * 4
    with pytest.raises(ValueError, match="a multiple of 4, got 18"):
        verification_table.batches(who, replace(plan, recipe=Recipe(batch=18)), 0)


def test_nobody_is_trained_on_and_tested_on(plan, monkeypatch):
    data = verification_table.load(plan, 0)
    assert not set(data.train.y[WHO].flatten().tolist()) & set(data.test.y[WHO].flatten().tolist())
    assert data.test.y[WHO].shape == (100, 1)
    assert [task.name for task in data.tasks] == ["attributes"]
    shared = photographs([0, 0, 1, 1, -1], [2, 1, 1, -1])  # two pictures of 1; unknown people are nobody twice
    monkeypatch.setattr(verification_table.datasets, "load", lambda name, **options: shared)
    with pytest.raises(ValueError, match="photographs: 2 test pictures show people of the training split"):
        verification_table.load(replace(plan, data="celeba"), 0)


def test_a_tone_belongs_to_a_person():
    who = verification_table.identities("test", 100, 5)
    tone = verification_table.tones(torch.arange(100), 5)
    spread = [tone[who == person].unique().numel() for person in who.unique()]
    assert spread == [1] * 5
    assert tone.unique().numel() == 5
    assert torch.equal(verification_table.tones(torch.tensor([7, 3]), 5), tone[[7, 3]])


def test_cells_are_trained_once_and_read_afterwards(plan, monkeypatch):
    told = []
    wanted = verification_table.cells({arm: [0] for arm in ("identity", "attributes, matched", "pixels")})
    rows = verification_table.train(wanted, plan, advance=told.append)
    assert sum(told) == verification_table.total(plan, 3) == 9
    plain, matched, _ = rows
    assert (plain["arm"], plain["made by"], plain["diverged"]) == ("identity", "a test", None)
    assert [set(row["losses"]) for row in rows] == [{"coupling"}, {"coupling", "matching", "attributes"}, set()]
    assert 0.1 < matched["losses"]["attributes"] < 1.5  # a mean over forty of about log 2
    assert plain["attribute accuracy"] is None
    assert 20 < matched["attribute accuracy"] < 95
    for row in rows:
        assert (row["people"], row["pairs"], len(row["roc"])) == (5, 20 * 19 // 2, len(GRID))
        assert row["roc"] == sorted(row["roc"])
        assert set(row["false match by tone"]) <= set(TONES)
    monkeypatch.setattr(face_table, "fit", lambda *a, **k: pytest.fail("trained again"))
    assert verification_table.train(wanted, plan) == rows
    assert {path.suffix for path in plan.folder.iterdir()} == {".json"}


def test_the_same_cell_gives_the_same_row_twice(plan, tmp_path):
    other = replace(plan, folder=tmp_path / "again")
    other.folder.mkdir()
    cell = Cell("attributes", 1)
    assert verification_table.run_cell(cell, plan) == verification_table.run_cell(cell, other)


def test_pixels_and_an_untrained_network_do_not_depend_on_the_recipe(plan):
    for name in ("pixels", "untrained"):
        row, other = (
            verification_table.run_cell(Cell(name, 0), replace(plan, recipe=Recipe(steps=steps, batch=16)))[0]
            for steps in (1, 4)
        )
        assert row == other


def test_a_network_that_diverges_is_a_row_and_one_that_is_stopped_is_none(plan, monkeypatch):
    def fails(*arguments, **options):
        raise FloatingPointError("step 3: coupling is not finite")

    monkeypatch.setattr(face_table, "fit", fails)
    (row,) = verification_table.run_cell(Cell("identity", 0), plan)
    assert row["diverged"] == "step 3: coupling is not finite"
    assert "AUC" not in row
    stopped = type("Result", (), {"interrupted": True})
    monkeypatch.setattr(face_table, "fit", lambda *a, **k: stopped)
    with pytest.raises(KeyboardInterrupt):
        verification_table.run_cell(Cell("attributes", 0), plan)
    assert not plan.stem(Cell("attributes", 0)).with_suffix(".json").exists()


def test_celeba_is_the_same_call_without_tones(plan, monkeypatch):
    asked = {}

    def load(name, **options):
        asked.update(name=name, **options)
        return photographs([0] * 4 + [1] * 4 + [2] * 4 + [3] * 4, [5] * 4 + [6] * 4 + [7] * 3)

    monkeypatch.setattr(verification_table.datasets, "load", load)
    celeba = replace(plan, data="celeba", root="somewhere", train=None, test=None)
    (row,) = verification_table.run_cell(Cell("attributes", 0), celeba)
    assert (asked["name"], asked["tasks"], asked["root"], asked["train"]) == (
        *("celeba", ("attributes", WHO)),
        *("somewhere", None),
    )
    assert "seed" not in asked
    assert (row["people"], row["pairs"]) == (2, 28)  # who has three pictures is left out
    assert row["false match by tone"] is row["within groups"] is None


def test_loading_does_not_add_labels_to_faces_that_others_keep(plan):
    verification_table.load(plan, 0)
    assert set(face_table.load(plan, 0, 3).train.y) == {"attributes"}

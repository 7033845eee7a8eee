"""Networks that are made blind: their faces, arms and cells, what setting a partner leaves alone, rows that repeat."""

import json
from dataclasses import replace

import pytest
import torch

from mtlib.experiments import blindness as table
from mtlib.experiments.blindness import AFTER, ARMS, BEFORE, Cell
from mtlib.experiments.blindness_summary import samples
from mtlib.faces import draw
from mtlib.faces.names import COLUMN
from mtlib.faces.population import identities

SMILE = ("Smiling", "Mouth_Slightly_Open")
TINY = replace(table.PROFILES["smoke"], train=64, probing=64, test=64, updates=2, learned=2)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return TINY.plan(tmp_path_factory.mktemp("blind"), made_by="a test")


@pytest.fixture(scope="module")
def rows(plan):
    return table.train([Cell(arm, 0, SMILE) for arm in (BEFORE, AFTER)], plan)


def test_everybody_is_shown_once():
    index = table.people("test", 40)
    assert len(identities(index, 3).unique()) == 40
    assert table.people("test", 10).tolist() == index[:10].tolist()
    assert not set(table.people("train", 40).tolist()) & set(index.tolist())


def test_labels_are_the_pairs(plan):
    data = table.paired(table.load(plan, 0), SMILE)
    faces = draw(table.people("test", 64), 0, 32)
    for task, name in zip(("main", "partner"), SMILE, strict=True):
        assert data.test.y[task][:, 0].tolist() == faces.attributes[:, COLUMN[name]].tolist()
    assert torch.equal(data.test.x, faces.images)
    assert len(data.validation) == plan.probing


@pytest.mark.parametrize("pair", table.PAIRS)
def test_setting_the_partner_leaves_the_main_label_and_all_other_pixels_alone(plan, pair):
    (off, on), masks = table.judged(plan, 0, pair)
    index = table.people("test", plan.judged)
    plain, unset, is_set = (draw(index, 0, 32, do) for do in ({}, {pair[1]: 0}, {pair[1]: 1}))
    main = COLUMN[pair[0]]
    for faces in (unset, is_set):
        assert torch.equal(faces.attributes[:, main], plain.attributes[:, main])
        assert torch.equal(faces.margin[:, main], plain.margin[:, main])
    assert torch.equal(off, unset.images)
    assert torch.equal(on, is_set.images)
    sharp = plain.margin[:, COLUMN["Blurry"]] <= 0
    change = (on.int() - off.int()).abs().amax(1)[sharp]
    assert change.amax() > 0
    # What changes beyond the mask is too faint for it.
    assert change[~masks[sharp, 1]].max() <= 16


def test_arms_of_a_seed_begin_alike_and_from_what_learned_forty_attributes(plan):
    one, other = (table.build(ARMS[name], plan, 0) for name in (BEFORE, "MLP adversary"))
    assert all(map(torch.equal, one.trunk.state_dict().values(), other.trunk.state_dict().values()))
    assert torch.equal(one.head.weight, other.head.weight)
    assert len(other.adversary) == 3
    fresh = table.build(ARMS[BEFORE], replace(plan, learned=0), 0)
    assert not torch.equal(fresh.trunk.body[1].weight, one.trunk.body[1].weight)
    x = table.load(plan, 0).test.x[:4]
    one.eval()
    assert torch.allclose(one.trunk(x), one.trunk.spatial(x).mean((2, 3)), atol=1e-6)


def test_cells_come_seed_by_seed_and_few_have_every_arm():
    found = table.cells(table.PAIRS, [4, 5], few=1)
    assert [cell.seed for cell in found] == sorted(cell.seed for cell in found)
    later = [cell for cell in found if cell.seed == 5]
    assert len(later) == len(table.PAIRS) * len(table.CORE)
    first = [cell for cell in found if cell.seed == 4 and cell.pair == table.LADDER[0]]
    assert [cell.arm for cell in first] == list(ARMS)
    quick = table.PROFILES["quick"].cells([0, 1])
    assert {cell.arm for cell in quick} == {BEFORE, AFTER}
    assert table.work(quick, table.PROFILES["quick"].plan("x")) == 4 * 48 + 2 * 64


def test_every_lambda_of_the_paper_has_an_arm():
    assert list(table.WEIGHTS) == [0, 0.01, 0.1, 0.3, 0.5, 1]
    assert all(ARMS[name].weight == weight for weight, name in table.WEIGHTS.items())


def test_a_row_says_what_was_asked(rows):
    for row, arm in zip(rows, (BEFORE, AFTER), strict=True):
        assert (row["main"], row["partner"], row["arm"], row["seed"]) == (*SMILE, arm, 0)
        assert (row["made by"], row["diverged"]) == ("a test", None)
        for score in ("accuracy", "adversary", "linear probe", "MLP probe", "floor", "mass partner", "do 0", "do 1"):
            assert 0 <= row[score] <= 100
    assert rows[0]["floor"] == rows[1]["floor"]  # the labels'
    assert rows[0]["linear probe"] != rows[1]["linear probe"]


def test_a_row_is_read_from_its_file_and_repeats(rows, plan, tmp_path):
    cell = Cell(AFTER, 0, SMILE)
    elsewhere = replace(plan, folder=tmp_path)
    assert table.run_cell(cell, elsewhere) == [rows[1]]  # the trunk was learned anew, too
    (file,) = (path for path in tmp_path.glob("*.json") if "trunk" not in path.name)
    file.write_text(json.dumps([rows[1] | {"accuracy": 7}]))
    told = []
    assert table.run_cell(cell, elsewhere, told.append)[0]["accuracy"] == 7
    assert told == [2]
    assert not list(tmp_path.glob("*.pt"))


def test_a_network_that_diverges_is_told_not_judged(plan, tmp_path):
    wild = replace(plan, folder=tmp_path, learned=0, recipe=replace(plan.recipe, rate=1e30, optimiser="sgd"))
    (row,) = table.run_cell(Cell(AFTER, 0, SMILE), wild)
    assert row["diverged"]
    assert "accuracy" not in row


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ValueError, match="drawn_faces, of celeba they are not known"):
        table.Plan(table.Recipe(steps=1), tmp_path, data="celeba")
    with pytest.raises(ValueError, match="from 1 to the 24 test faces, got 25"):
        table.Plan(table.Recipe(steps=1), tmp_path, test=24, judged=25)
    with pytest.raises(ValueError, match="1 to 6 pairs; got 'fast', 0"):
        table.profile("fast")
    assert table.profile("standard", seeds=2).few == 2


def test_the_smoke_profile_runs_from_faces_to_samples(tmp_path):  # about 2 seconds
    small = replace(table.PROFILES["smoke"], pairs=1, arms=(BEFORE, AFTER))
    plan, seeds = small.plan(tmp_path), [0, 1]
    done = []
    found = table.train(small.cells(seeds), plan, advance=done.append)
    assert [(row["arm"], row["seed"]) for row in found] == [(BEFORE, 0), (AFTER, 0), (BEFORE, 1), (AFTER, 1)]
    assert sum(done) == table.work(small.cells(seeds), plan)
    told = samples(found)
    assert len(told["linear probe, after minus before, mean of pairs"]) == 2
    assert "linear probe, after minus before, mean of untied pairs" not in told

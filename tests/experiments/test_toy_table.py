"""Table I with error bars: which networks are trained, together with which, and that nothing is trained twice."""

import json
from dataclasses import replace

import pytest
import torch

from mtlib import ensemble, toy
from mtlib.ensemble import Copy
from mtlib.experiments import sos_toy, toy_table
from mtlib.experiments.toy_table import ABLATIONS, ARMS, MODELS, READINGS, Cell, Plan, build, cells, jobs, train
from mtlib.recipe import Recipe
from mtlib.sos import SOS


@pytest.fixture
def plan(tmp_path):
    return Plan(Recipe(steps=15, rate=0.01), tmp_path, "a commit")


def test_an_arm_is_trained_only_on_the_sets_that_it_changes():
    found = cells([3, 6, 8], {"ST": [0, 1], "SOS, offset x¹": [0], "SOS, band ε": [0]})
    assert [cell.number for cell in found if cell.arm == "ST"] == [3, 3, 6, 6, 8, 8]
    assert [cell.number for cell in found if cell.arm == "SOS, offset x¹"] == [6]
    assert [cell.number for cell in found if cell.arm == "SOS, band ε"] == [6, 8]


def test_a_plane_without_a_ring_is_the_same_under_every_reading():
    for number in set(toy.SETS) - set(toy_table.RINGS):
        assert not any(isinstance(template, toy.Donut) for template in toy.SETS[number])


def test_a_job_is_one_program_in_the_order_given():
    wanted = cells([8, 3], {arm: [0, 1] for arm in ARMS})
    found = jobs(wanted, most=10)
    assert sorted(str(cell) for job in found for cell in job) == sorted(map(str, wanted))
    for job in found:
        assert len(job) <= 10
        assert len({(ARMS[cell.arm].model, ARMS[cell.arm].spaces) for cell in job}) == 1
    sos = [cell for job in found for cell in job if (ARMS[cell.arm].model, ARMS[cell.arm].spaces) == ("SOS", "linear")]
    assert sos == [cell for cell in wanted if cell in sos]


def test_all_arms_of_a_model_start_from_the_same_weights():
    first = build(Copy(seed=3, settings={"arm": "SOS"}))
    for arm in (*ABLATIONS, "SOS, band ε", "SOS, spaces after ReLU"):
        other = build(Copy(seed=3, settings={"arm": arm}))
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))
    other = build(Copy(seed=4, settings={"arm": "SOS"}))
    assert not torch.equal(first.spaces.weight, other.spaces.weight)


def test_an_ablation_switches_its_term_off_and_no_other():
    printed = torch.full((4,), 0.01)
    for place, arm in enumerate(("without (4)", "without (5)", "without (6)", "without (7)")):
        expected = printed.clone()
        expected[place] = 0
        assert torch.equal(build(Copy(settings={"arm": arm})).lambdas, expected)
    assert torch.equal(build(Copy(settings={"arm": "without all"})).lambdas, torch.zeros(4))


def test_the_wide_control_is_as_wide_as_sos():  # S-15
    sizes = {arm: sum(p.numel() for p in build(Copy(settings={"arm": arm})).parameters()) for arm in MODELS}
    assert sizes == {"ST": 562, "MT": 522, "SOS": 627 + 42, "MT wide": 637}
    wide, sos = (build(Copy(settings={"arm": arm})) for arm in ("MT wide", "SOS"))
    assert wide.trunk[2].out_features == sos.spaces.out_features == 25


def test_a_cell_scores_what_its_network_scores_alone(plan):
    wanted = [Cell("SOS", 8, 1), Cell("MT", 3, 0)]
    scores = train(wanted, plan)
    assert scores[["arm", "set", "seed"]].values.tolist() == [["SOS", 8, 1], ["MT", 3, 0]]
    for cell, row in zip(wanted, scores.to_dict("records"), strict=True):
        _, alone = sos_toy.train(cell.number, cell.arm, plan.recipe, cell.seed)
        assert row["average"] == pytest.approx(alone["average"], abs=0.2)  # an answer may tip by rounding
    assert scores["made by"].unique().tolist() == ["a commit"]
    assert scores["frozen"].isna().all()
    assert scores["probe common/task 1"].notna().tolist() == [True, False]


def test_what_is_trained_is_not_trained_again(plan, monkeypatch):
    wanted = [Cell("MT", 3, 0), Cell("ST", 3, 0), Cell("MT", 3, 1)]  # the first and the last are one job
    first = train(wanted, plan)
    assert first[["arm", "seed"]].values.tolist() == [["MT", 0], ["ST", 0], ["MT", 1]]
    assert [path.suffix for path in plan.folder.iterdir()] == [".json"] * 2  # the checkpoints are gone
    monkeypatch.setattr(ensemble, "fit", lambda *a, **k: pytest.fail("trained again"))
    told = []
    again = train(wanted, plan, advance=told.append)
    assert again.equals(first)
    assert told == [2 * 15, 15]


def test_a_job_cut_short_goes_on_from_its_checkpoint(tmp_path):
    wanted, recipe = [Cell("MT", 3, seed) for seed in range(2)], Recipe(steps=130, rate=0.01)
    whole = train(wanted, Plan(recipe, tmp_path / "whole"))
    plan = Plan(recipe, tmp_path / "cut")
    job = jobs(wanted)[0]
    checkpoint = plan.stem(job).with_suffix(".pt")
    real = ensemble.fit
    often = {"save_every": 0, "advance": lost_at_the_second_chunk()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ensemble, "fit", lambda *a, **k: real(*a, **{**k, **often}))
        with pytest.raises(OSError, match="gone"):
            train(wanted, plan)
    assert checkpoint.exists()
    steps = []
    assert train(wanted, plan, advance=steps.append).equals(whole)
    assert steps[0] == 2 * 64  # what was done is told first


def lost_at_the_second_chunk():
    calls = iter([False, True])

    def advance(updates):
        if next(calls):
            raise OSError("the machine is gone")

    return advance


def test_the_file_of_a_job_is_named_after_all_that_decides_it(plan):
    job = [Cell("SOS", 3, 0)]
    stems = {
        plan.stem(job),
        plan.stem([Cell("SOS", 3, 1)]),
        plan.stem([Cell("without (6)", 3, 0)]),
        replace(plan, recipe=Recipe(steps=16, rate=0.01)).stem(job),
    }
    assert len(stems) == 4
    assert plan.stem(job) == Plan(plan.recipe, plan.folder, "another commit").stem(list(job))


def test_another_process_finds_the_same(plan, tmp_path):
    wanted = [Cell("MT", 8, 0), Cell("MT", 8, 1)]  # one job: a second process would only import everything again
    told = []
    spread = train(wanted, plan, workers=2, advance=told.append)
    assert sum(told) == 2 * 15
    assert spread.equals(train(wanted, replace(plan, folder=tmp_path / "alone")))


def test_a_network_that_diverges_is_named(plan, monkeypatch):
    def spoilt(number, **options):
        data = make(number, **options)
        data.train.x[:] = torch.inf
        return data

    make = toy.make
    monkeypatch.setattr(toy_table.toy, "make", spoilt)
    (row,) = train([Cell("MT", 3, 0)], plan).to_dict("records")
    assert row["frozen"].startswith("step 0: the loss of 'task 1' is")


def test_every_arm_builds():
    for arm in ARMS:
        assert isinstance(build(Copy(settings={"arm": arm})), SOS) == (ARMS[arm].model == "SOS")
    assert set(READINGS) & set(MODELS) == set()
    assert json.dumps(list(ARMS))  # the names go into records

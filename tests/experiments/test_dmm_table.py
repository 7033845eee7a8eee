"""The networks that are compared about DMM-CNN: what they are, how their rates are chosen, that rows repeat."""

from dataclasses import replace

import pytest
import torch

from mtlib.dmm import report
from mtlib.experiments import dmm_family, dmm_summary, dmm_training, tuned
from mtlib.experiments import dmm_table as table
from mtlib.experiments.dmm_arms import (
    ALONE,
    ARMS,
    DYNAMIC,
    EQUAL,
    FAMILY,
    RATES,
    VARIANTS,
    branches,
    build,
    narrowed,
    update,
)
from mtlib.experiments.dmm_scores import THRESHOLDS
from mtlib.faces.names import ATTRIBUTES
from mtlib.paths import repository
from mtlib.recipe import Recipe
from mtlib.training import fit
from mtlib.updates.schemes import SCHEMES

TINY = replace(table.PROFILES["smoke"], size=48, train=64, validation=32, test=32, epochs=3)


def plan(folder):
    return TINY.plan(folder, data="drawn_faces", root=None, made_by="test", device="cpu")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Two seeds of some arms, the traced ones among them."""
    arms = ["baseline", EQUAL, DYNAMIC, "DWA"]
    return table.train(
        table.listed(dict.fromkeys(arms, 3e-3), [0, 1], few=2), plan(tmp_path_factory.mktemp("jobs")), workers=1
    )


# ------------------------------------------------------------------ arms


def test_every_weighting_is_there_and_every_variant_has_its_network():
    assert set(dmm_family.SCHEMES) == set(SCHEMES)
    assert {arm for arm, _ in VARIANTS.values()} == set(list(ARMS)[:5])
    wanted = {arm for own in dmm_summary.KEPT.values() for arm in own}
    assert wanted == set(ARMS)


def test_what_an_arm_is_like_is_tuned():
    assert all(ARMS[arm.like].like is None for arm in ARMS.values() if arm.like)
    assert all(ARMS[arm.like].optimiser == arm.optimiser for arm in ARMS.values() if arm.like)


def test_every_arm_has_all_attributes_once():
    for name, arm in ARMS.items():
        columns = [column for branch in branches(arm, 8) for column in branch.columns]
        assert sorted(columns) == sorted([arm.only] if arm.only else ATTRIBUTES), name


def test_swapped_groups_have_the_same_branches_for_each_other():
    own, swapped = (branches(ARMS[name], 8) for name in (EQUAL, "equal, groups swapped"))
    assert [branch.columns for branch in own] == [branch.columns for branch in swapped][::-1]
    assert [branch.sides for branch in own] == [branch.sides for branch in swapped]


def test_networks_of_one_seed_start_from_the_same_trunk(tmp_path):
    data = table.load(plan(tmp_path), 0)
    first, second = (
        build(ARMS[name], plan(tmp_path).trunk, data.tasks, 0, width=8, validations=2) for name in (EQUAL, "baseline")
    )
    assert all(map(torch.equal, first.body.parameters(), second.body.parameters()))


def test_a_network_of_one_attribute_sees_its_label_alone(tmp_path):
    data = table.load(plan(tmp_path), 0)
    for name in ALONE:
        own = narrowed(data, name)
        assert own.tasks[0].columns == (name,)
        assert own.train.y["attributes"].equal(data.train.y["attributes"][:, [ATTRIBUTES.index(name)]])
    assert data.train.y["attributes"].shape[1] == 40


@pytest.mark.parametrize("name", SCHEMES)
def test_every_weighting_trains_it_beside_its_landmarks(name, tmp_path):
    data, own = table.load(plan(tmp_path), 0), ARMS[dmm_family.SCHEMES[name]]
    method = build(own, plan(tmp_path).trunk, data.tasks, 0, width=8, validations=1)
    before = {key: value.clone() for key, value in method.named_parameters()}
    fit(
        *(method, data, Recipe(steps=2, batch=16, rate=1e-3)),
        update(own, data, per_epoch=1, seed=0),
        validate_every=1,
        score=report,
    )
    still = [key for key, value in method.named_parameters() if value.equal(before[key])]
    assert not still, f"{name} does not move {still}"


# ------------------------------------------------------------------ tuning


def test_the_search_is_the_same_for_all():
    found = table.trials(list(ARMS))
    for name, arm in ARMS.items():
        own = [job.rate for job in found if job.arm == name]
        assert own == ([] if arm.like else list(RATES[arm.optimiser]))
    assert {job.seed for job in found} == {tuned.TUNED_ON}


def test_the_rate_of_the_smallest_validation_loss_is_taken_and_shared():
    tried = [
        {"arm": DYNAMIC, "rate": rate, "validation loss": loss, "diverged": None}
        for rate, loss in ((1e-3, 0.5), (3e-3, 0.3), (1e-2, 0.4))
    ]
    tried.append({"arm": DYNAMIC, "rate": 1.0, "diverged": "step 3"})
    assert table.chosen(["one branch", DYNAMIC], tried) == {"one branch": 3e-3, DYNAMIC: 3e-3}
    with pytest.raises(ValueError, match="dynamic weights diverged at all"):
        table.chosen([DYNAMIC], tried[-1:])


def test_few_seeds_are_the_first_ones():
    jobs = table.listed({EQUAL: 0.1, "MGDA": 0.2}, [5, 6, 7], few=2)
    assert [(job.arm, job.seed) for job in jobs] == [(EQUAL, 5), ("MGDA", 5), (EQUAL, 6), ("MGDA", 6), (EQUAL, 7)]
    assert table.work([EQUAL, "MGDA"], replace(TINY, seeds=3, few=2), search=True) == TINY.updates * (5 + 6)


# ------------------------------------------------------------------ rows


def test_a_row_says_what_four_kinds_of_thresholds_give(rows):
    for row in rows:
        assert row["diverged"] is None
        for kind in THRESHOLDS:
            assert len(row[kind]["by attribute"]) == 40
            assert row[kind]["accuracy"] == pytest.approx(sum(row[kind]["by attribute"]) / 40, abs=0.01)
        assert len(row["curve"]) == 3  # one update an epoch, each validated
        assert (row["landmark error"] is None) == (row["arm"] == "baseline")
        assert ("traces" in row) == (row["arm"] in (EQUAL, DYNAMIC))


def test_a_job_repeats_bit_by_bit_and_a_finished_one_is_read(rows, tmp_path):
    job = table.Job(EQUAL, 1, 3e-3)
    told = []
    (again,) = table.run_job(job, plan(tmp_path), told.append)
    assert again == next(row for row in rows if (row["arm"], row["seed"]) == (EQUAL, 1))
    (file,) = tmp_path.glob("*.json")
    before = file.stat().st_mtime_ns
    assert table.run_job(job, plan(tmp_path)) == [again]
    assert file.stat().st_mtime_ns == before
    assert sum(told) == TINY.updates


def test_weights_follow_from_the_losses_and_are_1_at_first(rows):
    row = next(row for row in rows if row["arm"] == DYNAMIC)
    losses, weights = row["traces"]["loss"], dmm_training.weights(row)
    assert (weights[:, 0] == 1).all()
    expected = abs(losses[3][2] - losses[3][1]) / losses[3][1]
    assert weights[3, 2] == pytest.approx(max(expected, 1e-3))
    shares = dmm_training.split(row)
    assert shares["objective"][0] == pytest.approx(22 / 40)
    assert all(a + b == pytest.approx(1) for a, b in zip(*shares.values(), strict=True))


# ------------------------------------------------------------------ what rows say


def test_a_threshold_is_worth_what_the_same_network_says(rows):
    found = dmm_summary.samples(rows)
    own = [row for row in rows if row["arm"] == EQUAL]
    expected = [row["adaptive"]["accuracy"] - row["fixed"]["accuracy"] for row in own]
    assert found["DMM-EQ-AT minus DMM-EQ-FIX"] == expected
    assert found["ingredients/adaptive thresholds"] == expected
    assert "DMM-CNN minus DMM-SPP" not in found  # no such rows
    assert len(found["family/DWA"]) == 2


def test_a_record_keeps_the_curves_of_one_seed_and_says_the_same(rows):
    slim = dmm_summary.slim(rows)
    assert [row["seed"] for row in slim if "traces" in row] == [0, 0]
    before, after = dmm_summary.samples(rows), dmm_summary.samples(slim)
    assert before.keys() == after.keys()
    for key, values in before.items():
        assert after[key] == pytest.approx(values, abs=1e-6), key
    assert dmm_training.curves(slim) == dmm_training.curves(rows)
    outputs = dmm_training.outputs(slim)
    assert {z.shape for z, _ in outputs.values()} == {(32,)}


def test_tables_have_a_line_for_everything_that_there_is(rows):
    assert list(dmm_summary.table1(rows).index) == list(VARIANTS)
    assert list(dmm_family.table2(rows).index) == ["uniform", "validation trend", "DWA"]
    assert list(dmm_summary.thresholds(rows).index) == list(THRESHOLDS)
    assert set(dmm_summary.scoreboard(rows)) == {
        "DMM-EQ-FIX over Baseline",
        "DMM-EQ-AT over Baseline",
        "DMM-DW-FIX over Baseline",
        "DMM-CNN over Baseline",
        "validation trend over uniform",
        "DWA over uniform",
    }
    with pytest.raises(ValueError, match="curves are of equal weights and dynamic weights"):
        dmm_training.curves(rows[:1])


def test_accuracies_are_headed_by_what_was_tested_on(rows):
    assert "drawn faces: accuracy (%)" in dmm_summary.table1(rows)
    elsewhere = [row | {"data": "celeba"} for row in rows]
    for table_of in (dmm_summary.table1, dmm_family.table2):
        columns = table_of(elsewhere).columns
        assert "CelebA: accuracy (%)" in columns
        assert not [name for name in columns if "drawn" in name]


def test_late_weights_are_set_beside_the_losses_of_any_arm(rows):
    own = dmm_training.focus(rows)
    beside = dmm_training.focus(rows, EQUAL)
    assert len(own) == len(beside) == 2
    assert own != beside
    equal = [row | {"losses": next(one["losses"] for one in rows if one["seed"] == row["seed"])} for row in rows]
    assert dmm_training.focus(equal) == dmm_training.focus(equal, EQUAL)
    assert dmm_training.focus([row for row in rows if (row["arm"], row["seed"]) != (EQUAL, 0)], EQUAL) == beside[1:]


def test_every_claim_has_its_estimate():
    from mtlib import claims

    keys = {claim.key for name in ("dmm", "dmm_weighting") for claim in claims.load(name).claims}
    gains = {f"family/{name}" for name in SCHEMES if name != "uniform"}
    assert gains <= keys
    assert len(FAMILY) == len(gains) - 1


def test_the_files_of_the_printed_tables_are_there():
    for name in ("table1_variants", "table2_weighting", "text_differences", "attribute_groups"):
        assert (repository() / "data" / "papers" / f"dmm_{name}.csv").exists()

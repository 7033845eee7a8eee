"""The pair search, small: what is trained, that it resumes, that choices are made on validation, and what follows."""

from dataclasses import replace

import pytest
import torch

from mtlib import ensemble, metrics
from mtlib.experiments import pair_data, pair_search, pair_summary, pair_tables
from mtlib.experiments.pair_data import Source
from mtlib.experiments.pair_profiles import PROFILES, profile
from mtlib.experiments.pair_search import Cell, Job, Plan
from mtlib.tasks import Split

RATES = {"single": 0.01, "multi": 0.01, "wide": 0.01}
M = 4


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    source = Source(train=256, validation=96, test=96, components=12, attributes=M)
    folder = tmp_path_factory.mktemp("pairs")
    return Plan(source, folder, epochs=2, looks=2, widths=(8, 6), replicates=6, weights=(0.1, 1.0), made_by="a test")


@pytest.fixture(scope="module")
def rows(plan):
    return pair_search.search(plan, [0], RATES)


def of(rows, kind):
    return [row for row in rows if row["kind"] == kind]


def test_what_is_trained(plan, rows):
    assert len(of(rows, "single")) == 6 * M
    assert len(of(rows, "pair")) == M * (M - 1) // 2
    assert len(of(rows, "multi")) == len(of(rows, "wide")) == 1
    have = sum(value >= 0 for value in pair_summary.found(rows, plan.data(0), plan.weights).partner.tolist())
    assert len(of(rows, "reversal")) == 2 * (have + M)  # of the worst partners, and of random ones
    assert len(of(rows, "gan")) == len(of(rows, "wasserstein")) == len(of(rows, "group")) == 2 * have
    assert len(of(rows, "shared")) == 2 * have + M
    assert {row["made by"] for row in rows} == {"a test"}


def test_the_work_told_is_the_most_there_can_be(plan, rows):
    done = []
    pair_search.search(plan, [0], RATES, advance=done.append)  # from its files
    assert 0 < sum(done) <= pair_search.work(plan, M, 1)
    assert pair_search.work(plan, M, 2, 3) == 2 * pair_search.work(plan, M, 1) + 3 * plan.updates(M + 2)
    assert plan.updates(1) == 4  # two epochs of two batches


def test_a_search_that_is_there_is_not_trained_again(plan, rows, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr(ensemble, "fit", refuse)
    assert pair_search.search(plan, [0], RATES) == rows


def test_another_plan_has_other_files_but_not_another_trainer(plan):
    job = Job("single", 0, (Cell(0),), 0.01)
    assert plan.stem(job) == replace(plan, made_by="somebody else").stem(job)
    assert plan.stem(job) != replace(plan, epochs=3).stem(job)
    assert plan.stem(job) != plan.stem(replace(job, rate=0.02))


def test_a_pair_is_one_training_of_both(plan, rows):
    """Row 1 of pair (0, 1) is attribute 0 with partner 1, and the other way round (L-7)."""
    first = next(row for row in of(rows, "pair") if row["partners"] == [1] and row["main"] == 0)
    table = pair_search.joint(rows)
    assert [table[0, 1].item(), table[1, 0].item()] == first["validation"]
    assert table.diagonal().isnan().all()
    alone = {row["main"]: row["validation"][0] for row in of(rows, "single") if row["run"] == 0}
    assert pair_search.drops(rows)[0, 1].item() == pytest.approx(first["validation"][0] - alone[0])


def test_scores_are_those_of_the_networks(plan):
    """One single network, trained by hand and scored at both looks: the better one by validation is reported."""
    job = Job("single", 0, (Cell(2),), 0.01)
    (row,) = pair_search.run_job(replace(job, rate=0.011), plan)
    data, width = pair_search.prepared("single", plan, 0, 0.01)
    copies = [ensemble.Copy(columns={"main": [2]})]

    def trained(epochs):
        recipe = replace(plan, epochs=epochs).recipe(0.011)
        recipe = replace(recipe, schedule="step", drops=(plan.drop * 2 / epochs,) if epochs == 2 else (0.999,))
        build = lambda copy: pair_search.build(job, plan, Cell(2), width, M)  # noqa: E731
        return next(ensemble.fit(build, data, copies, recipe).networks())

    def scored(method, split):
        own = Split(split.x, {"main": split.y["main"][:, [2]]})
        return 100 * metrics.accuracy(metrics.predictions(method, own)["main"], own.y["main"]).item()

    both = [(scored(method, data.validation), scored(method, data.test)) for method in (trained(1), trained(2))]
    best = max(both, key=lambda pair: pair[0])
    assert (row["validation"][0], row["test"][0]) == pytest.approx(best)


def test_inputs_and_labels_are_not_copied(plan):
    data = plan.data(0)
    pair, _ = pair_search.prepared("pair", plan, 0, 0.01)
    both, _ = pair_search.prepared("reversal", plan, 0, 0.01)
    assert pair.train.x is data.train.x
    assert both.train.y["main"] is both.train.y["partners"] is data.train.y["attributes"]


def test_test_labels_have_no_say(plan, rows, monkeypatch, tmp_path):
    """With every test label turned round, the same partners and networks are trained."""
    real = pair_data.load

    def turned(source):
        data = real(source)
        return replace(data, test=Split(data.test.x, {"attributes": 1 - data.test.y["attributes"]}))

    monkeypatch.setattr(pair_data, "load", turned)
    pair_search.prepared.cache_clear()
    other = pair_search.search(replace(plan, folder=tmp_path), [0], RATES)
    pair_search.prepared.cache_clear()
    keys = ("kind", "main", "partners", "weight", "run", "validation")
    assert [[row[key] for key in keys] for row in other] == [[row[key] for key in keys] for row in rows]
    assert other[0]["test"][0] == pytest.approx(100 - rows[0]["test"][0])


def test_rates_are_chosen_on_validation(plan):
    rates = pair_search.tune(plan, (1e-5, 0.01))
    assert rates == {"single": 0.01, "multi": 0.01, "wide": 0.01}
    assert {path.name.split("-")[2] for path in plan.folder.glob("pairs-multi-900-*")} == {"900"}


def test_a_job_that_was_cut_short_goes_on(plan, tmp_path, monkeypatch):
    cut = replace(plan, folder=tmp_path)
    job = Job("single", 0, (Cell(0), Cell(1)), 0.01)
    whole = pair_search.run_job(job, plan)
    monkeypatch.setattr(ensemble.run, "CHUNK", 1)
    real, calls = ensemble.run.Run.train, []

    def short(self, steps):
        calls.append(steps)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(self, steps)

    monkeypatch.setattr(ensemble.run.Run, "train", short)
    monkeypatch.setattr(pair_search, "SAVE_EVERY", 1e-9)
    with pytest.raises(KeyboardInterrupt):
        pair_search.run_job(job, cut)
    assert not list(tmp_path.glob("*.json"))
    assert list(tmp_path.glob("*.pt"))
    assert pair_search.run_job(job, cut) == whole
    assert sum(calls) == 3 + 2  # two were kept, the third was asked for twice
    assert not list(tmp_path.glob("*.pt"))


def test_a_network_that_diverges_is_named(plan, tmp_path):
    with pytest.raises(FloatingPointError, match=r"single networks diverged, such as Cell\(main=0"):
        pair_search.run_job(Job("single", 0, (Cell(0),), 1e30), replace(plan, folder=tmp_path))


def test_tables_survive_a_record(plan, rows):
    one = pair_summary.found(rows, plan.data(0), plan.weights)
    again = pair_summary.unpacked(pair_summary.packed(one))
    for name, value in vars(one).items():
        for own, other in zip(
            *(v.items() if isinstance(v, dict) else [(0, v)] for v in (value, vars(again)[name])), strict=True
        ):
            torch.testing.assert_close(
                torch.as_tensor(own[1]), torch.as_tensor(other[1]), atol=6e-4, rtol=0, equal_nan=True
            )
    assert again.single.shape == (6, M, 2)
    assert again.arms["group"].shape == (2, M, 2)


def test_all_tables_can_be_made_of_one_seed(plan, rows):
    one = pair_summary.found(rows, plan.data(0), plan.weights)
    table = pair_tables.table1([one], len(plan.weights))
    assert all(len(own["test"]) == 1 for own in table.values())
    assert list(pair_tables.spelled_table1(table, {pair_tables.AAL: 0.13}).loc[pair_tables.AAL])[-1] == "+0.13"


@pytest.mark.parametrize("name", PROFILES)
def test_profiles(name, tmp_path):
    found = profile(name, attributes=3, seeds=2)
    plan = found.plan(tmp_path, data="drawn_faces", root=None, made_by=None, device="cpu")
    assert (found.attributes, found.seeds) == (3, 2)
    assert plan.replicates >= len(plan.weights) + 1  # one group of single networks for the chance of choosing
    assert profile(name) == PROFILES[name]

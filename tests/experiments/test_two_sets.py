"""Two data bases in one network: which data, which rows, which networks, and what the scores come to."""

import json
import pickle
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
import torch

from mtlib import claims, datasets
from mtlib.datasets import examples
from mtlib.experiments import two_sets, two_sets_data, two_sets_summary
from mtlib.experiments.two_sets import Cell, Plan, build, cells, convolutions, train
from mtlib.experiments.two_sets_data import ACTIONS, EXPRESSION, PAIRS, actions, given, load
from mtlib.networks import lenet5
from mtlib.rows import Mixed
from mtlib.seeds import seeded
from mtlib.sos import SOS

SMALL = {"train": 60, "test": 30}


@pytest.fixture(scope="module")
def stand_ins():
    return given("stand-in", **SMALL)


@pytest.fixture
def plan(stand_ins, tmp_path):
    return Plan(stand_ins, {"a": 3, "b": 3}, tmp_path / "jobs", rate=1e-3, made_by="a commit")


@pytest.fixture
def invented(tmp_path, monkeypatch):
    """Tiny files in the layouts of CIFAR-10 and CIFAR-100, whose cache is not the course's."""
    examples.write("cifar10_jpeg", tmp_path / "data")
    examples.write("cifar100", tmp_path / "data")
    monkeypatch.setattr(datasets, "load", partial(datasets.load, cache=tmp_path / "cache"))
    two_sets_data._whole.cache_clear()
    load.cache_clear()
    return str(tmp_path / "data")


# ------------------------------------------------------------------ data


def test_a_stand_in_says_that_it_is_one(stand_ins):
    for letter, which in stand_ins.items():
        assert which.scope == "stand-in"
        assert load(which, 0).name == which.name == f"stand-in: {PAIRS[letter].stand_in}"


def test_stand_ins_are_as_large_as_the_real_ones_and_miss_the_others_labels(stand_ins):
    for letter, names in {"a": ("digit", "expression"), "b": ("expression", "actions")}.items():
        data = load(stand_ins[letter], 0)
        assert tuple(task.name for task in data.tasks) == names
        for split, n in ((data.train, 60), (data.test, 30)):
            assert split.x.shape == (2 * n, 3, 32, 32)
            assert split.x.dtype == torch.uint8
            assert split.source.tolist() == [1] * n + [2] * n
            for source, name in enumerate(names, 1):
                assert ((split.y[name] >= 0).flatten() == (split.source == source)).all()


def test_a_seed_draws_other_people_and_nobody_is_in_both(stand_ins):
    first, again, other = load(stand_ins["b"], 0), load(replace(stand_ins["b"]), 0), load(stand_ins["b"], 1)
    assert torch.equal(first.train.x, again.train.x)
    assert not torch.equal(first.train.x, other.train.x)
    assert not torch.equal(first.train.x[:60], first.train.x[60:])


def test_actions_number_the_combinations_of_units():
    units = torch.tensor([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 1]], dtype=torch.int8)
    assert actions(units).flatten().tolist() == [0, 1, 2, 13]  # 13 = 1 + 4 + 8
    assert ACTIONS.classes == 16
    assert EXPRESSION.classes == 7


def test_auto_takes_what_is_there(invented):
    found = given("auto", invented, **SMALL)
    assert {letter: which.real for letter, which in found.items()} == {"a": False, "b": True}
    assert found["b"].title == "CIFAR-10 (JPEG copy) + CIFAR-100"  # of a copy it is said that it is one
    assert found["b"].scope == "same-data"
    assert not any(which.real for which in given("stand-in", invented, **SMALL).values())


def test_real_asks_for_every_file(invented):
    with pytest.raises(FileNotFoundError, match="MNIST"):
        given("real", invented)
    with pytest.raises(ValueError, match="auto, real, stand-in"):
        given("drawn")


def test_a_seed_draws_another_subset_of_real_pictures(invented):
    which = replace(given("auto", invented)["b"], train=12)
    one, other, whole = load(which, 0), load(which, 1), load(replace(which, train=None), 0)
    assert one.train.source.tolist() == [1] * 12 + [2] * 12
    assert not torch.equal(one.train.x, other.train.x)
    assert torch.equal(one.test.x, other.test.x)
    # Each picture of a subset, with its labels, is one of all.
    for x, fine in zip(one.train.x, one.train.y["cifar100"], strict=True):
        same = (whole.train.x == x).flatten(1).all(1)
        assert (whole.train.y["cifar100"][same] == fine).all()
        assert same.any()


def test_drawn_faces_need_a_number():
    with pytest.raises(ValueError, match="as many as asked for"):
        replace(given("stand-in")["a"], train=None)
    assert given("stand-in")["b"].train == 50_000


# ------------------------------------------------------------------ networks


def test_all_arms_are_as_wide_and_begin_with_the_same_convolutions(stand_ins):
    tasks = load(stand_ins["b"], 0).tasks
    networks = {arm: build(Cell("b", arm, 3), tasks) for arm in two_sets.ARMS}
    assert [len(each) for each in networks.values()] == [2, 1, 1]
    (mt,), (sos,) = networks["MT"], networks["SOS"]
    assert mt.trunk.features == sos.spaces.out_features == 84
    for other in (sos, *networks["ST"]):
        assert torch.equal(other.trunk.neck[0].weight, mt.trunk.neck[0].weight)
        assert torch.equal(other.trunk.body[1].weight, mt.trunk.body[1].weight)
    assert torch.allclose(sos.lambdas, torch.tensor([0.01, 0.01, 0.05, 0.05]))  # printed
    assert not torch.equal(build(Cell("b", "MT", 4), tasks)[0].trunk.neck[0].weight, mt.trunk.neck[0].weight)
    with pytest.raises(ValueError, match="ST, MT, SOS"):
        build(Cell("b", "MT wide", 0), tasks)


def test_signals_begin_large_enough_to_be_correlated(stand_ins):
    data = load(stand_ins["a"], 0)
    (sos,), (mt,) = (build(Cell("a", arm, 0), data.tasks) for arm in ("SOS", "MT"))
    with torch.no_grad(), seeded("torch's own"):
        spaces = torch.cat([part.flatten(1) for part in sos.embed(data.train.x)], 1)
        smallest = spaces.var(0).min()
        common = mt.trunk(data.train.x).var(0).max()
        own = lenet5(3, 32)(data.train.x).var(0).max()
    assert smallest > 1e-3  # far above the 1e-5 that guard a correlation
    assert common > 1e-2 > 2e-3 > own


def test_convolutions_are_lenet_without_its_last_layer():
    trunk = lenet5(3, 32)
    x = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    assert torch.equal(trunk.neck[3:](convolutions(trunk)(x)), trunk(x))


def test_parameters_are_counted_with_fake_heads_apart(stand_ins):
    found = two_sets.sizes(load(stand_ins["b"], 0))
    convolved = 6 * 76 + 16 * 151 + 120 * 401 + 84 * 121  # filters and units, each with its bias
    assert found["MT"] == (convolved + 85 * (7 + 16), 0)
    assert found["ST"] == (2 * convolved + 85 * (7 + 16), 0)
    assert found["SOS"] == (convolved + 73 * (7 + 16), 73 * (7 + 16))  # a head reads 60 + 12 units


def test_a_single_network_sees_what_the_mixed_batches_have_of_its_data_base(stand_ins):
    source = load(stand_ins["a"], 0).train.source
    mixed = Mixed(source, {1: 50, 2: 50}, seed=5)
    for own in (1, 2):
        alone = Mixed(source, {own: 50}, seed=5)
        for step in (0, 1, 7):
            rows = mixed(step)
            assert sorted(alone(step).tolist()) == sorted(rows[source[rows] == own].tolist())


# ------------------------------------------------------------------ cells


def test_cells_come_seed_by_seed():
    found = cells("ab", [4, 7])
    assert len(found) == 12
    assert [cell.seed for cell in found] == [4] * 6 + [7] * 6
    assert [(cell.pair, cell.arm) for cell in found[:4]] == [("a", "ST"), ("a", "MT"), ("a", "SOS"), ("b", "ST")]


def test_what_is_trained_is_not_trained_again(plan, monkeypatch):
    told = []
    first = train(cells("a", [0]), plan, advance=told.append)
    assert sum(told) == (2 + 1 + 1) * 3
    assert first["data base"].tolist() == ["MNIST", "CIFAR-10"] * 3
    assert first["made by"].unique().tolist() == ["a commit"]
    assert first["accuracy"].between(0, 100).all()
    assert {path.suffix for path in plan.folder.iterdir()} == {".json"}  # checkpoints are gone
    monkeypatch.setattr(two_sets, "fit", lambda *a, **k: pytest.fail("trained again"))
    told.clear()
    again = train(cells("a", [0]), replace(plan, made_by="another"), advance=told.append)
    assert again.equals(first)
    assert sum(told) == 12


def test_a_cell_cut_short_goes_on_where_it_was(plan, tmp_path, monkeypatch):
    whole = train([Cell("a", "ST", 0)], plan)
    cut, real, calls = replace(plan, folder=tmp_path / "cut"), two_sets.fit, []

    def second_fails(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise OSError("the machine is gone")
        return real(*arguments, **options)

    monkeypatch.setattr(two_sets, "fit", second_fails)
    with pytest.raises(OSError, match="gone"):
        train([Cell("a", "ST", 0)], cut)
    monkeypatch.setattr(two_sets, "fit", real)
    steps = []
    assert train([Cell("a", "ST", 0)], cut, advance=steps.append).equals(whole)
    assert steps[0] == 3  # the first network came from its checkpoint at once


def test_the_file_of_a_cell_is_named_after_all_that_decides_it(plan):
    cell = Cell("a", "SOS", 0)
    longer = replace(plan, updates={"a": 4, "b": 3})
    larger = replace(plan, data=given("stand-in", train=61, test=30))
    stems = {
        plan.stem(cell),
        *(plan.stem(other) for other in (Cell("a", "MT", 0), Cell("a", "SOS", 1), Cell("b", "SOS", 0))),
        *(other.stem(cell) for other in (replace(plan, rate=2e-4), longer, larger)),
    }
    assert len(stems) == 7
    elsewhere = {"a": replace(plan.data["a"], root="elsewhere"), "b": plan.data["b"]}
    assert replace(plan, data=elsewhere, made_by="another").stem(cell) == plan.stem(cell)


def test_cells_can_be_sent_to_other_processes_and_do_not_depend_on_each_other(plan, tmp_path):
    run = pickle.loads(pickle.dumps(partial(two_sets.run, plan)))
    first, second = Cell("a", "MT", 0), Cell("a", "SOS", 0)
    rows = [row for cell in (second, first) for row in run(cell)]
    together = train([first, second], replace(plan, folder=tmp_path / "together"))
    assert pd.DataFrame([*rows[2:], *rows[:2]]).equals(together)


def test_an_arm_is_what_its_name_says(stand_ins):
    tasks = load(stand_ins["a"], 0).tasks
    assert [isinstance(build(Cell("a", arm, 0), tasks)[0], SOS) for arm in two_sets.ARMS] == [False, False, True]


# ------------------------------------------------------------------ what the scores come to


def scores(accuracies, pair="a", role="CIFAR-10"):
    """{arm: [accuracy of each seed]} as ``train`` gives them."""
    return pd.DataFrame([
        {"pair": pair, "data base": role, "arm": arm, "seed": seed, "accuracy": value}
        for arm, values in accuracies.items()
        for seed, value in enumerate(values)
        if value is not None
    ])  # fmt: skip


def test_changes_are_paired_by_seed():
    found = two_sets_summary.samples(scores({"ST": [50, 60], "MT": [49, 58], "SOS": [50.5, 60]}))
    assert found == {
        "a/CIFAR-10/MT-ST": [-1, -2],
        "a/CIFAR-10/SOS-ST": [0.5, 0],
        "a/CIFAR-10/SOS-MT": [1.5, 2],
    }
    cut_short = two_sets_summary.samples(scores({"ST": [50, 60], "MT": [49, None]}))
    assert cut_short == {"a/CIFAR-10/MT-ST": [-1]}


def test_printed_changes():
    found = two_sets_summary.printed()
    assert len(found) == 12
    assert found["a/CIFAR-10/MT-ST"] == -1.56
    assert found["a/MNIST/SOS-ST"] == -0.68
    assert found["a/CIFAR-10/SOS-MT"] == 1.25  # -0.31 + 1.56
    assert found["b/CIFAR-10/SOS-MT"] == -0.14
    assert found["b/CIFAR-100/SOS-MT"] == 0.38


def test_the_table_has_print_and_ours_side_by_side():
    found = {"a/CIFAR-10/MT-ST": [-1.0, -2.0], "b/CIFAR-100/SOS-MT": [0.5, 0.5]}
    table = two_sets_summary.beside_print(found, {"a": "these", "b": "those"})
    assert table.loc["a", "CIFAR-10", "MT − ST"].tolist() == ["-1.56", "-1.50 [-7.85, +4.85], n = 2", "these"]
    assert table.loc["b", "CIFAR-100", "SOS − MT"].tolist() == ["+0.38", "+0.50 [+0.50, +0.50], n = 2", "those"]


def test_a_record_gives_the_scores_back():
    both = pd.concat([scores({"ST": [50, 60.125], "MT": [49, 58]}), scores({"ST": [1, 2]}, "b", "CIFAR-100")])
    packed = json.loads(json.dumps(two_sets_summary.to_record(both)))
    assert packed["a"]["CIFAR-10"] == {"seed": [0, 1], "ST": [50, 60.125], "MT": [49, 58]}
    again = two_sets_summary.from_record(packed)
    assert two_sets_summary.samples(again) == two_sets_summary.samples(both)
    assert two_sets_summary.accuracies(again)["b"]["CIFAR-100"]["ST"]["mean"] == 1.5


def test_accuracies_in_a_table_stay_within_what_they_can_be():
    found = two_sets_summary.in_a_table(two_sets_summary.accuracies(scores({"ST": [99, 100], "MT": [50, 50]})))
    assert found.loc[("a", "CIFAR-10")].tolist() == ["99.5 [93.1, 100.0]", "50.0 [50.0, 50.0]"]


def test_the_scoreboard_averages_over_the_data_bases_of_a_pair(stand_ins):
    tasks = load(stand_ins["a"], 0).tasks
    found = {"a/MNIST/SOS-ST": [1.0, 2.0], "a/CIFAR-10/SOS-ST": [3.0, 2.0], "b/CIFAR-10/SOS-ST": [1.0, 1.0]}
    row = two_sets_summary.scoreboard(found, tasks)
    assert row["gain over single-task"] == {"a": {"n": 2, "mean": 2.0, "low": 2.0, "high": 2.0}}
    assert "gain over equal weights" not in row
    assert 1 < row["operations per update relative to equal weights"] < 1.01  # its heads are small beside convolutions
    # Two networks on half a batch each do what one does on the whole, but for the other task's head.
    head = 84 * 7 + 84 * 10
    assert two_sets_summary.cost("MT", tasks) - two_sets_summary.cost("ST", tasks) == 6 * 50 * head


def test_a_description_says_what_is_not_as_printed(plan):
    found = two_sets_summary.described(plan)["a"]
    assert found == (
        "stand-in: digits + expressions of drawn faces; up to 60 training pictures of each, 3 updates at rate 0.001 "
        "(printed: all, 220000 at 0.0002)"
    )
    real = replace(plan.data["a"], title="MNIST + CIFAR-10", real=True, train=None)
    whole = Plan({"a": real}, {"a": 220_000}, plan.folder)
    assert two_sets_summary.described(whole)["a"] == (
        "MNIST + CIFAR-10; all training pictures, 220000 updates at rate 0.0002"
    )


def test_verdicts_name_their_data_and_keep_the_scope(plan):
    rules = claims.load("sos_two_sets")
    real = {"a": replace(plan.data["a"], title="MNIST + CIFAR-10", real=True), "b": plan.data["b"]}
    long = replace(plan, data=real, updates=dict.fromkeys("ab", 2500))
    found = {"a/CIFAR-10/MT-ST": [-1.5, -1.6, -1.7, -1.5, -1.6], "b/CIFAR-100/MT-ST": [2.0, 2.1, 2.2, 2.1, 2.0]}
    one, other = two_sets_summary.judged(rules, found, long)
    assert (one["verdict"], one["scope"]) == ("reproduced", "same-data")
    assert (other["verdict"], other["scope"]) == ("not testable here", "stand-in")
    assert "drawn faces" in other["data"]
    assert ": holds;" in other["evidence"]
    short, _ = two_sets_summary.judged(rules, found, replace(long, updates=dict.fromkeys("ab", 60)))
    assert short["verdict"] == "undecided"


def test_every_claim_has_its_printed_number_and_an_estimate():
    rules, printed = claims.load("sos_two_sets"), two_sets_summary.printed()
    assert len(rules.claims) == 8
    for claim in rules.claims:
        assert claim.printed == printed[claim.key]
        assert 0 < claim.smallest < abs(claim.printed)
        assert claim.direction == ("greater" if claim.printed > 0 else "less")
        assert (claim.n, rules.family(claim.family)) == (5, 4)
    assert [claim.key for claim in rules.claims if claim.family == "two-sets-unrelated"] == [
        f"a/{role}/{pair}" for pair in ("MT-ST", "SOS-MT") for role in ("CIFAR-10", "MNIST")
    ]

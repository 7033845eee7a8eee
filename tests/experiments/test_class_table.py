"""Classes and attributes: the networks that are compared, their data, how rates are chosen, that rows repeat."""

import json
from dataclasses import replace
from functools import partial

import pytest
import torch

from mtlib import claims
from mtlib.coupling import Coupled
from mtlib.datasets import examples
from mtlib.experiments import class_arms, class_data, class_scores, class_soft, class_summary, tuned
from mtlib.experiments import class_table as table
from mtlib.experiments.class_arms import ARMS, ATTRIBUTES, CLASSES, FACES, RATES, YEAST, build
from mtlib.sharing import AdaShare, TaskRouting
from mtlib.tasks import Dataset, Split, Task
from mtlib.updates import Aggregate, Descend, GradNorm

TINY = replace(table.PROFILES["smoke"], updates=2)


def plan(folder):
    return TINY.plan(folder, data="drawn_faces", root=None, made_by="test", device="cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return table.load(plan(tmp_path_factory.mktemp("none")).at(table.RATE), 0)


def made(name, data, folder, seed=0):
    _, relations = table.parted(plan(folder), ARMS[name], seed)
    trunk = partial(plan(folder).trunk, ARMS[name].network, 3)
    return build(ARMS[name], trunk, data.tasks, relations, seed)


# ------------------------------------------------------------------ arms


def test_every_network_of_table_4_has_its_four_rows():
    for network in class_arms.NETWORKS:
        assert {f"{network} {kind}" for kind in ("ST classes", "ST attributes", "NC", "C")} <= set(FACES)


def test_what_an_arm_is_like_is_tuned_and_learns_as_much():
    for name, arm in ARMS.items():
        if arm.like:
            assert ARMS[arm.like].like is None, name
            assert ARMS[arm.like].learns == arm.learns, name


def test_coupled_networks_and_others_take_the_rate_of_no_coupling():
    assert all(ARMS[name].like == "ResNet NC" for name in class_arms.OTHERS)
    assert tuned.leaders(list(FACES), ARMS) == ["ResNet ST classes", "ResNet ST attributes", "ResNet NC"]


def test_networks_of_one_seed_start_from_the_same_trunk(data, tmp_path):
    one, other = (made(name, data, tmp_path).trunk for name in ("ResNet NC", "ResNet C"))
    assert all(map(torch.equal, one.parameters(), other.parameters()))
    assert not torch.equal(next(one.parameters()), next(made("ResNet NC", data, tmp_path, 1).trunk.parameters()))


def test_coupling_is_what_the_arm_says(data, tmp_path):
    plain, coupled, unit = (made(name, data, tmp_path) for name in ("ResNet NC", "ResNet C", "ResNet C, unit weights"))
    assert not plain.coupled
    assert coupled.matching == pytest.approx(1 / 40)
    assert (unit.matching, unit.temperature, unit.form) == (1.0, 1.0, "mended")
    assert coupled.everywhere
    assert not made("ResNet C, half", data, tmp_path).everywhere
    assert made("ResNet C, as printed", data, tmp_path).form == "printed"


def test_unsmoothed_relations_have_zeros_and_smoothed_ones_none(data, tmp_path):
    assert (made("ResNet C, no smoothing", data, tmp_path).probability == 0).any()
    assert (made("ResNet C", data, tmp_path).probability > 0).all()


def test_methods_for_several_tasks(data, tmp_path):
    kinds = {"AdaShare": AdaShare, "Task Routing": TaskRouting, "MGDA-UB": Coupled, "GradNorm": Coupled}
    for name, kind in kinds.items():
        method = made(f"ResNet {name}", data, tmp_path)
        assert isinstance(method, kind)
        assert method.loss_names == (CLASSES, ATTRIBUTES)
        assert method.losses(data.train.take(torch.arange(4))).total().isfinite()
    updates = {name: class_arms.update(ARMS[f"ResNet {name}"], 0) for name in kinds}
    assert [type(updates[name]) for name in kinds] == [Descend, Descend, Aggregate, GradNorm]


def test_choosing_what_to_share_needs_residual_blocks(data, tmp_path):
    trunk, _ = plan(tmp_path).trunk("VGG", 3)
    with pytest.raises(ValueError, match="needs residual blocks"):
        class_arms.parted("AdaShare", trunk, data.tasks, 0)


# ------------------------------------------------------------------ data


def test_everybody_is_in_all_splits_and_no_face_is_in_two(data):
    who = {name: getattr(data, name).y[CLASSES].flatten() for name in ("train", "validation", "test")}
    assert all(set(own.tolist()) == {0, 1, 2, 3} for own in who.values())
    assert len(torch.cat([getattr(data, name).x for name in who]).unique(dim=0)) == sum(map(len, who.values()))
    shares = torch.tensor([len(own) for own in who.values()]) / sum(map(len, who.values()))
    assert shares.tolist() == pytest.approx([0.6, 0.15, 0.25], abs=0.04)


def test_another_seed_has_other_people():
    one, other = (class_data.labelled(4, seed)[2] for seed in (0, 1))
    assert one.shape != other.shape or not torch.equal(one, other)


def test_more_people_than_there_are_are_refused():
    with pytest.raises(ValueError, match="3 people with 16 faces or more are asked for; there are 1"):
        class_data.chosen(torch.tensor([5] * 16 + [7] * 15 + [-1] * 20), 3)


def test_the_faces_of_the_chosen_and_their_classes():
    rows, who = class_data.chosen(torch.tensor([5, 7, 5, -1, 9, 9]), None, least=2)
    assert (rows.tolist(), who.tolist()) == ([0, 2, 4, 5], [0, 0, 1, 1])


def test_halves_have_no_example_with_both(data):
    half = class_data.halved(data, 0)
    known = [(half.train.y[name] >= 0).any(1) for name in (CLASSES, ATTRIBUTES)]
    assert not (known[0] & known[1]).any()
    assert abs(int(known[0].sum()) - int(known[1].sum())) == 0
    batch = half.train.take(table.rows_of(ARMS["ResNet C, half"], half, 32, 0)(0))
    assert [(batch.y[name] >= 0).any(1).sum().item() for name in (CLASSES, ATTRIBUTES)] == [16, 16]
    alone = half.train.take(table.rows_of(ARMS["ResNet ST classes, half"], half, 32, 0)(0))
    assert len(alone.x) == 16


def test_relations_are_counted_while_all_labels_are_there(tmp_path, data):
    _, relations = table.parted(plan(tmp_path), ARMS["ResNet C, half"], 0)
    assert torch.equal(relations.probability, class_data.relations(data).probability)


def test_labels_are_joined_into_classes_that_occur():
    y = torch.tensor([[0, 1, 1], [1, 1, 0], [0, 1, 0], [0, 0, 1]])
    task = Task("labels", "binary", ("a", "b", "c"))
    splits = [Split(torch.zeros(len(rows), 2), {"labels": y[rows]}) for rows in ([0, 1, 2], [3], [1])]
    found = class_data.joined(Dataset("three", (task,), splits[0], splits[1], splits[2]), ("a", "b"))
    classes, attributes = found.tasks
    assert (classes.classes, attributes.columns) == (2, ("c",))
    assert found.train.y[CLASSES].flatten().tolist() == [0, 1, 0]
    assert found.test.y[CLASSES].tolist() == [[-1]]  # a combination that no training example has
    assert found.train.y[ATTRIBUTES].flatten().tolist() == [1, 0, 0]


def test_birds_and_real_people_come_the_same_way(tmp_path):
    examples.write("cub", tmp_path)
    birds = class_data.load("cub", root=tmp_path, size=32, people=None, seed=0)
    assert [task.name for task in birds.tasks] == [CLASSES, ATTRIBUTES]
    assert set(birds.validation.y[CLASSES].flatten().tolist()) == set(birds.train.y[CLASSES].flatten().tolist())
    examples.write("celeba", tmp_path)
    faces = class_data.celeba(tmp_path, 32, None, least=2)
    assert faces.tasks[0].classes >= 2
    assert min(len(faces.train), len(faces.validation), len(faces.test)) > 0
    with pytest.raises(ValueError, match="drawn_faces, celeba, cub or yeast, got 'mnist'"):
        class_data.load("mnist", root=None, size=32, people=None, seed=0)


# ------------------------------------------------------------------ soft labels


def test_bayes_and_indicators_agree_that_labels_are_soft():
    people = class_soft.people(4, 0)
    for kind in ("indicators", "Bayes"):
        q = class_soft.soft(people.test_y, people.relations(), kind, 0.1)
        assert torch.allclose(q.sum(1), torch.ones(len(q)))
    flat = class_soft.soft(people.test_y, people.relations(), "indicators", 100.0)
    assert class_soft.effective(flat).tolist() == pytest.approx([4.0] * len(flat), abs=0.01)


def test_a_temperature_never_changes_whom_a_label_names(data):
    found = class_soft.worth(data, class_data.relations(data), (0.1, 1.0))
    assert len(set(found["indicators"]["first"])) == 1
    assert found["indicators"]["largest"][0] > found["indicators"]["largest"][1]
    assert list(found["Bayes"]) == ["own", "largest", "first"]


# ------------------------------------------------------------------ rates, jobs, rows


def test_the_best_validation_score_names_the_rate():
    tried = [
        {"arm": arm, "rate": rate, "validation score": 50 - abs(rate - 2e-3), "diverged": None}
        for arm in tuned.leaders(list(FACES), ARMS)
        for rate in RATES
    ]
    assert set(table.chosen(list(FACES), tried).values()) == {2e-3}
    tried = [row | {"diverged": "it did"} for row in tried]
    with pytest.raises(ValueError, match="ResNet ST classes diverged at all of its rates"):
        table.chosen(list(FACES), tried)


def test_every_tuned_arm_tries_the_same_rates_and_temperatures_go_with_the_coupled():
    jobs = table.trials(list(FACES))
    assert all(job.seed == tuned.TUNED_ON for job in jobs)
    assert [job.rate for job in jobs if job.arm == "ResNet NC"] == list(RATES)
    assert {job.arm for job in jobs if job.arm in class_arms.TEMPERATURES} == set(class_arms.TEMPERATURES)
    assert len(table.trials(list(YEAST))) == 3 * len(RATES)


def test_jobs_come_seed_by_seed_and_few_get_the_first_seeds():
    jobs = table.listed(dict.fromkeys(["ResNet NC", "strong NC"], 1e-3), range(3), few=1)
    assert [(job.arm, job.seed) for job in jobs] == [
        ("ResNet NC", 0),
        ("strong NC", 0),
        ("ResNet NC", 1),
        ("ResNet NC", 2),
    ]


def test_work_counts_the_networks_and_the_search():
    chosen = table.profile("smoke")
    jobs = table.listed(dict.fromkeys(["ResNet NC", "strong NC"], 1e-3), range(chosen.seeds), chosen.few)
    assert table.work(["ResNet NC", "strong NC"], chosen, False) == chosen.updates * len(jobs)
    more = table.work(["ResNet NC"], chosen, True) - table.work(["ResNet NC"], chosen, False)
    assert more == chosen.updates * len(RATES)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Two seeds of some arms of both kinds of labels."""
    arms = ["ResNet ST classes", "ResNet ST attributes", "ResNet NC", "ResNet C", "ResNet NC, half", "ResNet C, half"]
    folder = tmp_path_factory.mktemp("jobs")
    return table.train(table.listed(dict.fromkeys(arms, 2e-3), [0, 1], few=2), plan(folder)), folder, arms


def test_rows_are_plain_and_come_back_from_their_files(rows):
    found, folder, arms = rows
    assert json.loads(json.dumps(found)) == found
    again = table.train(table.listed(dict.fromkeys(arms, 2e-3), [0, 1], few=2), plan(folder))
    assert again == found
    assert len(list(folder.glob("classes-*.json"))) == len(found)
    assert not list(folder.glob("*.pt"))


def test_rows_say_what_their_networks_learn(rows):
    found, _, _ = rows
    kinds = {row["arm"]: row for row in found if row["seed"] == 0}
    assert CLASSES not in kinds["ResNet ST attributes"]
    assert set(kinds["ResNet C"]["losses"]) == {CLASSES, ATTRIBUTES, "matching", "co-annotation", "total"}
    assert 0 <= kinds["ResNet NC"]["apart"] <= 1
    assert set(kinds["ResNet C"][ATTRIBUTES]) == set(class_scores.MEASURES)


# ------------------------------------------------------------------ what they say


def test_a_difference_is_taken_seed_by_seed(rows):
    found, _, _ = rows
    ours = class_summary.difference(found, "ResNet", ("C", "NC"), CLASSES)
    one, other = (class_scores.values(found, f"ResNet {row}", CLASSES) for row in ("C", "NC"))
    assert ours == [one[seed] - other[seed] for seed in (0, 1)]
    assert class_summary.difference(found, "ResNet", ("NC", "ST"), ATTRIBUTES)


def test_tables_have_a_line_per_network_and_row(rows):
    found, _, _ = rows
    assert list(class_summary.table4(found).index) == ["ResNet ST", "ResNet NC", "ResNet C"]
    assert list(class_summary.table4(found, ("ResNet",), ", half").index) == ["ResNet NC, half", "ResNet C, half"]
    assert len(class_summary.steps4(found)) == 4
    assert list(class_summary.table5(found).index) == ["ResNet ST", "ResNet NC", "ResNet C"]


def test_negative_transfer_is_one_task_worse_in_a_seed():
    def row(arm, **own):
        return {"arm": arm, "seed": 0, "diverged": None} | {block: {"accuracy": a} for block, a in own.items()}

    rows = [row("ResNet ST classes", classes=50), row("ResNet ST attributes", attributes=80)]
    rows += [row("ResNet NC", classes=51, attributes=79), row("ResNet C", classes=50, attributes=80)]
    found = class_summary.negative(rows, class_summary.compared())
    assert found.loc["ResNet NC"].tolist() == [1, 1, 0, 1]
    assert found.loc["ResNet C"].tolist() == [1, 0, 0, 0]  # as good is not worse


def test_printed_gains_are_those_of_the_text():
    gains = class_summary.gains4()["C minus NC"]
    assert min(own["classes"] for own in gains.values()) == 4.3
    assert min(own["attributes"] for own in gains.values()) == 1.2
    assert class_summary.printed_steps(("NC", "ST"), CLASSES) == {"VGG": 2.7, "ResNet": 3.2, "DenseNet": 2.7}
    five = class_summary.gains5()
    assert five["MGDA-UB"] == {CLASSES: 3.5, ATTRIBUTES: 1.4}
    assert five["strong C"] == {CLASSES: 6.9, ATTRIBUTES: 3.2}


def test_printed_effects_of_the_claims_follow_from_the_tables():
    rules, gains = claims.load("dm_classes"), class_summary.gains4()
    for step, id in (("C minus NC", "dm.t4-classes"), ("NC minus ST", "dm.t4-nc-classes")):
        assert rules[id].printed == pytest.approx(sum(own[CLASSES] for own in gains[step].values()) / 3, abs=0.01)
    assert rules["dm.t4-agnostic"].printed == min(own[CLASSES] for own in gains["C minus NC"].values())
    five = class_summary.printed5()
    best = max(five[name][CLASSES] for name in class_arms.METHODS)
    assert rules["dm.t5-classes"].printed == pytest.approx(five["ResNet C"][CLASSES] - best)


def test_every_claim_can_be_estimated():
    seeds = range(3)

    def row(arm, seed):
        block = {"accuracy": 50.0 + seed, "F1": 40.0}
        learned = {"classes": (CLASSES,), "attributes": (ATTRIBUTES,)}.get(ARMS[arm].learns, (CLASSES, ATTRIBUTES))
        return {"arm": arm, "seed": seed, "diverged": None} | dict.fromkeys(learned, block)

    faces = [row(arm, seed) for arm in FACES for seed in seeds]
    genes = [row(arm, seed) for arm in YEAST for seed in seeds]
    keys = {claim.key for claim in claims.load("dm_classes").claims}
    assert keys <= set(class_summary.samples(faces) | class_summary.yeast_samples(genes))
    assert set(class_summary.yeast(genes)) >= {"coupled, half of the labels", "wrong relations, all labels"}
    assert "MGDA-UB, classes" in class_summary.scoreboard(faces)
    assert set(class_summary.by_method(faces)) >= {"AdaShare", "Task Routing", "strong C"}

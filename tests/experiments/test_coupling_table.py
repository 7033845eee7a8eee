"""The networks that are compared about distribution matching: images, batches, arms, rates, rows that repeat."""

import csv
import json
from dataclasses import replace

import pytest
import torch
from PIL import Image

from mtlib.coupling import Coupled
from mtlib.coupling.student import Student
from mtlib.experiments import coupling_scores, tuned
from mtlib.experiments import coupling_table as table
from mtlib.experiments.coupling_arms import (
    ARMS,
    LIVE,
    MAP,
    NC,
    SIZES,
    ST,
    UNITS,
    C,
    at,
    build,
    drawn_by,
    relations_of,
    sized,
)
from mtlib.faces.names import ACTION_UNITS, EXPRESSIONS
from mtlib.method import Method
from mtlib.tasks import Split

TINY = replace(table.PROFILES["smoke"], train=64, validation=21, test=70, updates=3)


def plan(folder, **settings):
    return replace(TINY.plan(folder, data="drawn_faces", root=None, made_by="test", device="cpu"), **settings)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Two seeds of some arms, a student among them."""
    rates = dict.fromkeys(["ST expression", "ST action units", NC, ST, C["study"]], 2e-3)
    return table.train(table.listed(rates, [0, 1], few=2), plan(tmp_path_factory.mktemp("jobs")))


# ------------------------------------------------------------------ images


def test_every_expression_is_equally_common_and_a_smaller_set_is_the_beginning():
    index = table.equally("train", 70, seed=3)
    shown = table.labels(index, 3, ("expression",))["expression"].squeeze(1)
    assert shown.bincount().tolist() == [10] * 7
    assert shown[:7].tolist() == list(range(7))
    assert table.equally("train", 21, seed=3).tolist() == index[:21].tolist()
    assert not set(index.tolist()) & set(table.equally("test", 70, seed=3).tolist())


def test_labels_never_meet_unless_they_overlap(tmp_path):
    whole = plan(tmp_path)
    apart = table.parted(whole, 0).train
    known = {name: (y >= 0).any(1) for name, y in apart.y.items()}
    assert [int(own.sum()) for own in known.values()] == [64, 64]
    assert not (known["expression"] & known[UNITS]).any()
    half = table.parted(whole, 0, overlap=0.5).train
    both = (half.y["expression"] >= 0).any(1) & (half.y[UNITS] >= 0).any(1)
    assert (len(half), int(both.sum())) == (96, 32)
    few = table.parted(whole, 0, expression=1 / 16).train
    assert int((few.y["expression"] >= 0).sum()) == 4


@pytest.mark.parametrize("overlap", [0.0, 0.25, 1.0])
def test_every_batch_has_as_many_labels_of_either_task(tmp_path, overlap):
    data = table.parted(plan(tmp_path), 0, overlap=overlap)
    batch = data.train.take(table.rows_of("both", data, overlap, seed=5)(2))
    assert [int((y >= 0).any(1).sum()) for y in batch.y.values()] == [table.LABELS] * 2


def test_a_network_of_one_task_sees_the_images_that_the_others_see_of_it(tmp_path):
    data = table.parted(plan(tmp_path), 0)
    for learns, source in (("expression", 1), ("action_units", 2)):
        alone = table.rows_of(learns, data, 0.0, seed=5)(1)
        shared = table.rows_of("both", data, 0.0, seed=5)(1)
        assert set(alone.tolist()) == {row for row in shared.tolist() if data.train.source[row] == source}


# ------------------------------------------------------------------ arms


def test_what_an_arm_is_like_is_tuned_and_has_its_name():
    assert all(ARMS[arm.like].like is None for arm in ARMS.values() if arm.like and arm.like != C["study"])
    assert set(LIVE) <= set(ARMS)
    assert (at(0, 0), at(0, None), at(1, None)) == (C["study"], NC, "NC, overlap 1")
    assert sized("ST expression", (1.0, 1 / 4)) == "ST expression"
    assert sized(NC, (1.0, 1 / 4)) == "NC, 0.25 of units"


def test_networks_of_one_seed_start_from_the_same_trunk(tmp_path):
    tasks = table.load(plan(tmp_path), 0).tasks
    made = [build(ARMS[name], plan(tmp_path).trunk, tasks, 0) for name in (NC, C["study"], "ST expression")]
    for other in made[1:]:
        assert all(map(torch.equal, made[0].trunk.parameters(), other.trunk.parameters()))
    assert torch.equal(made[0].class_head.weight, made[1].class_head.weight)
    assert not made[0].coupled
    assert made[1].coupled


def test_an_arm_has_the_settings_of_its_name():
    unit, printed = (ARMS[f"{C['study']}, {name}"] for name in ("unit weights", "as printed"))
    assert (unit.matching, unit.temperature, unit.form) == (1.0, 1.0, "mended")
    assert (printed.matching, printed.temperature, printed.form) == (1.0, 1.0, "printed")
    assert ARMS["co-annotation (study)"].matching == 0.0 < ARMS["co-annotation (study)"].co_annotation
    assert ARMS["matching (database)"].co_annotation == 0.0 < ARMS["matching (database)"].matching
    assert abs(ARMS[C["study"]].matching * len(ACTION_UNITS) - 1) < 1e-3


def test_wrong_relations_are_the_seeds_and_keep_their_number():
    arm = ARMS[at(0.0, 1.0)]
    right = relations_of(ARMS[C["study"]], 0)
    first, second = relations_of(arm, 0), relations_of(arm, 1)
    assert not torch.equal(first.weight, second.weight)
    assert first.linked.sum(1).tolist() == right.linked.sum(1).tolist()
    assert relations_of(ARMS[NC], 0) is None


def test_the_true_table_is_the_one_that_faces_are_drawn_by():
    # Balanced over expressions, a unit is as common as the mean of its column.
    index = table.equally("train", 7 * 300, seed=1)
    found = table.labels(index, 1, (UNITS,))[UNITS].float().mean(0)
    assert (found - drawn_by().probability.mean(0)).abs().max() < 0.05


# ------------------------------------------------------------------ training


def test_rows_say_what_a_network_learned(rows):
    by_arm = {row["arm"]: row for row in rows if row["seed"] == 0}
    assert "units" not in by_arm["ST expression"]
    assert "expression" not in by_arm["ST action units"]
    assert {"taught classes", "taught attributes"} <= set(by_arm[ST]["losses"])
    assert {"matching", "co-annotation"} <= set(by_arm[C["study"]]["losses"])
    assert len(by_arm[NC]["recall"]) == 7
    assert all(row["rate"] == 2e-3 for row in rows)


def test_a_row_is_read_from_its_file_and_repeats(rows, tmp_path):
    job = table.Job(C["study"], 0, 2e-3)
    (again,) = table.run_job(job, plan(tmp_path))
    (old,) = [row for row in rows if (row["arm"], row["seed"]) == (job.arm, job.seed)]
    assert again == old
    (file,) = tmp_path.glob("*.json")
    file.write_text(json.dumps([again | {"rate": 7}]))
    assert table.run_job(job, plan(tmp_path))[0]["rate"] == 7


def test_teachers_stay_as_they_are(tmp_path):
    _, student, _, _ = table.learned(table.Cell(ST, 0), plan(tmp_path), tmp_path / "student.pt")
    _, alone, _, _ = table.learned(table.Cell("ST expression", 0), plan(tmp_path), tmp_path / "alone.pt")
    assert isinstance(student, Student)
    for kept, own in zip(student.teachers[0].state_dict().values(), alone.state_dict().values(), strict=True):
        assert torch.equal(kept, own)
    assert not any(teacher.training for teacher in student.train().teachers)
    assert not {id(p) for p in student.groups()[0]["params"]} & {id(p) for p in student.teachers.parameters()}


def test_the_rate_is_the_best_of_the_leaders():
    tried = [
        {"arm": NC, "rate": 1e-3, "validation score": 40.0, "diverged": None},
        {"arm": NC, "rate": 2e-3, "validation score": 50.0, "diverged": None},
        {"arm": NC, "rate": 4e-3, "diverged": "step 3"},
    ]
    assert table.chosen([NC, ST], tried) == {NC: 2e-3, ST: 2e-3}
    with pytest.raises(ValueError, match=r"NC diverged at all of its rates, \[0.004\]"):
        table.chosen([NC], tried[2:])
    assert {job.seed for job in table.trials([NC, ST])} == {tuned.TUNED_ON}
    assert len(table.trials([NC, ST])) == 3


def test_arms_that_need_few_seeds_get_the_first_ones():
    rates = dict.fromkeys([NC, "C (study), T = 1"], 1e-3)
    jobs = table.listed(rates, [0, 1, 2], few=1)
    assert [(job.arm, job.seed) for job in jobs] == [(NC, 0), ("C (study), T = 1", 0), (NC, 1), (NC, 2)]
    assert table.work(list(rates), replace(TINY, seeds=3, few=1), search=False) == 4 * TINY.updates


# ------------------------------------------------------------------ scores


class Fixed(Method):
    """Says the same of every image, whatever it is."""

    def __init__(self, tasks, expression, units):
        super().__init__()
        self.tasks, self.says = tasks, (torch.tensor(expression), torch.tensor(units))

    def forward(self, x):
        z = 10.0 * torch.nn.functional.one_hot(self.says[0], 7)
        return {"expression": z.expand(len(x), 1, 7), "action_units": self.says[1].expand(len(x), -1)}


def test_scores_by_hand(tmp_path):
    tasks = table.load(plan(tmp_path), 0).tasks
    y = {"expression": torch.tensor([[1], [1], [0], [-1]]), UNITS: torch.zeros(4, 17, dtype=torch.long)}
    y[UNITS][:, 0] = torch.tensor([1, 1, 0, -1])
    split = Split(torch.zeros(4, 3, 32, 32, dtype=torch.uint8), y)
    found = coupling_scores.judged(Fixed(tasks, 1, [5.0] + [-5.0] * 16), split)
    assert found["expression"]["accuracy"] == pytest.approx(66.667, abs=1e-3)
    assert found["expression"]["average accuracy"] == 50.0  # recall 1 of happiness, 0 of neutral
    assert found["units"]["accuracy"] == pytest.approx(100 * (16 + 2 / 3) / 17, abs=1e-3)
    assert found["units"]["F1"] == pytest.approx(80.0)  # 2 TP / (2 TP + FP) of AU1; the others have no positive
    assert found["units"]["AFA"] == pytest.approx((80 + 100 * (16 + 2 / 3) / 17) / 2, abs=1e-3)


def test_predictions_that_follow_the_table_are_not_apart(tmp_path):
    true = drawn_by()
    tasks = table.load(plan(tmp_path), 0).tasks
    method = Coupled(torch.nn.Flatten(), 4, *tasks, true)
    z = {"expression": 50.0 * torch.eye(7).unsqueeze(1), UNITS: torch.logit(true.probability)}
    assert coupling_scores.apart(method, z) < 1e-6
    assert coupling_scores.apart(method, z | {UNITS: -z[UNITS]}) > 0.3


# ------------------------------------------------------------------ real sets


@pytest.fixture
def manifest(tmp_path):
    """Two data bases in one manifest: 8 pictures with expressions, 8 with eleven units; some of both to test on."""
    units = [f"AU{unit}" for unit in list(ACTION_UNITS)[:11]]
    folder = tmp_path / "data" / "manifest"
    folder.mkdir(parents=True)
    lines = []
    for place in range(32):
        name = f"{place}.png"
        Image.new("RGB", (40, 40), (8 * place, 90, 30)).save(folder / name)
        train = place < 16
        exp = place % 7 if not train or place < 8 else ""
        au = [place % 2] * 11 if not train or place >= 8 else [""] * 11
        split = "train" if train else "validation" if place < 24 else "test"
        lines.append([name, split, 1 if place < 8 else 2 if train else 0, exp, *au])
    header = ["file", "split", "source", "classes:expression:expression", *(f"binary:action_units:{u}" for u in units)]
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return tmp_path / "data"


def test_two_real_data_bases_come_through_a_manifest(manifest, tmp_path):
    real = plan(tmp_path, data="manifest", root=str(manifest), validation=8, test=8)
    names = table.possible(real, 0)
    assert not set(names) & {*MAP, *SIZES, "C (true table)"}
    assert {NC, ST, C["study"], C["database"]} <= set(names)
    (row,) = table.run_job(table.Job(C["study"], 0, 2e-3), real)
    assert row["diverged"] is None
    assert len(row["by unit"]) == 11
    with pytest.raises(ValueError, match="has its parts already"):
        table.parted(real, 0, overlap=0.5)


def test_a_set_with_other_expressions_is_refused(manifest, tmp_path):
    path = manifest / "manifest" / "manifest.csv"
    path.write_text(path.read_text().replace("31.png,test,0,3", "31.png,test,0,7"))
    real = plan(tmp_path, data="manifest", root=str(manifest), validation=8, test=8)
    with pytest.raises(ValueError, match=f"8 expressions; relations are known of {', '.join(EXPRESSIONS)}"):
        table.load(real, 0)

"""LFWA in two alignments, after CelebA, on example files of the real sets' form."""

import shutil
from functools import partial

import pytest
import torch

from mtlib import datasets
from mtlib.datasets import examples, examples_photos
from mtlib.experiments import dmm_lfwa, dmm_table
from mtlib.recipe import Recipe

ADA = next(iter(examples_photos.PEOPLE))


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    root = tmp_path_factory.mktemp("real")
    for name in ("celeba", "lfwa"):
        examples.write(name, root)
    shutil.copytree(root / "lfw" / "lfw", root / "lfw" / "lfw_funneled")
    ada = root / "lfw" / "lfw_funneled" / ADA
    shutil.copy(ada / f"{ADA}_0002.jpg", ada / f"{ADA}_0001.jpg")  # so that the alignments differ
    return root


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """The pictures of the examples are not to lie in the course's folder."""
    monkeypatch.setattr(datasets, "load", partial(datasets.load, cache=tmp_path / "cache"))
    dmm_table.load.cache_clear()
    yield
    dmm_table.load.cache_clear()


@pytest.fixture
def joined(real):
    return lambda **settings: dmm_lfwa.joined(root=str(real), size=48, **settings)


def test_training_pictures_come_twice_and_test_pictures_once(joined):
    data = joined()
    assert (len(data.train), len(data.test)) == (14, 5)
    assert data.train.y["attributes"][:7].equal(data.train.y["attributes"][7:])
    assert not data.train.x[:7].equal(data.train.x[7:])
    assert data.name.endswith("original and funneled")


def test_without_held_out_pictures_validations_see_the_training_pictures(joined):
    data = joined()
    assert data.validation is data.train
    held = joined(validation=4)
    assert 1 <= len(held.validation) <= 4
    assert len(held.train) == 2 * (7 - len(held.validation))


def test_networks_hold_out_a_tenth_where_a_plan_does_not_say_how_many(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(dmm_lfwa, "joined", lambda **settings: asked.append(settings["validation"]))
    for validation in (None, 64):
        dmm_table.load(dmm_table.Plan(Recipe(steps=1), tmp_path, "lfwa", validation=validation), 0)
    assert asked == [626, 64]


def test_nobody_has_marked_the_landmarks(joined):
    data = joined()
    assert [task.name for task in data.tasks] == ["attributes", "landmarks"]
    assert data.train.y["landmarks"].shape == (14, 10)
    assert data.train.y["landmarks"].isnan().all()


def test_a_network_begins_with_what_it_has_learned_on_celeba(real, tmp_path):
    recipe = Recipe(steps=1, batch=4, rate=3e-3)
    sizes = {"size": 48, "train": 6, "test": 4, "validation": 4}
    plan = dmm_table.Plan(recipe, tmp_path, "lfwa", str(real), made_by="test", **sizes)
    cell = dmm_table.Cell("dynamic weights", 0)
    (row,) = dmm_table.run_job(dmm_table.Job(*("dynamic weights", 0), 3e-3), plan)
    assert row["data"] == "lfwa"
    assert row["landmark error"] is None
    (kept,) = tmp_path.glob("*.network")
    before = kept.read_bytes()
    _, method, data, _ = dmm_table.learned(cell, plan, tmp_path / "again.pt")
    assert kept.read_bytes() == before  # CelebA is not learned again
    assert data.name.startswith("LFWA")
    assert method.thresholds.any()
    assert int(method.passes) == 1
    assert torch.equal(method.body[1].weight, dmm_table.learned(cell, plan, tmp_path / "third.pt")[1].body[1].weight)

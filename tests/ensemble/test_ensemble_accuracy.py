"""Looks at an ensemble on its way: right answers, at the right moments, and nothing is disturbed or lost."""

import pytest
import torch

from mtlib import ensemble, metrics, toy
from mtlib.controls import MultiTask
from mtlib.ensemble import Accuracy, Copy
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Task

CHUNK = 16
ONE = Task("toy", "binary", 1)


def build(copy):
    with seeded("looks", copy.settings["run"]):
        return MultiTask(mlp(2, 8), 8, [ONE])


def copies(runs=2):
    return [Copy(columns={"toy": [column]}, settings={"run": run}) for run in range(runs) for column in (0, 1)]


@pytest.fixture
def data():
    return toy.make(6, n_train=160, n_test=50)


def accuracy(method, split, column):
    return metrics.accuracy(metrics.predictions(method, split)["toy"], split.y["toy"][:, [column]]).item()


def test_a_look_is_every_copys_own_accuracy(data):
    data.test.y["toy"][:7, 1] = -1  # unknown labels never count
    look = Accuracy([data.train, data.test], "toy", copies())
    result = ensemble.fit(build, data, copies(), Recipe(steps=30, batch=32), look=look)
    assert result.looks.shape == (1, 4, 2, 1)
    assert result.looked == [30]
    for k, (method, copy) in enumerate(zip(result.networks(), copies(), strict=True)):
        for s, split in enumerate((data.train, data.test)):
            own = accuracy(method, split, copy.columns["toy"][0])
            assert result.looks[0, k, s, 0].item() == pytest.approx(own, abs=1e-9)


def test_parts_of_a_split_make_no_difference(data, monkeypatch):
    look = Accuracy([data.train], "toy", copies())
    whole = ensemble.fit(build, data, copies(), Recipe(steps=5, batch=32), look=look).looks
    monkeypatch.setattr("mtlib.ensemble.accuracy.ROOM", 8 * 4 * 7)  # seven rows at a time
    assert torch.equal(ensemble.fit(build, data, copies(), Recipe(steps=5, batch=32), look=look).looks, whole)


def test_looks_are_spread_evenly_and_disturb_nothing(data):
    recipe, look = Recipe(steps=100, batch=32), Accuracy([data.test], "toy", copies())
    watched = ensemble.fit(build, data, copies(), recipe, look=look, looks=3)
    alone = ensemble.fit(build, data, copies(), recipe)
    assert watched.looked == [33, 67, 100]
    assert watched.looks.shape == (3, 4, 1, 1)
    for one, other in zip(watched.networks(), alone.networks(), strict=True):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b)


def test_looks_of_a_resumed_run_are_kept(data, tmp_path):
    recipe, look = Recipe(steps=60, batch=32), Accuracy([data.test], "toy", copies())
    whole = ensemble.fit(build, data, copies(), recipe, look=look, looks=4)
    asked = []

    def stop(networks):
        asked.append(1)
        if len(asked) == 3:
            raise RuntimeError("cut short")
        return look(networks)

    stop.__qualname__ = "look"
    options = {"looks": 4, "checkpoint": tmp_path / "run.pt", "save_every": 1e-9}
    with pytest.raises(RuntimeError):
        ensemble.fit(build, data, copies(), recipe, look=stop, **options)
    resumed = ensemble.fit(build, data, copies(), recipe, look=look, **options)
    assert resumed.looked == whole.looked
    assert torch.equal(resumed.looks, whole.looks)


def test_dropout_is_off_in_a_look(data):
    def shaky(copy):
        with seeded("shaky", copy.settings["run"]):
            return MultiTask(torch.nn.Sequential(mlp(2, 8), torch.nn.Dropout(0.9)), 8, [ONE])

    look = Accuracy([data.test], "toy", copies())
    result = ensemble.fit(shaky, data, copies(), Recipe(steps=3, batch=32), look=look)
    assert torch.equal(look(result.stacked), look(result.stacked))
    own = [
        accuracy(method, data.test, copy.columns["toy"][0])
        for method, copy in zip(result.networks(), copies(), strict=True)
    ]
    assert result.looks[0, :, 0, 0].tolist() == pytest.approx(own)


@pytest.mark.parametrize("looks", [0, -1, 1.5])
def test_a_number_of_looks_that_cannot_be(data, looks):
    with pytest.raises(ValueError, match="looks is a whole number of 1 or more"):
        ensemble.fit(build, data, copies(), Recipe(steps=3), look=lambda networks: torch.zeros(4), looks=looks)


def test_more_looks_than_steps_are_refused(data):
    with pytest.raises(ValueError, match="5 looks need as many steps"):
        ensemble.fit(build, data, copies(), Recipe(steps=3), look=lambda networks: torch.zeros(4), looks=5)

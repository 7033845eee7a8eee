"""Faces as components: of unit variance, uncorrelated, from training faces alone; and as features of a network."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from mtlib import datasets
from mtlib.datasets import examples, packing
from mtlib.experiments import pair_data
from mtlib.experiments.pair_data import Source, pooled, principal
from mtlib.tasks import Task

SMALL = Source(train=96, validation=40, test=40, components=8, attributes=5)


def test_components_are_uncorrelated_and_of_unit_variance():
    data = pair_data.load(SMALL)
    x = data.train.x
    assert x.shape == (96, 8)
    assert data.validation.x.shape == data.test.x.shape == (40, 8)
    torch.testing.assert_close(torch.cov(x.T), torch.eye(8), atol=1e-4, rtol=0)
    assert x.mean(0).abs().max() < 1e-4
    assert data.test.x.mean(0).abs().max() > 1e-3  # the map is the training faces'


def test_labels_are_the_first_attributes_held_once():
    data = pair_data.load(SMALL)
    assert data.tasks[0].columns[:2] == ("5_o_Clock_Shadow", "Arched_Eyebrows")
    assert data.train.y["attributes"].shape == (96, 5)
    assert data.train.y["attributes"].unique().tolist() == [0, 1]


def test_principal_components_by_hand():
    """Two axes, one with three times the spread: it comes first, and both are scaled to variance 1."""
    x = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]]) + 5
    mean, turn = principal(x, 2)
    assert mean.tolist() == [5, 5]
    torch.testing.assert_close(turn, torch.diag(torch.tensor([1 / 6**0.5, 1.5**0.5])))


def test_the_same_components_whatever_their_number():
    torch.manual_seed(0)
    x = torch.randn(50, 6)
    torch.testing.assert_close(principal(x, 4)[1][:, :2], principal(x, 2)[1])


@pytest.mark.parametrize("components", [0, 7, 50])
def test_components_that_there_are_not(components):
    with pytest.raises(ValueError, match=f"have no {components} components"):
        principal(torch.randn(5, 60) if components == 7 else torch.randn(9, 6), components)


def test_pictures_are_pooled_to_sixteen_places():
    x = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    x[0, 0, :2, :2] = 255
    found = pooled(x)
    assert found.shape == (2, 3 * 16 * 16)
    assert found[0, 0] == 1
    assert found.sum() == 1


def test_features_of_a_network_that_learned_all_attributes():
    data = pair_data.load(replace(SMALL, network="tiny", epochs=1))
    assert data.name.endswith("features of tiny")
    assert data.train.x.ndim == 2
    assert not data.train.x.requires_grad
    assert not torch.equal(data.train.x[0], data.train.x[1])


def test_sets_that_have_no_pairs_or_nothing_to_choose_on(monkeypatch):
    whole = datasets.load("drawn_faces", train=40, validation=4, test=4, size=32, tasks=("expression",))
    monkeypatch.setattr(datasets, "load", lambda *names, **options: whole)
    with pytest.raises(ValueError, match="pairs are of binary attributes"):
        pair_data.load(replace(SMALL, seed=77))
    bare = replace(whole, tasks=(Task("looks", "binary", 2),), validation=None)
    monkeypatch.setattr(datasets, "load", lambda *names, **options: bare)
    with pytest.raises(ValueError, match="a validation split"):
        pair_data.load(replace(SMALL, seed=78))


# ------------------------------------------------------------------ real pictures, with the same call


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Where decoded pictures are kept: not in the repository."""
    monkeypatch.setattr(packing, "repository", lambda: tmp_path)
    return tmp_path / "sets"


def test_celeba_by_the_same_call(elsewhere):
    examples.write("celeba", elsewhere)
    source = Source("celeba", str(elsewhere), train=None, validation=None, test=None, components=2, attributes=3)
    data = pair_data.load(source)
    assert data.name.startswith("CelebA")
    assert data.tasks[0].columns == pair_data.names(source) == ("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive")
    assert data.train.x.shape[1] == 2
    assert len(data.validation) > 0


def test_pedestrians_come_through_a_manifest(elsewhere):
    """Binary columns of any name; where there is no validation split, training pictures are held out (L-12)."""
    folder = elsewhere / "manifest"
    folder.mkdir(parents=True)
    lines = ["file,split,binary:pedestrian:backpack,binary:pedestrian:boots"]
    for k in range(12):
        Image.new("RGB", (24, 48), (20 * k, 100, 255 - 20 * k)).save(folder / f"{k}.png")
        lines.append(f"{k}.png,{'train' if k < 8 else 'test'},{k % 2},{'' if k == 3 else k % 3 % 2}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    source = Source("manifest", str(elsewhere), train=None, validation=2, test=None, components=2)
    data = pair_data.load(source)
    assert data.tasks[0].columns == pair_data.names(source) == ("backpack", "boots")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [6, 2, 4]
    known = torch.cat([data.train.y["attributes"], data.validation.y["attributes"]])
    assert (known == -1).sum() == 1
    with pytest.raises(ValueError, match="a validation split"):
        pair_data.load(replace(source, validation=None))

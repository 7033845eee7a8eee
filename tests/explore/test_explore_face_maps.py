"""Explorers on a network: one attribute set, one attribute looked for."""

import numpy as np
import pytest
import torch

from mtlib.experiments import face_maps
from mtlib.explore.face_maps import looked_at, toggled
from mtlib.faces import draw
from mtlib.faces.data import TASKS, numbers
from mtlib.faces.names import COLUMN
from mtlib.figures import packed

PEOPLE = numbers("test", 400)[::100]


@pytest.fixture(scope="module")
def network():
    return face_maps.build("averaged", 32, (TASKS["attributes"],), 0).eval()


def test_an_attribute_with_pixels_moves_logits_and_one_without_moves_none(network):
    explorer = toggled(network, PEOPLE, 0, 32)
    assert explorer.controls["face"] == ("face 1", "face 2", "face 3", "face 4")
    assert len(explorer.controls["attribute"]) == 40
    hat = explorer.draw("face 2", "Wearing Hat")
    assert np.abs(hat.arrays["change"]).max() > 0
    assert hat.finding.startswith(("Wearing Hat on: its own logit", "Wearing Hat off: its own logit"))
    nothing = explorer.draw("face 2", "Attractive")
    assert not nothing.arrays["change"].any()
    assert "no pixel changes, and so no logit moves." in nothing.finding
    assert all(packed(drawing) for drawing in (hat, nothing))


def test_the_attributes_own_bar_is_always_shown(network):
    drawing = toggled(network, PEOPLE, 0, 32).draw("face 1", "Wearing Earrings")
    labels = [text.get_text() for text in drawing.figure.axes[-1].get_yticklabels()]
    assert "Wearing Earrings (itself)" in labels
    assert len(labels) == 12


def test_maps_are_shown_of_faces_that_have_the_attribute(network):
    people = numbers("test", 600)[::20]
    explorer = looked_at(network, network.weights(), people, 0, 32)
    labels = draw(people, 0, 32).attributes
    assert set(explorer.controls["attribute"]) == {
        name.replace("_", " ") for name, k in COLUMN.items() if labels[:, k].any()
    }
    smiling = explorer.draw("Smiling")
    assert smiling.arrays["faces"] == [int(labels[:, COLUMN["Smiling"]].sum())]
    assert smiling.arrays["mean map"].shape == (8, 8)
    assert "a random one in" in smiling.finding
    assert "nothing to hit" in explorer.draw("Attractive").finding


def test_networks_stay_in_their_mode_and_no_face_is_refused(network):
    network.train()
    explorer = toggled(network, PEOPLE[:1], 0, 32)
    before = network.trunk.body[2].running_mean.clone()
    explorer.draw(**explorer.start)
    assert network.training
    assert torch.equal(network.trunk.body[2].running_mean, before)
    network.eval()
    with pytest.raises(ValueError, match="one face or more"):
        toggled(network, PEOPLE[:0], 0, 32)
    with pytest.raises(ValueError, match="one face or more"):
        looked_at(network, network.weights(), PEOPLE[:0], 0, 32)

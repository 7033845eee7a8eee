"""The graph of shared pixels: by hand, and the file's against a fresh measurement."""

import torch

from mtlib.faces import ATTRIBUTES
from mtlib.faces.pixels import SHARE, overlap, shared
from mtlib.faces.structure import load


def test_a_graph_joins_who_shares_enough_and_nobody_with_itself():
    overlaps = torch.tensor([[1.0, SHARE, 0.0], [SHARE, 1.0, SHARE / 2], [0.0, SHARE / 2, 1.0]])
    assert shared(overlaps).int().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_the_file_says_what_a_fresh_measurement_finds():
    """On few faces of another population: only pairs well away from the limit must agree."""
    found = overlap(torch.arange(0, 2500, 100), seed=5, size=32)
    assert torch.equal(found, found.T)
    clear = (found < 0.6 * SHARE) | (found > 1.6 * SHARE)
    assert clear.float().mean() > 0.85
    assert torch.equal(shared(found)[clear], load().pixels[clear])


def test_the_graph_joins_neighbours_on_the_face():
    pixels = load().pixels
    joined = {name: {ATTRIBUTES[k] for k in pixels[j].nonzero().flatten()} for j, name in enumerate(ATTRIBUTES)}
    assert joined["Attractive"] == set()
    assert {"Smiling", "Big_Lips", "Wearing_Lipstick"} <= joined["Mouth_Slightly_Open"]
    assert "Arched_Eyebrows" in joined["Bushy_Eyebrows"]
    assert "Wearing_Necktie" not in joined["Eyeglasses"]
    assert torch.equal(pixels, pixels.T)

"""The table of all pairs and the choice of partners."""

import pytest
import torch

from mtlib.adversarial import directed, negative, pairs, transfer, worst

NAN = float("nan")


def test_the_papers_example():
    """A.3: A1 with A2, A2 with A3, A3 with A1."""
    alone = torch.tensor([90.0, 70, 80])
    joint = torch.tensor([[NAN, 80, 90], [80, NAN, 60], [70, 75, NAN]])
    gains = transfer(alone, joint)
    assert gains[0].tolist()[1:] == [-10, 0]
    assert worst(gains) == [1, 2, 0]
    assert negative(gains) == [[1], [2], [0, 1]]


def test_an_attribute_that_nobody_harms_has_no_partner():
    gains = torch.tensor([[NAN, 1.0, 0.0], [-1.0, NAN, -1.0], [0.0, 0.0, NAN]])
    assert worst(gains) == [None, 0, None]  # L-13; of equals the first
    assert negative(gains) == [[], [0, 2], []]


def test_pairs_are_unordered_and_tell_of_both_directions():
    assert pairs(3) == [(0, 1), (0, 2), (1, 2)]
    assert len(pairs(40)) == 780
    both = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])  # of the first and the second of each
    found = directed(both, 3)
    assert found[0, 1:].tolist() == [1, 3]  # attribute 0 with 1, and with 2
    assert [found[1, 0].item(), found[1, 2].item()] == [2, 5]
    assert found[2, :2].tolist() == [4, 6]
    assert found.diagonal().isnan().all()
    stacked = directed(torch.stack([both, both + 1]), 3)
    assert stacked.shape == (2, 3, 3)


def test_permuted_attributes_have_permuted_partners():
    torch.manual_seed(0)
    gains = torch.randn(6, 6)
    gains.fill_diagonal_(NAN)
    order = torch.randperm(6)
    turned = worst(gains[order][:, order])
    found = worst(gains)
    assert [None if b is None else order[b].item() for b in turned] == [found[a] for a in order.tolist()]


def test_adding_to_all_accuracies_changes_nothing():
    joint = torch.rand(4, 4, dtype=torch.double)
    alone = torch.rand(4, dtype=torch.double)
    torch.testing.assert_close(transfer(alone + 5, joint + 5), transfer(alone, joint))


def test_what_cannot_be():
    with pytest.raises(ValueError, match="two or more attributes, got 1"):
        pairs(1)
    with pytest.raises(ValueError, match="3 attributes have 3 pairs of 2 scores"):
        directed(torch.zeros(2, 2), 3)

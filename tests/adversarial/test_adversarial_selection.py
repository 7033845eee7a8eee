"""What choosing gives by chance: known means, simulation, and the ledger's numbers."""

import math

import pytest
import torch

from mtlib.adversarial import best_of, chosen, printed_noise


def test_the_best_of_a_few_by_known_formulas():
    assert best_of(1) == pytest.approx(0, abs=1e-9)
    assert best_of(2) == pytest.approx(1 / math.sqrt(math.pi), abs=1e-6)
    assert best_of(3) == pytest.approx(1.5 / math.sqrt(math.pi), abs=1e-6)


@pytest.mark.parametrize("runs", [5, 39])
def test_the_best_of_many_by_simulation(runs):
    drawn = torch.randn(runs, 40_000, generator=torch.Generator().manual_seed(0)).max(0).values
    assert best_of(runs) == pytest.approx(drawn.mean().item(), abs=0.015)


def test_the_numbers_of_the_ledger():
    """L-6: with run noise 0.1 the worst of 39 is -0.22, the best of 30 +0.20."""
    assert 0.1 * best_of(39) == pytest.approx(0.22, abs=5e-3)
    assert 0.1 * best_of(30) == pytest.approx(0.20, abs=5e-3)
    assert printed_noise(torch.tensor([85.0, 92, 99]), 19_867).tolist() == pytest.approx(
        [0.253, 0.192, 0.0706], abs=5e-4
    )


def test_test_scores_have_no_say():
    validation = torch.tensor([[1.0, 5.0], [3.0, 5.0], [2.0, 4.0]])
    test = torch.tensor([[9.0, 1.0], [0.0, 8.0], [7.0, 7.0]])
    best, reported = chosen(validation, test)
    assert best.tolist() == [3, 5]
    assert reported.tolist() == [0, 1]  # of equals the first


def test_what_cannot_be_chosen():
    with pytest.raises(ValueError, match="the same candidates on both sets"):
        chosen(torch.zeros(2, 3), torch.zeros(2, 2))
    with pytest.raises(ValueError, match="NaN"):
        chosen(torch.tensor([[float("nan")]]), torch.zeros(1, 1))
    with pytest.raises(ValueError, match="best of 0 runs"):
        best_of(0)

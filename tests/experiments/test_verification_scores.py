"""Rates of pairs by hand: who is paired, the curve, and false matches within thirds by skin tone."""

import math

import pytest
import torch

from mtlib.experiments import verification_scores as scores
from mtlib.metrics.pairs import rate_at
from mtlib.seeds import generator


def test_the_first_pictures_of_each_person_are_chosen():
    who = torch.tensor([3, 1, 3, -1, 1, 3, 2, 1, -1, -1])
    assert scores.chosen(who, 2, 9).tolist() == [1, 4, 0, 2]  # of 1, then of 3; 2 has one picture, -1 is nobody
    with pytest.raises(ValueError, match="two people or more with 2 pictures of each, got 1"):
        scores.chosen(who, 2, 1)
    with pytest.raises(ValueError, match="with 3 pictures of each, got 0"):
        scores.chosen(torch.tensor([0, 0, 1]), 3, 9)


def test_distances_are_the_same_in_parts(monkeypatch):
    z = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    monkeypatch.setattr(scores, "AT_ONCE", 2)
    found = scores.all_pairs(z, torch.tensor([4, 4, 9]))
    assert found.distances.tolist() == pytest.approx([5, 1, math.sqrt(18)])
    assert found.same.tolist() == [1, 0, 0]
    assert found.people.tolist() == [[4, 4], [4, 9], [4, 9]]


def test_black_and_white_pictures_are_as_far_apart_as_can_be():
    x = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 2, 2)
    found = scores.all_pairs(scores.pixels(x), torch.tensor([0, 1]))
    assert found.distances.tolist() == pytest.approx([math.sqrt(12)])


def test_the_grid_has_the_rates_that_are_told():
    assert len(scores.GRID) == 40
    assert {0.001, 0.01, 0.1, 1.0} < set(scores.GRID)


def test_a_curve_by_hand():
    """Genuine at 1 and 3, impostors at 2, 4, 4, 5: no false match up to below 2, one up to below 4."""
    distances, same = torch.tensor([1.0, 3, 2, 4, 4, 5]), torch.tensor([1, 1, 0, 0, 0, 0])
    assert scores.curve(distances, same, (0.1, 0.25, 0.5, 1.0)).tolist() == [0.5, 1, 1, 1]
    found = scores.scored(distances, same)
    assert found["true match at 1 %"] == 50
    assert found["AUC"] == pytest.approx(100 * 7 / 8)  # of 8 pairs of pairs one is wrong: 3 is beyond 2
    assert found["pairs"] == 6


def test_the_curve_is_that_of_the_metrics_with_ties_as_well():
    draw = generator("ties")
    same = (torch.rand(400, generator=draw) < 0.2).long()
    distances = (torch.randn(400, generator=draw).abs() * 8 - 3 * same).round()
    for rate, value in zip(scores.GRID[::6], scores.curve(distances, same)[::6].tolist(), strict=True):
        assert value == pytest.approx(rate_at(distances, same, rate))


def spaced(*places):
    """People on a line, two pictures of each at its place: pictures and who."""
    z = torch.tensor(places, dtype=torch.double).repeat_interleave(2).unsqueeze(1)
    return scores.all_pairs(z, torch.arange(len(places)).repeat_interleave(2))


def test_thirds_are_of_people():
    found = spaced(0, 1, 2, 3, 4, 5)
    tone = torch.tensor([0.9, 0.1, 0.5, 0.2, 0.8, 0.4]).repeat_interleave(2)
    groups = scores.tone_groups(found, tone)
    pair = {(0, 4): 2, (1, 3): 0, (2, 5): 1, (0, 1): -1, (3, 3): 0}
    for (one, other), group in pair.items():
        own = (found.people[:, 0] == one) & (found.people[:, 1] == other)
        assert groups[own].unique().tolist() == [group]
    with pytest.raises(ValueError, match="a skin tone belongs to a person"):
        scores.tone_groups(found, torch.arange(12) / 12)


def test_false_matches_by_tone_by_hand():
    """Thirty people; the two at 0 and 0 look alike and are dark: 4 of 1740 pairs, all within the threshold."""
    places = [0.0, 0.0, *range(100, 380, 10)]
    found = spaced(*places)
    tone = torch.linspace(0.99, 0.01, 30).repeat_interleave(2)
    told = scores.by_tone(found, tone, resamples=50)
    rates = {name: own["rate"] for name, own in told["false match by tone"].items()}
    pairs = {name: own["pairs"] for name, own in told["false match by tone"].items()}
    assert pairs == {"light": 180, "middle": 180, "dark": 180}  # 45 pairs of people, four of pictures each
    assert rates == {"light": 0, "middle": 0, "dark": pytest.approx(100 * 4 / 180, abs=1e-3)}
    assert told["within groups"]["rate"] == pytest.approx(100 * 4 / 540, abs=1e-3)
    assert told["within groups"]["pairs"] == 540
    assert told["false match by tone"]["light"]["high"] > 0  # none found is not none


def test_a_group_without_pairs_has_no_rate():
    told = scores.by_tone(spaced(0, 1, 2), torch.tensor([0.1, 0.5, 0.9]).repeat_interleave(2), resamples=10)
    assert {own["pairs"] for own in told["false match by tone"].values()} == {0}
    assert told["within groups"] == {"rate": None, "low": None, "high": None, "pairs": 0}

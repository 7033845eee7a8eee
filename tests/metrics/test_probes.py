"""Probes, their floor and thresholds, by hand."""

import pytest
import torch

from mtlib.metrics import probes
from mtlib.seeds import generator


def xor(n, name):
    """Two features whose signs say b only together, and b."""
    h = torch.rand(n, 2, generator=generator("xor", name)) * 2 - 1
    return h, ((h[:, 0] > 0) != (h[:, 1] > 0)).long()


def line(n, name, rare=0.5):
    """Ten features, the first of which is b with noise; b is as rare as asked."""
    b = (torch.rand(n, generator=generator("line b", name)) < rare).long()
    h = torch.randn(n, 10, generator=generator("line h", name))
    return torch.cat([4.0 * b.unsqueeze(1) - 2 + h[:, :1], h[:, 1:]], 1), b


def test_a_linear_probe_is_blind_to_what_a_hidden_layer_sees():
    fitted, test = xor(800, "fit"), xor(800, "test")
    assert abs(probes.linear_probe(fitted, test) - 50) < 6
    assert probes.mlp_probe(fitted, test) > 93


def test_both_probes_read_a_line_and_none_reads_noise():
    fitted, test = line(600, "fit"), line(600, "test")
    assert probes.linear_probe(fitted, test) > 95
    assert probes.mlp_probe(fitted, test) > 93
    noise = torch.randn(600, 10, generator=generator("noise"))
    for probe in (probes.linear_probe, probes.mlp_probe):
        assert abs(probe((noise, fitted[1]), (noise.flip(0), test[1])) - 50) < 8


def test_making_features_small_hides_nothing_and_a_rare_partner_is_judged_fairly():
    (h, b), (far, truth) = line(2000, "fit", 0.04), line(2000, "test", 0.04)
    small = probes.linear_probe((1e-4 * h, b), (1e-4 * far, truth))
    assert small == pytest.approx(probes.linear_probe((h, b), (far, truth)), abs=0.5)
    assert small > 92  # never saying b would have 50, and 96 % of plain accuracy
    assert probes.mlp_probe((1e-4 * h, b), (1e-4 * far, truth)) > 85


def test_a_probe_repeats_with_its_seed():
    fitted, test = xor(200, "fit"), xor(200, "test")
    assert probes.mlp_probe(fitted, test, 3) == probes.mlp_probe(fitted, test, 3)


def test_the_floor_by_hand():
    main = torch.tensor([1, 1, 1, 0, 1, 0, 0, 0])
    partner = torch.tensor([1, 1, 1, 1, 0, 0, 0, 0])
    assert probes.floor(main, partner) == 75  # guess b = a: three of four right on either side
    assert probes.floor(1 - main, partner) == 75  # then guess b = not a
    assert probes.floor(torch.tensor([1, 0, 1, 0]), torch.tensor([1, 1, 0, 0])) == 50
    assert probes.balanced(main, partner) == probes.floor(main, partner)
    with pytest.raises(ValueError, match="with and without the partner, got 4 of 4"):
        probes.floor(main[:4], partner[:4])


def test_the_floor_is_what_a_network_that_is_perfect_at_the_main_attribute_gives_away():
    b = torch.rand(2000, generator=generator("b")) < 0.3
    a = torch.where(
        b, torch.rand(2000, generator=generator("a")) < 0.8, torch.rand(2000, generator=generator("c")) < 0.2
    )
    half = 1000
    logit = 10.0 * a.double().unsqueeze(1) - 5
    found = probes.linear_probe((logit[:half], b[:half].long()), (logit[half:], b[half:].long()))
    assert found == pytest.approx(probes.floor(a[half:].long(), b[half:].long()))


def test_scores_are_cut_where_it_was_best_on_other_faces():
    fitted = torch.tensor([0.1, 0.2, 0.3, 0.9]), torch.tensor([0, 0, 1, 1])
    assert probes.threshold(fitted) == pytest.approx(0.25)
    assert probes.guessed(fitted, (torch.tensor([0.24, 0.26]), torch.tensor([0, 1]))) == 100
    # One that says the contrary is not turned round: nothing beats calling all alike.
    contrary = fitted[0], 1 - fitted[1]
    assert probes.guessed(contrary, (fitted[0], contrary[1])) == 50
    # Equal scores cannot be told apart.
    assert probes.threshold((torch.ones(4), fitted[1])) < 1

"""What is asked of a network that is to be blind: evidence and shifts, by hand."""

import pytest
import torch

from mtlib.experiments import blindness_scores as scores


def test_evidence_on_known_pixels_by_hand():
    maps = torch.tensor([[[3.0, -5.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 9.0]], [[1.0, 1.0], [1.0, 1.0]]])
    masks = torch.zeros(3, 2, 2, dtype=torch.bool)
    masks[:, 0] = True  # the upper row
    assert scores.evidence(maps[:1], masks[:1], torch.tensor([True])) == (75, 50)  # the minus five does not count
    assert scores.evidence(maps, masks, torch.tensor([True, False, True])) == (62.5, 50)
    masks[2] = False  # a face that shows no pixel of it
    assert scores.evidence(maps, masks, torch.tensor([True, True, True])) == (37.5, 50)
    share, area = scores.evidence(maps, masks, torch.zeros(3, dtype=torch.bool))
    assert share != share  # NaN
    assert area != area


def test_a_shift_is_in_standard_deviations_whatever_the_scale_of_a_logit():
    plain = torch.tensor([-1.0, 1.0, -1.0, 1.0])
    off, on = plain - 1, plain + 1
    assert scores.moved(off, on, plain) == pytest.approx(2 / plain.std().item())
    assert scores.moved(7 * off, 7 * on, 7 * plain) == pytest.approx(scores.moved(off, on, plain))
    assert scores.moved(on, off, plain) < 0
    assert scores.moved(off, on, torch.ones(4)) == 0

"""What is asked of a network of forty attributes: maps and probes by hand, what constant predictions count as."""

import math

import pytest
import torch
from torch import nn

from mtlib.experiments import face_scores
from mtlib.metrics import balanced_correlation, correlation
from mtlib.sos import SOS
from mtlib.tasks import Dataset, Split, Task

N = 200


def small(n=3):
    """Pictures of 1 x 1 x n whose pixels are the labels, and an SOS whose trunk passes them on."""
    draw = torch.Generator().manual_seed(0)
    y = torch.randint(0, 2, (N, n), generator=draw)
    x = y.view(N, 1, 1, n).float()
    task = Task("attributes", "binary", n)
    half = N // 2
    data = Dataset("labels", (task,), *(Split(x[s], {"attributes": y[s]}) for s in (slice(half), slice(half, N))))
    model = SOS(nn.Flatten(), n, data.tasks, common=2, specific=1)
    with torch.no_grad():  # specific space i is pixel i; the common space is constant
        model.spaces.weight.zero_()
        model.spaces.weight[2:] = torch.eye(n)
        model.spaces.bias.fill_(1.0)
    return model, data


def test_a_space_that_is_the_label_tells_it_and_a_constant_one_tells_nothing():
    model, data = small()
    found = face_scores.probes(model, data)
    assert found.shape == (4, 3)
    assert torch.allclose(found[1:].diagonal(), torch.ones(3).double())
    assert torch.allclose(found[0], torch.full((3,), 0.5).double())
    known = face_scores.known(found)
    assert known["common"] == pytest.approx(0.5)
    assert known["own"] == pytest.approx(1.0)
    others = (found[1:].sum() - 3) / 6
    assert known["others"] == pytest.approx(others.item())


def test_maps_are_those_of_the_metrics_both_balanced_by_the_labels():
    y = torch.tensor([[0, 1], [1, 1], [1, 0], [0, 0], [0, 1]])
    p = torch.tensor([[0, 1], [1, 0], [1, 0], [0, 1], [1, 1]])
    found = face_scores.maps(p, y)
    assert torch.equal(found["plain"][0], correlation(p))
    assert torch.equal(found["plain"][1], correlation(y))
    assert torch.equal(found["balanced"][0], balanced_correlation(p, y))


def test_packing_a_map_keeps_it_and_its_missing_entries():
    matrix = torch.tensor([[1.0, 0.25, math.nan], [0.25, 1.0, -0.5], [math.nan, -0.5, 1.0]]).double()
    kept = face_scores.packed(matrix)
    assert kept == [0.25, None, -0.5]
    assert torch.equal(face_scores.unpacked(kept).nan_to_num(9), matrix.nan_to_num(9))
    assert face_scores.unpacked([0.0] * 780).shape == (40, 40)


def test_a_network_that_always_says_no_has_a_row_all_the_same():
    model, data = small()
    with torch.no_grad():
        for parameter in model.heads.parameters():
            parameter.zero_()
        model.heads[0].bias.fill_(-5.0)
    y = data.test.y["attributes"]
    row = face_scores.scores(model, data, {kind: torch.eye(3).double() for kind in face_scores.KINDS})
    assert row["never"] == 3
    assert row["accuracy"] == pytest.approx(100 * (y == 0).double().mean().item())
    assert row["balanced"] == pytest.approx(50.0)
    assert row["map plain"] == [None, None, None]
    assert row["distance plain"] == 0  # correlated with nothing, as is the population given here


def test_fake_heads_count_for_training_only():
    model, data = small()
    fake = sum(parameter.numel() for parameter in model.fake.parameters())
    predicting, training = face_scores.costs(model, data)["parameters"]
    assert fake > 0
    assert training - predicting == fake


def test_the_last_losses_are_the_mean_over_tasks_and_every_term():
    history = [{"step": 0, "a": 9.0, "total": 9.0}, {"step": 1, "a": 1.0, "b": 3.0, "semantic": -0.5, "total": 3.5}]
    assert face_scores.last(history) == {"tasks": 2.0, "semantic": -0.5}

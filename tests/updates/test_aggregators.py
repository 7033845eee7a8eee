"""Aggregators by name at forty tasks, and the three that are made here against what defines them."""

import math

import numpy as np
import pytest
import torch

from mtlib.updates.aggregators import aggregator
from mtlib.updates.dual_cone import project
from mtlib.updates.nash import bargain, nash
from mtlib.updates.surgery import pcgrad

NAMES = ["MGDA", "PCGrad", "CAGrad", "NashMTL", "UPGrad", "AlignedMTL"]


def rows(tasks, parameters, seed=0, common=0.0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(tasks, parameters, generator=draw) + common * torch.randn(parameters, generator=draw)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tasks", [1, 2, 40])
def test_a_direction_for_any_number_of_tasks_in_single_precision(name, tasks):
    jacobian = 1e-4 * rows(tasks, 500, common=0.5)
    jacobian[0] *= 100
    direction = aggregator(name)(jacobian)
    assert direction.shape == (500,)
    assert direction.dtype == jacobian.dtype
    gains = jacobian @ direction / jacobian.norm(dim=1) / direction.norm()
    assert gains.min() > (1 - 1e-5 if tasks == 1 else 0)  # no task loses


@pytest.mark.parametrize("name", NAMES)
def test_forty_tasks_on_fewer_parameters_than_tasks(name):
    assert aggregator(name)(rows(40, 20)).isfinite().all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "PCGrad"])  # which draws an order
def test_the_order_of_the_tasks_does_not_matter(name):
    jacobian, order = rows(7, 50).double(), [3, 0, 6, 1, 5, 2, 4]
    made = aggregator(name)
    expected = made(jacobian)
    turned = made(jacobian[order])
    assert (turned - expected).norm() < 2e-2 * expected.norm()  # MGDA iterates to 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_a_task_without_labels_has_no_say(name):
    """Its gradient is 0, the shortest of all combinations."""
    jacobian = rows(3, 50, common=0.3).double()
    padded = torch.cat([jacobian, torch.zeros(1, 50).double()])
    torch.manual_seed(0)
    expected = aggregator(name)(jacobian)
    torch.manual_seed(0)
    found = aggregator(name)(padded)
    if name == "PCGrad":  # other orders are drawn
        assert found.norm() > 0.5 * expected.norm()
    else:
        torch.testing.assert_close(found / found.norm(), expected / expected.norm(), rtol=1e-6, atol=1e-6)
    assert not aggregator(name)(torch.zeros(2, 5)).any()


@pytest.mark.parametrize("name", NAMES)
def test_small_gradients_have_the_direction_of_large_ones(name):
    found = []
    for unit in (1.0, 1e-6):
        torch.manual_seed(0)
        direction = aggregator(name)(unit * rows(4, 50, common=0.3).double())
        found.append(direction / direction.norm())
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)


# ------------------------------------------------------------------ Navon et al. 2022


@pytest.mark.parametrize("tasks", [1, 2, 12, 40])
def test_nash_solves_its_equation(tasks):
    jacobian = rows(tasks, 300).double()
    lengths = jacobian.norm(dim=1, keepdim=True)
    b = bargain(jacobian / lengths @ (jacobian / lengths).T)
    a = b / lengths.squeeze(1)
    torch.testing.assert_close(jacobian @ jacobian.T @ a, 1 / a, rtol=1e-5, atol=0)
    torch.testing.assert_close(nash(jacobian) * math.sqrt(tasks), a @ jacobian)
    assert nash(jacobian).norm().item() == pytest.approx(1, rel=1e-5)


def test_nash_is_the_fair_direction_of_another_solver():
    fairgrad = pytest.importorskip("torchjd.aggregation").FairGrad(alpha=1.0)  # alpha = 1 is proportional fairness
    jacobian = rows(12, 30).double()
    torch.testing.assert_close(nash(jacobian) * math.sqrt(12), fairgrad(jacobian), rtol=1e-4, atol=1e-5)


def test_nash_does_not_see_the_size_of_a_loss():
    jacobian = rows(3, 20).double()
    torch.testing.assert_close(nash(jacobian * torch.tensor([[1.0], [1e3], [1e-3]])), nash(jacobian))


def test_gradients_that_cancel_give_nash_no_direction():
    jacobian = rows(1, 20).double().repeat(2, 1) * torch.tensor([[1.0], [-2.0]])
    assert nash(jacobian).norm() < 1e-6


# ------------------------------------------------------------------ Yu et al. 2020


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_surgery_on_all_at_once_is_torchjds_one_by_one(tasks):
    theirs = pytest.importorskip("torchjd.aggregation").PCGrad()
    jacobian = rows(tasks, 6).double()
    for seed in range(5):
        torch.manual_seed(seed)
        expected = theirs(jacobian)
        torch.manual_seed(seed)
        torch.testing.assert_close(pcgrad(jacobian), expected)


# ------------------------------------------------------------------ Quinton and Rey 2024


@pytest.mark.parametrize(("tasks", "parameters"), [(1, 5), (2, 5), (12, 30), (40, 300), (40, 20)])
def test_the_projection_meets_its_conditions(tasks, parameters):
    jacobian = rows(tasks, parameters).double()
    gramian, u = jacobian @ jacobian.T, torch.eye(tasks).double()
    v = project(u, gramian)
    gains = v @ gramian
    assert (v - u).min() > -1e-8
    assert gains.min() > -1e-4  # no task loses, but for the ridge
    assert ((v - u) * gains).abs().max() < 1e-3


def test_the_projection_is_that_of_non_negative_least_squares():
    nnls = pytest.importorskip("scipy.optimize").nnls
    jacobian = rows(12, 30).double()
    u = torch.rand(6, 12, generator=torch.Generator().manual_seed(1)).double()
    factor = torch.linalg.cholesky(jacobian @ jacobian.T).T.numpy()
    expected = np.stack([row + nnls(factor, -factor @ row)[0] for row in u.numpy()])
    torch.testing.assert_close(project(u, jacobian @ jacobian.T), torch.from_numpy(expected), rtol=1e-4, atol=1e-5)


def test_two_conflicting_tasks_projected_by_hand():
    """g_1 = (1, 0), g_2 = (-1, 1): each less its part along the other, (1/2, 1/2) and (0, 1), and their mean."""
    direction = aggregator("UPGrad")(torch.tensor([[1.0, 0.0], [-1.0, 1.0]]).double())
    assert direction.tolist() == pytest.approx([0.25, 0.75], abs=1e-5)


@pytest.mark.parametrize("made", [nash, lambda jacobian: project(jacobian, jacobian @ jacobian.T)])
def test_gradients_that_are_no_numbers_are_refused(made):
    with pytest.raises(ValueError, match="not finite"):
        made(torch.full((2, 2), math.nan))

"""The two penalties by hand, their gradients, and the proximal operators against what defines them."""

import pytest
import torch

from mtlib.structure.penalties import (
    effective_rank,
    entries,
    nuclear,
    nuclear_subgradient,
    shrink_entries,
    shrink_singular_values,
)


def matrix(m=6, n=4, rank=None, seed=0):
    draw = torch.Generator().manual_seed(seed)
    if rank is None:
        return torch.randn(m, n, generator=draw).double()
    return torch.randn(m, rank, generator=draw).double() @ torch.randn(rank, n, generator=draw).double()


def test_norms_of_a_matrix_that_one_can_do_by_hand():
    x = torch.tensor([[3.0, 0.0], [0.0, -4.0], [0.0, 0.0]])  # singular values 4 and 3
    assert nuclear(x).item() == pytest.approx(7)
    assert entries(torch.tensor([[1.0, -2.0], [0.0, 0.5]])).item() == 3.5


def test_the_nuclear_norm_is_torchs_and_takes_stacks():
    x = torch.stack([matrix(seed=1), matrix(seed=2)])
    assert torch.allclose(nuclear(x), torch.linalg.matrix_norm(x, "nuc"))
    assert torch.allclose(entries(x), x.abs().sum((1, 2)))


def test_the_gradient_is_U_V_T_and_agrees_with_differences():
    x = matrix().requires_grad_()
    assert torch.autograd.gradcheck(nuclear, x, fast_mode=True)
    (gradient,) = torch.autograd.grad(nuclear(x), x)
    assert torch.allclose(gradient, nuclear_subgradient(x.detach()))


def test_at_full_column_rank_it_is_the_printed_inverse_root():
    x = matrix()
    values, vectors = torch.linalg.eigh(x.T @ x)
    printed = x @ vectors @ torch.diag(values.rsqrt()) @ vectors.T  # L (L^T L)^(-1/2)
    assert torch.allclose(nuclear_subgradient(x), printed)


def test_below_full_rank_it_is_still_a_subgradient():
    x = matrix(rank=2)
    g = nuclear_subgradient(x)
    assert torch.linalg.matrix_norm(g, 2) < 1 + 1e-12
    assert torch.linalg.matrix_rank(g) == 2
    assert (g * x).sum().item() == pytest.approx(nuclear(x).item())
    for seed in range(5):  # ||Y||_* >= ||X||_* + <G, Y - X>
        y = matrix(seed=seed)
        assert nuclear(y) >= nuclear(x) + (g * (y - x)).sum()


def test_at_zero_the_subgradient_is_zero_under_autograd_too():
    x = torch.zeros(3, 2, requires_grad=True)
    nuclear(x).backward()
    assert not x.grad.any()
    assert not nuclear_subgradient(torch.zeros(3, 2)).any()


def test_equal_singular_values_give_a_finite_gradient():
    x = torch.linalg.qr(matrix())[0].requires_grad_()  # as a basis starts
    nuclear(x).backward()
    assert torch.allclose(x.grad, x)


def test_effective_rank_counts_down_to_its_tolerance():
    x = torch.diag(torch.tensor([1.0, 1e-3, 1e-8]))
    assert effective_rank(x).item() == 2
    assert effective_rank(x, tolerance=1e-2).item() == 1
    assert effective_rank(1e6 * x).item() == 2  # relative to the largest
    assert effective_rank(torch.zeros(4, 2)).item() == 0
    assert effective_rank(torch.stack([matrix(), matrix(rank=1)])).tolist() == [4, 1]


def test_entries_shrink_by_hand():
    assert shrink_entries(torch.tensor([3.0, -3.0, 1.0, -0.5, 0.0]), 1.0).tolist() == [2, -2, 0, 0, 0]


def test_singular_values_shrink_and_vectors_stay():
    x = matrix()
    u, sigma, v = torch.linalg.svd(x, full_matrices=False)
    by = sigma[1].item()  # two of four are left with nothing, another stays
    shrunk = shrink_singular_values(x, by)
    assert torch.allclose(shrunk, (u * torch.tensor([sigma[0] - by, 0, 0, 0])) @ v)
    assert effective_rank(shrunk) == 1


@pytest.mark.parametrize(("shrink", "norm"), [(shrink_entries, entries), (shrink_singular_values, nuclear)])
def test_shrinking_is_the_proximal_operator(shrink, norm):
    x, by = matrix(), 0.7
    nearest = shrink(x, by)

    def cost(z):
        return (z - x).square().sum() / 2 + by * norm(z)

    for seed in range(20):  # the minimum is a strict one
        other = nearest + 10 ** -(seed % 4) * matrix(seed=seed)
        assert cost(other) > cost(nearest)
    assert torch.equal(shrink(x, 0.0), x) or torch.allclose(shrink(x, 0.0), x)


@pytest.mark.parametrize("by", [-0.1, float("nan"), float("inf"), "1", True])
def test_shrinking_by_what_is_no_amount_is_refused(by):
    for shrink in (shrink_entries, shrink_singular_values):
        with pytest.raises(ValueError, match="by must be a finite number of 0 or more"):
            shrink(matrix(), by)


@pytest.mark.parametrize("tolerance", [-1e-6, 1.0, float("nan")])
def test_a_tolerance_that_is_no_share_is_refused(tolerance):
    for function in (effective_rank, nuclear_subgradient):
        with pytest.raises(ValueError, match="tolerance"):
            function(matrix(), tolerance)

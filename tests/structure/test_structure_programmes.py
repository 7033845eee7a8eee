"""Algorithm 3's line 7 by a general solver: it returns I (M-1). And the fast solvers against the general one."""

import pytest
import torch

from mtlib.structure import learned_graph, programmes
from mtlib.structure.laplacian import squared_distances

pytest.importorskip("cvxpy")


def clustered(seed=0):
    """Eight tasks in two clusters, W (10, 8)."""
    torch.manual_seed(seed)
    return (4 * torch.randn(10, 2)[:, [0, 1, 0, 1, 0, 1, 0, 1]] + 0.5 * torch.randn(10, 8)).double()


def independent(seed):
    torch.manual_seed(seed)
    return torch.randn(5, 6).double()


# ------------------------------------------------------------------ as printed


@pytest.mark.parametrize("w", [clustered(), independent(1), independent(2), 1e-6 * independent(3)])
@pytest.mark.parametrize("eps", [1.0, 1e-3])
def test_the_printed_programme_returns_the_identity_and_is_ridge(w, eps):
    found = programmes.printed(w, eps)
    assert torch.allclose(found.matrix, eps * torch.eye(w.shape[1]).double(), rtol=0, atol=1e-6 * eps)
    assert not found.graph.any()
    assert found.objective == pytest.approx(eps * w.square().sum().item(), rel=1e-6)


@pytest.mark.parametrize("eps", [1.0, 1e-3])
def test_read_entry_by_entry_the_identity_is_the_only_point(eps):
    found = programmes.printed(clustered(), eps, order="entries")
    assert torch.allclose(found.matrix, eps * torch.eye(8).double(), rtol=0, atol=1e-6 * eps)
    assert not found.graph.any()


def test_the_proof_that_any_edge_costs():
    """With A = eps I + L the objective is eps ||W||^2 + sum M_ij ||w_i - w_j||^2, so M = 0 is best."""
    w, eps = independent(1), 0.5
    z = squared_distances(w)
    for i, j in ((0, 1), (2, 5)):
        a = eps * torch.eye(6).double()
        a[i, i] += 1
        a[j, j] += 1
        a[i, j] -= 1
        a[j, i] -= 1
        assert torch.linalg.eigvalsh(a)[0] >= eps - 1e-12  # it is allowed
        assert torch.allclose(a.sum(1), torch.full((6,), eps).double())
        cost = torch.trace(w @ a @ w.T) - programmes.printed(w, eps).objective
        assert cost.item() == pytest.approx(z[i, j].item(), rel=1e-5)


def test_a_single_task():
    found = programmes.printed(torch.tensor([[2.0], [1.0]]))
    assert found.matrix.item() == pytest.approx(1)
    assert found.objective == pytest.approx(5)


# ------------------------------------------------------------------ the replacements


@pytest.mark.parametrize("n", [2, 3, 12])
@pytest.mark.parametrize("beta", [0.01, 0.5, 50.0])
def test_trace_frobenius_is_solved_to_the_same_objective(n, beta):
    torch.manual_seed(n)
    z = squared_distances(torch.randn(6, n))
    general, fast = programmes.trace_frobenius(z, beta), learned_graph.trace_frobenius(z, beta)
    assert fast.objective == pytest.approx(general.objective, rel=1e-6)
    assert torch.allclose(fast.graph, general.graph, atol=1e-3)


@pytest.mark.parametrize("n", [2, 3, 12])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.01), (2.0, 0.5), (0.5, 50.0)])
def test_log_degree_is_solved_to_the_same_objective(n, alpha, beta):
    torch.manual_seed(n)
    z = squared_distances(torch.randn(6, n))
    general, fast = programmes.log_degree(z, alpha, beta), learned_graph.log_degree(z, alpha, beta)
    assert fast.objective == pytest.approx(general.objective, rel=1e-6, abs=1e-6 * alpha)
    assert torch.allclose(fast.graph, general.graph, atol=1e-3)


def test_raw_distances_are_solved_to_the_same_objective():
    z = squared_distances(clustered())
    options = {"relative": False}
    general = programmes.trace_frobenius(z, 5.0, **options).objective
    assert learned_graph.trace_frobenius(z, 5.0, **options).objective == pytest.approx(general, rel=1e-6)
    general = programmes.log_degree(z, 1.0, 5.0, **options).objective
    assert learned_graph.log_degree(z, 1.0, 5.0, **options).objective == pytest.approx(general, rel=1e-6)


def test_another_solver_agrees():
    z = squared_distances(clustered())
    found = programmes.trace_frobenius(z, 0.5, solver="OSQP")
    assert found.solver == "OSQP"
    assert found.objective == pytest.approx(programmes.trace_frobenius(z, 0.5).objective, rel=1e-3)


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    "w", [torch.zeros(3), torch.zeros(3, 0), torch.tensor([[float("nan")]]), torch.ones(1, 2).long()]
)
def test_what_is_no_matrix_of_predictors_is_refused(w):
    with pytest.raises(ValueError, match="w must be a finite matrix"):
        programmes.printed(w)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="order is one of semidefinite, entries, got 'positive'"):
        programmes.printed(torch.ones(2, 2), order="positive")
    with pytest.raises(ValueError, match="eps must be a finite number above 0"):
        programmes.printed(torch.ones(2, 2), 0.0)
    with pytest.raises(ValueError, match="beta"):
        programmes.trace_frobenius(torch.zeros(2, 2), -1.0)
    with pytest.raises(ValueError, match="alpha"):
        programmes.log_degree(torch.zeros(2, 2), 0.0, 1.0)
    for solve in (programmes.trace_frobenius, programmes.log_degree):
        with pytest.raises(ValueError, match="2 tasks or more"):
            solve(torch.zeros(1, 1), 1.0)
        with pytest.raises(ValueError, match="symmetric"):
            solve(torch.tensor([[0.0, 1.0], [2.0, 0.0]]), 1.0)

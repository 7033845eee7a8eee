"""Learned graphs: by hand where that is possible, by their optimality conditions elsewhere, and at their ends."""

import math

import pytest
import torch

from mtlib.structure import learned_graph
from mtlib.structure.laplacian import laplacian, squared_distances
from mtlib.structure.learned_graph import log_degree, trace_frobenius

TWO_CLUSTERS = [0, 1, 0, 1, 0, 1, 0, 1]


def planted():
    """Eight tasks in two clusters of four, tasks of a cluster not side by side: W (10, 8)."""
    torch.manual_seed(0)
    return (4 * torch.eye(10)[:, TWO_CLUSTERS] + 0.5 * torch.randn(10, 8)).double()


def within():
    """Which pairs are of one cluster."""
    labels = torch.tensor(TWO_CLUSTERS)
    return (labels.unsqueeze(0) == labels.unsqueeze(1)) & ~torch.eye(8, dtype=torch.bool)


def distances(n, seed=0):
    torch.manual_seed(seed)
    return squared_distances(torch.randn(6, n))


def pairs(n):
    return ~torch.eye(n, dtype=torch.bool)


def trace_objective(z, graph, beta):
    """Written down once more, from L itself."""
    return ((z * graph).sum() / 2 + beta * laplacian(graph).square().sum()).item()


def log_objective(z, graph, alpha, beta):
    return ((z * graph).sum() / 2 - alpha * graph.sum(1).log().sum() + beta * graph.square().sum()).item()


SOLVERS = [trace_frobenius, lambda z, beta, **options: log_degree(z, 1.0, beta, **options)]
BOTH = pytest.mark.parametrize("solve", SOLVERS, ids=["trace_frobenius", "log_degree"])


# ------------------------------------------------------------------ the planted clusters (M-1)


def test_trace_and_frobenius_find_the_edges_within_clusters_exactly():
    graph = trace_frobenius(squared_distances(planted()), 0.5).graph
    assert torch.equal(graph > 0, within())


def test_a_large_beta_joins_all_and_a_small_one_only_the_closest_pair():
    z = squared_distances(planted())
    assert (trace_frobenius(z, 500.0).graph > 0).sum() == 2 * 28
    alone = trace_frobenius(z, 1e-6).graph
    assert alone.count_nonzero() == 2
    i, j = divmod(int((z + 1e9 * torch.eye(8)).argmin()), 8)
    assert alone[i, j].item() == pytest.approx(4)  # n / 2: the whole of the trace


def test_log_degree_finds_the_edges_within_clusters_exactly_and_leaves_nobody_alone():
    graph = log_degree(squared_distances(planted()), 1.0, 0.3).graph
    assert torch.equal(graph > 0, within())


# ------------------------------------------------------------------ by hand


@BOTH
def test_equal_distances_give_equal_edges(solve):
    graph = solve(pairs(5).double(), 0.7).graph
    assert torch.allclose(graph[pairs(5)], graph[0, 1])
    assert graph[0, 1] > 0


@BOTH
def test_tasks_that_are_all_the_same_are_joined_alike(solve):
    graph = solve(torch.zeros(4, 4), 0.7).graph
    assert torch.allclose(graph[pairs(4)], graph[0, 1])
    assert graph[0, 1] > 0


@BOTH
def test_a_single_task_has_no_edges(solve):
    assert solve(torch.zeros(1, 1), 1.0).graph.tolist() == [[0]]


def test_two_tasks_share_the_trace():
    found = trace_frobenius(torch.tensor([[0.0, 3.0], [3.0, 0.0]]), 0.5, relative=False)
    assert found.graph.tolist() == [[0, 1], [1, 0]]
    assert found.objective == pytest.approx(3 + 0.5 * 4)  # L = [[1, -1], [-1, 1]]


def test_two_tasks_balance_distance_and_logarithm():
    # min 3 m - 2 log m + 2 m^2: 3 - 2 / m + 4 m = 0, m = (-3 + sqrt(9 + 32)) / 8
    found = log_degree(torch.tensor([[0.0, 3.0], [3.0, 0.0]]), 1.0, 1.0, relative=False)
    m = (math.sqrt(41) - 3) / 8
    assert found.graph[0, 1].item() == pytest.approx(m, rel=1e-9)
    assert found.objective == pytest.approx(3 * m - 2 * math.log(m) + 2 * m * m, rel=1e-12)


def test_three_tasks_by_hand():
    """Tasks 1 and 2 are the same, task 3 is 6 away from both; beta = 1."""
    z = torch.tensor([[0.0, 0.0, 6.0], [0.0, 0.0, 6.0], [6.0, 6.0, 0.0]])
    # With edges a, b, b of sum 3/2: f = 12 b + 2 (a^2 + 2 b^2) + 2 (a + b)^2 + 4 b^2, a = 3/2 - 2 b,
    # df/db = 12 - 8 a + 8 b - 4 (a + b) + 8 b = 12 - 12 a + 12 b = 0 at a = 1 + b: b = 1/6, a = 7/6.
    found = trace_frobenius(z, 1.0, relative=False)
    assert found.graph[0, 1].item() == pytest.approx(7 / 6)
    assert found.graph[0, 2].item() == found.graph[1, 2].item() == pytest.approx(1 / 6)


# ------------------------------------------------------------------ optimality


@pytest.mark.parametrize("n", [2, 3, 10, 40])
@pytest.mark.parametrize("beta", [0.003, 0.1, 2.0, 300.0])
def test_the_trace_graph_meets_its_optimality_conditions(n, beta):
    z = distances(n)
    found = trace_frobenius(z, beta, relative=False)
    graph, degrees = found.graph, found.graph.sum(1)
    slope = z + 4 * beta * graph + 2 * beta * (degrees.unsqueeze(0) + degrees.unsqueeze(1))  # of the objective by m_ij
    there, price = graph > 0, slope[graph > 0].mean()
    assert torch.allclose(slope[there], price, rtol=1e-9)
    assert bool((slope[pairs(n)] >= price * (1 - 1e-9)).all())
    assert degrees.sum().item() == pytest.approx(n, rel=1e-12)
    assert found.objective == pytest.approx(trace_objective(z, graph, beta), rel=1e-12)
    assert found.gap <= 1e-9 * found.objective


@pytest.mark.parametrize("n", [2, 3, 10, 40])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.003), (0.5, 0.1), (3.0, 2.0), (1.0, 300.0)])
def test_the_log_degree_graph_meets_its_optimality_conditions(n, alpha, beta):
    z = distances(n)
    found = log_degree(z, alpha, beta, relative=False)
    graph, inverse = found.graph, 1 / found.graph.sum(1)
    slope = z - alpha * (inverse.unsqueeze(0) + inverse.unsqueeze(1)) + 4 * beta * graph
    scale = z.max()
    assert slope[graph > 0].abs().max() <= 1e-8 * scale
    assert slope[pairs(n)].min() >= -1e-8 * scale
    assert found.objective == pytest.approx(log_objective(z, graph, alpha, beta), rel=1e-12)
    assert found.gap <= 1e-9 * max(abs(found.objective), alpha * n)


@BOTH
def test_no_other_graph_is_better(solve):
    z, beta = distances(6), 0.5
    found = solve(z, beta, relative=False)
    torch.manual_seed(2)
    for size in (1e-3, 0.1, 1.0):
        other = (found.graph + size * torch.rand(6, 6).double()).triu(1)
        other = other + other.T
        if solve is trace_frobenius:
            other = other * (6 / other.sum())
            assert trace_objective(z, other, beta) > found.objective
        else:
            assert log_objective(z, other, 1.0, beta) > found.objective


# ------------------------------------------------------------------ invariances


@BOTH
def test_the_order_of_tasks_does_not_matter(solve):
    z, order = distances(9), torch.randperm(9, generator=torch.Generator().manual_seed(4))
    moved = solve(z[order][:, order], 0.2).graph
    assert torch.allclose(moved, solve(z, 0.2).graph[order][:, order], rtol=1e-7, atol=1e-12)


@BOTH
@pytest.mark.parametrize("scale", [1e-150, 1e-6, 1e6, 1e150])
def test_the_units_of_w_do_not_matter(solve, scale):
    z = distances(9)
    assert torch.allclose(solve(scale * z, 0.2).graph, solve(z, 0.2).graph, rtol=1e-7, atol=1e-12)


def test_only_z_over_beta_matters_for_the_trace():
    z = distances(9)
    left, right = (trace_frobenius(c * z, c * 0.2, relative=False).graph for c in (1.0, 1e4))
    assert torch.allclose(left, right, rtol=1e-9)


def test_alpha_times_beta_chooses_the_edges_and_alpha_over_beta_their_size():
    z = distances(9)
    left, right = log_degree(z, 1.0, 0.2).graph, log_degree(z, 5.0, 0.04).graph
    assert torch.allclose(5 * left, right, rtol=1e-7)


@BOTH
def test_graphs_are_exactly_symmetric_without_loops(solve):
    graph = solve(distances(30), 0.05).graph
    assert torch.equal(graph, graph.T)
    assert not graph.diagonal().any()
    assert graph.min() == 0
    assert graph.dtype == torch.double


# ------------------------------------------------------------------ hard cases


def test_a_far_task_is_left_alone_by_the_trace_and_kept_by_the_logarithm():
    w = torch.randn(6, 12, generator=torch.Generator().manual_seed(0)).double()
    w[:, 5] += 1e3
    z = squared_distances(w)
    assert trace_frobenius(z, 1.0).graph[5].count_nonzero() == 0
    assert log_degree(z, 1.0, 1.0).graph[5].sum() > 0


@BOTH
@pytest.mark.parametrize("beta", [1e-4, 1.0, 1e4])
def test_predictors_of_very_different_sizes(solve, beta):
    w = torch.randn(6, 15, generator=torch.Generator().manual_seed(0)).double() * torch.logspace(-5, 5, 15).double()
    found = solve(squared_distances(w), beta)
    assert found.graph.isfinite().all()
    assert found.gap <= 1e-8 * max(abs(found.objective), 15)


@BOTH
def test_single_precision_is_accepted(solve):
    z = distances(9)
    assert torch.allclose(solve(z.float(), 0.2).graph, solve(z, 0.2).graph, rtol=1e-3, atol=1e-5)


@BOTH
def test_the_distances_are_left_as_they_are(solve):
    z = distances(5)
    before = z.clone()
    solve(z, 0.3, relative=False)
    assert torch.equal(z, before)


@BOTH
@pytest.mark.parametrize("beta", [0.0, -1.0, math.inf, math.nan])
def test_a_weight_that_is_not_above_0_is_refused(solve, beta):
    with pytest.raises(ValueError, match="beta must be a finite number above 0"):
        solve(distances(3), beta)


@BOTH
def test_what_are_no_squared_distances_is_refused(solve):
    with pytest.raises(ValueError, match="squared distances must be symmetric"):
        solve(torch.tensor([[0.0, 1.0], [2.0, 0.0]]), 1.0)
    with pytest.raises(ValueError, match="squared distances must be finite"):
        solve(torch.full((2, 2), math.nan), 1.0)


@BOTH
def test_an_unsolved_graph_is_no_graph(solve, monkeypatch):
    monkeypatch.setattr(learned_graph, "STEPS", 0)
    with pytest.raises(RuntimeError, match="graph of 12 tasks is not solved"):
        solve(distances(12), 0.05)

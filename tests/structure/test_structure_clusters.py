"""Pruning, clusters, stability of edges and the choice of beta, on graphs that are small enough to see."""

import pytest
import torch

from mtlib.structure.clusters import (
    choose,
    clusters,
    components,
    path,
    prune,
    prune_literally,
    relation,
    stability,
)
from mtlib.structure.laplacian import laplacian, regulariser, squared_distances
from mtlib.structure.learned_graph import trace_frobenius

LABELS = [0, 1, 0, 1, 0, 1, 0, 1]


def graph_of(n, **edges):
    """graph_of(3, e01=2.0) has one edge."""
    graph = torch.zeros(n, n)
    for name, weight in edges.items():
        i, j = int(name[1]), int(name[2])
        graph[i, j] = graph[j, i] = weight
    return graph


def planted(seed=0, noise=0.5):
    torch.manual_seed(seed)
    return (4 * torch.eye(10)[:, LABELS] + noise * torch.randn(10, 8)).double()


def within():
    labels = torch.tensor(LABELS)
    return (labels.unsqueeze(0) == labels.unsqueeze(1)) & ~torch.eye(8, dtype=torch.bool)


# ------------------------------------------------------------------ pruning


def test_edges_below_a_tenth_of_the_largest_go():
    graph = graph_of(4, e01=10.0, e12=1.0, e23=0.99)
    assert torch.equal(prune(graph), graph_of(4, e01=10.0, e12=1.0))
    assert torch.equal(prune(graph, 0.0), graph)
    assert torch.equal(prune(graph, 1.0), graph_of(4, e01=10.0))


def test_pruning_does_not_depend_on_the_scale():
    graph = graph_of(4, e01=10.0, e12=1.5, e23=0.5)
    assert torch.equal(prune(graph * 1024) > 0, prune(graph) > 0)


def test_the_diagonal_is_rebuilt():
    a = regulariser(prune(graph_of(3, e01=10.0, e12=0.5)), 0.25)
    assert a.tolist() == [[10.25, -10, 0], [-10, 10.25, 0], [0, 0, 0.25]]


def test_read_literally_the_threshold_deletes_every_edge():
    a = regulariser(graph_of(4, e01=10.0, e12=1.0, e23=0.99))
    pruned = prune_literally(a)
    assert torch.equal(pruned, torch.diag(a.diagonal()))  # the diagonal alone is left, and no Laplacian
    assert laplacian(graph_of(4)).equal(pruned) is False


def test_a_graph_without_edges_has_nothing_to_prune():
    assert not prune(torch.zeros(3, 3)).any()


# ------------------------------------------------------------------ clusters


def test_components_by_hand():
    assert components(graph_of(5, e03=1.0, e34=0.5)).tolist() == [0, 1, 2, 0, 0]
    assert components(torch.zeros(1, 1)).tolist() == [0]


def test_clusters_have_names_and_large_ones_come_first():
    names = ("bald", "smile", "teeth", "bangs", "mouth")
    graph = graph_of(5, e12=1.0, e24=2.0, e03=0.05)  # the last is below a tenth
    assert clusters(graph, names) == [("smile", "teeth", "mouth"), ("bald",), ("bangs",)]
    assert clusters(graph, names, share=0.01) == [("smile", "teeth", "mouth"), ("bald", "bangs")]


def test_clusters_are_those_that_were_planted():
    names = [f"{label}{i}" for i, label in enumerate(LABELS)]
    found = clusters(trace_frobenius(squared_distances(planted()), 0.5).graph, names)
    assert found == [("00", "02", "04", "06"), ("11", "13", "15", "17")]


# ------------------------------------------------------------------ stability


def test_stability_is_the_share_of_runs():
    runs = torch.stack([graph_of(3, e01=1.0), graph_of(3, e01=5.0, e12=5.0), graph_of(3, e12=5.0, e01=0.1)])
    assert stability(runs)[0, 1].item() == pytest.approx(2 / 3)  # in the last run it is pruned
    assert stability(runs)[1, 2].item() == pytest.approx(2 / 3)
    assert stability(runs)[0, 2].item() == 0
    assert torch.equal(stability(runs), stability(runs).T)


def test_a_path_goes_from_the_closest_pair_to_all_pairs():
    graphs = path(squared_distances(planted()), (1e-6, 0.5, 500.0))
    assert [int((graph > 0).sum()) // 2 for graph in graphs] == [1, 12, 28]


def test_edges_within_clusters_are_the_stable_ones_over_betas_and_resamples():
    resamples = torch.stack([squared_distances(planted(seed)) for seed in range(3)])
    graphs = path(resamples, (0.3, 0.5, 1.0))
    assert graphs.shape == (3, 3, 8, 8)
    share = stability(graphs)
    assert share[within()].min() == 1
    assert share[~within()].max() < 0.5


# ------------------------------------------------------------------ the choice of beta


def test_the_chosen_beta_is_the_last_before_most_tasks_are_alone():
    z, betas = squared_distances(planted()), (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
    chosen = choose(z, betas)
    degrees = [(prune(graph) > 0).sum(1).median() for graph in path(z, betas)]
    place = betas.index(chosen.beta)
    assert 0 < place < len(betas) - 1
    assert all(degree > 0 for degree in degrees[place:])
    assert degrees[place - 1] == 0
    assert torch.equal(chosen.learned.graph, path(z, betas)[place])


def test_the_chosen_graph_has_no_edges_across_clusters():
    chosen = choose(squared_distances(planted()))
    assert not chosen.learned.graph[~within()].any()


def test_the_choice_does_not_depend_on_the_scale_of_w():
    assert choose(squared_distances(1e-4 * planted())).beta == choose(squared_distances(planted())).beta


def test_a_single_task_and_a_pair_have_a_choice():
    assert choose(torch.zeros(1, 1), (0.1, 2.0)).beta == 2.0
    assert choose(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), (0.1, 2.0)).beta == 0.1


def test_betas_that_leave_most_tasks_alone_are_refused():
    with pytest.raises(ValueError, match="betas must go higher"):
        choose(squared_distances(planted()), (1e-6,))
    with pytest.raises(ValueError, match="got none"):
        choose(squared_distances(planted()), ())


# ------------------------------------------------------------------ another reading


def test_the_relation_matrix_by_hand():
    # columns (1, 0), (0, 2): roots 1 and 2
    assert torch.allclose(
        relation(torch.tensor([[1.0, 0.0], [0.0, 2.0]])), torch.tensor([[1.0, 0], [0, 2]]).double() / 3
    )


def test_the_relation_matrix_is_the_best_of_trace_1():
    w = planted()[:, :4]

    def cost(omega):
        return torch.trace(w @ torch.linalg.inv(omega) @ w.T)

    best = relation(w)
    assert torch.trace(best).item() == pytest.approx(1)
    torch.manual_seed(0)
    for size in (1e-2, 0.1):
        half = torch.linalg.cholesky(best) + size * 0.1 * torch.randn(4, 4).double()
        other = half @ half.T
        assert cost(other / torch.trace(other)) > cost(best)


def test_opposite_tasks_are_related_negatively_where_a_graph_has_no_edge():
    w = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    w = torch.cat([w, -w[:, :1] + 0.01], 1)
    assert relation(w)[0, 2] < -0.1
    assert trace_frobenius(squared_distances(w), 0.01).graph[0, 2] == 0


# ------------------------------------------------------------------ refused


def test_bad_input_is_refused():
    lopsided = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    for use in (prune, components):
        with pytest.raises(ValueError, match="symmetric"):
            use(lopsided)
    with pytest.raises(ValueError, match="share must be from 0 to 1"):
        prune(torch.zeros(2, 2), 1.5)
    with pytest.raises(ValueError, match="one for each of 2 tasks, got 1"):
        clusters(torch.zeros(2, 2), ["a"])
    with pytest.raises(ValueError, match="one run or more"):
        stability(torch.zeros(2, 2))
    with pytest.raises(ValueError, match="other than 0"):
        relation(torch.zeros(2, 2))

"""Graphs of tasks and their penalty: Eqs. (7) to (13) on a path of three tasks by hand, and as identities."""

import pytest
import torch

from mtlib.structure.laplacian import (
    check_graph,
    coupling,
    differences,
    edges,
    laplacian,
    regulariser,
    relative,
    squared_distances,
    trace,
)

PATH = torch.tensor([[0.0, 2.0, 0.0], [2.0, 0.0, 1.0], [0.0, 1.0, 0.0]]).double()  # 1 =2= 2 -1- 3


def random_graph(n, seed=0):
    torch.manual_seed(seed)
    upper = torch.rand(n, n).double().triu(1)
    return upper + upper.T


def random_weights(d, n, seed=1):
    torch.manual_seed(seed)
    return torch.randn(d, n).double()


def test_equations_9_and_10_by_hand():
    assert laplacian(PATH).tolist() == [[2, -2, 0], [-2, 3, -1], [0, -1, 1]]


def test_equation_12_by_hand():
    assert regulariser(PATH, 0.5).tolist() == [[2.5, -2, 0], [-2, 3.5, -1], [0, -1, 1.5]]


def test_a_graph_comes_back_from_its_laplacian_and_from_a():
    graph = random_graph(5)
    assert torch.equal(edges(laplacian(graph)), graph)
    assert torch.equal(edges(regulariser(graph)), graph)


def test_a_laplacian_is_semidefinite_and_a_is_definite_by_eps():
    values = torch.linalg.eigvalsh(laplacian(random_graph(6)))
    assert values[0].item() == pytest.approx(0, abs=1e-12)
    assert values[1] > 0  # one connected part, one 0
    assert torch.linalg.eigvalsh(regulariser(random_graph(6), 0.25))[0].item() == pytest.approx(0.25)


def test_equation_13_by_hand():
    w = torch.tensor([[1.0, 0.0, 4.0]]).double()  # one feature
    # 2 (1 - 0)^2 + 1 (0 - 4)^2 + 0.5 (1 + 0 + 16)
    assert trace(w, regulariser(PATH, 0.5)).item() == 2 + 16 + 8.5


def test_equation_13_is_a_sum_over_the_rows_of_w_and_over_pairs_of_columns():
    w, a = random_weights(4, 3), regulariser(PATH)
    rows = sum(float(row @ a @ row) for row in w)
    pairs = sum(float(a[r, s] * (w[:, r] @ w[:, s])) for r in range(3) for s in range(3))
    assert trace(w, a).item() == pytest.approx(rows, rel=1e-12)
    assert trace(w, a).item() == pytest.approx(pairs, rel=1e-12)


@pytest.mark.parametrize("eps", [0.0, 1e-3, 1.0])
def test_equation_7_equals_13_with_each_pair_once(eps):
    w, graph = random_weights(4, 7), random_graph(7)
    expected = differences(w, graph, eps).item()
    assert trace(w, regulariser(graph, eps)).item() == pytest.approx(expected, rel=1e-12)
    assert coupling(w, graph, eps).item() == pytest.approx(expected, rel=1e-12)


def test_equation_8_as_printed_is_twice_too_large():
    w, graph = random_weights(4, 7), random_graph(7)
    left = sum(float(graph[i, j] * (w[:, i] - w[:, j]).square().sum()) for i in range(7) for j in range(7))
    right = sum(float(laplacian(graph)[i, j] * (w[:, i] @ w[:, j])) for i in range(7) for j in range(7))
    assert left == pytest.approx(2 * right, rel=1e-12)


def test_the_gradient_is_2_w_a():
    w, graph = random_weights(4, 5).requires_grad_(), random_graph(5)
    coupling(w, graph).backward()
    assert torch.allclose(w.grad, 2 * w.detach() @ regulariser(graph), rtol=1e-12)


def test_without_edges_it_is_ridge():
    w = random_weights(4, 5)
    assert coupling(w, torch.zeros(5, 5).double(), 0.3).item() == pytest.approx(0.3 * w.square().sum().item())


def test_a_common_part_of_all_tasks_costs_nothing_but_eps():
    w, graph = random_weights(4, 5), random_graph(5)
    assert coupling(w + 7, graph, 0).item() == pytest.approx(coupling(w, graph, 0).item(), rel=1e-9)


def test_the_order_of_tasks_does_not_matter():
    w, graph, order = random_weights(4, 5), random_graph(5), [3, 0, 4, 1, 2]
    moved = coupling(w[:, order], graph[order][:, order]).item()
    assert moved == pytest.approx(coupling(w, graph).item(), rel=1e-12)


def test_distances_by_hand():
    w = torch.tensor([[0.0, 3.0, 0.0], [0.0, 4.0, 1.0]])
    expected = torch.tensor([[0.0, 25.0, 1.0], [25.0, 0.0, 18.0], [1.0, 18.0, 0.0]]).double()
    assert torch.allclose(squared_distances(w), expected, rtol=1e-12)


def test_distances_weigh_edges_in_the_trace():
    w, graph = random_weights(4, 6), random_graph(6)
    expected = (graph * squared_distances(w)).sum().item() / 2
    assert trace(w, laplacian(graph)).item() == pytest.approx(expected, rel=1e-12)


def test_distances_of_close_tasks_keep_their_digits():
    w = torch.tensor([[1e6, 1e6 + 1e-3]], dtype=torch.double)
    assert squared_distances(w)[0, 1].item() == pytest.approx(1e-6, rel=1e-3)  # as products: 0 or 0.0002


def test_relative_distances_have_mean_1_whatever_the_scale():
    z = squared_distances(random_weights(4, 6))
    assert (relative(z).sum() / 30).item() == pytest.approx(1)
    for scale in (1e-300, 1e-9, 1e9, 1e306):
        assert torch.allclose(relative(scale * z), relative(z), rtol=1e-9), scale


def test_relative_distances_of_equal_tasks_stay_0():
    assert not relative(torch.zeros(3, 3)).any()


def test_a_single_task_has_no_edges():
    alone = torch.zeros(1, 1)
    assert laplacian(alone).tolist() == [[0]]
    assert regulariser(alone, 0.5).tolist() == [[0.5]]
    assert squared_distances(torch.ones(4, 1)).tolist() == [[0]]


@pytest.mark.parametrize(
    ("graph", "fault"),
    [
        (torch.zeros(2, 3), "square"),
        (torch.zeros(2), "square"),
        (torch.zeros(0, 0), "square"),
        (torch.zeros(2, 2, dtype=torch.long), "floating"),
        (torch.tensor([[0.0, 1.0], [2.0, 0.0]]), "symmetric"),
        (torch.tensor([[0.0, -1.0], [-1.0, 0.0]]), "0 or more"),
        (torch.tensor([[1.0, 1.0], [1.0, 0.0]]), "diagonal"),
        (torch.tensor([[0.0, float("nan")], [float("nan"), 0.0]]), "finite"),
        (torch.tensor([[0.0, float("inf")], [float("inf"), 0.0]]), "finite"),
    ],
)
def test_what_is_no_graph_is_refused(graph, fault):
    for use in (check_graph, laplacian, regulariser):
        with pytest.raises(ValueError, match=fault):
            use(graph)


def test_rounding_does_not_make_a_graph_non_symmetric():
    graph = PATH.float()
    graph[0, 1] *= 1 + 1e-7
    check_graph(graph)


def test_a_negative_eps_is_refused():
    with pytest.raises(ValueError, match="eps"):
        regulariser(PATH, -1e-3)

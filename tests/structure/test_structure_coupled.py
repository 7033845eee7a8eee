"""Eq. (14) by hand, with a graph that is given or learned (Algorithm 3); what the printed graph step comes to."""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mtlib.method import Losses
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.structure.clusters import choose, clusters
from mtlib.structure.coupled import Coupled, GraphStep
from mtlib.structure.laplacian import laplacian, squared_distances, trace
from mtlib.structure.learned_graph import log_degree, trace_frobenius
from mtlib.structure.predictors import Ridge
from mtlib.tasks import Batch, Dataset, Split, Task
from mtlib.training import fit
from mtlib.updates import Alternate, Descend

NAMES = tuple("abcdef")
D, N = 8, 240
LABELS = [0, 1, 0, 1, 0, 1]
SGD = Recipe(steps=120, batch=60, optimiser="sgd", rate=0.3, schedule="constant")
PER_EPOCH = N // SGD.batch


def graph_of(*pairs, n=6, weight=1.0):
    graph = torch.zeros(n, n)
    for i, j in pairs:
        graph[i, j] = graph[j, i] = weight
    return graph


def problem(kind="binary", missing=False):
    """Six tasks in two clusters: those of one have nearly the same predictor."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(N, D, generator=draw)
    w = 2 * torch.eye(D)[:, LABELS] + 0.3 * torch.randn(D, 6, generator=draw)
    z = x @ w
    y = (z > 0).long() if kind == "binary" else z
    if missing:
        lost = torch.rand(N, 6, generator=draw) < 0.3
        y = torch.where(lost, -1, y) if kind == "binary" else z.masked_fill(lost, math.nan)
    split = Split(x, {"t": y})
    return Dataset("planted", (Task("t", kind, NAMES),), split, split)


def coupled(data, **options):
    with seeded("weights"):
        return Coupled(nn.Identity(), D, data.tasks, **options)


def whole(data):
    return Batch(data.train.x, data.train.y)


# ------------------------------------------------------------------ Eq. (14), by hand


@pytest.mark.parametrize("kind", ["binary", "points"])
@pytest.mark.parametrize("missing", [False, True])
def test_equation_14_by_hand(kind, missing):
    data = problem(kind, missing)
    graph = graph_of((0, 2), (2, 4), (1, 3), weight=0.5)
    method, eps, xi = coupled(data, xi=0.75, graph=graph, eps=0.25).double(), 0.25, 0.75
    batch = Batch(data.train.x.double(), data.train.y)
    w, y = method.W.detach(), data.train.y["t"]
    z = batch.x @ w
    penalty = eps * w.square().sum()
    for i, j in ((0, 2), (2, 4), (1, 3)):
        penalty = penalty + 0.5 * (w[:, i] - w[:, j]).square().sum()
    found = method.losses(batch)
    assert found.extra["coupling"].item() == pytest.approx(xi * penalty.item(), rel=1e-9)
    if kind == "binary":
        for t in range(6):
            known = y[:, t] >= 0
            expected = F.binary_cross_entropy_with_logits(z[known, t], y[known, t].double())
            assert found.tasks[t].item() == pytest.approx(expected.item(), rel=1e-9)
    else:
        squares = (z - y).square()
        assert found.tasks.item() == pytest.approx(squares.nanmean(1).mean().item(), rel=1e-6)


def test_the_coupling_is_the_trace_of_equation_13():
    method = coupled(problem(), graph=graph_of((0, 1), (3, 4))).double()
    expected = method.strengths[0] * trace(method.W, method.regulariser())
    assert method.losses(Batch(torch.randn(5, D).double(), {"t": torch.ones(5, 6)})).extra[
        "coupling"
    ].item() == pytest.approx(expected.item(), rel=1e-9)


def test_equation_6_has_the_laplacian_alone():
    graph = graph_of((0, 1), (3, 4))
    method = coupled(problem(), xi=2.0, graph=graph, eps=0.0).double()
    expected = 2 * trace(method.W, laplacian(graph.double()))
    assert method.penalties()["coupling"].item() == pytest.approx(expected.item(), rel=1e-9)


def test_the_gradient_draws_neighbours_together_and_leaves_others():
    method = coupled(problem(), graph=graph_of((0, 1)), eps=0.0)
    method.penalties()["coupling"].backward()
    w, gradient = method.W.detach(), method.W.grad
    assert torch.allclose(gradient[:, 0], 2 * 0.75 * (w[:, 0] - w[:, 1]), atol=1e-6)
    assert torch.allclose(gradient[:, 0], -gradient[:, 1], atol=1e-6)
    assert gradient[:, 2:].abs().max() < 1e-6


def test_it_starts_without_edges_which_is_ridge():
    data = problem()
    method = coupled(data, xi=0.75, eps=0.04)
    assert not method.graph.any()
    with seeded("weights"):
        ridge = Ridge(nn.Identity(), D, data.tasks, weight=0.75 * 0.04)
    batch = whole(data)
    assert torch.equal(method.W, ridge.W)
    assert method.losses(batch).total().item() == pytest.approx(ridge.losses(batch).total().item(), rel=1e-6)


def test_permuted_tasks_have_permuted_predictors():
    data, order = problem("points"), [5, 2, 0, 4, 1, 3]
    graph = graph_of((0, 2), (1, 5))
    moved = Dataset(
        "moved",
        (Task("t", "points", tuple(NAMES[i] for i in order)),),
        *[Split(data.train.x, {"t": data.train.y["t"][:, order]})] * 2,
    )
    plain, other = coupled(data, graph=graph), coupled(moved, graph=graph[order][:, order])
    with torch.no_grad():
        other.W.copy_(plain.W[:, order])
    for method, given in ((plain, data), (other, moved)):
        fit(method, given, SGD, update=Descend())
    assert torch.allclose(other.W, plain.W[:, order], atol=1e-5)


def test_several_blocks_and_a_bias():
    tasks = [Task("smile", "binary", ("a", "b")), Task("pose", "points", ("yaw",))]
    method = Coupled(nn.Identity(), D, tasks, graph=graph_of((0, 2), n=3), bias=True)
    outputs = method(torch.randn(5, D))
    assert {name: tuple(z.shape) for name, z in outputs.items()} == {"smile": (5, 2), "pose": (5, 1)}
    assert isinstance(
        method.losses(Batch(torch.randn(5, D), {"smile": torch.ones(5, 2), "pose": torch.ones(5, 1)})), Losses
    )
    assert tuple(method.weights().shape) == (D, 3)


def test_a_single_task():
    method = Coupled(nn.Identity(), D, [Task("t", "binary", ("only",))])
    assert method.penalties()["coupling"].item() == pytest.approx(0.75e-3 * method.W.square().sum().item(), rel=1e-5)
    for how in ("trace_frobenius", "log_degree"):
        assert GraphStep(method, how)(method.graph).tolist() == [[0]]


# ------------------------------------------------------------------ Algorithm 3


def alternate(method, **options):
    return Alternate({"graph": GraphStep(method, **options)}, every=PER_EPOCH)


def test_algorithm_3_finds_the_clusters():
    data = problem()
    method = coupled(data, xi=0.01)
    fit(method, data, SGD, update=alternate(method, beta=0.5))
    assert clusters(method.graph, NAMES) == [("a", "c", "e"), ("b", "d", "f")]


def test_with_the_chosen_beta_it_finds_a_part_of_them():
    """The choice is the sparsest graph in which most tasks have a neighbour: a cluster of three may lose one."""
    data = problem()
    method = coupled(data, xi=0.01)
    fit(method, data, SGD, update=alternate(method))
    found = clusters(method.graph, NAMES)
    assert sum(len(cluster) > 1 for cluster in found) == 2
    assert all(set(cluster) <= set("ace") or set(cluster) <= set("bdf") for cluster in found)


def test_the_graph_is_learned_after_each_epoch_and_stays_in_between():
    data = problem()
    method = coupled(data)
    update = alternate(method, beta=0.5)
    update.start(method, SGD)
    graphs = []
    for _ in range(2 * PER_EPOCH):
        update(whole(data))
        graphs.append(method.graph.clone())
    assert not any(graph.any() for graph in graphs[: PER_EPOCH - 1])
    assert graphs[PER_EPOCH - 1].any()
    assert all(torch.equal(graph, graphs[PER_EPOCH - 1]) for graph in graphs[PER_EPOCH:-1])
    assert not torch.equal(graphs[-1], graphs[-2])
    expected = trace_frobenius(squared_distances(method.W), 0.5).graph
    assert torch.allclose(graphs[-1], expected.float())


def test_a_given_graph_stays_as_it_is():
    data, graph = problem(), graph_of((0, 1))
    method = coupled(data, graph=graph)
    fit(method, data, SGD, update=Descend())
    assert torch.equal(method.graph, graph)


def test_alternation_descends_one_objective_if_distances_are_raw():
    data, beta, xi = problem(), 0.3, 0.05
    method = coupled(data, xi=xi)
    update = alternate(method, beta=beta, relative=False)
    update.start(method, SGD)
    seen = []
    for _ in range(10 * PER_EPOCH):
        update(whole(data))
        total = method.losses(whole(data)).total() + xi * beta * laplacian(method.graph).square().sum()
        seen.append(total.item())
    after = seen[PER_EPOCH - 1 :]  # before, there was no graph
    assert all(later <= earlier + 1e-5 for earlier, later in pairwise(after))
    assert after[-1] < after[0]


def test_with_the_printed_graph_step_tasks_stay_independent():
    pytest.importorskip("cvxpy")
    data, short = problem(), Recipe(steps=2 * PER_EPOCH, batch=60, optimiser="sgd", rate=0.3, schedule="constant")
    method, ridge = coupled(data), coupled(data)
    fit(method, data, short, update=alternate(method, how="printed"))
    fit(ridge, data, short, update=Descend())
    assert not method.graph.any()
    assert torch.equal(method.W, ridge.W)


def test_the_graph_helps_where_labels_are_few():
    """The true clusters as a graph against no graph, ten examples with labels, scored on all others."""
    data = problem()
    few = Dataset("few", data.tasks, Split(data.train.x[:10], {"t": data.train.y["t"][:10]}), data.test)
    labels = torch.tensor(LABELS)
    truth = ((labels.unsqueeze(0) == labels.unsqueeze(1)) & ~torch.eye(6, dtype=torch.bool)).float()
    scores = []
    for graph in (truth, None):
        method = coupled(few, graph=graph)
        fit(method, few, Recipe(steps=200, batch=10, optimiser="sgd", rate=0.1, schedule="constant"), update=Descend())
        right = (method(data.test.x)["t"] > 0) == (data.test.y["t"] > 0)
        scores.append(right.double().mean().item())
    assert scores[0] > scores[1] + 0.02


# ------------------------------------------------------------------ the graph step


def test_the_step_is_what_its_solver_gives():
    method = coupled(problem())
    z = squared_distances(method.W)
    expected = {
        "trace_frobenius": [
            (GraphStep(method, beta=0.7), trace_frobenius(z, 0.7)),
            (GraphStep(method), choose(z).learned),
        ],
        "log_degree": [
            (GraphStep(method, "log_degree", alpha=2.0, beta=0.3), log_degree(z, 2.0, 0.3)),
            (GraphStep(method, "log_degree"), log_degree(z, 1.0, 1.0)),
        ],
    }
    for step, learned in (case for cases in expected.values() for case in cases):
        assert torch.equal(step(method.graph), learned.graph.float())


def test_the_step_forgets_the_scale_of_w_unless_told_otherwise():
    method = coupled(problem())
    w = method.W.detach().double()
    relative, raw = GraphStep(method, beta=0.1), GraphStep(method, beta=0.1, relative=False)
    assert torch.allclose(relative.learn(w), relative.learn(1000 * w), atol=1e-9)
    assert not torch.allclose(raw.learn(w), raw.learn(1000 * w), atol=1e-3)


def test_a_record_of_its_settings_does_not_hold_the_method():
    assert not any(
        isinstance(value, nn.Module) for name, value in vars(GraphStep(coupled(problem()))).items() if name[0] != "_"
    )


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"graph": torch.zeros(5, 5)}, r"graph must be \(6, 6\)"),
        ({"graph": torch.eye(6)}, "diagonal"),
        (
            {"graph": torch.zeros(6, 6).index_put((torch.tensor([0]), torch.tensor([1])), torch.tensor(1.0))},
            "symmetric",
        ),
        ({"xi": -1.0}, "xi"),
        ({"eps": math.nan}, "eps"),
    ],
)
def test_bad_settings_are_refused(options, fault):
    with pytest.raises(ValueError, match=fault):
        coupled(problem(), **options)


def test_classes_are_refused():
    with pytest.raises(ValueError, match="classes"):
        Coupled(nn.Identity(), D, [Task("t", "classes", 2, classes=3)])


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"how": "cholesky"}, "how is one of trace_frobenius, log_degree, printed"),
        ({"beta": 0.0}, "beta"),
        ({"alpha": -1.0}, "alpha"),
        ({"betas": (1.0, 0.0)}, "betas"),
    ],
)
def test_a_bad_graph_step_is_refused(options, fault):
    with pytest.raises(ValueError, match=fault):
        GraphStep(coupled(problem()), **options)


def test_predictors_that_are_no_numbers_are_named():
    method = coupled(problem())
    with pytest.raises(ValueError, match="squared distances must be finite"):
        GraphStep(method).learn(torch.full((2, 6), math.nan))

"""The linear playground: sums by hand, and that what is solved is what the methods of mtlib.structure would descend."""

from functools import cache

import pytest
import torch
from torch import nn

from mtlib.experiments import school, school_data
from mtlib.experiments.school_data import Pupils, Sums
from mtlib.structure import Grouped, Ridge, regulariser
from mtlib.structure.laplacian import differences
from mtlib.tasks import Batch, Task


@cache
def playground():
    return school_data.load(0, "stand-in")


def small(schools=5, pupils=60, features=3):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(pupils, features, generator=draw).double()
    owner = torch.arange(pupils) % schools
    w = torch.randn(features, schools, generator=draw).double()
    return Pupils(x, (x * w.T[owner]).sum(1) + 0.1 * torch.randn(pupils, generator=draw).double(), owner)


def batch(pupils, schools):
    """The pupils as the methods take them: a column per school, NaN at all but one's own."""
    y = torch.full((len(pupils.y), schools), float("nan"), dtype=torch.double)
    y[torch.arange(len(pupils.y)), pupils.school] = pupils.y
    return Batch(pupils.x, {"exam": y})


TASK = Task("exam", "points", tuple("abcde"))


def test_sums_give_the_squared_error_of_all_pupils():
    pupils = small()
    w = torch.randn(3, 5, dtype=torch.double)
    direct = (pupils.y - (pupils.x * w.T[pupils.school]).sum(1)).square().mean()
    found = school_data.sums(pupils, 5)
    assert found.loss(w) == pytest.approx(float(direct))
    assert found.explained(torch.zeros(3, 5, dtype=torch.double)) == 0
    exact = Sums(torch.eye(1).double().unsqueeze(0), torch.tensor([[2.0]]).double(), 4.0)  # one pupil, x = 1, y = 2
    assert exact.explained(torch.tensor([[1.0]]).double()) == 75  # an error of 1 is a quarter of 4


def test_ridge_ends_where_the_method_would_rest():
    pupils = small()
    method = Ridge(nn.Identity(), 3, [TASK], weight=0.02).double()
    method.W.data = school.ridge(school_data.sums(pupils, 5), 0.02)[0].contiguous()
    method.losses(batch(pupils, 5)).total().backward()
    assert method.W.grad.abs().max() < 1e-8  # float32 holds the weight 0.02 to eight digits


def test_pooled_is_one_school():
    pupils = small()
    w, _ = school.pooled(school_data.sums(pupils, 5), 0.02)
    alone, _ = school.ridge(school_data.sums(Pupils(pupils.x, pupils.y, torch.zeros_like(pupils.school)), 1), 0.02)
    assert torch.allclose(w, alone.expand(-1, 5))


@pytest.mark.parametrize("xi", [1e-3, 0.1, 10.0])
def test_along_a_graph_the_gradient_of_equation_14_is_zero(xi):
    data = school_data.sums(small(), 5)
    graph = torch.zeros(5, 5).double()
    graph[0, 1] = graph[1, 0] = 2.0
    graph[1, 2] = graph[2, 1] = 0.5
    w = school.coupled(data, regulariser(graph), xi).requires_grad_()
    (data.loss(w) + xi * differences(w, graph)).backward()
    assert w.grad.abs().max() < 1e-5


def test_a_strong_edge_makes_two_schools_one_and_none_leaves_them_alone():
    data = school_data.sums(small(), 5)
    edge = torch.zeros(5, 5).double()
    edge[0, 1] = edge[1, 0] = 1e4
    w, _ = school.along(data, 1.0, edge)
    assert (w[:, 0] - w[:, 1]).abs().max() < 1e-3
    w, _ = school.along(data, 1.0, torch.zeros(5, 5).double())
    assert torch.allclose(w, school.ridge(data, 1e-3)[0], atol=1e-6)  # A = eps I, as the printed programme has it (M-1)


def test_low_rank_minimises_what_the_method_has_for_its_losses():
    pupils = small()
    data = school_data.sums(pupils, 5)
    w, told = school.low_rank(data, 2, 0.01)
    assert told["rank"] <= 2
    assert torch.linalg.matrix_rank(w, atol=1e-8) <= 2
    method = Grouped(nn.Identity(), 3, [TASK], [TASK.columns], sparse=0.001, low_rank=0.01).double()
    basis, codes = torch.randn(3, 3).double(), torch.randn(3, 5).double()
    method.L[0].data, method.S[0].data = basis, codes
    total = method.losses(batch(pupils, 5)).total()
    assert school.objective(data, basis, codes, 0.01, 0.001) == pytest.approx(total.item(), rel=1e-6)


def test_more_rounds_never_cost_and_large_penalties_empty():
    data = school_data.sums(small(), 5)
    scores = []
    for most in (10, 100, 400):
        w, _ = school.low_rank(data, 2, 1e-3, most=most)
        scores.append(float(data.loss(w)))
    assert scores[0] >= scores[1] - 1e-6 >= scores[2] - 2e-6
    w, told = school.low_rank(data, 2, 100.0)
    assert not w.any()
    assert told["zeros"] == 1


def test_settings_are_chosen_by_a_quarter_of_each_schools_training_pupils():
    data = playground()
    pupils, _, _ = school_data.invented(0)
    n = len(pupils.y)
    kept, chosen = data.fit.gram[:, -1, -1], data.choose.gram[:, -1, -1]  # the bias counts pupils
    counted = torch.bincount(pupils.school, minlength=139)
    assert (data.train.gram[:, -1, -1] * n).round().long().tolist() == counted.tolist()
    n_chosen = int((counted // school_data.INNER).sum())
    assert torch.allclose(chosen * n_chosen, (counted // school_data.INNER).double())
    assert torch.allclose(kept * (n - n_chosen) + chosen * n_chosen, counted.double())
    assert data.train.square == pytest.approx(1, abs=1e-3)


def test_on_invented_schools_the_graph_finds_kinds_and_beats_being_alone_and_being_one(monkeypatch):
    few = {"WEIGHTS": (1e-3,), "COUPLINGS": (3e-3, 1e-2), "BETAS": (0.3,), "RANKS": (5,), "PENALTIES": (5e-3,)}
    for name, values in few.items():
        monkeypatch.setattr(school, name, values)
    data = playground()
    one = {row["method"]: row for row in school.tuned(data)}
    assert set(one) == set(school.METHODS)
    explained = {method: row["explained"] for method, row in one.items()}
    assert explained["pooled"] < explained["alone"] < explained["complete graph"] < explained["graph"]
    w, _ = school.learned(data.train, 0.01, 0.3)
    graph = school.LEARNERS["graph"](school.squared_distances(w), 0.3)
    same = data.kinds.unsqueeze(0) == data.kinds.unsqueeze(1)
    assert graph[same].sum() > 0.98 * graph.sum()


def test_data_that_are_not_there_or_not_meant_are_named(tmp_path):
    with pytest.raises(ValueError, match="auto, real, stand-in"):
        school_data.load(0, "any")
    with pytest.raises(FileNotFoundError, match="School"):
        school_data.load(0, "real", str(tmp_path))
    assert school_data.load(0, "auto", str(tmp_path)).name == school_data.STAND_IN

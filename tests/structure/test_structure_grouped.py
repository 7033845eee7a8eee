"""Eq. (3) and its baseline: by hand, with an off-the-shelf solver beside each half, in turns, and what is refused."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from mtlib.method import Losses
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.structure.grouped import Grouped, balanced, rules
from mtlib.structure.groups import Partition
from mtlib.structure.low_rank import LowRank, ProximalLowRank
from mtlib.structure.mirror import Mirror, ProximalSparse
from mtlib.structure.penalties import effective_rank
from mtlib.structure.predictors import Ridge
from mtlib.tasks import Batch, Dataset, Split, Task
from mtlib.training import fit
from mtlib.updates import Alternate

SGD = Recipe(steps=100, optimiser="sgd", rate=0.1, schedule="constant")
NAMES = ("a", "b", "c", "d", "e")
GROUPS = [["d", "a", "b"], ["e"], ["c"]]  # not in the tasks' order, two groups of one
N, D = 40, 6


def problem(kind):
    """N examples whose tasks follow two hidden directions; some labels are missing."""
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(N, D, generator=draw).double()
    W = torch.randn(D, 2, generator=draw).double() @ torch.randn(2, len(NAMES), generator=draw).double()
    z = x @ W + 0.5 * torch.randn(N, len(NAMES), generator=draw).double()
    lost = torch.rand(N, len(NAMES), generator=draw) < 0.2
    y = torch.where(lost, -1, (z > 0).long()) if kind == "binary" else z.masked_fill(lost, math.nan)
    return [Task("t", kind, NAMES)], Batch(x, {"t": y})


def grouped(tasks, trunk=None, **options):
    options = {"sparse": 0.0625, "low_rank": 0.125, "groups": GROUPS} | options
    with seeded("weights"):
        return Grouped(trunk or nn.Identity(), D, tasks, **options).double()


def total(method, batch):
    return method.losses(batch).total().item()


def stay(value, gradient):
    return value


# ------------------------------------------------------------------ Eq. (3), by hand


def by_hand(method, batch, sparse, low_rank):
    """Eq. (3) with loops over groups and tasks, W column by column."""
    W = {}
    for g, group in enumerate(GROUPS):
        for j, name in enumerate(group):
            W[name] = method.L[g] @ method.S[g][:, j]
    losses = []
    for t, name in enumerate(NAMES):
        terms = []
        for x, y in zip(batch.x, batch.y["t"][:, t].tolist(), strict=True):
            if y >= 0:
                p = 1 / (1 + math.exp(-(W[name] @ x).item()))
                terms.append(-math.log(p if y else 1 - p))
        losses.append(sum(terms) / len(terms))
    values = [torch.linalg.svdvals(basis).sum().item() for basis in method.L]
    sums = [own.abs().sum().item() for own in method.S]
    return losses, {"sparse": sparse * sum(sums), "low rank": low_rank * sum(values)}


def test_equation_3_by_hand():
    tasks, batch = problem("binary")
    method = grouped(tasks)
    losses = method.losses(batch)
    tasks_by_hand, extra = by_hand(method, batch, 0.0625, 0.125)
    assert losses.tasks.tolist() == pytest.approx(tasks_by_hand, rel=1e-12)
    assert {name: term.item() for name, term in losses.extra.items()} == pytest.approx(extra, rel=1e-12)
    assert losses.features is batch.x


def test_weights_are_the_columns_of_L_times_S_in_the_tasks_order():
    method = grouped(problem("binary")[0])
    W = method.weights()
    assert W.shape == (D, len(NAMES))
    for g, group in enumerate(GROUPS):
        assert torch.equal(W[:, [NAMES.index(name) for name in group]], method.L[g] @ method.S[g])


def test_shapes_of_a_group_of_one_and_of_more():
    method = grouped(problem("binary")[0])
    assert [tuple(basis.shape) for basis in method.L] == [(D, 2), (D, 1), (D, 1)]
    assert [tuple(own.shape) for own in method.S] == [(2, 3), (1, 1), (1, 1)]
    assert sorted(name for name, _ in method.named_parameters()) == ["L.0", "L.1", "L.2", "S.0", "S.1", "S.2"]


def test_permuting_the_tasks_permutes_W_and_changes_nothing_else():
    tasks, batch = problem("binary")
    order = [3, 0, 4, 1, 2]
    method = grouped(tasks)
    other = grouped([Task("t", "binary", [NAMES[k] for k in order])])
    assert torch.equal(other.weights(), method.weights()[:, order])
    losses = method.losses(batch)
    again = other.losses(Batch(batch.x, {"t": batch.y["t"][:, order]}))
    assert torch.allclose(again.tasks, losses.tasks[order], rtol=1e-12)
    assert again.total().item() == pytest.approx(losses.total().item(), rel=1e-12)


def test_columns_of_several_blocks_share_a_group():
    blocks = [Task("one", "binary", ("a", "b")), Task("two", "points", ("c", "d")), Task("three", "binary", ("e",))]
    method = grouped(blocks, bias=True)
    nn.init.normal_(method.bias)
    h = torch.randn(7, D).double()
    z = h @ method.weights() + method.bias
    outputs = method(h)
    assert torch.allclose(torch.cat([outputs[task.name] for task in blocks], 1), z)
    assert {name: tuple(out.shape) for name, out in outputs.items()} == {"one": (7, 2), "two": (7, 2), "three": (7, 1)}
    labels = method.decide(outputs)
    assert torch.equal(labels["one"], (z[:, :2] > 0).long())
    assert torch.equal(labels["two"], z[:, 2:4])


def test_a_bias_is_asked_for_and_starts_at_0():
    assert grouped(problem("binary")[0]).bias is None
    assert grouped(problem("binary")[0], bias=True).bias.tolist() == [0] * len(NAMES)


def test_points_with_missing_labels_move_nothing_by_them():
    tasks, batch = problem("points")
    method = grouped(tasks)
    batch.y["t"][:, 2] = math.nan  # nobody knows c, the third group's only task
    method.losses(batch).tasks.sum().backward()
    assert method.losses(batch).tasks.shape == (1,)
    assert all(p.grad.isfinite().all() for p in method.parameters())
    assert method.S[2].grad.item() == 0
    assert method.S[1].grad.item() != 0


def test_gradients_reach_the_trunk_and_agree_with_differences():
    tasks, batch = problem("binary")
    method = grouped(tasks, trunk=nn.Linear(D, D))
    torch.autograd.gradcheck(
        lambda *_: method.losses(batch).total(), tuple(method.parameters()), eps=1e-6, atol=1e-6, fast_mode=True
    )


# ------------------------------------------------------------------ penalties: descended or seen, and their scale


def test_penalties_that_are_only_seen_have_the_same_value_and_no_gradient():
    tasks, batch = problem("binary")
    descended, seen = grouped(tasks), grouped(tasks, penalties="seen")
    assert total(descended, batch) == total(seen, batch)
    assert not any(term.requires_grad for term in seen.losses(batch).extra.values())
    seen.losses(batch).total().backward()
    data = torch.autograd.grad(descended.losses(batch).tasks.sum(), list(descended.parameters()))
    assert all(torch.equal(p.grad, g) for p, g in zip(seen.parameters(), data, strict=True))


def test_at_the_start_both_penalties_of_every_group_are_equal():
    method = grouped(problem("binary")[0], sparse=0.01, low_rank=1.0)
    for basis, own in zip(method.L, method.S, strict=True):
        assert 0.01 * own.abs().sum().item() == pytest.approx(torch.linalg.matrix_norm(basis, "nuc").item(), rel=1e-6)
        assert torch.allclose(basis.T @ basis, basis[:, 0].square().sum() * torch.eye(basis.shape[1]).double())


def test_balance_keeps_the_product_and_is_the_cheapest_scale():
    basis, own = torch.randn(6, 3).double(), torch.randn(3, 4).double()
    L, S = balanced(basis, own, 0.01, 1.0)
    assert torch.allclose(L @ S, basis @ own)

    def cost(c):
        return (0.01 * (S / c).abs().sum() + torch.linalg.matrix_norm(L * c, "nuc")).item()

    assert all(cost(c) > cost(1.0) for c in (0.5, 0.99, 1.01, 2.0))


def test_without_codes_or_penalties_there_is_no_scale_and_nothing_is_changed():
    basis, own = torch.randn(6, 3), torch.randn(3, 4)
    for given in [(basis, 0 * own, 0.01, 1.0), (basis, own, 0.0, 1.0), (basis, own, 0.01, 0.0)]:
        L, S = balanced(*given)
        assert L is given[0]
        assert S is given[1]


def test_S_and_L_of_zeros_do_not_move_but_a_small_S_does():
    tasks, batch = problem("binary")
    for codes, moves in ((0.0, False), (0.1, True)):
        method = grouped(tasks, codes=codes)
        with torch.no_grad():
            for basis in method.L:
                basis.mul_(0)
        method.losses(batch).total().backward()
        assert any(basis.grad.any() for basis in method.L) is moves  # M-17: a stationary point


def test_no_predictors_at_all_is_a_local_minimum_however_the_data_pull():
    batch = Batch(torch.randn(N, D, generator=torch.Generator().manual_seed(0)).double(), {})
    batch.y["t"] = (batch.x[:, :1] > 0).long()
    method = grouped([Task("t", "binary", ("a",))], groups=[["a"]])
    sparse, low_rank = 0.0625, 0.125
    totals = []
    for length in (0.0, 1e-6, 1e-2, 1.0):  # w along the best direction, at its cheapest scale
        w = length * torch.eye(D)[:, :1].double()
        basis, own = balanced(w, torch.ones(1, 1).double(), sparse, low_rank)
        with torch.no_grad():
            method.L[0].copy_(basis)
            method.S[0].copy_(own if length else 0 * own)
        losses = method.losses(batch)
        paid = sum(losses.extra.values()).item()
        assert paid == pytest.approx(2 * math.sqrt(sparse * low_rank * length))
        totals.append(losses.total().item())
    assert totals[1] > totals[0]
    assert totals[2] > totals[1]
    assert totals[3] < totals[0]


# ------------------------------------------------------------------ each convex half, beside cvxpy


def counts(batch, kind):
    """How much every label's loss counts in Eq. (3), (N, T); 0 where it is missing."""
    y = batch.y["t"]
    if kind == "binary":
        known = (y >= 0).double()
        return known / known.sum(0)
    known = (~y.isnan()).double()
    return known / known.sum(1, keepdim=True).clamp(min=1) / known.any(1).sum()


def least(method, batch, kind, moving):
    """The least value of Eq. (3) over all L, or over all S, with the other as it is; by CLARABEL."""
    import cvxpy as cp

    x, y = batch.x.numpy(), batch.y["t"]
    weight, target = counts(batch, kind).numpy(), y.double().nan_to_num()  # what is missing weighs nothing
    sparse, low_rank = method.strengths.tolist()
    total = 0
    for g, group in enumerate(GROUPS):
        L, S = method.L[g].detach().numpy(), method.S[g].detach().numpy()
        L, S = (cp.Variable(L.shape), S) if moving == "L" else (L, cp.Variable(S.shape))
        total += low_rank * cp.normNuc(L) + sparse * cp.sum(cp.abs(S))
        for j, name in enumerate(group):
            t = NAMES.index(name)
            z, known = x @ L @ S[:, j], target[:, t].numpy()
            loss = cp.logistic(z) - cp.multiply(known, z) if kind == "binary" else cp.square(z - known)
            total += weight[:, t] @ loss
    program = cp.Problem(cp.Minimize(total))
    return program.solve(solver=cp.CLARABEL)


def curvature(method, batch, kind, moving, g):
    """A bound on the second derivative of the data term along L_g or along S_g."""
    weight = counts(batch, kind) * (0.25 if kind == "binary" else 2)
    places = [NAMES.index(name) for name in GROUPS[g]]
    steepest = max(torch.linalg.matrix_norm(batch.x.T @ (weight[:, [t]] * batch.x), 2).item() for t in places)
    return steepest * torch.linalg.matrix_norm((method.S if moving == "L" else method.L)[g], 2).item() ** 2


def moved(kind, moving, make, steps):
    """Eq. (3) at the start, where the rule takes it with a rate that fits, and its least value."""
    tasks, batch = problem(kind)
    method = grouped(tasks, penalties="seen", codes=1.0)
    start, bound = total(method, batch), least(method, batch, kind, moving)
    sparse, low_rank = method.strengths.tolist()
    moving_ones = list(method.L if moving == "L" else method.S)
    rules = [
        make(low_rank if moving == "L" else sparse, 1 / curvature(method, batch, kind, moving, g))
        for g in range(len(GROUPS))
    ]
    for rule, tensor in zip(rules, moving_ones, strict=True):
        if hasattr(rule, "start"):
            rule.start(tensor.detach())
    for _ in range(steps):
        gradients = torch.autograd.grad(method.losses(batch).total(), moving_ones)
        with torch.no_grad():
            for rule, tensor, gradient in zip(rules, moving_ones, gradients, strict=True):
                tensor.copy_(rule(tensor.detach(), gradient))
    return start, total(method, batch), bound


@pytest.mark.parametrize("kind", ["binary", "points"])
@pytest.mark.parametrize(
    ("moving", "make", "steps"),
    [("L", ProximalLowRank, 400), ("S", ProximalSparse, 100), ("S", Mirror, 100)],
    ids=["L proximal", "S proximal", "S Algorithm 2"],
)
def test_each_half_reaches_the_objective_of_an_off_the_shelf_solver(kind, moving, make, steps):
    start, reached, bound = moved(kind, moving, make, steps)
    assert start > 1.05 * bound
    assert reached == pytest.approx(bound, rel=1e-5)


@pytest.mark.parametrize("kind", ["binary", "points"])
def test_algorithm_1_comes_near_it_with_noise_that_its_falling_steps_damp(kind):
    start, reached, bound = moved(kind, "L", lambda w, r: LowRank(w, r / 2, half=100, probes=2), 300)
    assert bound < reached < bound + 0.02 * (start - bound)


# ------------------------------------------------------------------ in turns


def test_alternation_never_lets_the_objective_rise():
    tasks, batch = problem("points")
    method = grouped(tasks, penalties="seen", codes=1.0)
    update = Alternate(rules(method, codes="proximal", basis_rate=0.05, codes_rate=0.02))
    update.start(method, SGD)
    totals = [update(batch)["total"].item() for _ in range(60)] + [total(method, batch)]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(totals))
    assert totals[-1] < 0.6 * totals[0]


def test_what_the_data_do_not_hold_up_becomes_low_rank_and_exactly_sparse():
    tasks, batch = problem("points")
    method = grouped(tasks, penalties="seen", codes=1.0, groups=Partition([NAMES], [5]), low_rank=0.5, sparse=0.25)
    update = Alternate(rules(method, basis_rate=0.05, codes_rate=0.05))
    update.start(method, SGD)
    for _ in range(200):
        update(batch)
    assert effective_rank(method.L[0]) <= 3  # two directions were hidden
    assert (method.S[0] == 0).sum() >= 5
    nothing = batch.y["t"].square().nanmean(1).mean()  # the data loss of W = 0
    assert method.losses(batch).tasks.item() < 0.25 * nothing


@pytest.mark.parametrize("basis", ["proximal", "probed", "printed"])
def test_a_run_by_the_rules_trains_the_trunk_too_and_resumes_exactly(basis, tmp_path):
    tasks, batch = problem("binary")
    split = Split(batch.x.float(), batch.y)
    data = Dataset("stub", tuple(tasks), split, split, split)

    def run(**options):
        with seeded("weights"):
            method = Grouped(nn.Linear(D, D), D, tasks, GROUPS, penalties="seen")
        recipe = Recipe(steps=6, batch=20, rate=0.02)
        return fit(method, data, recipe, update=Alternate(rules(method, basis=basis, probes=2)), **options)

    with seeded("weights"):
        start = Grouped(nn.Linear(D, D), D, tasks, GROUPS)
    whole = run()
    for (name, before), after in zip(start.named_parameters(), whole.method.parameters(), strict=True):
        assert not torch.equal(before, after), name
    path = tmp_path / "run"

    told = []

    def killed(steps):
        told.append(steps)
        if len(told) == 4:  # the last checkpoint is of three updates
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=path, save_every=0, advance=killed)
    again = run(checkpoint=path)
    assert again.history == whole.history
    assert all(torch.equal(a, b) for a, b in zip(again.method.parameters(), whole.method.parameters(), strict=True))


def test_rules_take_the_methods_own_weights():
    made = rules(grouped(problem("binary")[0], penalties="seen", sparse=0.5, low_rank=2.0), basis="printed")
    assert list(made) == ["L.*", "S.*"]  # L first
    assert (made["L.*"].weight, made["L.*"].reading, made["S.*"].weight) == (2.0, "printed", 0.5)


def test_rules_are_refused_where_penalties_would_count_twice_or_a_way_is_unknown():
    tasks = problem("binary")[0]
    with pytest.raises(ValueError, match="make the method with penalties='seen'"):
        rules(grouped(tasks))
    for name, known in (("basis", "proximal, probed, printed"), ("codes", "mirror, proximal")):
        with pytest.raises(ValueError, match=f"{name} is one of {known}, got 'exact'"):
            rules(grouped(tasks, penalties="seen"), **{name: "exact"})


# ------------------------------------------------------------------ Eq. (1), ridge


def test_ridge_by_hand_and_with_its_closed_form():
    tasks, batch = problem("points")
    batch.y["t"] = torch.where(batch.y["t"].isnan(), 0.0, batch.y["t"])
    method = Ridge(nn.Identity(), D, tasks, 0.25).double()
    losses = method.losses(batch)
    assert losses.extra["ridge"].item() == pytest.approx(0.25 * (method.W**2).sum().item())
    scale = N * len(NAMES)  # a mean over examples and tasks
    best = torch.linalg.solve(batch.x.T @ batch.x / scale + 0.25 * torch.eye(D), batch.x.T @ batch.y["t"] / scale)
    with torch.no_grad():
        method.W.copy_(best)
    losses = method.losses(batch)
    losses.total().backward()
    assert method.W.grad.abs().max() < 1e-12
    assert torch.equal(method.weights(), method.W)


def test_without_a_penalty_ridge_is_plain_multi_task():
    tasks, batch = problem("binary")
    method = Ridge(nn.Identity(), D, tasks, 0.0, bias=True).double()
    losses = method.losses(batch)
    plain = Losses(losses.tasks)
    assert losses.total().item() == plain.total().item()
    assert (method.W.abs() <= D**-0.5).all()
    assert method(batch.x)["t"].shape == (N, len(NAMES))


# ------------------------------------------------------------------ what is refused, what is stacked


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": [["a", "b"], ["c", "d"]]}, "without a group: e"),
        ({"groups": [[*NAMES, "f"]]}, "unknown: f"),
        ({"groups": Partition([NAMES], [5]), "features": 4}, r"ranks \(5,\) must not be above features, 4"),
        ({"sparse": -0.1}, "sparse must be a finite number of 0 or more, got -0.1"),
        ({"low_rank": math.nan}, "low_rank must be a finite number of 0 or more, got nan"),
        ({"codes": -1.0}, "codes must be a finite number of 0 or more"),
        ({"penalties": "none"}, "penalties is one of descended, seen, got 'none'"),
        ({"tasks": [Task("t", "classes", NAMES, classes=3)]}, "task 't' has classes"),
        ({"tasks": [Task("t", "binary", NAMES), Task("u", "binary", ("a",))]}, "some are there twice"),
        ({"trunk": lambda x: x}, "trunk must be a torch module"),
        ({"features": 0}, "features must be a whole number of 1 or more, got 0"),
    ],
)
def test_what_cannot_work_is_refused(options, message):
    arguments = {"trunk": nn.Identity(), "features": D, "tasks": [Task("t", "binary", NAMES)], "groups": GROUPS}
    with pytest.raises(ValueError, match=message):
        Grouped(**(arguments | options))


def test_copies_with_weights_of_their_own_can_be_stacked():
    from torch.func import functional_call, vmap

    tasks, batch = problem("binary")
    method = grouped(tasks)

    class Total(nn.Module):
        def __init__(self):
            super().__init__()
            self.method = method

        def forward(self, x, y):
            return self.method.losses(Batch(x, {"t": y})).total()

    strengths = torch.tensor([[0.0, 0.0], [0.5, 0.25]]).double()
    totals = vmap(lambda own: functional_call(Total(), {"method.strengths": own}, (batch.x, batch.y["t"])))(strengths)
    for own, value in zip(strengths, totals, strict=True):
        method.strengths.copy_(own)
        assert value.item() == pytest.approx(total(method, batch), rel=1e-12)

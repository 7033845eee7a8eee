"""Alternation: a product whose factors move in turn, by hand; rules on parameters and on buffers; what is refused."""

import pytest
import torch
from torch import nn

from mtlib.method import Losses, Method
from mtlib.recipe import Recipe
from mtlib.tasks import Batch, Task
from mtlib.updates import Alternate, Descend, Rule

SGD = Recipe(steps=100, optimiser="sgd", rate=0.1, schedule="constant")
EMPTY = Batch(torch.zeros(1, 1), {})


class Product(Method):
    """1/2 (l s + b - 1)^2 from l = 2, s = 1, b = 0; a penalty on s that is seen and not descended."""

    tasks = (Task("product", "points", 1),)

    def __init__(self):
        super().__init__()
        self.l, self.s, self.b = (nn.Parameter(torch.tensor(value, dtype=torch.double)) for value in (2.0, 1.0, 0.0))
        self.register_buffer("seen", torch.tensor(0.0, dtype=torch.double))

    def losses(self, batch):
        error = self.l * self.s + self.b - 1
        return Losses((error.square() / 2).view(1), {"sparsity": (10 * self.s.abs()).detach()})

    def values(self):
        return [self.l.item(), self.s.item(), self.b.item()]


def halfway(value, gradient):
    return value - 0.5 * gradient


def started(rules, method=None, **options):
    update = Alternate(rules, **options)
    update.start(method or Product(), SGD)
    return update


# ------------------------------------------------------------------ turns, by hand


def test_each_turn_takes_its_gradient_where_the_others_stand_now():
    update = started({"l": halfway, "s": halfway})
    update(EMPTY)
    # b: error 1, 0 - 0.1 * 1.  l: error 2 - 0.1 - 1 = 0.9, times s.  s: error 1.55 - 0.1 - 1 = 0.45, times l.
    assert update.method.values() == pytest.approx([2 - 0.5 * 0.9, 1 - 0.5 * 0.45 * 1.55, -0.1])


def test_turns_have_the_order_of_the_rules():
    update = started({"s": halfway, "l": halfway})
    update(EMPTY)
    # s: error 0.9, times l.  l: error 2 * 0.1 - 0.1 - 1 = -0.9, times s = 0.1
    assert update.method.values() == pytest.approx([2 + 0.5 * 0.9 * 0.1, 1 - 0.5 * 0.9 * 2, -0.1])


def test_one_gradient_can_serve_for_all():
    update = started({"l": halfway, "s": halfway}, fresh=False)
    update(EMPTY)
    assert update.method.values() == pytest.approx([2 - 0.5 * 1, 1 - 0.5 * 2, -0.1])


def test_tensors_of_one_pattern_move_together():
    update = started({"[ls]": halfway})
    update(EMPTY)
    assert update.method.values() == pytest.approx([2 - 0.5 * 0.9 * 1, 1 - 0.5 * 0.9 * 2, -0.1])


def test_with_descents_own_step_as_a_rule_it_is_descent():
    alternating, plain = started({"*[ls]": lambda x, g: x - 0.1 * g}, fresh=False), Descend()
    plain.start(Product(), SGD)
    for _ in range(20):
        alternating(EMPTY)
        plain(EMPTY)
    assert alternating.method.values() == pytest.approx(plain.method.values(), rel=1e-12)


def test_rules_wait_for_every_so_many_steps():
    update, values = started({"s": lambda s, _: s + 1}, every=3), []
    for _ in range(7):
        update(EMPTY)
        values.append(update.method.s.item())
    assert values == [1, 1, 2, 2, 2, 3, 3]


def test_a_detached_penalty_is_logged_and_not_descended():
    gradients = []
    update = started({"s": lambda s, gradient: gradients.append(gradient.item()) or s})
    logs = update(EMPTY)
    assert logs["sparsity"].item() == 10
    assert logs["total"].item() == pytest.approx(0.5 + 10)
    # l and b have descended to 1.9 and -0.1; sign(s) 10 is not in it
    assert gradients == pytest.approx([(1.9 - 0.1 - 1) * 1.9])


def test_a_parameter_without_influence_has_gradient_zero():
    method, gradients = Product(), []
    method.idle = nn.Parameter(torch.ones(2))
    started({"idle": lambda x, gradient: gradients.append(gradient) or x}, method)(EMPTY)
    assert gradients[0].tolist() == [0, 0]


# ------------------------------------------------------------------ buffers: a graph made anew once an epoch


class Graph(Method):
    """Three tasks w_j with a pull towards one another along a graph, a buffer."""

    tasks = (Task("w", "binary", 3),)

    def __init__(self):
        super().__init__()
        self.W = nn.Parameter(torch.randn(2, 3, dtype=torch.double, generator=torch.Generator().manual_seed(0)))
        self.register_buffer("graph", torch.eye(3, dtype=torch.double))

    def losses(self, batch):
        pull = torch.trace(self.W @ self.graph @ self.W.T)
        return Losses((self.W - 1).square().sum(0), {"graph": 0.75 * pull})


def test_a_buffer_gets_its_rule_after_the_epochs_last_step_from_the_method_as_it_then_is():
    method, given = Graph(), []

    def relation(graph, gradient):
        given.append((graph.clone(), gradient))
        return torch.linalg.inv(method.W.T @ method.W + torch.eye(3))

    update = started({"graph": relation}, method, every=4)
    for step in range(1, 10):
        before = method.graph.clone()
        update(EMPTY)
        if step % 4 == 0:
            expected = torch.linalg.inv(method.W.T @ method.W + torch.eye(3))
            assert torch.equal(method.graph, expected.detach())
            assert torch.equal(given[-1][0], before)
        else:
            assert torch.equal(method.graph, before)
    assert [gradient for _, gradient in given] == [None, None]


def test_a_buffer_costs_no_further_forward_pass():
    method, passes = Graph(), []
    update = Alternate({"graph": lambda graph, _: graph})
    update.start(method, SGD, lambda batch: passes.append(1) or method.losses(batch))
    update(EMPTY)
    assert len(passes) == 1


def test_a_buffer_that_the_method_replaced_is_found():
    method = Graph()
    update = started({"graph": lambda graph, _: 2 * graph}, method)
    method.graph = 3 * torch.eye(3, dtype=torch.double)  # as validated() may
    update(EMPTY)
    assert torch.equal(method.graph, 6 * torch.eye(3, dtype=torch.double))


# ------------------------------------------------------------------ what the rules are for, and what they remember


class Factors(Method):
    """W = L S of six tasks that are copies of two: shrinkage can find rank 2 and empty codes."""

    tasks = (Task("t", "points", 1),)

    def __init__(self, penalty=0.0):
        super().__init__()
        draw = torch.Generator().manual_seed(3)
        self.L = nn.Parameter(torch.randn(8, 4, generator=draw).double() / 2)
        self.S = nn.Parameter(torch.randn(4, 6, generator=draw).double() / 2)
        self.bias = nn.Parameter(torch.zeros(6).double())
        true = torch.randn(8, 2, generator=draw).double()
        self.register_buffer("target", true[:, [0, 0, 0, 1, 1, 1]])
        self.penalty = penalty

    def losses(self, batch):
        error = (self.L @ self.S + self.bias - self.target).square().sum().view(1)
        shrink = self.penalty * (torch.linalg.matrix_norm(self.L, "nuc") + self.S.abs().sum())
        return Losses(error, {"shrink": shrink})


def soft(x, by):
    return x.sign() * (x.abs() - by).clamp(min=0)


def low_rank(L, gradient, rate=0.02):
    """Proximal step of the nuclear norm: singular values shrink by the rate."""
    u, sigma, v = torch.linalg.svd(L - rate * gradient, full_matrices=False)
    return u * soft(sigma, rate) @ v


def test_proximal_rules_reach_exact_low_rank_and_exact_zeros_where_descent_does_not():
    ruled, descended = Factors(), Factors(penalty=1.0)
    update = started({"L": low_rank, "S": lambda S, gradient: soft(S - 0.02 * gradient, 0.02)}, ruled)
    plain = Descend()
    plain.start(descended, Recipe(steps=400, optimiser="sgd", rate=0.02, schedule="constant"))
    for _ in range(400):
        update(EMPTY)
        plain(EMPTY)
    assert torch.linalg.matrix_rank(ruled.L, rtol=1e-12) == 2
    assert (ruled.S == 0).sum() > 12
    assert torch.linalg.matrix_rank(descended.L, rtol=1e-12) == 4
    assert (descended.S != 0).all()


class Count(Rule):
    """Adds how often it was called, starting from the tensor's first value."""

    def __init__(self, method=None):
        self.method = method

    def start(self, value):
        self.state = {"calls": value.clone()}

    def __call__(self, value, gradient):
        self.state["calls"] += 1
        return self.state["calls"].clone()


def test_every_tensor_has_a_state_of_its_own_and_a_rule_may_hold_the_method():
    method = Product()
    rule = Count(method)
    update = started({"[ls]": rule}, method)
    update(EMPTY)
    assert method.values()[:2] == [3, 2]
    assert {name: saved["calls"].item() for name, saved in update.state()["rules"].items()} == {"l": 3, "s": 2}
    assert update.rules["l"].method is method
    assert not hasattr(rule, "state")  # so that the next run starts anew


class Tally:
    """A rule that is no subclass of Rule."""

    def start(self, value):
        self.state = {"calls": 0}

    def __call__(self, value, gradient):
        self.state["calls"] += 1
        return value + self.state["calls"]


def test_a_rule_with_a_start_is_remembered_whatever_its_class():
    update = started({"l": Tally()})
    update(EMPTY)
    update(EMPTY)
    assert update.state()["rules"] == {"l": {"calls": 2}}
    again = started({"l": Tally()})
    again.restore(update.state())
    again(EMPTY)
    assert again.method.l.item() == 2 + 3
    assert update.rules["l"].state == {"calls": 2}  # restored from a copy


# ------------------------------------------------------------------ every parameter has a rule


@pytest.mark.parametrize("fresh", [True, False])
def test_where_every_parameter_has_a_rule_nothing_descends(fresh):
    update = started({"l": halfway, "s": halfway, "b": lambda b, _: b}, fresh=fresh)
    assert update.optimisers == []
    assert update(EMPTY)["total"].item() == pytest.approx(0.5 + 10)  # as they were before
    error = 0.5 if fresh else 1.0  # l is 1.5 by the turn of s
    assert update.method.values() == pytest.approx([2 - 0.5, 1 - 0.5 * error * (1.5 if fresh else 2), 0])


def test_without_descent_a_run_goes_on_from_its_state():
    whole, cut = started({"[lsb]": halfway, "seen": Tally()}), started({"[lsb]": halfway, "seen": Tally()})
    for _ in range(4):
        whole(EMPTY)
    for _ in range(2):
        cut(EMPTY)
    again = started({"[lsb]": halfway, "seen": Tally()}, cut.method)
    again.load_state_dict(cut.state_dict())
    for _ in range(2):
        again(EMPTY)
    assert again.method.values() == whole.method.values()
    assert again.method.seen.item() == whole.method.seen.item() == 1 + 2 + 3 + 4


# ------------------------------------------------------------------ what cannot work


@pytest.mark.parametrize(
    ("rules", "options", "message"),
    [
        ({"L": halfway}, {}, "no rule can be 'L': the method has only l, s, b, seen"),
        ({"l": halfway, "?": halfway}, {}, r"no rule can be '\?': 'l' has a rule already"),
        ({}, {}, "without rules"),
        ({"l": halfway}, {"every": 0}, "every must be a whole number of 1 or more, got 0"),
    ],
)
def test_rules_that_cannot_work_are_refused_at_the_start(rules, options, message):
    with pytest.raises(ValueError, match=message):
        started(rules, **options)


def test_a_rule_that_changes_the_shape_is_refused():
    with pytest.raises(ValueError, match=r"the rule of 'l' gave \(1,\) for \(\)"):
        started({"l": lambda x, _: x.view(1)})(EMPTY)

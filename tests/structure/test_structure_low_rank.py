"""Algorithm 1: equal to the step that it stands for; its probing matrices exactly; its rule and the proximal one."""

import itertools
import math

import pytest
import torch

from mtlib.seeds import generator
from mtlib.structure.low_rank import (
    Factors,
    LowRank,
    ProximalLowRank,
    draw_z,
    printed_step,
    probing,
    subgradient_step,
    truncated,
)
from mtlib.structure.penalties import effective_rank, nuclear_subgradient, shrink_singular_values


def matrix(m, n, rank=None, seed=0):
    draw = torch.Generator().manual_seed(seed)
    if rank is None:
        return torch.randn(m, n, generator=draw).double()
    return torch.randn(m, rank, generator=draw).double() @ torch.randn(rank, n, generator=draw).double()


def some_probing(n, k, seed=0):
    return probing(draw_z(n, k, generator("test", seed))).double()


# ------------------------------------------------------------------ the step


@pytest.mark.parametrize(
    ("m", "n", "rank", "k"), [(12, 9, 3, 2), (9, 12, 3, 2), (6, 3, 3, 2), (5, 1, 1, 1), (4, 4, 2, 9)]
)
def test_the_step_equals_X_minus_eta_G_Y_Y_T_to_rounding(m, n, rank, k):
    x, g, y, eta = matrix(m, n, rank), matrix(m, n, seed=1), some_probing(n, k), 0.3
    u, sigma, vt = torch.linalg.svd(x, full_matrices=False)
    factors = Factors(u[:, :rank], sigma[:rank], vt[:rank].T)
    moved = subgradient_step(factors, g @ y, y, eta)
    assert torch.allclose(moved.matrix(), x - eta * g @ y @ y.T, rtol=0, atol=1e-13 * (1 + n))
    assert len(moved.sigma) == min(rank + k, m, n)


def test_the_new_factors_are_a_singular_value_decomposition():
    x, y = matrix(12, 9, 3), some_probing(9, 2)
    u, sigma, v = subgradient_step(Factors.of(x), matrix(12, 9, seed=1) @ y, y, 0.3)
    for frame in (u, v):
        assert torch.allclose(frame.T @ frame, torch.eye(len(sigma)).double(), atol=1e-12)
    assert (sigma.diff() <= 0).all()
    assert (sigma >= 0).all()


def test_factors_can_be_carried_through_many_steps():
    x, factors = matrix(8, 5), Factors.of(matrix(8, 5))
    for step in range(50):
        g, y = matrix(8, 5, seed=step), some_probing(5, 2, step)
        factors = subgradient_step(factors, g @ y, y, 0.1)
        x = x - 0.1 * g @ y @ y.T
    assert torch.allclose(factors.matrix(), x, atol=1e-11)


def test_without_truncation_the_rank_grows_by_k_with_every_step():
    x, y = matrix(15, 12, 3), probing(math.sqrt(12) * torch.eye(12)[:, [0, 3, 5, 11]]).double()
    u, sigma, vt = torch.linalg.svd(x, full_matrices=False)
    moved = subgradient_step(Factors(u[:, :3], sigma[:3], vt[:3].T), matrix(15, 12, seed=1) @ y, y, 0.3)
    assert effective_rank(moved.matrix()) == 7
    kept = truncated(moved, 3)
    assert effective_rank(kept.matrix()) == 3
    # the nearest matrix of that rank: what is cut are the smallest singular values
    cut = torch.linalg.matrix_norm(moved.matrix() - kept.matrix(), 2)
    assert cut.item() == pytest.approx(moved.sigma[3].item())


def test_truncation_by_a_tolerance_leaves_shapes_and_exact_zeros():
    factors = Factors.of(torch.diag(torch.tensor([1.0, 1e-3, 1e-8])))
    kept = truncated(factors)
    assert (kept.sigma[:2] == factors.sigma[:2]).all()
    assert kept.sigma[2] == 0
    assert kept.u.shape == factors.u.shape


def test_the_subgradient_of_the_factors_is_that_of_the_matrix():
    for x in (matrix(7, 4), matrix(7, 4, 2), torch.zeros(7, 4).double()):
        assert torch.allclose(Factors.of(x).subgradient(), nuclear_subgradient(x), atol=1e-12)


def test_a_step_whose_shapes_do_not_fit_is_refused():
    factors = Factors.of(matrix(6, 3))
    for probed, y in ((matrix(6, 2), matrix(4, 2)), (matrix(5, 2), matrix(3, 2)), (matrix(6, 1), matrix(3, 2))):
        with pytest.raises(ValueError, match=r"X is \(6, 3\): y must be \(3, k\) and probed \(6, k\)"):
            subgradient_step(factors, probed, y, 0.1)


# ------------------------------------------------------------------ probing matrices


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_printed_probing_matrix_has_expectation_I_over_k(k):
    n = 3
    expected = {"printed": torch.zeros(n, n), "unbiased": torch.zeros(n, n)}
    for places in itertools.product(range(n), repeat=k):  # all draws, each as likely
        z = math.sqrt(n) * torch.eye(n)[:, places]
        for reading in expected:
            y = probing(z, reading)
            expected[reading] += y @ y.T / n**k
    assert torch.allclose(expected["printed"], torch.eye(n) / k)  # M-10
    assert torch.allclose(expected["unbiased"], torch.eye(n))


def test_columns_are_scaled_unit_vectors_drawn_evenly():
    z = draw_z(5, 4000, generator("columns", 0))
    assert ((z != 0).sum(0) == 1).all()
    assert torch.allclose(z.max(0).values, torch.tensor(math.sqrt(5)))
    shares = (z != 0).double().mean(1)
    assert (shares - 1 / 5).abs().max() < 4 * math.sqrt(0.2 * 0.8 / 4000)


def test_the_printed_step_size_grows_with_the_matrix():
    for n, k, printed in ((5, 5, 0.225), (15, 15, 2.025), (512, 10, 46.08)):  # M-11
        z = draw_z(n, k, generator(0))
        assert printed_step(z) == pytest.approx(printed)
        assert printed_step(z) == pytest.approx(0.009 * z.square().sum().item(), rel=1e-5)


def test_under_both_prints_together_k_cancels():
    n = 4
    for k in (1, 2, 3):
        steps = torch.zeros(n, n)
        for places in itertools.product(range(n), repeat=k):
            z = math.sqrt(n) * torch.eye(n)[:, places]
            y = probing(z, "printed")
            steps += printed_step(z) * y @ y.T / n**k
        assert torch.allclose(steps, 0.009 * n * torch.eye(n))


# ------------------------------------------------------------------ rules


def started(value, **options):
    rule = LowRank(**options)
    rule.start(value)
    return rule


@pytest.mark.parametrize("reading", ["unbiased", "printed"])
def test_the_rule_steps_down_the_data_and_the_nuclear_norm_together(reading):
    x, gradient = matrix(7, 4), matrix(7, 4, seed=1)
    rule = started(x, weight=0.5, rate=0.1, probes=3, reading=reading, seed=9)
    z = draw_z(4, 3, generator("probing", rule.state["stream"], 0)).double()
    y, eta = (z / math.sqrt(3), 0.1) if reading == "unbiased" else (z / 3, 0.009 * 4 * 3)
    expected = x - eta * (gradient + 0.5 * nuclear_subgradient(x)) @ y @ y.T
    assert torch.allclose(rule(x, gradient), expected, atol=1e-12)
    assert rule.state["calls"] == 1


def test_on_average_the_rule_is_the_whole_subgradient_step():
    x, gradient = matrix(7, 4), matrix(7, 4, seed=1)
    rule = started(x, weight=0.5, rate=0.1, half=math.inf)
    mean = torch.stack([rule(x, gradient) for _ in range(400)]).mean(0)
    step = 0.1 * (gradient + 0.5 * nuclear_subgradient(x))
    assert (mean - (x - step)).norm() < 0.2 * step.norm()  # expected: sqrt(3 / 400) = 0.087


def test_steps_fall_to_a_half_after_so_many_calls():
    x = matrix(5, 1)  # one column: the only probing matrix is 1
    rule, gradient = started(x, weight=0.0, rate=0.1, half=2), matrix(5, 1, seed=1)
    moves = [(x - rule(x, gradient)) / gradient for _ in range(5)]
    assert [move.mean().item() for move in moves] == pytest.approx([0.1, 0.1 / 1.5, 0.05, 0.04, 0.1 / 3])


def test_a_rank_is_kept():
    x = matrix(8, 5, 2)
    rule = started(x, rate=0.1, rank=2, probes=2)
    for step in range(3):
        x = rule(x, matrix(8, 5, seed=step))
        assert effective_rank(x) == 2


def test_tensors_draw_their_own_probes_and_a_state_goes_on_exactly():
    x, gradient = matrix(6, 4), matrix(6, 4, seed=1)
    one, same, other, seeded = started(x), started(x), started(matrix(6, 4, seed=2)), started(x, seed=1)
    assert one.state == same.state
    assert len({rule.state["stream"] for rule in (one, other, seeded)}) == 3
    whole = [one(x, gradient) for _ in range(6)][3:]
    for _ in range(3):
        same(x, gradient)
    resumed = started(matrix(6, 4, seed=3))
    resumed.state = dict(same.state)
    assert all(torch.equal(a, resumed(x, gradient)) for a in whole)


def test_the_proximal_step_by_hand():
    x, gradient = matrix(6, 4), matrix(6, 4, seed=1)
    moved = ProximalLowRank(weight=2.0, rate=0.25)(x, gradient)
    assert torch.equal(moved, shrink_singular_values(x - 0.25 * gradient, 0.5))


def test_only_the_proximal_step_finds_an_exact_low_rank():
    """1/2 ||X - A||^2 + ||X||_*, whose answer is A with its singular values shrunk by 1."""
    a = matrix(6, 4)
    u, _, v = torch.linalg.svd(a, full_matrices=False)
    a = (u * torch.tensor([3.0, 2.0, 0.5, 0.1]).double()) @ v
    proximal, probed = torch.zeros(6, 4).double(), matrix(6, 4, seed=1)
    step, rule = ProximalLowRank(1.0, 0.5), started(probed, weight=1.0, rate=0.2, half=50)
    for _ in range(200):
        proximal, probed = step(proximal, proximal - a), rule(probed, probed - a)
    answer = shrink_singular_values(a, 1.0)
    assert torch.allclose(proximal, answer)
    assert effective_rank(proximal) == 2
    assert (probed - answer).norm() < 0.15 * answer.norm()
    assert effective_rank(probed) > 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": -1.0}, "weight must be a finite number of 0 or more, got -1.0"),
        ({"rate": 0.0}, "rate must be a finite number above 0, got 0.0"),
        ({"half": -1.0}, "half must be a finite number above 0"),
        ({"probes": 0}, "probes must be a whole number of 1 or more, got 0"),
        ({"rank": 0}, "rank must be a whole number of 1 or more, got 0"),
        ({"reading": "biased"}, "reading of the probing matrix is one of unbiased, printed, got 'biased'"),
    ],
)
def test_settings_that_cannot_work_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LowRank(**options)

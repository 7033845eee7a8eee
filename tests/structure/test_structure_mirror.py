"""The links of Eqs. (4) and (5), and Algorithm 2: by hand, its fixed points, its zeros."""

import math

import pytest
import torch

from mtlib.structure.mirror import Mirror, ProximalSparse, power, to_dual, to_primal
from mtlib.structure.penalties import shrink_entries

SIZES = [1, 2, 3, 5, 12, 40, 512]


def columns(size, seed=0):
    return torch.randn(size, 6, generator=torch.Generator().manual_seed(seed)).double()


# ------------------------------------------------------------------ links


def test_p_is_2_or_more():
    assert [power(1), power(2)] == [2, 2]  # 2 ln d would be 0 and 1.39
    assert power(3) == pytest.approx(2.1972, rel=1e-4)
    assert power(512) == pytest.approx(2 * math.log(512))


@pytest.mark.parametrize("size", SIZES)
def test_the_links_are_inverse_to_rounding_both_ways(size):
    p, s = power(size), columns(size)
    assert torch.allclose(to_primal(to_dual(s, p), p), s, rtol=1e-12, atol=0)
    assert torch.allclose(to_dual(to_primal(s, p), p), s, rtol=1e-12, atol=0)


@pytest.mark.parametrize("size", SIZES)
def test_as_printed(size):
    p = power(size)
    q = p / (p - 1)
    s = columns(size)
    printed = s.sign() * s.abs() ** (q - 1) / torch.linalg.vector_norm(s, q, 0) ** (q - 2)  # Eq. (4)
    assert torch.allclose(to_dual(s, p), printed, rtol=1e-12, atol=0)
    printed = s.sign() * s.abs() ** (p - 1) / torch.linalg.vector_norm(s, p, 0) ** (p - 2)  # Eq. (5)
    assert torch.allclose(to_primal(s, p), printed, rtol=1e-12, atol=0)


def test_the_link_is_the_gradient_of_half_the_squared_norm():
    s, p = columns(5)[:, 0], 3.0
    s.requires_grad_()
    half = torch.linalg.vector_norm(s, p / (p - 1)).square() / 2
    (gradient,) = torch.autograd.grad(half, s)
    assert torch.allclose(to_dual(s.detach().unsqueeze(1), p).squeeze(1), gradient)


def test_with_p_2_the_links_are_the_identity():
    assert torch.allclose(to_dual(columns(4), 2), columns(4))
    assert torch.allclose(to_primal(columns(4), 2), columns(4))


def test_columns_are_linked_each_on_its_own():
    s = columns(5)
    for p in (2.5, 8.0):
        alone = torch.cat([to_dual(s[:, [j]], p) for j in range(6)], 1)
        assert torch.equal(to_dual(s, p), alone)


def test_zero_goes_to_zero():
    s = columns(5)
    s[:, 2] = 0
    s[1, 3] = 0
    for link in (to_dual, to_primal):
        linked = link(s, 3.5)
        assert linked.isfinite().all()
        assert torch.equal(linked == 0, s == 0)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_neither_end_of_the_numbers_is_fallen_off(scale):
    s, p = columns(512), power(512)  # |s|^p alone would be 0 or infinite
    assert torch.allclose(to_primal(scale * s, p) / scale, to_primal(s, p), rtol=1e-10, atol=0)
    assert torch.allclose(to_primal(to_dual(scale * s, p), p), scale * s, rtol=1e-10, atol=0)


@pytest.mark.parametrize("p", [1.9, 1, 0, float("nan"), float("inf"), "2"])
def test_p_below_2_is_refused(p):
    for function in (lambda: to_dual(columns(3), p), lambda: to_primal(columns(3), p), lambda: Mirror(p=p)):
        with pytest.raises(ValueError, match="p of the links must be a finite number of 2 or more"):
            function()


# ------------------------------------------------------------------ Algorithm 2


def started(value, *settings, **options):
    rule = Mirror(*settings, **options)
    rule.start(value)
    return rule


def test_a_step_by_hand_column_by_column():
    s, gradient, p = columns(4), columns(4, seed=1), 2 * math.log(4)
    moved = started(s, 0.3, 0.1)(s, gradient)
    for j in range(6):
        theta = to_dual(s[:, [j]], p) - 0.1 * gradient[:, [j]]  # line 3
        theta = torch.tensor([[math.copysign(max(0, abs(t) - 0.1 * 0.3), t)] for t in theta.flatten().tolist()])  # 4
        assert torch.allclose(moved[:, [j]], to_primal(theta.double(), p), rtol=1e-5)  # 5


def test_theta_is_remembered():
    s, gradient = columns(4), columns(4, seed=1)
    rule = started(s, 0.3, 0.1)
    first = rule(s, gradient)
    assert torch.allclose(rule.state["theta"], to_dual(first, power(4)))
    rule(torch.zeros(4, 6).double(), gradient)  # the value is not looked at again
    expected = shrink_entries(to_dual(first, power(4)) - 0.1 * gradient, 0.03)
    assert torch.allclose(rule.state["theta"], expected)


def test_theta_remembers_what_the_codes_cannot_hold():
    theta = torch.full((512, 1), 1e-5)
    theta[0] = 1.0
    s = to_primal(theta, power(512))
    assert s[1] == 0  # in single precision (1e-5)^11.5 is no number any more, so a zero here may be none of theta
    rule = started(torch.zeros(512, 1), 0.0, 1.0)
    rule(s, -theta)
    assert torch.equal(rule.state["theta"], theta)


def test_from_zero_it_starts_with_theta_zero_and_moves_by_the_gradient():
    s, gradient = torch.zeros(4, 6).double(), columns(4)
    rule = started(s, 0.0, 0.1)
    assert not rule.state["theta"].any()
    assert torch.allclose(rule(s, gradient), to_primal(-0.1 * gradient, power(4)))


def test_with_p_2_it_is_the_proximal_step():
    s, gradient = columns(4), columns(4, seed=1)
    assert torch.allclose(started(s, 0.3, 0.1, p=2)(s, gradient), ProximalSparse(0.3, 0.1)(s, gradient))


def least_squares(rule, steps, penalty=0.25):
    """1/2 ||A s - b||^2 + penalty ||s||_1 in six columns at once."""
    a, b = columns(8), columns(8, seed=1)
    h, c = a.T @ a / 8, a.T @ b / 8  # 6 6
    s = torch.zeros(6, 6).double()
    for _ in range(steps):
        s = rule(s, h @ s - c)
    return s, h @ s - c


@pytest.mark.parametrize("make", [Mirror, ProximalSparse])
def test_it_ends_where_the_penalised_objective_is_least_with_exact_zeros(make):
    rule = make(0.25, 0.2)
    if isinstance(rule, Mirror):
        rule.start(torch.zeros(6, 6).double())
    s, gradient = least_squares(rule, 1000)
    zero = s == 0
    assert 6 < zero.sum() < 36
    # of a non-zero entry the slope is just undone by the penalty, of a zero entry it is no more than that
    assert torch.allclose(gradient[~zero], -0.25 * s[~zero].sign(), atol=1e-6)
    assert (gradient[zero].abs() <= 0.25 + 1e-9).all()


def test_with_the_penalty_in_the_gradient_too_it_would_count_twice():
    class Printed(Mirror):
        def __call__(self, value, gradient):
            return super().__call__(value, gradient + self.weight * value.sign())  # v of the whole loss

    printed = Printed(0.125, 0.2)
    printed.start(torch.zeros(6, 6).double())
    twice, _ = least_squares(printed, 600)
    once, _ = least_squares(ProximalSparse(0.25, 0.2), 600)
    moving = (twice != 0) & (once != 0)
    assert moving.sum() > 6
    assert torch.allclose(twice[moving], once[moving], atol=0.01)  # M-16: lambda acts as 2 lambda


@pytest.mark.parametrize("make", [Mirror, ProximalSparse])
def test_settings_that_cannot_work_are_refused(make):
    with pytest.raises(ValueError, match="weight must be a finite number of 0 or more"):
        make(-1.0)
    with pytest.raises(ValueError, match="rate must be a finite number above 0"):
        make(0.1, 0.0)

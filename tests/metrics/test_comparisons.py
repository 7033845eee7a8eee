"""Paired tests and corrections: by hand, and by simulation where nothing is to be found."""

import math

import pytest
import torch

from mtlib.metrics import false_discovery, holm, interval, paired
from mtlib.seeds import generator

pytestmark = pytest.mark.filterwarnings("error")

ZEROS = [0.0, 0.0, 0.0]


def test_three_differences_by_hand():
    """1, 2, 3: t = 2 sqrt(3); with two degrees of freedom p = 1 - t / sqrt(2 + t^2)."""
    found = paired([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert (found.n, found.difference, found.test) == (3, interval([1.0, 2.0, 3.0]), "t")
    assert found.p == pytest.approx(1 - 12**0.5 / 14**0.5)
    assert str(found) == "+2.00 [-0.48, +4.48], p = 0.0742 (t, n = 3)"


@pytest.mark.parametrize(
    ("difference", "wilcoxon", "flips"),
    [
        ([1.0, 2.0, 3.0], 2 / 8, 2 / 8),  # the largest of eight patterns of signs, and its mirror image
        ([3.0, 2.0, -1.0], 4 / 8, 4 / 8),  # 6, 4, 2, 0, 0, -2, -4, -6: 4 and beyond
        ([10.0, 2.0, -9.0], 6 / 8, 6 / 8),  # ranks 3, 1, -2; sums 21, 17, 3, 1 and their mirror images
        ([9.0, 2.0, -10.0], 8 / 8, 8 / 8),
        ([1.0, 1.0, 1.0, 1.0], 2 / 16, 2 / 16),  # ties
    ],
)
def test_ranks_and_flipped_signs_by_hand(difference, wilcoxon, flips):
    zeros = [0.0] * len(difference)
    assert paired(difference, zeros, "wilcoxon").p == pytest.approx(wilcoxon)
    assert paired(difference, zeros, "sign flips").p == pytest.approx(flips)


@pytest.mark.parametrize("test", ["t", "wilcoxon", "sign flips"])
def test_the_order_of_seeds_and_of_methods_does_not_matter_but_the_pairs_do(test):
    random = generator("paired")
    b = torch.randn(12, generator=random).mul(10)
    a = b + 1 + 0.5 * torch.randn(12, generator=random)  # seeds differ far more than methods do
    found = paired(a.tolist(), b.tolist(), test)
    assert found.p < 0.01
    order = torch.randperm(12, generator=random)
    assert paired(a[order].tolist(), b[order].tolist(), test).p == pytest.approx(found.p)
    assert paired(b.tolist(), a.tolist(), test).p == pytest.approx(found.p)
    assert paired(a[order].tolist(), b.tolist(), test).p > 0.1


def test_differences_without_spread():
    assert [paired(ZEROS, ZEROS, test).p for test in ("t", "wilcoxon", "sign flips")] == [1, 1, 1]
    assert paired([1.0, 1.0, 1.0], ZEROS).p == 0
    assert paired([0.3, 0.2, 0.7], [0.2, 0.1, 0.6]).p < 1e-12  # the same but for rounding


def test_many_seeds_are_drawn_from_and_always_alike():
    random = generator("many")
    difference = (torch.randn(40, generator=random) + 0.4).tolist()
    first, second = (paired(difference, [0.0] * 40, "sign flips").p for _ in range(2))
    assert first == second
    assert first == pytest.approx(paired(difference, [0.0] * 40).p, abs=0.01)


@pytest.mark.parametrize(
    ("test", "n", "repeats", "expected"),
    [
        ("t", 5, 2000, 0.05),
        ("wilcoxon", 8, 500, 10 / 256),  # discrete: 8 signs cannot come nearer to 0.05 from below
        ("sign flips", 8, 500, 12 / 256),
    ],
)
def test_where_nothing_is_to_be_found_one_in_twenty_is(test, n, repeats, expected):
    a, b = torch.randn(2, repeats, n, generator=generator("null", test), dtype=torch.double).tolist()
    p = torch.tensor([paired(*pair, test).p for pair in zip(a, b, strict=True)])
    error = 3 * math.sqrt(0.05 / repeats)
    assert (p <= 0.05).double().mean().item() == pytest.approx(expected, abs=error)
    assert (p <= 0.5).double().mean().item() == pytest.approx(0.5, abs=3 * math.sqrt(0.25 / repeats) + 0.02)


# ------------------------------------------------------------------ corrections

P = [0.01, 0.04, 0.03, 0.005]


def test_corrections_by_hand():
    # In order 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1, none below the one before it.
    assert holm(P) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    # 0.005 x 4/1, 0.01 x 4/2, 0.03 x 4/3, 0.04 x 4/4, none above the one after it.
    assert false_discovery(P) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    harmonic = 1 + 1 / 2 + 1 / 3 + 1 / 4
    assert false_discovery(P, dependent=True) == pytest.approx([harmonic * p for p in (0.02, 0.04, 0.04, 0.02)])


def test_an_adjusted_p_is_never_above_one_nor_below_its_own():
    for adjust in (holm, false_discovery):
        assert adjust([0.9, 0.8, 0.5]) == pytest.approx([1, 1, 1] if adjust is holm else [0.9, 0.9, 0.9])
        assert adjust([0.2]) == [0.2]


@pytest.mark.parametrize("adjust", [holm, false_discovery])
def test_a_test_that_was_not_made_does_not_count(adjust):
    found = adjust([P[0], math.nan, *P[1:]])
    assert math.isnan(found[1])
    assert found[:1] + found[2:] == adjust(P)
    assert adjust([]) == []
    assert all(map(math.isnan, adjust([math.nan] * 2)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired([1.0, 2.0], [1.0]), "the same seeds: got 2 and 1"),
        (lambda: paired([1.0], [2.0]), "two or more finite samples"),
        (lambda: paired([1.0, math.nan], [2.0, 1.0]), "two or more finite samples"),
        (lambda: paired([1.0, math.inf], [2.0, 1.0]), "two or more finite samples"),
        (lambda: paired([1.0, 2.0], [2.0, 1.0], "z"), "test is 'z', not one of t, wilcoxon, sign flips"),
        (lambda: holm([0.5, 1.5]), r"p-values are from 0 to 1, got \[1.5\]"),
        (lambda: false_discovery([-0.1]), r"from 0 to 1, got \[-0.1\]"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

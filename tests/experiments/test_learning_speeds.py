"""Tasks that differ in speed alone: the numbers of D-5, and what other rules do."""

import pytest
import torch

from mtlib.experiments.learning_speeds import RULES, learn


def left(kappa, rule="Eq. (4)", **settings):
    return learn([kappa], rule, validations=3000, **settings)[0][0, -1].item()


@pytest.mark.parametrize(("kappa", "kept"), [(0.05, 0.95), (0.2, 0.78), (0.5, 0.42), (0.9, 0.03)])
def test_the_printed_rule_freezes_what_is_slow(kappa, kept):
    assert left(kappa) == pytest.approx(kept, abs=0.006)


def test_only_what_is_faster_than_1_keeps_learning():
    assert left(1.1) < 1e-6
    _, weights = learn([1.5], "Eq. (4)", validations=100)  # far below what a float of 1 can be told from
    assert weights[0, -1].item() == pytest.approx(weights[0, 20].item(), abs=1e-3)


@pytest.mark.parametrize(("kappa", "kept"), [(0.5, 0.65), (1.5, 0.35)])
def test_with_a_loss_that_cannot_reach_0_it_freezes_all_the_more(kappa, kept):
    assert left(kappa, end=0.3) == pytest.approx(kept, abs=0.006)


def test_a_slow_tasks_first_weights():
    _, weights = learn([0.05], "Eq. (4)", validations=3)
    assert weights[0, 1:].tolist() == pytest.approx([0.049, 0.0024, 0.0001], abs=0.0005)


def test_a_floor_lets_it_go_on():
    assert left(0.2, "Eq. (4), floor", floor=0.01) < 0.01


def test_equal_weights_are_plain_decay():
    losses, weights = learn([0.1, 0.4], "equal", validations=5)
    torch.testing.assert_close(losses[:, -1], torch.exp(-5 * torch.tensor([0.1, 0.4], dtype=torch.double)))
    assert (weights == 1).all()


@pytest.mark.parametrize("rule", ["Eq. (4), mean 1", "DWA", "AW"])
def test_rules_with_a_fixed_sum_keep_it(rule):
    weights = learn([0.1, 0.4, 1.2], rule, validations=20)[1]
    torch.testing.assert_close(weights.mean(0), torch.ones(21, dtype=torch.double))


def test_of_two_tasks_the_hard_one_has_more_weight_with_dwa_and_less_with_the_printed_rule():
    for rule, more in (("DWA", True), ("Eq. (4)", False)):
        easy, hard = learn([1.5, 0.3], rule, validations=5)[1][:, -1]
        assert (hard > easy) == more


def test_the_order_of_tasks_does_not_matter():
    for rule in RULES:
        one, other = learn([0.1, 0.4, 1.2], rule)[0], learn([1.2, 0.1, 0.4], rule)[0]
        torch.testing.assert_close(one, other[[1, 2, 0]])


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="a rule is one of equal"):
        learn([1.0], "Eq. (5)")
    for wrong in (0.0, -1.0, float("inf")):
        with pytest.raises(ValueError, match="above 0"):
            learn([wrong], "equal")

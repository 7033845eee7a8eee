"""Verification: a handful of pairs by hand, two normal distributions, and the protocol of LFW."""

import math

import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from mtlib import metrics
from mtlib.seeds import generator

pytestmark = pytest.mark.filterwarnings("error")

SAME = torch.tensor([1, 1, 0, 1, 0, 0, -1])
DISTANCES = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, math.nan])  # one of each is on the wrong side


def test_six_pairs_by_hand():
    curve = metrics.verification_roc(DISTANCES, SAME)
    assert curve.thresholds.tolist() == [-math.inf, *map(pytest.approx, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])]
    assert curve.true_positive.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1, 1, 1])
    assert curve.false_positive.tolist() == pytest.approx([0, 0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    assert metrics.equal_error_rate(DISTANCES, SAME) == pytest.approx(1 / 3)
    assert metrics.rate_at(DISTANCES, SAME, 0.5) == pytest.approx(1)
    assert metrics.rate_at(DISTANCES, SAME, 0.3) == pytest.approx(2 / 3)  # one in three is too many
    assert metrics.rate_at(DISTANCES, SAME, 0) == pytest.approx(2 / 3)  # without any
    found = metrics.verification(DISTANCES, SAME, rates=(0.3,))
    assert found == pytest.approx({"n": 6, "AUC": 8 / 9, "equal error rate": 1 / 3, "TPR at FPR 0.3": 2 / 3})


def test_chance_and_perfection():
    same = torch.tensor([1, 0, 1, 0])
    assert metrics.equal_error_rate(torch.ones(4), same) == 0.5  # one threshold: half-way on the line
    assert metrics.equal_error_rate(torch.tensor([0.0, 2.0, 1.0, 3.0]), same) == 0
    assert metrics.equal_error_rate(torch.tensor([3.0, 1.0, 2.0, 0.0]), same) == 1


def test_two_normal_distributions_two_apart():
    """Equal errors are Phi(-1); half of the same pairs lie below a threshold that Phi(-2) of the others pass."""
    even = torch.tensor(norm.ppf((torch.arange(4000) + 0.5) / 4000))
    distances = torch.cat([even, even + 2])
    same = torch.arange(8000) < 4000
    assert metrics.equal_error_rate(distances, same.long()) == pytest.approx(norm.cdf(-1), abs=1e-3)
    assert metrics.rate_at(distances, same.long(), norm.cdf(-2)) == pytest.approx(0.5, abs=2e-3)
    found = metrics.verification(distances, same.long())
    assert found["AUC"] == pytest.approx(norm.cdf(2 / 2**0.5), abs=1e-3)
    assert found["AUC"] == pytest.approx(roc_auc_score(same, -distances))


FOLDS = torch.tensor([1, 1, 1, 1, 2, 2, 2, 2, 2])
PAIRS = torch.tensor([0.1, 0.4, 0.3, 0.7, 0.2, 0.5, 0.8, 0.9, math.nan])
ALIKE = torch.tensor([1, 1, 0, 0, 1, 1, 0, 0, -1])


def test_the_threshold_of_a_fold_is_chosen_on_the_others():
    """The first fold gets (0.5 + 0.8) / 2 and errs once; the second 0.2 or 0.55, equally good: the later one."""
    found = metrics.fold_accuracy(PAIRS, ALIKE, FOLDS)
    assert found.thresholds == pytest.approx((0.65, 0.55))
    assert found.accuracies == (0.75, 1)
    assert found.mean == 0.875
    assert found.standard_error == pytest.approx(0.125)  # 0.177 / sqrt(2)
    both = metrics.verification(PAIRS, ALIKE, FOLDS)
    assert (both["accuracy"], both["standard error"]) == (found.mean, found.standard_error)


def test_a_folds_own_labels_do_not_move_its_threshold():
    turned = ALIKE.clone()
    turned[:4] = 1 - turned[:4]
    found, other = (metrics.fold_accuracy(PAIRS, labels, FOLDS) for labels in (ALIKE, turned))
    assert found.thresholds[0] == other.thresholds[0]
    assert found.accuracies[0] == 1 - other.accuracies[0]


def test_where_nothing_can_be_told_accuracy_is_that_of_one_answer():
    """Distances the wrong way round, more pairs that differ: "never the same" is best."""
    distances, same = torch.tensor([3.0, 1.0, 2.0] * 4), torch.tensor([1, 0, 0] * 4)
    found = metrics.fold_accuracy(distances, same, torch.arange(12) // 3)
    assert found.thresholds == (-math.inf,) * 4
    assert found.mean == pytest.approx(2 / 3)
    assert found.standard_error == pytest.approx(0, abs=1e-9)


def test_ten_folds_of_lfws_size_find_what_the_best_threshold_gives():
    random = generator("pairs")
    same = (torch.arange(6000) % 2 == 0).long()
    distances = torch.randn(6000, generator=random) + 2 * (1 - same)
    found = metrics.fold_accuracy(distances, same, torch.arange(6000) // 600)
    assert len(found.accuracies) == 10
    assert found.mean == pytest.approx(norm.cdf(1), abs=4 * found.standard_error)
    assert found.standard_error == pytest.approx((norm.cdf(1) * norm.cdf(-1) / 6000) ** 0.5, rel=0.6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.verification_roc(DISTANCES, SAME[:2]), r"\(N,\) distances and labels, got \(7,\) and \(2,\)"),
        (lambda: metrics.verification_roc(DISTANCES[:2], SAME[:2]), r"and pairs that are not \(0\), got \[1\]"),
        (lambda: metrics.verification_roc(DISTANCES, SAME + 1), "must be finite"),
        (lambda: metrics.verification_roc(DISTANCES[:3], SAME[:3] + 1), r"got \[1, 2\]"),
        (lambda: metrics.rate_at(DISTANCES, SAME, -0.1), "a false positive rate is from 0 to 1, got -0.1"),
        (lambda: metrics.fold_accuracy(PAIRS, ALIKE, FOLDS[:3]), r"one fold per pair, got \(3,\) for \(9,\)"),
        (lambda: metrics.fold_accuracy(PAIRS, ALIKE, FOLDS * 0), r"pairs of fold \[0\] alone"),
        (lambda: metrics.fold_accuracy(PAIRS, ALIKE, ALIKE), r"outside fold 0 are all of one kind"),
    ],
)
def test_what_cannot_be_verified_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

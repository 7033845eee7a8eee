"""Scores per column: by hand, against scikit-learn on random labels with holes, and where they have no meaning."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from mtlib import metrics
from mtlib.seeds import generator

pytestmark = pytest.mark.filterwarnings("error")  # what is undefined is NaN, without a word

NAN = pytest.approx(math.nan, nan_ok=True)

# Column 1: TP 2, FN 1, FP 1, TN 4.  Column 2: two labels known, both right.  Column 3: none known.
Y = torch.tensor([[1, 1, 1, 0, 0, 0, 0, 0, -1], [1, 0, *[-1] * 7], [-1] * 9]).T
DECIDED = torch.tensor([[1, 1, 0, 1, 0, 0, 0, 0, 1], [1, 0, *[1] * 7], [1] * 9]).T


def test_scores_of_a_table_by_hand():
    assert metrics.accuracy(DECIDED, Y).tolist() == [6 / 8, 1, NAN]
    assert metrics.balanced_accuracy(DECIDED, Y).tolist() == [pytest.approx((2 / 3 + 4 / 5) / 2), 1, NAN]
    assert metrics.f1(DECIDED, Y).tolist() == [pytest.approx(4 / 6), 1, NAN]  # precision and recall are 2/3


def test_the_area_under_the_curve_is_how_often_a_positive_scores_higher():
    y = torch.tensor([[1, 0, 1, 0, -1]]).T
    scores = torch.tensor([[0.9, 0.8, 0.8, 0.1, math.nan]]).T  # pairs: 0.9 above both, 0.8 ties with one, above one
    assert metrics.auc(scores, y).item() == (1 + 1 + 0.5 + 1) / 4
    (curve,) = metrics.roc(scores, y)
    assert curve.false_positive.tolist() == [0, 0, 0.5, 1]
    assert curve.true_positive.tolist() == [0, 0.5, 1, 1]
    assert curve.thresholds.tolist() == [math.inf, *map(pytest.approx, [0.9, 0.8, 0.1])]


@pytest.mark.parametrize(
    ("decided", "y", "balanced", "f1", "auc"),
    [
        ([1, 0], [1, 1], NAN, pytest.approx(2 / 3), NAN),  # no negative known
        ([0, 0], [0, 0], NAN, NAN, NAN),  # no positive known, none predicted
        ([1, 0], [0, 0], NAN, 0, NAN),  # no positive known, one predicted
        ([0, 0], [1, 0], 0.5, 0, 0.5),  # known, but not found: that is 0, not undefined
        ([1, 0], [-1, -1], NAN, NAN, NAN),
    ],
)
def test_what_has_no_meaning_is_nan_and_never_zero(decided, y, balanced, f1, auc):
    decided, y = torch.tensor([decided]).T, torch.tensor([y]).T
    assert metrics.balanced_accuracy(decided, y).item() == balanced
    assert metrics.f1(decided, y).item() == f1
    assert metrics.auc(decided.double(), y).item() == auc
    if auc == NAN:
        (curve,) = metrics.roc(decided.double(), y)
        assert (curve.false_positive.tolist(), curve.true_positive.tolist()) == ([NAN], [NAN])


def test_classes_by_hand():
    """Class 2 of 0 to 3 is predicted but never present, class 3 neither."""
    y = torch.tensor([[0, 0, 0, 0, 1, 1, -1, -1]]).T
    decided = torch.tensor([[0, 0, 0, 1, 1, 2, 3, 3]]).T
    assert metrics.accuracy(decided, y).item() == pytest.approx(4 / 6)
    assert metrics.balanced_accuracy(decided, y, classes=4).item() == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert metrics.f1(decided, y, classes=4).item() == pytest.approx((6 / 7 + 2 / 4 + 0) / 3)
    assert metrics.f1(decided, torch.full_like(y, -1), classes=4).item() == NAN


def test_large_logits_are_told_apart():
    """A sigmoid in single precision makes 20, 30 and 40 equal; torchmetrics gives 0.5 here."""
    assert metrics.auc(torch.tensor([[20.0], [30.0], [40.0]]), torch.tensor([[0], [0], [1]])).item() == 1


def random_columns(seed, classes, n, c, missing):
    random = generator("columns", seed)
    y, decided = (torch.randint(classes, (n, c), generator=random) for _ in range(2))
    known = torch.rand(n, c, generator=random) >= missing
    return decided, torch.where(known, y, -1), torch.randn(n, c, generator=random).round(decimals=1)


def column(of, decided, y):
    """What scikit-learn says of the known labels of one column."""
    known = y >= 0
    return of(y[known].numpy(), decided[known].numpy())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(1, 4), st.sampled_from([0.0, 0.3, 0.8]))
def test_binary_scores_are_scikit_learns_wherever_those_are_defined(seed, n, c, missing):
    decided, y, scores = random_columns(seed, 2, n, c, missing)
    found = torch.stack([f(decided, y) for f in (metrics.accuracy, metrics.balanced_accuracy, metrics.f1)]).T
    for j, (own, area) in enumerate(zip(found.tolist(), metrics.auc(scores, y).tolist(), strict=True)):
        labels = y[y[:, j] >= 0, j]
        if not len(labels):
            assert [*own, area] == [NAN] * 4
            continue
        assert own[0] == pytest.approx(column(sklearn.accuracy_score, decided[:, j], y[:, j]))
        if len(labels.unique()) == 2:
            assert own[1] == pytest.approx(column(sklearn.balanced_accuracy_score, decided[:, j], y[:, j]))
            assert area == pytest.approx(column(sklearn.roc_auc_score, scores[:, j], y[:, j]))
        else:
            assert [own[1], area] == [NAN, NAN]
        f1 = column(lambda a, b: sklearn.f1_score(a, b, zero_division=math.nan), decided[:, j], y[:, j])
        assert own[2] == pytest.approx(f1, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(2, 40), st.sampled_from([0.0, 0.5]))
def test_scores_of_classes_are_scikit_learns(seed, classes, n, missing):
    decided, y, _ = random_columns(seed, classes, n, 2, missing)
    balanced, f1 = metrics.balanced_accuracy(decided, y, classes), metrics.f1(decided, y, classes)
    for j in range(2):
        known = y[:, j] >= 0
        if not known.any():
            assert [balanced[j].item(), f1[j].item()] == [NAN, NAN]
            continue
        present = y[known, j].unique().tolist()
        recall = column(
            lambda a, b, labels=present: sklearn.recall_score(a, b, labels=labels, average="macro"),
            *(decided[:, j], y[:, j]),
        )
        assert balanced[j].item() == pytest.approx(recall)
        macro = column(lambda a, b: sklearn.f1_score(a, b, average="macro"), decided[:, j], y[:, j])
        assert f1[j].item() == pytest.approx(macro)


def test_what_a_missing_label_was_predicted_to_be_is_of_no_consequence():
    decided, y, scores = random_columns(0, 2, 200, 3, 0.5)
    other, others = torch.where(y < 0, 1 - decided, decided), torch.where(y < 0, math.inf, scores)
    for score in (metrics.accuracy, metrics.balanced_accuracy, metrics.f1):
        assert torch.equal(score(decided, y), score(other, y))
    assert torch.equal(metrics.auc(scores, y), metrics.auc(others, y))
    assert torch.equal(metrics.accuracy(torch.where(y < 0, -1, decided), y), metrics.accuracy(decided, y))


@pytest.mark.parametrize("dtype", [torch.int8, torch.float32])
def test_labels_may_be_small_or_floating_with_nan_for_missing(dtype):
    y = Y.to(dtype)
    if dtype.is_floating_point:
        y[y < 0] = math.nan
    for score in (metrics.accuracy, metrics.balanced_accuracy, metrics.f1):
        assert torch.allclose(score(DECIDED, y), score(DECIDED, Y), equal_nan=True)


TWO = torch.zeros(4, 2, dtype=torch.long)


@pytest.mark.parametrize(
    ("score", "arguments", "message"),
    [
        ("accuracy", (TWO, TWO[:1]), r"one shape \(N, c\), got \(4, 2\) and \(1, 2\)"),
        ("f1", (TWO[:, 0], TWO[:, 0]), r"one shape \(N, c\), got \(4,\)"),
        ("accuracy", (TWO.float(), TWO), "decisions are whole numbers, as method.decide"),
        ("accuracy", (TWO, TWO + 0.5), "labels are whole numbers"),
        ("balanced_accuracy", (TWO, TWO + 2), "labels are 0 to 1, and -1 where missing; got up to 2"),
        ("f1", (TWO + 3, TWO, 3), "decisions are 0 to 2, got 3 to 3"),
        ("auc", (TWO + 0.5, TWO + 2), "labels are 0 to 1"),
        ("auc", (torch.tensor([[0.0, math.nan]]), TWO[:1]), "column 1: scores and predictions of known labels"),
        ("roc", (torch.tensor([[math.inf, 0.0]]), TWO[:1]), "column 0: scores and predictions of known labels"),
    ],
)
def test_what_does_not_fit_is_refused(score, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(metrics, score)(*arguments)

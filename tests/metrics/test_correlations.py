"""Correlations of label columns: a table by hand, numpy pair by pair, and what must hold of any of them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib.metrics import balanced_correlation, correlation, matrix_correlation, matrix_distance
from mtlib.seeds import generator


def labels(both, first, second, neither):
    """Two columns, from how often both are positive, one alone, and neither."""
    return torch.tensor([[1, 1]] * both + [[1, 0]] * first + [[0, 1]] * second + [[0, 0]] * neither)


def phi(both, first, second, neither):
    """Pearson's correlation of a 2 x 2 table, from its four weights."""
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    return pytest.approx((both * neither - first * second) / margins**0.5)


def test_a_table_by_hand():
    """Of twelve, 3 have the first attribute and 4 the second."""
    y = labels(2, 1, 2, 7)
    assert correlation(y)[0, 1].item() == phi(2, 1, 2, 7)
    # Positives of the first weigh 9 / 3, of the second 8 / 4, of both 3 x 2.
    assert balanced_correlation(y)[0, 1].item() == phi(2 * 6, 1 * 3, 2 * 2, 7)
    # As printed 1 / s: 12 / 9 and 12 / 8.
    assert balanced_correlation(y, printed=True)[0, 1].item() == phi(2 * 2, 4 / 3, 2 * 3 / 2, 7)


def test_weights_come_from_the_labels_also_where_predictions_are_correlated():
    """Predictions never give the second attribute where the first is; with weights of their own they were plain."""
    y = labels(2, 1, 2, 7)
    predicted = torch.cat([labels(0, 2, 0, 0), labels(0, 0, 2, 8)])
    # The rows' weights by the labels: 6 6 | 3 | 2 2 | 1 ...; predicted (1,0) (1,0) | (0,1) | (0,1) (0,0) | (0,0) ...
    assert balanced_correlation(predicted, y)[0, 1].item() == phi(0, 12, 3 + 2, 2 + 7)


def test_a_row_whose_labels_give_no_weight_does_not_count():
    y, missing = labels(2, 1, 2, 7), torch.tensor([[-1, -1], [0, -1], [-1, 1]])
    predicted = torch.cat([1 - y, torch.ones(3, 2).long()])
    expected = balanced_correlation(1 - y, y)[0, 1].item()
    assert balanced_correlation(predicted[:13], torch.cat([y, missing[:1]]))[0, 1].item() == pytest.approx(expected)
    both = torch.cat([y, missing])
    assert torch.allclose(balanced_correlation(both.float()), balanced_correlation(both))


def test_the_printed_weights_hardly_balance_rare_attributes():
    """S-26: 4 and 3 in a hundred are positive, so 1/s is 1.04 and 1.03; balanced, they agree far more."""
    y = labels(78, 322, 222, 9378)
    found = [correlation(y), balanced_correlation(y, printed=True), balanced_correlation(y)]
    assert [round(matrix[0, 1].item(), 4) for matrix in found] == [0.1974, 0.2027, 0.4477]


def columns(seed, n, c, missing=0.0):
    random = generator("correlation", seed)
    shares = torch.rand(c, generator=random) * 0.8 + 0.1
    y = (torch.rand(n, c, generator=random) < shares).long()
    y[:, -1] = torch.where(torch.rand(n, generator=random) < 0.6, y[:, 0], y[:, -1])
    return torch.where(torch.rand(n, c, generator=random) < missing, -1, y)


def by_pairs(y, weight=None):
    """numpy's weighted covariances, one pair after another."""
    c = y.shape[1]
    found = np.full((c, c), math.nan)
    for i in range(c):
        for j in range(c):
            known = (y[:, i] >= 0) & (y[:, j] >= 0)
            pair = y[known][:, [i, j]].numpy()
            if len(pair) < 2 or (pair == pair[0]).all(0).any():
                continue
            rows = np.ones(len(pair))
            for column, k in enumerate((i, j)) if weight else ():
                own = y[:, k][y[:, k] >= 0]
                rows = rows * np.where(pair[:, column] == 1, weight((own == 0).sum(), (own == 1).sum()), 1)
            covariance = np.cov(pair.T, aweights=rows)
            found[i, j] = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
    return torch.tensor(found)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(2, 5), st.sampled_from([0.0, 0.3, 0.7]))
def test_correlations_are_numpys_pair_by_pair(seed, n, c, missing):
    y = columns(seed, n, c, missing)
    kinds = [
        (correlation(y), None),
        (balanced_correlation(y), lambda negative, positive: negative / positive),
        (balanced_correlation(y, printed=True), lambda negative, positive: (negative + positive) / negative),
    ]
    for found, weight in kinds:
        assert torch.allclose(found, by_pairs(y, weight), atol=1e-9, equal_nan=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 60), st.integers(2, 6), st.sampled_from([0.0, 0.4]), st.booleans())
def test_what_holds_of_every_matrix(seed, n, c, missing, printed):
    y = columns(seed, n, c, missing)
    for of in (correlation, lambda y: balanced_correlation(y, printed=printed)):
        found = of(y)
        assert torch.equal(found.nan_to_num(9), found.T.nan_to_num(9))
        diagonal = found.diagonal()
        assert (diagonal[~diagonal.isnan()] == 1).all()
        assert (found[~found.isnan()].abs() <= 1).all()
        random = generator("order", seed)
        rows, order = torch.randperm(n, generator=random), torch.randperm(c, generator=random)
        assert torch.allclose(of(y[rows][:, order]), found[order][:, order], atol=1e-9, equal_nan=True)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 60), st.sampled_from([0.0, 0.4]))
def test_to_call_an_attribute_by_its_opposite_turns_the_sign_alone(seed, n, missing):
    """Not so with the printed weights: they favour what is called positive."""
    y = columns(seed, n, 3, missing)
    turned = y.clone()
    turned[:, 0] = torch.where(y[:, 0] < 0, -1, 1 - y[:, 0])
    for of in (correlation, balanced_correlation):
        assert torch.allclose(of(turned)[0, 1:], -of(y)[0, 1:], atol=1e-9, equal_nan=True)


def test_where_labels_are_balanced_the_weights_change_nothing():
    y = labels(30, 20, 20, 30)
    assert torch.allclose(balanced_correlation(y), correlation(y))
    assert not torch.allclose(balanced_correlation(labels(30, 20, 20, 31)), correlation(labels(30, 20, 20, 31)))


def test_of_independent_attributes_it_is_zero_however_rare_they_are():
    assert balanced_correlation(labels(2, 18, 8, 72))[0, 1].item() == pytest.approx(0)


def test_to_weigh_is_to_repeat():
    """Of forty, 5 have the first attribute: its positives weigh 7; the second's weights are left out here."""
    y = labels(4, 1, 10, 25)
    weights = torch.stack([y[:, 0], torch.arange(40) % 2], 1)  # as many with as without: nothing to balance
    repeated = torch.cat([y[:5]] * 7 + [y[5:]])
    expected = correlation(repeated)[0, 1].item()
    assert expected == phi(4 * 7, 1 * 7, 10, 25)
    assert balanced_correlation(y, weights)[0, 1].item() == pytest.approx(expected)


def test_a_column_that_does_not_vary_has_no_correlation():
    y = torch.tensor([[1, 0, 1], [1, 1, 0], [1, 0, -1], [1, 1, -1]])
    y[:2, 2], varied = 1, torch.tensor([[0, 0, 0], [0, 1, 0], [0, 0, 0]]).bool()
    for found in (correlation(y), balanced_correlation(y)):
        assert torch.equal(~found.isnan(), varied)
    # The third varies, but not over the rows where the second is known.
    y = torch.tensor([[0, 0], [1, 0], [-1, 1]])
    assert correlation(y).isnan().tolist() == [[False, True], [True, False]]
    tenths = torch.full((1000, 2), 0.1)  # no binary number: the mean of a thousand is not quite 0.1
    tenths[:, 1] = torch.arange(1000)
    assert correlation(tenths).isnan().tolist() == [[True, True], [True, False]]


def test_an_attribute_without_positives_gives_no_weights_to_predictions():
    y, predicted = torch.tensor([[0, 1], [0, 0], [0, 1]]), torch.tensor([[1, 1], [0, 0], [0, 1]])
    assert balanced_correlation(predicted, y).isnan().tolist() == [[True, True], [True, False]]


def test_floating_numbers_may_be_negative_and_large():
    random = generator("floating")
    y = torch.randn(500, 3, generator=random, dtype=torch.double)
    y[:, 2] += y[:, 0]
    expected = torch.from_numpy(np.corrcoef(y.T.numpy()))
    assert torch.allclose(correlation(y), expected)
    assert torch.allclose(correlation(y * 1e-3 + 1e6), expected, atol=1e-6)
    y[:250, 1] = math.nan
    assert correlation(y)[0, 1].item() == pytest.approx(np.corrcoef(y[250:, :2].T.numpy())[0, 1])


def test_two_matrices_are_compared_off_their_diagonals():
    a = torch.tensor([[1.0, 0.1, 0.2], [0.1, 1.0, 0.4], [0.2, 0.4, 1.0]])
    half = torch.where(torch.eye(3).bool(), 1.0, a / 2)
    assert matrix_correlation(a, half).item() == pytest.approx(1)  # blind to size
    assert matrix_distance(a, half).item() == pytest.approx(((0.05**2 + 0.1**2 + 0.2**2) / 3) ** 0.5)
    b = torch.tensor([[1.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 1.0]])
    expected = np.corrcoef([0.1, 0.2, 0.4], [0.3, 0.1, 0.2])[0, 1]
    assert matrix_correlation(a, b).item() == pytest.approx(expected)
    wider = torch.full((4, 4), math.nan)  # an attribute that never varied does not count
    wider[:3, :3] = b
    wide = torch.ones(4, 4)
    wide[:3, :3] = a
    assert matrix_correlation(wide, wider).item() == pytest.approx(expected)
    assert matrix_distance(wide, wider).item() == pytest.approx(matrix_distance(a, b).item())


Y = torch.zeros(4, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: correlation(Y[0]), r"columns \(N, c\), got \(2,\)"),
        (lambda: balanced_correlation(Y, Y[:2]), r"differ: \(4, 2\) and \(2, 2\)"),
        (lambda: balanced_correlation(Y + 0.5), "weights come from labels 0, 1, and -1 where missing; got 0.5"),
        (lambda: matrix_correlation(Y, Y), "two square matrices"),
        (lambda: matrix_distance(Y[:2], Y[:1, :1]), "two square matrices"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""Eq. (6): by hand, where it settles, and that accuracy is best elsewhere (D-8, D-9)."""

import pytest
import torch

from mtlib.dmm import adapted, matched, most_accurate
from mtlib.dmm.thresholds import mistakes


def column(*values):
    return torch.tensor(values).float().unsqueeze(1)


def right(z, y, tau):
    return ((z > tau) == (y == 1)).double().mean(0)


def rare(n=40_000):
    """LEDGER D-8's example: 5 % positives, outputs N(1, 1) there and N(-1, 1) elsewhere, half as wide."""
    random = torch.Generator().manual_seed(0)
    y = (torch.arange(n) < n // 20).long().unsqueeze(1)
    return (2 * y - 1) * 0.8 + 0.8 * torch.randn(n, 1, generator=random), y


def test_one_update_by_hand():
    tau = adapted(torch.tensor([0.0, 0.5]), torch.tensor([0.3, 0.0]), torch.tensor([0.1, 0.2]), 0.01 * 5)
    torch.testing.assert_close(tau, torch.tensor([0.01, 0.49]))


def test_mistakes_by_hand():
    z, y = column(-1, 0.2, 0.5, 2, 9), column(0, 0, 1, 1, -1).long()
    false_positive, false_negative = mistakes(z, y, torch.tensor([0.0]))
    assert (false_positive.item(), false_negative.item()) == (0.25, 0)
    false_positive, false_negative = mistakes(z, y, torch.tensor([0.5]))  # "above" it, so 0.5 is not positive
    assert (false_positive.item(), false_negative.item()) == (0, 0.25)
    assert all(share.isnan().all() for share in mistakes(z, torch.full_like(y, -1), torch.tensor([0.0])))


def test_matched_by_hand():
    z, y = column(-2, -1, 1, 3), column(0, 1, 0, 1).long()
    tau = matched(z, y)
    assert tau.item() == 0  # two positives, so two outputs lie above
    false_positive, false_negative = mistakes(z, y, tau)
    assert false_positive == false_negative


def test_most_accurate_by_hand():
    z, y = column(-2, -1, 1, 3), column(0, 0, 0, 1).long()
    assert most_accurate(z, y).item() == 2
    assert most_accurate(z, torch.zeros_like(y)).item() == 3.5  # nobody
    assert most_accurate(z, torch.ones_like(y)).item() == -2.5  # everybody
    assert most_accurate(column(-1, 1), column(1, 0).long()).abs().item() == 1.5  # either end; never between
    assert most_accurate(column(1, 1, 2), column(1, 0, 1).long()).item() in (0.5, 1.5)  # equal outputs stay together


def test_of_equally_good_thresholds_the_one_nearest_to_zero_is_taken():
    z, y = column(-3, -1, 1, 3), column(0, 1, 0, 1).long()
    assert most_accurate(z, y).item() in (2, -2)


def test_the_best_is_best():
    z, y = rare(2000)
    best = right(z, y, most_accurate(z, y))
    for tau in torch.linspace(-3, 3, 61):
        assert best >= right(z, y, tau)


def test_the_printed_rule_settles_where_both_kinds_of_mistakes_are_as_many():
    z, y = rare()
    tau = torch.zeros(1)
    for _ in range(2000):
        tau = adapted(tau, *mistakes(z, y, tau), 0.5)
    torch.testing.assert_close(tau, matched(z, y), atol=0.02, rtol=0)
    false_positive, false_negative = mistakes(z, y, tau)
    assert abs(false_positive - false_negative) < 0.001
    assert abs((z > tau).double().mean() - 0.05) < 0.001  # as many are called positive as are


def test_that_is_not_where_most_are_right():
    z, y = rare()
    assert most_accurate(z, y) > matched(z, y) + 0.1
    assert right(z, y, most_accurate(z, y)) > right(z, y, matched(z, y)) + 0.003


def test_with_few_updates_it_is_not_there_yet():
    z, y = rare()
    found = []
    for per_epoch in (1, 10):
        tau = torch.zeros(1)
        for epoch in range(1, 16):
            for _ in range(per_epoch):
                tau = adapted(tau, *mistakes(z, y, tau), 0.01 * epoch)
        found.append(tau.item())
    assert found[0] < found[1] < matched(z, y).item()


def test_columns_do_not_mix_and_missing_labels_do_not_count():
    random = torch.Generator().manual_seed(1)
    z, y = torch.randn(200, 3, generator=random), (torch.rand(200, 3, generator=random) < 0.3).long()
    for rule in (matched, most_accurate):
        whole = rule(z, y)
        assert whole[[2, 0, 1]].equal(rule(z[:, [2, 0, 1]], y[:, [2, 0, 1]]))
        gaps = y.clone()
        gaps[:100] = -1
        assert rule(z, gaps).equal(rule(z[100:], y[100:]))
        assert rule(z, torch.full_like(y, -1)).isnan().all()


@pytest.mark.parametrize("scale", [0.1, 7.0])
def test_thresholds_scale_with_the_outputs(scale):
    z, y = rare(400)
    torch.testing.assert_close(matched(scale * z, y), scale * matched(z, y))
    torch.testing.assert_close(most_accurate(scale * z, y), scale * most_accurate(z, y))

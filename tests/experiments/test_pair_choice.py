"""Effect or selection: choices made on validation, counted by hand, and what they are worth on test data."""

from dataclasses import replace

import pytest
import torch

from mtlib.experiments import pair_choice, pair_tables
from mtlib.experiments.pair_summary import ARMS, Found

NAN = float("nan")


def both(validation, test):
    return torch.tensor([validation, test], dtype=torch.double).movedim(0, -1)


def found(seed=0, **changes):
    """Three attributes with accuracies that can be added up by hand."""
    single = both(
        [[90, 80, 70], [91, 79, 70], [89, 82, 70], [88, 78, 71], [92, 80, 72], [90, 81, 69]],
        [[90, 80, 70], [90, 80, 70], [90, 80, 70], [91, 80, 70], [90, 80, 73], [90, 80, 70]],
    )
    pair = both([[NAN, 88, 92], [81, NAN, 83], [66, 69, NAN]], [[NAN, 89, 90], [82, NAN, 80], [70, 65, NAN]])
    arm = both([[91, NAN, 69], [89, NAN, 74]], [[92, NAN, 69], [90, NAN, 71]])
    multi = both([91, 81, 71], [89, 81, 70])
    one = Found(
        *(seed, single, pair, multi, multi + 1, dict.fromkeys(ARMS, arm), single[0] - 1),
        *(torch.tensor([1, -1, 0]), torch.tensor([2, 0, 1]), torch.eye(3, dtype=torch.double)),
    )
    return replace(one, **changes)


def test_the_worst_partner_by_hand():
    """Attribute 1 loses by partner 2 (88 - 90), the second by none, the third most by the first (66 - 70)."""
    validation, test = pair_choice.worst_partner(found())
    assert validation == pytest.approx((-2 + 0 - 4) / 3)
    assert test == pytest.approx((-1 + 0 + 0) / 3)  # the third's was noise


def test_the_worst_of_as_many_single_networks():
    """Two partners, so two more networks: run 1 is worst for the second attribute (-1), run 2 for the first (-1)."""
    validation, test = pair_choice.worst_replicate(found())
    assert validation == pytest.approx((-1 - 1 + 0) / 3)
    assert test == pytest.approx(0)


def test_lambda_for_all_or_for_each():
    one = found()
    filled = pair_choice.filled(one, "reversal")
    assert filled[:, 1].tolist() == [[80, 80], [80, 80]]  # no partner: the single network (L-13)
    values, at = pair_choice.chosen(filled)
    assert at.tolist() == [1, 1, 1]  # 89 + 80 + 74 against 91 + 80 + 69
    assert values.tolist() == [[89, 90], [80, 80], [74, 71]]
    assert pair_choice.chosen(filled, each=True)[1].tolist() == [0, 0, 1]
    assert pair_choice.arm_gain(one, "reversal") == pytest.approx((1, 1 / 3))
    assert pair_choice.arm_gain(one, "reversal", each=True) == pytest.approx((5 / 3, 1))


def test_the_same_choice_by_chance_uses_whole_groups():
    one = found()
    two = pair_choice.replicate_gains(one, 2)  # runs 0 to 2, 3 to 5: one base and two candidates each
    assert len(two) == 2
    # Of runs 1 and 2 the second has the larger mean, 241 over 240; of runs 4 and 5 the first, 244 over 237.
    assert two[0] == pytest.approx(((-1 + 2 + 0) / 3, 0))
    assert two[1] == pytest.approx(((4 + 2 + 1) / 3, (-1 + 0 + 3) / 3))
    each = pair_choice.replicate_gains(one, 2, each=True)
    assert each[0] == pytest.approx(((1 + 2 + 0) / 3, 0))
    assert len(pair_choice.replicate_gains(one, 5)) == 1
    assert pair_choice.replicate_gains(one, 6) == []


def test_choosing_cannot_lose_where_it_is_made():
    torch.manual_seed(0)
    noise = torch.randn(60, 40, 2, dtype=torch.double)
    one = found(single=80 + noise)
    gains = torch.tensor(pair_choice.replicate_gains(one, 5, each=True))
    assert len(gains) == 10
    expected = 1.163  # the mean of the largest of five standard normal numbers
    assert gains[:, 0].mean().item() == pytest.approx(expected, abs=0.1)
    assert gains[:, 1].mean().item() == pytest.approx(0, abs=0.1)  # nothing is left of it on test data


def test_partners_judged_by_the_other_seeds():
    """Seed 0's worst partner of attribute 3 is harmless in seed 1, which judges it."""
    calm = both([[NAN, 89, 92], [81, NAN, 79], [71, 69, NAN]], [[NAN, 86, 90], [82, NAN, 80], [70, 70, NAN]])
    first, second = found(), found(1, pair=calm)
    map_of_second = pair_choice.steady_gains(second)
    own = [map_of_second[0, 1], torch.tensor(0.0), map_of_second[2, 0]]
    assert pair_choice.elsewhere([first, second])[1] == pytest.approx(sum(own).item() / 3)
    # With a third seed that is the first again, seed 1 judges the same choice twice.
    assert pair_choice.elsewhere([first, second, first])[1] == pytest.approx(sum(own).item() / 3)


def test_permuting_attributes_changes_nothing():
    one = found()
    order = torch.tensor([2, 0, 1])
    place = order.argsort()
    turned = replace(
        one,
        single=one.single[:, order],
        pair=one.pair[order][:, order],
        multi=one.multi[order],
        wide=one.wide[order],
        shared=one.shared[order],
        arms={name: values[:, order] for name, values in one.arms.items()},
        partner=torch.tensor([place[b] if b >= 0 else -1 for b in one.partner[order].tolist()]),
        correlation=one.correlation[order][:, order],
    )
    for name, gain in pair_tables.rows_of_table1(2).items():
        assert gain(turned) == pytest.approx(gain(one)), name
    assert pair_tables.negatives([turned]) == pair_tables.negatives([one])

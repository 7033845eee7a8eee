"""What the AAL paper prints, recomputed from its own tables; the arithmetic of the ledger."""

import numpy as np
import pytest

from mtlib.adversarial import best_of
from mtlib.experiments import aal_printed


def test_gains_over_a_single_network():
    found = aal_printed.gains()
    assert found["adversarial, worst partner"] == {"validation": 0.13, "test": 0.21}
    assert found["multi-task, all attributes"] == {"validation": 0.01, "test": 0.06}
    assert found["shared with the worst partner"] == {"validation": -0.51}
    assert found["adversarial, all partners"] == {"validation": -0.02}  # 92.31, not 91.31 (L-9)
    assert found["adversarial, GAN"]["validation"] == 0.07


def test_table_3_is_whole():
    own = aal_printed.table(3).iloc[:40]
    for difference, first, second in (
        ("mul_minus_sin", "mul", "sin"),
        ("adv_minus_sin", "adv", "sin"),
        ("adv_minus_mul", "adv", "mul"),
    ):
        assert np.allclose(own[difference], own[first] - own[second], atol=1e-6)
    means = aal_printed.table(3).iloc[40]
    for column in ("sin", "mul", "adv"):
        assert own[column].mean() == pytest.approx(means[column], abs=0.005)


def test_which_attributes_improve():
    found = aal_printed.improved()
    assert (len(found["better"]), found["equal"], len(found["worse"])) == (33, [5, 23], 5)  # the text: 34 (L-8)
    assert sorted([*found["equal"], *found["worse"]]) == list(aal_printed.TOLD_NOT_IMPROVED)  # seven, not six


def test_big_lips_is_the_worst_partner_of_thirty():
    counts = aal_printed.worst_partners()
    assert counts.index[0] == 7
    assert counts.iloc[0] == 30


def test_signs_of_all_pairs():
    negative = aal_printed.negatives()
    assert negative.sum() == 899
    assert 100 * negative.sum() / 1560 == pytest.approx(57.6, abs=0.05)
    assert negative[:, 6].sum() == 39
    assert not negative.diagonal().any()
    partners = aal_printed.table(3)["neg_att"].iloc[:40].astype(int) - 1
    assert negative[np.arange(40), partners].all()  # every worst partner is negative
    assert (negative.sum(1) == aal_printed.table(5)["n_adversarial"].iloc[:40]).all()


def test_pedestrians():
    assert aal_printed.duke() == {"single-task": 91.19, "with the worst partner": 90.64, "adversarial": 91.32}
    assert aal_printed.duke(False) == {"single-task": 90.8, "with the worst partner": 90.23, "adversarial": 90.94}
    for name, value in aal_printed.TOLD_DUKE.items():
        assert value - aal_printed.duke()[name] == pytest.approx(1.0)  # the text is one point too high (L-10)


def test_differences_of_table_6_are_rounded():
    own = aal_printed.table(6).iloc[:23].dropna()
    wrong = set()
    for difference, first, second in (
        ("mul_minus_sin", "mul", "sin"),
        ("adv_minus_sin", "adv", "sin"),
        ("adv_minus_mul", "adv", "mul"),
    ):
        off = (own[difference] - (own[first] - own[second])).abs()
        assert off.max() < 0.0101
        wrong |= set(own["att"][off > 0.005].astype(int))
    assert wrong == {2, 3, 4, 5, 8, 9, 10, 15, 16, 19, 20, 23}  # L-14


def test_noise_of_an_accuracy_and_of_choosing():
    assert aal_printed.standard_errors() == {"85 %": 0.25, "92 %": 0.19, "99 %": 0.07}
    assert aal_printed.by_chance() == {"worst of 39": -0.22, "best of 5": 0.12, "best of 30": 0.2}


def test_chance_gains_are_what_theory_says():
    found = aal_printed.chance_gains(0.1, 30, lasting=0.25)
    assert found["validation"].mean() == pytest.approx(0.1 * best_of(30), abs=2e-3)
    assert found["test"].mean() == pytest.approx(0.025 * best_of(30), abs=2e-3)
    assert np.array_equal(found["test"], aal_printed.chance_gains(0.1, 30, lasting=0.25)["test"])


@pytest.mark.parametrize("bad", [(0.1, 0, 0.5), (-0.1, 3, 0.5), (0.1, 3, 1.5)])
def test_chance_that_cannot_be(bad):
    with pytest.raises(ValueError, match="needs 1 candidate"):
        aal_printed.chance_gains(*bad)


def test_what_the_text_says_beside_its_tables():
    found = aal_printed.quoted()
    assert (found["text"] != found["tables"]).all()
    assert found.loc["multiple adversarial", "tables"] == "91.31 (Table 1), 92.30 (mean of Table 5)"
    with pytest.raises(ValueError, match="Tables 1 to 6"):
        aal_printed.table(7)

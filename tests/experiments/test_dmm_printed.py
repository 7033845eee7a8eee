"""Facts about DMM-CNN's printed tables."""

import pytest

from mtlib.experiments import dmm_printed


def test_gains_over_the_baseline_follow_from_text_and_table():
    # 91.08 (UW, read as EQ-AT) - 0.95 is a baseline of 90.13.
    assert dmm_printed.gains() == {"DMM-EQ-AT": 0.95, "DMM-DW-FIX": 0.91, "DMM-SPP": 1.27, "DMM-CNN": 1.57}


def test_highest_for_twenty_of_forty_leaves_one_method_out():
    found = dmm_printed.leads()
    assert found.loc["CelebA"].tolist() == [0, 20]
    assert found.loc["LFWA"].tolist() == [4, 20]


def test_table_3_is_damaged_but_for_its_averages():
    found = dmm_printed.averages()
    assert found["celeba: average (%)"].loc["DMM-CNN"] == 91.70
    assert found["celeba: average (%)"].loc["PS-MCNN-LC"] - 91.70 == pytest.approx(1.28)
    assert found["lfwa: legible cells"].loc["DMM-CNN"] == 9
    assert found["celeba: legible cells"].sum() + found["lfwa: legible cells"].sum() == 467


def test_what_can_be_read_of_its_own_column():
    celeba, lfwa = dmm_printed.legible("celeba"), dmm_printed.legible("lfwa")
    assert (len(celeba), len(lfwa)) == (21, 9)
    assert celeba.loc["Attractive"].tolist() == [83.37, 84.39, "PS-MCNN-LC", -1.02]
    assert not (celeba["lead"] > 0).any()  # PS-MCNN-LC is ahead on all of them
    assert lfwa.loc["Young", "lead"] == 1.94

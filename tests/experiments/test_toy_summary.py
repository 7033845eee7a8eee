"""What is said about Table I, from scores so simple that every number is known beforehand."""

import pandas as pd
import pytest

from mtlib import claims, toy
from mtlib.experiments import probes, toy_summary, toy_table

GAIN = {"ST": 0.0, "MT": 1.0, "SOS": 3.0, "MT wide": 2.0}  # points above 80
FEW = {"without (6)": 2.5, "without all": 1.5, "SOS, spaces after ReLU": 2.0, "SOS, band ε": 4.0, "ST, band ε": 1.0,
       "MT, band ε": 1.0}  # fmt: skip


def scores(sets=tuple(toy.SETS), seeds=3):
    """Accuracy 80 + the arm's gain + the set's number + the seed / 10; on set 1 MT has one point more."""
    rows = []
    for arm, gain in (GAIN | FEW).items():
        for number in sets:
            if number not in toy_table.ARMS[arm].sets:
                continue
            for seed in range(seeds if arm in GAIN else 2):
                average = 80 + gain + number + seed / 10 + (arm == "MT" and number == 1)
                row = {"set": number, "arm": arm, "seed": seed, "average": average}
                row |= {"task 1": average - 1, "task 2": average + 1}
                if toy_table.ARMS[arm].model == "SOS":
                    row |= dict.fromkeys(probes.columns(), 70.0) | {
                        "probe specific 1/task 1": 90.0,
                        "probe specific 2/task 2": 94.0,
                        "probe specific 1/task 2": 75.0 + (arm == "without (6)"),
                        "probe specific 2/task 1": 77.0 + 2 * (arm == "without (6)"),
                    }
                rows.append(row)
    return pd.DataFrame(rows)


def test_differences_are_paired_by_set_and_seed():
    found = toy_summary.samples(scores())
    assert found["set 4/SOS-MT"] == pytest.approx([2.0] * 3)
    assert found["set 1/SOS-MT"] == pytest.approx([1.0] * 3)
    assert found["average/SOS-MT"] == pytest.approx([1.9] * 3)
    assert found["average/SOS-ST"] == pytest.approx([3.0] * 3)
    assert found["average/MT-ST"] == pytest.approx([1.1] * 3)
    assert found["average/SOS-MT wide"] == pytest.approx([1.0] * 3)
    assert found["overlap/MT-ST"] == pytest.approx([4 / 3 - 1] * 3)  # sets 1, 2, 7 gain 2, 1, 1


def test_an_arm_with_fewer_seeds_is_compared_on_those_that_it_has():
    found = toy_summary.samples(scores())
    assert found["average/SOS-without all"] == pytest.approx([1.5] * 2)
    assert found["average/SOS-without (6)"] == pytest.approx([0.5] * 2)
    assert "average/SOS-without (4)" not in found  # not trained


def test_probes_compare_own_and_other_task():
    found = toy_summary.samples(scores())
    assert found["probe/own-other"] == pytest.approx([92 - 76] * 3)
    assert found["probe/game"] == pytest.approx([1.5] * 2)


def test_every_claim_has_its_samples():
    every = set(toy_summary.samples(scores()))
    assert {claim.key for claim in claims.load("sos_table1").claims} <= every


def test_claims_about_averages_need_all_ten_sets():
    found = toy_summary.samples(scores(sets=(8, 3)))
    assert toy_summary.judged(found, [8, 3]).keys() == {key for key in found if key.startswith("set ")}
    assert toy_summary.judged(found, list(toy.SETS)) == found


def test_table1_averages_over_the_sets_of_each_seed():
    found = toy_summary.table1(scores())
    assert list(found) == list(GAIN)
    mean = 80 + 3 + 5.5 + 0.1
    assert found["SOS"]["average"]["mean"] == pytest.approx(mean)
    assert found["SOS"]["average"]["n"] == 3
    assert found["SOS"]["average"]["high"] - mean == pytest.approx(4.3027 * 0.1 / 3**0.5, rel=1e-3)  # t(2), sd 0.1
    assert found["ST"]["set 7"]["task 1"]["mean"] == pytest.approx(86.1)


def test_the_printed_values_stand_beside_ours():
    table = toy_summary.beside_print(toy_summary.table1(scores(sets=(8, 3))))
    assert table.loc[("8", "SOS"), ("average", "printed")] == "99.1"
    assert table.loc[("8", "SOS"), ("task 2", "printed")] == "99.4"
    assert table.loc[("average", "MT"), ("average", "printed")] == f"{(98.8 + 83.8) / 2:.1f}"
    assert table.loc[("average", "MT"), ("task 1", "printed")] == "–"
    assert table.loc[("3", "MT wide"), ("average", "printed")] == "–"
    assert table.loc[("3", "SOS"), ("average", "ours")].startswith("86.1 [")
    assert table.loc[("3", "SOS"), ("task 1", "ours")].startswith("85.1 [")


def test_readings_stand_beside_the_default_on_the_same_sets_and_seeds():
    found = toy_summary.readings(scores()).set_index("reading")
    assert list(found.index) == ["spaces after ReLU", "band ε"]
    assert found.loc["spaces after ReLU", "sets"] == list(toy.SETS)
    assert found.loc["spaces after ReLU", "SOS-ST"]["mean"] == pytest.approx(2.0)
    assert found.loc["spaces after ReLU", "SOS-ST by default"] == pytest.approx(
        {"n": 2, "mean": 3, "low": 3, "high": 3}
    )
    assert found.loc["spaces after ReLU", "MT-ST"] == found.loc["spaces after ReLU", "MT-ST by default"]
    assert found.loc["band ε", "sets"] == list(toy_table.RINGS)
    assert found.loc["band ε", "SOS-ST"]["mean"] == pytest.approx(3.0)
    assert found.loc["band ε", "MT-ST by default"]["mean"] == pytest.approx(1.0)


def test_a_record_gives_the_scores_back():
    given = scores(sets=(8, 3))
    back = toy_summary.from_record(toy_summary.to_record(given))
    order = ["arm", "set", "seed"]
    pd.testing.assert_frame_equal(
        back.sort_values(order).reset_index(drop=True)[given.columns],
        given.sort_values(order).reset_index(drop=True),
        check_exact=False,
        atol=0.006,
    )
    assert toy_summary.samples(back).keys() == toy_summary.samples(given).keys()


def test_the_probe_matrix_averages_over_sets_and_seeds():
    given = scores(sets=(8, 3))
    given.loc[(given["arm"] == "SOS") & (given["seed"] == 2), "probe common/task 1"] = 0.0  # the ablation has no seed 2
    given.loc[given["set"] == 3, "probe nothing/task 1"] = 0.0
    found = toy_summary.probe_matrices(given, ["SOS", "without (6)"], [8])
    assert list(found) == ["SOS, n = 2", "without (6), n = 2"]
    matrix = found["SOS, n = 2"]
    assert matrix.loc["common"].tolist() == [70, 70]
    assert matrix.loc["specific 1"].tolist() == [90, 75]
    assert matrix.loc["nothing"].tolist() == [70, 70]
    assert list(matrix.index) == ["nothing", "common", "specific 1", "specific 2"]


def test_a_seed_that_lacks_a_set_does_not_count():
    given = scores(sets=(8, 3))
    given = given[~((given["arm"] == "MT") & (given["set"] == 3) & (given["seed"] == 1))]
    found = toy_summary.samples(given)
    assert len(found["average/SOS-MT"]) == len(found["set 8/SOS-MT"]) == 2
    assert len(found["average/SOS-ST"]) == 3

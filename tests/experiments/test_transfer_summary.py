"""Transfer on the toy plane: what a gain is, that gains are paired, and what choosing gives by chance."""

import json

import pandas as pd
import pytest

from mtlib.experiments import transfer_summary
from mtlib.experiments import transfer_toy as transfer
from mtlib.experiments.transfer_summary import CHANCE, CHOSEN, OWN
from mtlib.experiments.transfer_toy import AGAIN, MODES, PARTNER, SHARED, SINGLE


def row(place, main, arm, seed, test, validation=50.0):
    scores = {"test": test, "validation": validation, "balanced": test, PARTNER: 60.0}
    return {"place": place, "main": main, "arm": arm, "seed": seed, **scores, "made by": None, "frozen": None}


def rows_of(gain, arm=SHARED, places=("set 1",), seeds=(0, 1)):
    """Single at 80 + seed + 5 main, the arm at ``gain(place, main, seed)`` above."""
    found = []
    for place in places:
        for main in (0, 1):
            for seed in seeds:
                alone = 80.0 + seed + 5 * main
                found += [row(place, main, SINGLE, seed, alone)]
                found += [row(place, main, arm, seed, alone + gain(place, main, seed))]
    return pd.DataFrame(found)


def test_a_gain_is_the_difference_on_the_same_seed_and_direction():
    """Seeds differ by 1 and directions by 5 in what single attains; the gains are 2, 3 (main 0) and 4, 5 (main 1)."""
    rows = rows_of(lambda place, main, seed: 2 + 2 * main + seed).sample(frac=1, random_state=0)
    assert transfer_summary.gains(rows)["set 1"].tolist() == [3, 4]
    directed = transfer_summary.gains(rows, directed=True)
    assert directed["set 1", 0].tolist() == [2, 3]
    assert directed["set 1", 1].tolist() == [4, 5]
    table = transfer_summary.by_overlap(rows)
    assert table.loc[0, ["mean", "n", "single"]].tolist() == [3.5, 2, 83]
    assert table.loc[0, "high"] - 3.5 == pytest.approx(12.706 * 0.5, abs=0.01)  # t with 1 degree of freedom
    with pytest.raises(ValueError, match="gains need rows of 'adversarial 1' and 'single'"):
        transfer_summary.gains(rows, "adversarial 1")


def test_a_seed_with_a_diverged_network_has_no_gain():
    rows = rows_of(lambda place, main, seed: 1.0, seeds=(0, 1, 2))
    rows.loc[(rows["seed"] == 1) & (rows["arm"] == SHARED) & (rows["main"] == 0), "frozen"] = "step 3: not finite"
    assert transfer_summary.gains(rows).index.tolist() == [0, 2]


def test_lambda_is_chosen_on_validation_points_and_never_on_test():
    validation = {  # of main 0, main 1: 0.1 is best on average, but 0.5 for main 1
        "adversarial 0.1": (90.0, 80.0),
        "adversarial 0.5": (70.0, 85.0),
        "adversarial 1": (60.0, 60.0),  # best on test points
    }
    test = {"adversarial 0.1": 71.0, "adversarial 0.5": 72.0, "adversarial 1": 99.0}
    rows = [row("set 1", main, SINGLE, 0, 70.0, 99.0) for main in (0, 1)]
    rows += [row("set 1", m, arm, 0, test[arm], own[m]) for arm, own in reversed(validation.items()) for m in (0, 1)]
    found = transfer_summary.choose(pd.DataFrame(rows))
    assert found[found["arm"] == CHOSEN].sort_values("main")["test"].tolist() == [71, 71]
    assert found[found["arm"] == OWN].sort_values("main")["test"].tolist() == [71, 72]
    alone = pd.DataFrame(rows[:2])
    assert transfer_summary.choose(alone) is alone


def test_samples_by_hand():
    places = (*MODES["sets"], *MODES["slide"])
    rows = rows_of(lambda place, main, seed: 4 * transfer.overlap(place) - 1 + seed / 10, places=places)
    found = transfer_summary.samples(rows)
    for slide in ("slide", "rings", "bands"):
        assert found[f"{slide}: gain at overlap 1 of sharing"] == pytest.approx([3, 3.1])
        assert found[f"{slide}: gain at overlap 0 of sharing"] == pytest.approx([-1, -0.9])
    assert found["slide: gain at overlap 1 minus at 0 of sharing"] == pytest.approx([4, 4])
    assert found["slide: gain at overlap 0.2 of sharing"] == pytest.approx([-0.15, -0.05], abs=0.1)
    assert found["sets: correlation of gain with overlap of sharing"] == pytest.approx([1, 1])
    gap = [a - b for a, b in zip(*(found[f"sets: gain in {name} sets of sharing"] for name in ("overlapping", "other")),
                                 strict=True)]  # fmt: skip
    assert gap == pytest.approx([4 * (0.511 - 0.037)] * 2, abs=0.05)
    table = transfer_summary.by_arm(rows)
    assert table.loc[SHARED, "mean"] == pytest.approx(transfer_summary.gains(rows).mean(axis=1).mean())
    assert table.loc[SINGLE, PARTNER] == 60


def test_a_record_gives_back_the_rows():
    rows = rows_of(lambda place, main, seed: 1.234, places=("set 1", "set 2"))
    rows.loc[1, "frozen"] = "step 3"
    back = transfer_summary.from_record(transfer_summary.to_record(rows))
    keys = ["place", "main", "arm", "seed"]
    one, other = (frame.sort_values(keys).reset_index(drop=True) for frame in (rows, back))
    assert one[keys].equals(other[keys])
    assert other["test"].tolist() == pytest.approx(one["test"].round(2).tolist())
    assert other["frozen"].dropna().tolist() == ["step 3"]
    assert one["frozen"].isna().equals(other["frozen"].isna())
    assert json.loads(json.dumps(transfer_summary.to_record(rows), allow_nan=False)) == transfer_summary.to_record(rows)


def test_chance_is_the_best_of_as_many_single_networks():
    """Validation prefers run 4, whose test score is 3 below that of the run that the others are compared with."""
    rows = [row("set 1", main, SINGLE, 0, 70.0, 99.0) for main in (0, 1)]
    rows += [row("set 1", m, arm, 0, 65.0 + k, 80.0 - abs(k - 2)) for k, arm in enumerate(AGAIN) for m in (0, 1)]
    rows += [row("set 1", m, "adversarial 0.1", 0, 71.0, 60.0) for m in (0, 1)]
    found = transfer_summary.choose(pd.DataFrame(rows))
    assert found[found["arm"] == CHANCE]["test"].tolist() == [67, 67]
    samples = transfer_summary.samples(pd.DataFrame(rows))
    assert samples["sets: mean gain of chance"] == [-3]
    assert samples["sets: own lambda minus chance"] == [4]  # 1 + 3

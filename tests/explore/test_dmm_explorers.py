"""The explorers of DMM-CNN: what their sliders let one discover."""

import numpy as np
import pytest

from mtlib.explore import dmm
from mtlib.figures import png


@pytest.fixture(scope="module")
def outputs():
    random = np.random.default_rng(0)
    y = (random.random(300) < 0.2).astype(int)
    return {"Wearing_Necktie": (y - 0.5 + random.normal(size=300), y)}


def drawn(explorer, **values):
    return explorer.draw(**{**explorer.start, **values})


def test_every_value_draws(outputs):
    explorer = dmm.threshold(outputs)
    for name, values in explorer.controls.items():
        for value in (values[0], values[-1]):
            assert len(png(drawn(explorer, **{name: value}).figure)) > 1000
    assert "Wearing Necktie" in explorer.controls["scores"]


def test_both_kinds_of_mistakes_are_as_many_at_their_place_and_accuracy_is_best_elsewhere():
    explorer = dmm.threshold()
    found = drawn(explorer)
    yours, matched, best = found.arrays["thresholds"]
    assert yours == 0 < matched < best
    assert found.arrays["accuracy"][2] > found.arrays["accuracy"][1] > found.arrays["accuracy"][0]
    there = drawn(explorer, positives="50 %")
    assert there.arrays["thresholds"][1:] == pytest.approx([0, 0], abs=1e-6)  # equal classes: all at one place
    assert abs(np.diff(there.arrays["mistakes"])[0]) <= 1


def test_the_finding_counts_the_mistakes(outputs):
    z, y = outputs["Wearing_Necktie"]
    found = drawn(dmm.threshold(outputs), scores="Wearing Necktie", cut=0.5)
    expected = [int(((z > 0.5) & (y == 0)).sum()), int(((z <= 0.5) & (y == 1)).sum())]
    assert list(found.arrays["mistakes"]) == expected
    assert f"{expected[0]} false positives, {expected[1]} false negatives" in found.finding
    assert found.trained  # outputs of a network move between machines


def test_the_printed_rule_starves_the_hard_task_and_equal_weights_do_not():
    explorer = dmm.speeds()
    printed, equal = drawn(explorer), drawn(explorer, rule="equal")
    assert printed.arrays["losses"][1] > 0.5 > 0.01 > equal.arrays["losses"][1]
    assert printed.arrays["weights"][1] < printed.arrays["weights"][0]
    assert "stopped" in printed.finding
    assert "stopped" not in equal.finding


def test_every_rule_draws():
    explorer = dmm.speeds()
    for rule in explorer.controls["rule"]:
        assert np.isfinite(drawn(explorer, rule=rule).arrays["losses"]).all()

"""The explorer of soft labels: what its sliders let one discover."""

import pytest

from mtlib.explore import coupling_classes
from mtlib.figures import png


@pytest.fixture(scope="module")
def explorer():
    return coupling_classes.soft_label()


def drawn(explorer, **values):
    return explorer.draw(**{**explorer.start, **values})


def test_every_control_draws(explorer):
    for name, values in explorer.controls.items():
        for value in (values[0], values[-1]):
            found = drawn(explorer, **{name: value})
            assert found.arrays["soft label"].sum() == pytest.approx(1, abs=1e-5)
    assert len(png(drawn(explorer).figure)) > 1000


def test_a_small_temperature_sharpens_and_names_the_same_person(explorer):
    flat, sharp = drawn(explorer), drawn(explorer, temperature=0.02)
    assert flat.arrays["soft label"].max() < 0.1 < sharp.arrays["soft label"].max()
    assert flat.arrays["soft label"].argmax() == sharp.arrays["soft label"].argmax()
    assert flat.arrays["rank"] == sharp.arrays["rank"]


def test_bayes_rule_knows_no_temperature(explorer):
    one, other = (drawn(explorer, labels="Bayes' rule", temperature=t) for t in (0.1, 1.0))
    assert (one.arrays["soft label"] == other.arrays["soft label"]).all()
    assert one.finding == other.finding

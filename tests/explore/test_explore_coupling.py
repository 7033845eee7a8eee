"""The explorers of coupling: what their sliders let one discover."""

import numpy as np
import pytest

from mtlib.coupling.printed import relations
from mtlib.explore import coupling
from mtlib.figures import packed

GAIN = {
    "expression": {
        0.0: {0.0: [4.0, 4.2], 0.5: [-1.0, 0.8], 1.0: [-9.0, -9.1]},
        1.0: {0.0: [1.0, 1.1], 0.5: [0.5, 0.6], 1.0: [0.1, 0.3]},
    },
    "units": {
        0.0: {0.0: [-4.0, -4.2], 0.5: [1.0, 0.8], 1.0: [3.0, 3.1]},
        1.0: {0.0: [1.0], 0.5: [0.5], 1.0: [0.1]},
    },
}
EXPLORERS = {
    "explore-matching": coupling.matching(),
    "explore-prior": coupling.surface(GAIN),
    "explore-relations": coupling.relations(),
}


def drawn(name, **values):
    explorer = EXPLORERS[name]
    return explorer.draw(**{**explorer.start, **values})


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_control_steps(name):
    explorer = EXPLORERS[name]
    for control, values in explorer.controls.items():
        for value in values if len(values) < 9 else values[:: len(values) - 1]:
            drawing = drawn(name, **{control: value})
            assert drawing.id == name
            assert drawing.alt
            assert drawing.finding
            packed(drawing)
    assert set(explorer.labels.values()) <= {label for label in explorer.labels.values() if len(label) <= 18}


def test_where_the_forms_rest():
    printed = drawn("explore-matching", form="printed", p=0.6, q=0.8)
    assert printed.arrays["minima"] == [0, 1]
    assert printed.arrays["slopes"] == pytest.approx([-np.log(0.8), -0.6 / 0.8], abs=1e-4)
    assert "The printed minimum over p sits at 0, for q = 0.8" in printed.finding
    mended = drawn("explore-matching", form="mended", p=0.6, q=0.8)
    assert mended.arrays["minima"] == [0.8, 1]  # linear in q: pulled to an end
    assert "pushed up" in mended.finding
    divergence = drawn("explore-matching", form="divergence", p=0.6, q=0.6)
    assert divergence.arrays["minima"] == [0.6, 0.6]
    assert divergence.arrays["loss"] == pytest.approx([0], abs=1e-9)
    assert divergence.finding.count("it rests") == 2
    assert "flat" in drawn("explore-matching", form="swapped", q=0.5).finding
    assert drawn("explore-matching", form="one-sided").arrays["minima"][0] == 1


def test_from_which_share_on_coupling_hurts():
    found = drawn("explore-prior")
    assert found.arrays["means"] == pytest.approx([4.1, -0.1, -9.05])
    assert "gains +4.10 points [" in found.finding
    assert "It hurts, not clearly, from 50 % wrong on (between the means, from 49 % on)" in found.finding
    assert "It hurts at no share" in drawn("explore-prior", overlap="100 %").finding
    units = drawn("explore-prior", task="action units", wrong="50 %")
    assert "It clearly hurts from 0 % wrong on." in units.finding
    assert "(a single run)" in drawn("explore-prior", task="action units", overlap="100 %").finding


@pytest.mark.parametrize(
    "gain",
    [{}, {"units": {}}, {"units": {0.0: {0.0: []}}}, {"expression": GAIN["expression"], "units": {0.0: {0.0: [1]}}}],
)
def test_gains_that_cannot_be(gain):
    with pytest.raises(ValueError, match="surface"):
        coupling.surface(gain)


def test_a_relation_is_added_and_taken_away():
    table = relations("study")
    added = coupling.toggled(table, "neutral", "AU12")
    assert (added.weight - table.weight).sum() == 1
    away = coupling.toggled(table, "happiness", "AU6")
    assert away.weight.sum() == pytest.approx(table.weight.sum().item() - 0.51)
    assert coupling.toggled(added, "neutral", "AU12").probability.equal(table.probability)


def test_one_relation_makes_a_smile_neutral():
    found = drawn("explore-relations", expression="neutral", unit="AU12", face="happiness")
    before, after = found.arrays["soft labels"]
    assert before[1][1] > 0.98
    # Neutral's only unit is there, I = 1; of happiness' units AU6 is missing, I = 2 / 2.51.
    assert after[1][0] / after[1][1] == pytest.approx(np.exp(10 * (1 - 2 / 2.51)), rel=1e-4)
    assert "AU12 with neutral added, a face with the units of happiness" in found.finding
    other = drawn("explore-relations", face="no unit", expression="anger", unit="AU7")
    assert "taken away" in other.finding
    assert "its soft label stays as it is" in other.finding
    assert other.arrays["q"][0] - other.arrays["q"][1] == pytest.approx(np.eye(17)[5] / 7, abs=1e-6)

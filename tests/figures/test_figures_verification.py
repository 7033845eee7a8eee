"""Figures of verification: rates at 1 %, verdicts by paired seeds, groups by tone."""

import numpy as np
import pytest

from mtlib.figures import verification as draw

GRID = [0.001, 0.01, 0.1, 1.0]


def curve(*mean, width=0.05):
    low, high = np.clip(np.subtract(mean, width), 0, 1), np.clip(np.add(mean, width), 0, 1)
    return {"grid": GRID, "mean": list(mean), "low": low.tolist(), "high": high.tolist()}


@pytest.fixture
def curves():
    return {
        "identity": curve(0.1, 0.4, 0.8, 1),
        "attributes": curve(0.2, 0.45, 0.8, 1),
        "pixels": curve(0, 0.1, 0.3, 1),
    }


def test_roc_tells_rates_at_one_per_cent(curves, checked):
    drawing = checked(draw.roc(curves, "n = 3"))
    assert drawing.finding == (
        'n = 3: with 1 % false matches "attributes" recognises 45.0 % of the pairs of one person, "identity" 40.0 %.'
    )
    assert drawing.arrays["at 1 %"] == pytest.approx([40, 45, 10])
    left, right = drawing.figure.axes
    assert len({(line.get_linestyle(), line.get_marker(), line.get_color()) for line in left.lines[:3]}) == 3
    assert [label.get_text() for label in right.get_yticklabels()] == list(curves)
    assert left.get_xscale() == "log"


def test_roc_says_what_is_clear_by_paired_seeds_and_not_by_bands(curves, checked):
    gains = {"attributes": [4.9, 5.0, 5.1], "pixels": [-30.0, 20.0, -10.0]}
    drawing = checked(draw.roc(curves, "n = 3", gains=gains))
    assert drawing.finding.endswith('clearly above "identity", seed by seed: "attributes"; clearly below: none.')
    drawing = draw.roc(curves, "n = 3", base="attributes", gains={"pixels": [-35.0, -35.5], "identity": [5.0]})
    assert drawing.finding.endswith('clearly above "attributes", seed by seed: none; clearly below: "pixels".')


def test_roc_refuses_what_it_cannot_draw(curves):
    with pytest.raises(ValueError, match="'nobody' among them; got"):
        draw.roc(curves, "n = 3", base="nobody")
    with pytest.raises(ValueError, match="1 to 8 curves"):
        draw.roc({}, "n = 3")
    with pytest.raises(ValueError, match=r"'identity' needs grid, .*, 0\.01 in it"):
        draw.roc({"identity": curve(0, 0, 0, 1) | {"grid": [0.001, 0.02, 0.1, 1.0]}}, "n = 3")
    with pytest.raises(ValueError, match="of one length"):
        draw.roc({"identity": curve(0, 0, 0, 1) | {"low": [0]}}, "n = 3")


def test_tones_that_differ_in_every_seed_are_told_as_clear(checked):
    found = {
        "identity": {"light": [2.0, 2.1, 1.9], "middle": [1.0, 1.1, 0.9], "dark": [3.0, 3.1, 2.9]},
        "pixels": {"light": [1.0, 3.0, 2.0], "middle": [2.0, 1.0, 3.0], "dark": [2.5, 2.0, 2.5]},
        "untrained": {"light": [None, None, None], "middle": [], "dark": []},
    }
    drawing = checked(draw.by_tone(found, 1.0, "n = 3"))
    assert '"identity" has 3.0 % within dark and 1.0 % within middle, a clear difference' in drawing.finding
    assert "no clear difference" in drawing.finding.split(";")[1]
    assert "untrained" not in drawing.finding
    assert drawing.arrays["means"] == pytest.approx([2, 1, 3, 2, 2, 7 / 3])


def test_one_seed_gives_no_verdict_and_groups_must_agree(checked):
    drawing = checked(draw.by_tone({"identity": {"light": [2.0], "dark": [4.0]}}, 1.0, "n = 1"))
    assert drawing.finding.endswith('"identity" has 4.0 % within dark and 2.0 % within light.')
    with pytest.raises(ValueError, match="arms with the same groups"):
        draw.by_tone({"a": {"light": [1.0]}, "b": {"dark": [1.0]}}, 1.0, "n = 1")
    with pytest.raises(ValueError, match="arms with the same groups"):
        draw.by_tone({}, 1.0, "n = 0")

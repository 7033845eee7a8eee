"""The callbacks of notebook 01d's explorers, over their whole grids."""

import numpy as np
import pytest

from mtlib.explore.sos_faces import neighbours, settings
from mtlib.figures import packed, png


def run(common, specific, weight, difference, probes=(0.9, 0.8, 0.7), **more):
    probed = dict(zip(("common", "own", "others"), probes, strict=True)) if probes else None
    return {
        "common": common,
        "specific": specific,
        "lambda": weight,
        "difference": difference,
        "probes": probed,
        **more,
    }


RUNS = [
    run(512, 32, 0.2, [-1.0, -1.2], (0.7, 0.9, 0.6)),
    run(512, 32, 0.0, [0.3, None]),
    run(32, 44, 0.05, [None, None], None),
]


def test_settings_go_through_what_was_recorded_and_nothing_else():
    explorer = settings(RUNS)
    assert explorer.controls == {"setting": ("SOS(32, 44), λ 0.05", "SOS(512, 32), λ 0", "SOS(512, 32), λ 0.2")}
    assert explorer.start == {"setting": "SOS(512, 32), λ 0.2"}
    for at in explorer.grid():
        drawing = explorer.draw(**at)
        assert packed(drawing)
        assert drawing.finding.startswith(at["setting"])
        assert drawing.finding.endswith(".")
    assert png(drawing.figure)


def test_settings_say_where_the_common_space_went():
    drawing = settings(RUNS).draw("SOS(512, 32), λ 0.2")
    assert drawing.arrays["points"] == pytest.approx([-1.1])
    assert drawing.arrays["probes"] == [0.7, 0.9, 0.6]
    assert "the common space is -0.20 from where it was at weight 0." in drawing.finding
    start = settings(RUNS).draw("SOS(512, 32), λ 0")
    assert "+0.30 points" in start.finding
    assert "from where it was" not in start.finding  # it is the start


def test_a_setting_without_runs_or_probes_says_so():
    drawing = settings(RUNS).draw("SOS(32, 44), λ 0.05")
    assert "no run ended; its spaces were not probed" in drawing.finding
    assert any(text.get_text() == "not probed" for ax in drawing.figure.axes for text in ax.texts)


def test_settings_refuse_what_they_cannot_tell_apart():
    with pytest.raises(ValueError, match="names of their own"):
        settings([RUNS[0], RUNS[0]])
    named = settings([run(512, 32, 0.0, [1.0, 2.0], name="no term"), run(512, 32, 0.0, [1.0, 2.0], name="+ (4)")])
    assert named.controls["setting"] == ("no term", "+ (4)")
    with pytest.raises(ValueError, match=r"lacks \['probes'\]"):
        settings([{key: value for key, value in RUNS[0].items() if key != "probes"}])


NAMES = ("Bald", "Young", "Gray_Hair")
TRUTH = {kind: np.array([[1, -0.6, size], [-0.6, 1, -0.2], [size, -0.2, 1]]) for kind, size in
         (("plain", 0.4), ("balanced", 0.7))}  # fmt: skip
NEVER = np.full((3, 3), np.nan)
NEVER[1, 2] = NEVER[2, 1] = -0.1  # this model never predicts Bald
PREDICTED = {"CNN8-MT": {"plain": NEVER, "balanced": NEVER}, "SOS": {k: 0.5 * v for k, v in TRUTH.items()}}


def test_neighbours_over_the_grid():
    explorer = neighbours(TRUTH, PREDICTED, NAMES)
    assert explorer.controls == {"attribute": ("Bald", "Young", "Gray Hair"), "kind": ("plain", "balanced")}
    assert explorer.start == {"attribute": "Bald", "kind": "plain"}
    for at in explorer.grid():
        drawing = explorer.draw(**at)
        assert packed(drawing)
        assert len(drawing.arrays["labels"]) == 2
        assert drawing.finding.startswith(f"{at['attribute']}, {at['kind']}: nearest is")


def test_neighbours_are_sorted_by_strength_and_compared():
    explorer = neighbours(TRUTH, PREDICTED, NAMES)
    plain, balanced = (explorer.draw("Bald", kind) for kind in ("plain", "balanced"))
    assert plain.arrays["labels"].tolist() == [-0.6, 0.4]  # the stronger first, whatever its sign
    assert balanced.arrays["labels"].tolist() == [0.7, -0.6]
    assert "nearest is Young (-0.60)" in plain.finding
    assert "SOS 0.25" in plain.finding  # (0.3 + 0.2) / 2
    assert "CNN8-MT cannot be compared, as it predicts Bald for all or for none" in plain.finding
    assert "CNN8-MT 0.10 over the 1 that it predicts" in explorer.draw("Young", "plain").finding

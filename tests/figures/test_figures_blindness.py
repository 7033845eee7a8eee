"""Figures of blindness: arrows from means to means, and findings that count against the floor."""

import pytest

from mtlib.figures import blindness as draw

READ = {
    "Smiling | Mouth Slightly Open": {
        "linear probe": ([82.0, 84.0], [78.0, 76.0]),
        "MLP probe": ([82.0, 83.0], [81.0, 81.0]),
        "floor": ([75.0, 76.0], [75.0, 76.0]),
    },
    "Straight Hair | Big Lips": {
        "linear probe": ([60.0, 62.0], [50.0, 51.0]),
        "MLP probe": ([58.0, 63.0], [56.0, 57.0]),
        "floor": ([51.0, 52.0], [51.0, 52.0]),
    },
}
LOOKED = {
    "Smiling | Mouth Slightly Open": {
        "map on the partner": ([5.0, 6.0], [2.0, 2.0]),
        "even map on the partner": ([2.0, 2.0], [2.0, 2.0]),
        "logit moved": ([0.6, 0.8], [0.1, 0.1]),
    },
    "Straight Hair | Big Lips": {
        "map on the partner": ([1.0, 1.0], [2.0, 2.0]),
        "even map on the partner": ([2.0, 2.0], [2.0, 2.0]),
        "logit moved": ([-0.1, -0.1], [-0.3, -0.3]),
    },
}


def test_arrows_lead_from_means_to_means_and_the_floor_is_counted(checked):
    drawing = checked(draw.probes(READ, "drawn faces, n = 2"))
    assert drawing.arrays["linear probe, before"] == [83, 61]
    assert drawing.arrays["linear probe, after"] == [77, 50.5]
    assert drawing.arrays["floor"] == [75.5, 51.5]
    assert "Smiling | Mouth Slightly Open: linear probe 83 → 77 %, MLP probe 82 → 81 % (floor 76)" in drawing.finding
    assert drawing.finding.endswith("above what the main label tells for 1 of 2 pairs.")


def test_evidence_is_over_an_even_map_and_moves_are_averaged_by_size(checked):
    drawing = checked(draw.looks(LOOKED, "drawn faces, n = 2"))
    assert drawing.arrays["evidence, before"] == [2.75, 0.5]
    assert drawing.arrays["evidence, after"] == [1, 1]
    assert drawing.arrays["moved, after"] == pytest.approx([0.1, -0.3])
    assert "evidence on the partner 1.62 and 1.00 times an even map's; size of the logit's move 0.40 and 0.20" in (
        drawing.finding
    )
    assert "most for Smiling | Mouth Slightly Open: +0.70, after +0.10." in drawing.finding


def test_one_seed_has_no_bars(checked):
    one = {name: {score: (a[:1], b[:1]) for score, (a, b) in own.items()} for name, own in READ.items()}
    bars = [line for line in checked(draw.probes(one, "n = 1")).figure.axes[0].lines if line.get_alpha() == 0.6]
    assert not bars


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"a | b": {"linear probe": ([50.0], [50.0])}},
        {"a | b": READ["Straight Hair | Big Lips"] | {"floor": ([50.0], [50.0, 51.0])}},
        {"a | b": READ["Straight Hair | Big Lips"] | {"floor": ([float("nan")], [50.0])}},
    ],
)
def test_scores_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match=r"probes: (there is no pair|a \| b needs '(MLP probe|floor)')"):
        draw.probes(wrong, "n = 1")

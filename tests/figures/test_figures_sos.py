"""The drawings of notebook 01 show the numbers that they are given."""

import pandas as pd
import pytest
import torch

from mtlib import claims, figures, toy
from mtlib.experiments import sos_toy
from mtlib.figures import sos as draw
from mtlib.figures import sos_architecture


def scores(sets=(8, 3), seeds=3):  # task 2 lies far below task 1: an axis fitted to task 1 would hide it
    rows = [
        {"set": k, "model": m, "seed": s, "task 1": 90.0 + s, "task 2": 60.0 + s, "average": 75.0 + s}
        for k in sets
        for m in sos_toy.MODELS
        for s in range(seeds)
    ]
    return pd.DataFrame(rows)


def test_ten_sets_finds_the_caption_right():
    drawing = draw.ten_sets(points=200)
    assert "1, 2, 7" in drawing.finding
    assert len(drawing.figure.axes) == 10
    assert drawing.arrays["overlap"][7] == 0.0  # set 8


def test_architecture_counts_the_printed_networks():
    drawing = sos_architecture.architecture()
    assert drawing.arrays == {"parameters that predict": [562, 522, 627], "fake heads": [42]}
    texts = " ".join(text.get_text() for ax in drawing.figure.axes for text in ax.texts)
    assert all(count in texts for count in ("562", "522", "627", "42"))


def test_cancellation_says_exactly_zero_only_for_zero():
    drawing = draw.cancellation({"none": (0.0, 0.0), "one": (1e-12, 2.0)})
    texts = [text.get_text().strip() for ax in drawing.figure.axes for text in ax.texts]
    assert texts == ["exactly 0", "1.0e-12", "exactly 0", "2.0e+00"]


def test_decision_maps_score_a_perfect_network_with_one():
    class Oracle(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.nothing = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return {"toy": toy.labels(toy.SETS[8], x).float() * 20 - 10}

    drawing = draw.decision_maps({(8, "SOS"): Oracle()}, seed=0, steps=1)
    assert drawing.arrays["IoU with truth"].tolist() == [[1.0, 1.0]]
    assert "is 1.00" in drawing.finding
    assert [text.get_text() for text in drawing.figure.legends[0].get_texts()] == draw.map_key()[1]


def test_seed_clouds_show_means_in_order():
    drawing = draw.seed_clouds(scores(), sos_toy.printed(), "n = 3")
    assert drawing.arrays["means"] == pytest.approx([91, 91, 91, 61, 61, 61, 76, 76, 76] * 2)
    for ax in drawing.figure.axes:  # everything drawn is in view, and nothing above 100 pretends to be
        low, high = ax.get_ylim()
        assert low < 60 < 99.6 < high <= 101


def test_differences_stand_beside_the_printed_ones():
    live = {"set 3/MT-ST": claims.interval([1.0, 2.0, 3.0]), "set 8/SOS-MT": claims.interval([0.0, 0.1, -0.1])}
    drawing = draw.differences({"live run, n = 3": live, "record, n = 3": live}, sos_toy.printed())
    assert drawing.arrays["live run, n = 3"] == drawing.arrays["record, n = 3"] == pytest.approx([2.0, 0.0])
    assert drawing.arrays["printed"] == pytest.approx([-10.2, 0.3])
    assert drawing.finding.endswith("In the record, n = 3, that holds for 2 of 2 differences.")  # 2 ± 2.5, 0 ± 0.25


def test_every_drawing_renders_with_alt_and_finding():
    drawings = [sos_architecture.architecture(), draw.seed_clouds(scores((8,)), sos_toy.printed(), "n = 3")]
    for drawing in drawings:
        assert figures.png(drawing.figure).startswith(b"\x89PNG")
        assert len(drawing.alt) > 60
        assert drawing.finding.endswith(".")

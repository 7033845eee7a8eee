"""Figure 5: printed and drawn accuracies apart, parameters on a logarithmic axis, one row per attribute."""

import pandas as pd
import pytest

from mtlib.figures import sos_cost as draw
from mtlib.paths import repository

DRAWN = {"CNN8-MT": (10.7e6, 10.7e6, [86.0, 87.0]), "SOS-SE": (1.43e6, 4.8e6, [88.0, None, 88.5])}
GAINS = {"Bald": [1.0, 1.1, 1.2], "Wearing_Hat": [-1.0, -1.1, -1.2], "Young": [0.5, -0.5, 0.1]}


@pytest.fixture(scope="module")
def reported():
    return pd.read_csv(repository() / "data" / "papers" / "sos_reported_params.csv")


def panel(drawing, label):
    return next(ax for ax in drawing.figure.axes if ax.get_label() == label)


def test_what_has_no_size_in_print_is_named_and_not_drawn(reported, checked):
    drawing = checked(draw.cost(reported, DRAWN, GAINS, "n = 3"))
    assert [1.5, 91.32] in drawing.arrays["printed"]
    assert len(drawing.arrays["printed"]) == 4
    assert "FairGRAPE 90.90 %, transformer 91.93 %" in drawing.alt
    named = [text.get_text() for text in panel(drawing, "printed").texts]
    assert "soft order, 25.6, no unit printed" in named
    assert "MOON, 158 M" in named


def test_printed_and_drawn_accuracies_share_no_axis(reported):
    drawing = draw.cost(reported, DRAWN, {}, "n = 3")
    printed, drawn = panel(drawing, "printed"), panel(drawing, "drawn")
    assert printed.get_title(loc="left").startswith("CelebA, as printed")
    assert drawn.get_title(loc="left") == "drawn faces, ours, n = 2"
    assert not printed.get_shared_y_axes().joined(printed, drawn)
    assert printed.get_xscale() == drawn.get_xscale() == "log"


def test_drawn_models_with_parameters_for_prediction_and_for_training(reported):
    drawing = draw.cost(reported, DRAWN, GAINS, "n = 3")
    assert drawing.arrays["means"] == [86.5, 88.25]
    assert drawing.arrays["parameters"] == [(10.7e6, 10.7e6), (1.43e6, 4.8e6)]
    hollow = [line for line in panel(drawing, "drawn").lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata()[0] for line in hollow] == [4.8]
    assert "SOS-SE predicts with 1.4 million parameters, 88.2 %" in drawing.finding


def test_attributes_are_sorted_and_their_sides_counted(reported):
    drawing = draw.cost(reported, DRAWN, GAINS, "n = 3")
    rows = [label.get_text() for label in panel(drawing, "gains").get_yticklabels()]
    assert rows == ["Bald", "Young", "Wearing Hat"]
    assert drawing.arrays["gains, sorted"] == pytest.approx([1.1, 0.1 / 3, -1.1])
    assert "SOS-SE minus CNN8-MT lies above zero for 1 of 3 attributes and below for 1" in drawing.finding
    other = draw.cost(reported, DRAWN, GAINS, "n = 3", pair=("SOS", "CNN8-MT"))
    assert "SOS minus CNN8-MT lies above" in other.finding


def test_many_attributes_two_seeds_and_single_ones(reported, checked):
    gains = {f"attribute {k}": [0.1 * k, 0.1 * k + 0.02, None] for k in range(14)} | {"attribute 3": [0.2, None, None]}
    drawing = checked(draw.cost(reported, {"SOS": (1e4, 2e4, [80.0])}, gains, "n = 2"))
    assert len(drawing.arrays["gains, sorted"]) == 14
    assert "SOS predicts with 10 000 parameters" in drawing.finding


def test_nothing_run_and_a_table_without_its_columns(reported, checked):
    assert "no model was run" in checked(draw.cost(reported, {"SOS": (1e6, 1e6, [None])}, {}, "none")).finding
    with pytest.raises(ValueError, match="lacks \\['accuracy'\\]"):
        draw.cost(reported.drop(columns="accuracy"), DRAWN, {}, "n = 2")

"""The drawings of notebook 01b show the numbers that they are given."""

import pandas as pd
import pytest

from mtlib import figures
from mtlib.claims import interval
from mtlib.experiments import sos_toy
from mtlib.figures import sos_table as draw

MODELS = {"ST": 80.0, "MT": 85.0, "SOS": 90.0, "MT wide": 86.0}


def scores(sets=(8, 3), seeds=3):
    return pd.DataFrame([
        {"set": number, "arm": arm, "seed": seed, "average": mean + 2 * seed}
        for number in sets
        for arm, mean in MODELS.items()
        for seed in range(seeds)
    ])  # fmt: skip


def test_clouds_show_means_in_order_and_the_spread_of_seeds():
    drawing = draw.clouds(scores(), sos_toy.printed(), "n = 3")
    assert drawing.arrays["means"] == pytest.approx([82, 87, 92, 88] * 2)
    assert "up to 4 points" in drawing.finding
    assert figures.packed(drawing)["means"]["kind"] == "trained"
    names = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert names == ["ST", "MT", "SOS", "MT wide", "mean, 95 % interval", "printed (one run)"]


def test_printed_values_lie_within_the_axis_of_the_clouds():
    drawing = draw.clouds(scores(), sos_toy.printed(), "n = 3")
    low, high = drawing.figure.axes[0].get_ylim()
    assert low < 83.8  # MT on set 3
    assert 99.1 < high <= 101  # SOS on set 8


def test_paired_counts_the_printed_differences_that_no_single_run_of_ours_would_give():
    printed = sos_toy.printed().set_index(["set", "model"])["average"]
    gap = {pair: printed[8, pair[0]] - printed[8, pair[1]] for pair in draw.PAIRS}
    near = {f"set 8/{a}-{b}": [gap[a, b] - 1, gap[a, b] + 1] for a, b in draw.PAIRS}
    average = {f"average/{a}-{b}": [gap[a, b] + 100, gap[a, b] + 101] for a, b in draw.PAIRS}
    drawing = draw.paired(near | average, sos_toy.printed(), [8], "n = 2")
    assert "3 of 6 printed differences" in drawing.finding
    assert drawing.arrays["printed"][0] == pytest.approx(13.2)


def test_ablation_names_the_terms_that_are_missed():
    samples = {
        "average/SOS-without (4)": [1.0, 1.1, 0.9],
        "average/SOS-without (6)": [-0.5, 0.5, 0.1],
        "average/SOS-MT": [4.0, 4.2, 4.1],
    }
    drawing = draw.ablation(samples, "n = 3")
    assert "there is 1 setting ((4), common–specific) whose 95 % interval lies above zero" in drawing.finding
    assert drawing.arrays["means"] == pytest.approx([1.0, 0.1 / 3, 4.1])
    assert "there is no setting" in draw.ablation({"average/SOS-MT": [4.0, 4.2]}, "n = 2").finding


def test_probes_say_what_a_specific_space_tells():
    matrix = pd.DataFrame(
        {"task 1": [50.0, 95.0, 90.0, 60.0], "task 2": [54.0, 96.0, 62.0, 94.0]},
        index=["nothing", "common", "specific 1", "specific 2"],
    )
    drawing = draw.probes({"SOS": matrix, "without (6)": matrix}, "n = 2")
    assert "own task with 92.0 % and the other with 61.0 %" in drawing.finding
    assert "nothing gives 52.0 %" in drawing.finding
    texts = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert texts == ["50.0", "54.0", "95.0", "96.0", "90.0", "62.0", "60.0", "94.0"]


def test_readings_count_what_turns():
    def row(reading, ours, theirs):
        found = {"reading": reading, "sets": [6, 9]}
        for first, second in draw.PAIRS:
            found[f"{first}-{second} by default"] = vars(interval(ours))
            found[f"{first}-{second}"] = vars(interval(theirs))
        return found

    frame = pd.DataFrame([row("band", [1, 1.1], [-1, -1.1]), row("offset", [1, 1.1], [2, 2.1])])
    drawing = draw.readings(frame, "n = 2")
    assert "in 3 of 6 cases" in drawing.finding
    same = frame.assign(**{"MT-ST": frame["MT-ST by default"]})  # a reading that touches SOS alone
    assert "in 2 of 4 cases" in draw.readings(same, "n = 2").finding
    labels = [text.get_text() for text in drawing.figure.axes[0].get_yticklabels()]
    assert labels == ["band\nsets 6, 9", "offset\nsets 6, 9"]

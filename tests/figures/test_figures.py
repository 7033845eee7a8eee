"""A figure is its arrays: packed for comparison, the same bytes twice, never without alt text."""

import numpy as np
import pytest

from mtlib import figures, mime


def drawing(**changes):
    figure = figures.new(2, 2)
    figure.subplots().plot([0, 1], [1, 0])
    content = {
        "id": "line",
        "figure": figure,
        "arrays": {"y": [1.0, 0.0]},
        "alt": "A falling line.",
        "finding": "It falls.",
    }
    return figures.Drawing(**(content | changes))


def test_packed_arrays_carry_shape_values_and_how_to_compare():
    packed = figures.packed(drawing(arrays={"a": [[1, 2], [3, 4]], "b": [0.5]}, trained={"b": 0.1}))
    assert packed["a"] == {"shape": [2, 2], "values": [1, 2, 3, 4], "kind": "exact", "tolerance": 1e-6}
    assert packed["b"] == {"shape": [1], "values": [0.5], "kind": "trained", "tolerance": 0.1}


def test_a_large_array_is_sampled_evenly_with_both_ends():
    values = figures.packed(drawing(arrays={"long": np.arange(10_001)}))["long"]["values"]
    assert len(values) == figures.MOST
    assert (values[0], values[-1]) == (0, 10_000)


def test_a_value_that_is_not_finite_is_refused_by_name():
    with pytest.raises(ValueError, match="array 'y'"):
        figures.packed(drawing(arrays={"y": [1.0, float("nan")]}))


def test_a_trained_name_without_array_is_refused():
    with pytest.raises(ValueError, match="names no array"):
        figures.packed(drawing(trained={"z": 1.0}))


def test_the_same_figure_gives_the_same_bytes():
    assert figures.png(drawing().figure) == figures.png(drawing().figure)


def test_show_displays_picture_arrays_alt_and_finding(monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "display", lambda *a, **k: shown.append((a, k)))
    figures.show(drawing())
    (bundle,), options = shown[0]
    assert options["metadata"]["image/png"]["alt"] == "A falling line."
    assert bundle[mime.FIGURE]["finding"] == "It falls."
    assert {"image/png", "text/plain", mime.FIGURE} == set(bundle)
    assert "It falls." in shown[1][0][0].data


def test_colour_is_never_the_only_carrier():
    from mtlib.figures.sos import JOINT, MODEL

    for styles in (JOINT.values(), MODEL.values()):
        markers = [style[1] for style in styles]
        assert len(set(markers)) == len(markers)


def test_a_picture_of_pictures_is_given_more_colours():
    import io

    from PIL import Image

    figure = figures.new(3, 3)
    figure.subplots().imshow(np.arange(300 * 300 * 3, dtype=np.uint8).reshape(300, 300, 3))
    few, many = (Image.open(io.BytesIO(figures.png(figure, photo))).convert("RGB").getcolors(10**6) for photo in (0, 1))
    assert len(few) <= 128 < len(many) <= 256

"""Explorers: a plain function over a grid, a picture headless, sliders otherwise."""

import pytest

from mtlib import explore, figures


def draw(a, b):
    figure = figures.new(2, 2)
    figure.subplots().plot([0, a], [0, b])
    return figures.Drawing("pair", figure, {"pair": [a, b]}, f"A line to {a}, {b}.", f"It ends at {a}, {b}.")


CONTROLS = {"a": (1, 2, 3), "b": (10, 20)}


def test_the_grid_has_every_combination():
    grid = list(explore.Explorer("?", CONTROLS, {"a": 1, "b": 10}, draw).grid())
    assert len(grid) == 6
    assert grid[1] == {"a": 1, "b": 20}


@pytest.mark.parametrize("start", [{"a": 1}, {"a": 7, "b": 10}])
def test_a_start_off_the_grid_is_refused(start):
    with pytest.raises(ValueError, match="explorer"):
        explore.Explorer("?", CONTROLS, start, draw)


def test_a_slider_says_what_it_moves():
    box = explore.widget(explore.Explorer("?", CONTROLS, {"a": 1, "b": 10}, draw, {"a": "the end"}))
    assert [slider.description for slider in box.children[:2]] == ["the end", "b"]


def test_headless_shows_the_picture_at_the_start(monkeypatch):
    shown = []
    monkeypatch.setenv("MTLIB_HEADLESS", "1")
    monkeypatch.setattr(figures, "show", shown.append)
    explore.show(explore.Explorer("?", CONTROLS, {"a": 2, "b": 20}, draw))
    assert shown[0].arrays == {"pair": [2, 20]}


def test_moving_a_slider_changes_picture_and_finding():
    box = explore.widget(explore.Explorer("?", CONTROLS, {"a": 1, "b": 10}, draw))
    a, _, picture, finding = box.children
    before = picture.value
    a.value = 3
    assert picture.value != before
    assert "3, 10" in finding.value

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


def test_a_value_too_long_for_the_readout_is_refused():
    with pytest.raises(ValueError, match="longer than the 22 characters"):
        explore.Explorer("?", {"a": ("short", "x" * 23)}, {"a": "short"}, draw)


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


SWITCHES = {"a": (1, 2), "left": explore.SWITCH, "right": explore.SWITCH}


def draw_switched(a, left, right):
    return draw(a, 10 * left + 20 * right)


def test_two_values_of_a_switch_make_a_button_that_draws():
    start = {"a": 1, "left": False, "right": True}
    box = explore.widget(explore.Explorer("?", SWITCHES, start, draw_switched, {"left": "to the left"}))
    slider, switches, _, finding = box.children
    assert [button.description for button in switches.children] == ["to the left", "right"]
    assert [button.value for button in switches.children] == [False, True]
    switches.children[0].value = True
    assert "1, 30" in finding.value
    slider.value = 2
    assert "2, 30" in finding.value


def test_of_very_many_combinations_every_value_is_met_once(monkeypatch):
    one = explore.Explorer("?", SWITCHES, {"a": 1, "left": False, "right": True}, draw_switched)
    assert len(list(one.grid())) == 8
    monkeypatch.setattr(explore, "MOST", 7)
    grid = list(one.grid())
    assert grid[0] == one.start
    assert len(grid) == 4  # the start, another a, another left, another right
    assert {name: {values[name] for values in grid} for name in SWITCHES} == {k: set(v) for k, v in SWITCHES.items()}

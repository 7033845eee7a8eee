"""The explorer of drawn faces: what is switched is switched, and nothing else."""

import re

import pytest

from mtlib.explore.faces import switches
from mtlib.faces.draw import draw
from mtlib.faces.names import ATTRIBUTES, COLUMN

EXPLORER = switches(size=48)


def shown(**changes):
    return EXPLORER.draw(**{**EXPLORER.start, **changes})


def test_at_the_start_nothing_differs():
    drawing = shown()
    assert drawing.arrays["changed share of the pixels"] == [0]
    assert "labels changed: none" in drawing.finding


@pytest.mark.parametrize("name", ["Eyeglasses", "Attractive", "Male", "Wearing_Hat"])
def test_a_switch_turns_one_label_round(name):
    came = draw([3000], size=48).attributes[0]
    now = shown(**{name: True}).arrays["labels"][0]
    assert now[COLUMN[name]] == 1 - came[COLUMN[name]]
    assert [ATTRIBUTES[k] for k in (now != came).nonzero().flatten()] == [name]


def test_two_hair_colours_at_once_are_one():
    came = draw([3000], size=48).attributes[0]
    absent = [name for name in ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair") if not came[COLUMN[name]]]
    now = shown(**dict.fromkeys(absent, True)).arrays["labels"][0]
    assert now[COLUMN[absent[0]]] == 1
    assert sum(int(now[COLUMN[name]]) for name in absent) == 1


@pytest.mark.parametrize("expression", ["neutral", "happiness", "anger"])
def test_an_expression_is_said_with_its_units(expression):
    finding = shown(expression=expression).finding
    assert re.search(rf"{expression}, (AU\d+|no action unit)", finding)


def test_every_position_of_every_control_draws():
    grid = list(EXPLORER.grid())
    assert len(grid) == 1 + 19 + 7 + 40
    for values in grid[::8]:  # all are alike: a few say enough
        assert EXPLORER.draw(**values).alt

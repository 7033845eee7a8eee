"""Which attributes share a branch, and what a branch is."""

import csv

import pytest
import torch

from mtlib.dmm import Branch, grouped, groups, together
from mtlib.dmm.branches import FILE, Head
from mtlib.faces.names import ATTRIBUTES
from mtlib.paths import repository


def test_there_are_twenty_two_objective_and_eighteen_subjective_attributes():
    found = groups(ATTRIBUTES)
    assert {name: len(own) for name, own in found.items()} == {"objective": 22, "subjective": 18}
    assert sorted([*found["objective"], *found["subjective"]]) == sorted(ATTRIBUTES)


def test_the_groups_agree_with_the_text_once_its_swap_is_undone():
    found = groups(ATTRIBUTES)
    assert {"Eyeglasses", "Bangs", "Wearing_Hat", "Mouth_Slightly_Open"} <= set(found["objective"])
    assert {"Smiling", "Pointy_Nose", "Big_Lips", "Oval_Face", "Young", "Bushy_Eyebrows"} <= set(found["subjective"])
    # Sec. 3.2.1 has these four the other way round (D-1).
    assert {"Bald", "Male"} <= set(found["objective"])
    assert {"Attractive", "Big_Nose"} <= set(found["subjective"])


def test_the_file_says_which_groups_are_a_stand_in():
    with (repository() / "data" / "papers" / FILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["default_is_stand_in"] == "1" for row in rows) == 26


def test_the_papers_branches():
    shallow, deep = grouped(ATTRIBUTES)
    assert (shallow.hidden, shallow.sides) == ((1024,), (1,))
    assert (deep.hidden, deep.sides) == ((2048, 1024), (1, 2, 3))
    (every,) = together(ATTRIBUTES)
    assert (every.columns, every.hidden, every.sides) == (ATTRIBUTES, (2048, 1024), (1, 2, 3))
    (flat,) = together(ATTRIBUTES, 64, levels=1)
    assert (flat.hidden, flat.sides) == ((64,), (1,))


def test_a_head_has_the_layers_of_its_branch():
    head = Head(Branch(("a", "b"), (8, 4), (1, 2, 3)), channels=5, outputs=2)
    widths = [(layer.in_features, layer.out_features) for layer in head if isinstance(layer, torch.nn.Linear)]
    assert widths == [(5 * 14, 8), (8, 4), (4, 2)]
    assert head(torch.randn(3, 5, 4, 4)).shape == (3, 2)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="of 40 attributes, got 39"):
        groups(ATTRIBUTES[1:])
    for columns in ((), ("a", "a"), "ab"):
        with pytest.raises(ValueError, match="one or more columns with different names"):
            Branch(columns)

"""What ``do`` may ask of drawn faces, and what it changes.

An intervention sets one thing and leaves the rest of the face alone: nothing flows to other attributes. Only what is
one thing by definition moves together: Smiling and AU12, Mouth_Slightly_Open and AU25, the four hair colours, which
exclude each other, and an expression with its action units.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtlib.faces.names import ACTION_UNITS, ATTRIBUTES, COLUMN, EXPRESSIONS, UNIT
from mtlib.faces.structure import HAIR_COLOURS, Structure

if TYPE_CHECKING:
    from mtlib.faces.population import People

FOLLOWS = {"AU12": "Smiling", "AU25": "Mouth_Slightly_Open"}  # the unit is the sign of the attribute's margin


def parse(do: Mapping[str, int | str]) -> dict[str, int]:
    """The interventions with every value an integer, AU12 and AU25 by the names of their attributes.

    Raises:
        ValueError: an unknown name or value, or two interventions that contradict each other.
    """
    wanted: dict[str, int] = {}
    for name, value in do.items():
        if name == "expression":
            value = EXPRESSIONS.index(value) if value in EXPRESSIONS else value
            accepted, known = f"0 to 6 or one of {', '.join(EXPRESSIONS)}", range(len(EXPRESSIONS))
        elif name in COLUMN or name in (f"AU{unit}" for unit in ACTION_UNITS):
            accepted, known = "0 or 1", range(2)
        else:
            units = ", ".join(f"AU{unit}" for unit in ACTION_UNITS)
            raise ValueError(
                f"do has no {name!r}: it takes expression, an attribute ({', '.join(ATTRIBUTES)}) or an "
                f"action unit ({units})"
            )
        if isinstance(value, str) or value not in known:
            raise ValueError(f"do {name} is {accepted}, got {value!r}")
        name = FOLLOWS.get(name, name)
        if wanted.setdefault(name, int(value)) != value:
            raise ValueError(f"do asks for {name} and, by its action unit, for the contrary")
    colours = [ATTRIBUTES[column] for column in HAIR_COLOURS if wanted.get(ATTRIBUTES[column]) == 1]
    if len(colours) > 1:
        raise ValueError(f"do asks for {' and '.join(colours)}: hair has one colour")
    return wanted


def without(do: Mapping[str, int | str], attribute: str) -> dict[str, int | str]:
    """The interventions less those that could contradict one on ``attribute``: its unit, other colours of hair."""
    colours = {ATTRIBUTES[column] for column in HAIR_COLOURS}
    related = {unit for unit, name in FOLLOWS.items() if name == attribute} | (
        colours if attribute in colours else set()
    )
    return {name: value for name, value in do.items() if name not in related}


def intervene(faces: "People", wanted: Mapping[str, int], uniforms: Tensor, population: Structure) -> None:
    """Change the faces as parsed; the expression first, so that a named action unit or attribute has the last word.

    Args:
        faces: changed in place.
        wanted: what :func:`parse` gave.
        uniforms: (n, 17) the numbers by which the faces' action units were drawn.
        population: for the table of action units and the median margins.
    """
    if "expression" in wanted:
        _express(faces, wanted["expression"], uniforms, population)
    for name, value in wanted.items():
        if name in COLUMN:
            every = torch.ones(len(faces.index), dtype=torch.bool, device=faces.index.device)
            _set(faces, COLUMN[name], every, value, population)
            if value == 1 and COLUMN[name] in HAIR_COLOURS:
                for other in HAIR_COLOURS:
                    if other != COLUMN[name]:
                        _set(faces, other, every, 0, population)
        elif name != "expression":
            faces.action_units[:, UNIT[int(name.removeprefix("AU"))]] = value
    for unit, attribute in FOLLOWS.items():
        faces.action_units[:, UNIT[int(unit.removeprefix("AU"))]] = faces.margin[:, COLUMN[attribute]] > 0


def _express(faces: "People", expression: int, uniforms: Tensor, population: Structure) -> None:
    """The units that these faces would have had under another expression: their own uniforms, its probabilities.

    AU12 and AU25 came from the appearance and have no uniform yet; given what they are, theirs is uniform below the
    probability that they had, or above it.
    """
    before, after = population.au_table[faces.expression], population.au_table[expression]  # n 17, 17
    own = torch.where(faces.action_units > 0, uniforms * before, before + uniforms * (1 - before))
    for unit, attribute in FOLLOWS.items():
        column = UNIT[int(unit.removeprefix("AU"))]
        had, has = faces.action_units[:, column] > 0, own[:, column] < after[column]
        for value in (0, 1):
            _set(faces, COLUMN[attribute], (had != has) & (has == bool(value)), value, population)
    faces.action_units.copy_(uniforms < after)  # of AU12 and AU25 the margins decide, later
    faces.expression.fill_(expression)


def _set(faces: "People", column: int, where: Tensor, value: int, population: Structure) -> None:
    """Label and drawn state of one attribute where asked; a margin that has the wanted sign already is kept."""
    margin, labels = faces.margin[:, column], faces.attributes[:, column]
    wrong = where & ((margin > 0) != bool(value))
    faces.margin[:, column] = torch.where(wrong, population.median[value, column], margin)
    faces.attributes[:, column] = torch.where(where, value, labels)

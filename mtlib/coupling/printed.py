"""Table 1 of the paper: which action units go with which expression, by a study of people or by a data base."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import torch

from mtlib.coupling.relations import Relations
from mtlib.faces.names import ACTION_UNITS, EXPRESSIONS
from mtlib.paths import repository

From = Literal["study", "database"]
FILE = Path("data") / "papers" / "dm_table1_expression_au.csv"
KINDS = {"study": ("proto", "observational"), "database": ("affwild2",)}


def relations(
    source: From = "study",
    expressions: Sequence[str] = EXPRESSIONS,
    units: Sequence[str] = tuple(f"AU{unit}" for unit in ACTION_UNITS),
) -> Relations:
    """The printed relations of expressions and action units, as Eqs. (2) and (4) use them.

    ``study`` (Du, Tao and Martinez 2014): p = 1 for prototypical and observational units alike, as printed, w = 1 for
    prototypical ones and the share of annotators for observational ones. ``database`` (Aff-Wild2): p = w = the share of
    images (X-9). Whatever is not listed has p = w = 0, and so has every unit of a neutral face.

    The study asked what is seen on faces that *act* an emotion. A relation tells how faces move, not what people feel.

    Args:
        source: ``study`` or ``database``.
        expressions: names and order of the classes; any that the table does not list has no relation (X-8).
        units: names and order of the action units, such as "AU12".

    Raises:
        ValueError: another source, or no listed expression or unit among the names.
    """
    if source not in get_args(From):
        raise ValueError(f"relations are from {' or '.join(map(repr, get_args(From)))}, got {source!r}")
    probability, weight = torch.zeros(2, len(expressions), len(units))
    with (repository() / FILE).open() as file:
        for row in csv.DictReader(file):
            name = f"AU{row['au']}"
            if row["kind"] in KINDS[source] and row["expression"] in expressions and name in units:
                cell = list(expressions).index(row["expression"]), list(units).index(name)
                weight[cell] = float(row["weight"])
                probability[cell] = 1.0 if source == "study" else float(row["weight"])
    if not weight.any():
        raise ValueError(
            f"the table relates {', '.join(EXPRESSIONS[1:])} to units such as 'AU12'; none of them is among "
            f"{tuple(expressions)} and {tuple(units)}"
        )
    return Relations(tuple(expressions), tuple(units), probability, weight)

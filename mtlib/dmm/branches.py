"""Which attributes share a branch, and what a branch is: a pyramid, then layers."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from mtlib.dmm.pyramid import Pyramid, sides
from mtlib.paths import repository

FILE = "dmm_attribute_groups.csv"
OBJECTIVE, SUBJECTIVE = "objective", "subjective"


@dataclass(frozen=True)
class Branch:
    """How some columns are read off the shared map.

    Args:
        columns: their names.
        hidden: widths of the layers before the last one, each followed by a ReLU.
        sides: grids of the pyramid.  pool: of each block.

    Raises:
        ValueError: no columns, or one twice.
    """

    columns: tuple[str, ...]
    hidden: tuple[int, ...] = (1024,)
    sides: tuple[int, ...] = (1,)
    pool: Literal["max", "mean"] = "max"

    def __post_init__(self) -> None:
        columns = tuple(self.columns)
        if isinstance(self.columns, str) or not columns or len(set(columns)) < len(columns):
            raise ValueError(f"a branch has one or more columns with different names, got {self.columns!r}")
        object.__setattr__(self, "columns", columns)


class Head(nn.Sequential):
    """A branch as layers: a map (B, channels, h, w) to (B, outputs)."""

    def __init__(self, branch: Branch, channels: int, outputs: int) -> None:
        pyramid = Pyramid(branch.sides, branch.pool)
        layers: list[nn.Module] = [pyramid]
        width = channels * pyramid.blocks
        for hidden in branch.hidden:
            layers += [nn.Linear(width, hidden), nn.ReLU()]
            width = hidden
        super().__init__(*layers, nn.Linear(width, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, channels, h, w) to (B, outputs), linear (D-13)."""
        return super().forward(x)


def groups(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The 22 objective and 18 subjective attributes, for forty names in CelebA's order, whatever they are called.

    The paper's own division is in figures that the text does not have, and its one sentence of examples has the two
    words exchanged (D-1). Fourteen are settled by the rest of the text; the others are a stand-in that agrees with
    every statement and with the two counts (D-2): column ``default_is_stand_in`` of data/papers/.

    Raises:
        ValueError: not forty names.
    """
    with (repository() / "data" / "papers" / FILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    if len(names) != len(rows):
        raise ValueError(f"the groups are of {len(rows)} attributes, got {len(names)} names")
    found: dict[str, list[str]] = {OBJECTIVE: [], SUBJECTIVE: []}
    for row in rows:
        found[row["default_group"]].append(names[int(row["idx"]) - 1])
    return {group: tuple(members) for group, members in found.items()}


def grouped(names: Sequence[str], width: int = 1024, levels: int = 3) -> tuple[Branch, Branch]:
    """Sec. 3.2.1: objective attributes from the maximum over all places, subjective ones from a pyramid.

    Args:
        names: forty, in CelebA's order.
        width: of the last hidden layers; 1 024 in the paper. The pyramid's first layer is twice as wide.
        levels: of the subjective branch's pyramid.
    """
    by_group = groups(names)
    deep = Branch(by_group[SUBJECTIVE], (2 * width, width), sides(levels))
    return Branch(by_group[OBJECTIVE], (width,)), deep


def together(names: Sequence[str], width: int = 1024, levels: int = 3) -> tuple[Branch]:
    """All attributes in one branch: the subjective one's layers with three levels (the paper's DMM-SPP), else one's."""
    hidden = (2 * width, width) if levels > 1 else (width,)
    return (Branch(tuple(names), hidden, sides(levels)),)

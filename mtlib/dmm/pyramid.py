"""Spatial pyramid pooling (He et al. 2015): a vector of one length from a map of any size."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Reading = Literal["cumulative", "blocks"]


def sides(levels: int, reading: Reading = "cumulative") -> tuple[int, ...]:
    """The grids of an n-level pyramid, by their sides (D-3).

    ``cumulative``, the default: 1 x 1 to n x n together; of three levels 1 + 4 + 9 = 14 blocks, which is the printed
    size, 28 672 = 14 * 2 048. ``blocks``: n x n alone, as the sentence has it; 9 blocks.

    Raises:
        ValueError: levels below 1, or another reading.
    """
    if not isinstance(levels, int) or isinstance(levels, bool) or levels < 1:
        raise ValueError(f"a pyramid has 1 level or more, got {levels!r}")
    if reading not in ("cumulative", "blocks"):
        raise ValueError(f"a pyramid's reading is 'cumulative' or 'blocks', got {reading!r}")
    return tuple(range(1, levels + 1)) if reading == "cumulative" else (levels,)


class Pyramid(nn.Module):
    """The maximum in every block of every grid: (B, C, h, w) to (B, C * blocks), blocks = sum of side^2.

    Block (i, j) of a grid of side s has the rows floor(i h / s) to ceil((i + 1) h / s) - 1, columns alike: where s
    does not divide h, neighbours share a row. A map smaller than a grid would be read several times over; it is
    refused.

    Args:
        sides: of the grids, such as ``sides(3)``.  pool: ``max``, or ``mean`` for the baseline, whose trunk ends so.

    Raises:
        ValueError: no sides, or another pool.
    """

    def __init__(self, sides: tuple[int, ...] = (1,), pool: Literal["max", "mean"] = "max") -> None:
        super().__init__()
        if not sides or min(sides) < 1:
            raise ValueError(f"a pyramid has grids of side 1 or more, got {sides!r}")
        if pool not in ("max", "mean"):
            raise ValueError(f"a pyramid pools by 'max' or 'mean', got {pool!r}")
        self.sides, self.pool = tuple(sides), pool
        self.blocks = sum(side * side for side in self.sides)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, h, w); the vector has grid after grid, in each channel after channel, in each row after row.

        Raises:
            ValueError: a map with fewer rows or columns than a grid.
        """
        if min(x.shape[-2:]) < max(self.sides):
            raise ValueError(
                f"the map is {x.shape[-2]} x {x.shape[-1]}; a pyramid with a grid of {max(self.sides)} x "
                f"{max(self.sides)} needs as many rows and columns: give larger images or fewer levels"
            )
        return torch.cat([self._grid(x, side).flatten(1) for side in self.sides], 1)

    def _grid(self, x: Tensor, side: int) -> Tensor:
        """(B, C, side, side)."""
        if side == 1:
            # As adaptive pooling of one block, whose way back is slower.
            return x.flatten(2).amax(2, keepdim=True) if self.pool == "max" else x.flatten(2).mean(2, keepdim=True)
        if x.shape[-2] == x.shape[-1] == side:
            return x
        pool = F.adaptive_max_pool2d if self.pool == "max" else F.adaptive_avg_pool2d
        return pool(x, side)

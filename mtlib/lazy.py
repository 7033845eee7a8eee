"""Inputs that are made when asked for: what may stand where a tensor of inputs stands in a ``Split``."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Self

import torch
from torch import Tensor

ROOM = 2**30  # bytes of inputs that ``select`` copies; of more, rows are looked up when they are asked for


class Lazy(ABC):
    """As much of a tensor (N, ...) as training asks for: its rows, and what they look like.

    ``lazy[rows]`` gives the rows as a tensor, for whole numbers (B,), a slice, a mask (N,) or one number, as a tensor
    would. A subclass says how rows are made, and what they follow from.

    Args:
        index: (N,) whole numbers, what each row is made from; its device is the rows' device.
        row: shape of one row.  dtype: of the rows.
    """

    recipe: str  # all that the rows follow from besides ``sources``: what a checkpoint knows the data by

    def __init__(self, index: Tensor, row: tuple[int, ...], dtype: torch.dtype) -> None:
        self.index, self.row, self.dtype = index, tuple(row), dtype

    @abstractmethod
    def make(self, index: Tensor) -> Tensor:
        """The rows (B, ...) of ``index`` (B,), the same whatever else is asked for with them."""

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """The tensors that the rows follow from."""
        return (self.index,)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def shape(self) -> torch.Size:
        """(N, ...), as of the tensor that it stands for."""
        return torch.Size((len(self), *self.row))

    @property
    def ndim(self) -> int:
        """Dimensions, that of the rows among them."""
        return 1 + len(self.row)

    @property
    def device(self) -> torch.device:
        """Where the rows are made."""
        return self.index.device

    def is_floating_point(self) -> bool:
        """Whether the rows hold floating numbers."""
        return self.dtype.is_floating_point

    def __getitem__(self, rows: Tensor | slice | int) -> Tensor:
        index = self.index[rows]
        if index.ndim > 1:
            raise IndexError(f"rows of a {type(self).__name__} are (B,) whole numbers, got {tuple(index.shape)}")
        return self.make(index) if index.ndim else self.make(index.unsqueeze(0))[0]

    def split(self, rows: int) -> Iterator[Tensor]:
        """The rows in order, ``rows`` at a time, each part made when it is its turn."""
        for index in self.index.split(rows):
            yield self.make(index)

    def select(self, rows: Tensor) -> Self:
        """The same with the rows ``rows`` (B,) alone, none of them made yet."""
        other = copy.copy(self)
        other.index = self.index[rows]
        return other


class Selected(Lazy):
    """Rows of a tensor that is too large to be copied, a memory-mapped one say; the tensor stays where it is.

    Args:
        x: (M, ...).  index: (N,) row numbers of it.
    """

    recipe = "rows of a tensor"

    def __init__(self, x: Tensor, index: Tensor) -> None:
        super().__init__(index, x.shape[1:], x.dtype)
        self.x = x

    def make(self, index: Tensor) -> Tensor:
        """x[index]."""
        return self.x[index]

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """The tensor, and which of its rows."""
        return self.x, self.index


def select(x: Tensor | Lazy, rows: Tensor) -> Tensor | Lazy:
    """The rows ``rows`` (B,) of x: a copy if it is small enough (``ROOM``), else looked up when asked for."""
    if isinstance(x, Lazy):
        return x.select(rows)
    copied = len(rows) * x[:1].nbytes
    return x[rows] if copied <= ROOM else Selected(x, rows)

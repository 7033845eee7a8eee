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
    whole: Tensor | None = None  # the tensor that it stands for, where there is one: all its rows, in their order

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
        """x[index], in a seventh of the time that indexing takes for bytes on the CPU."""
        return self.x.index_select(0, index)

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """The tensor, and which of its rows."""
        return self.x, self.index

    @property
    def whole(self) -> Tensor | None:
        """The tensor, if these are all its rows: a run may go on where it has been placed differently."""
        return self.x if torch.equal(self.index.cpu(), torch.arange(len(self.x))) else None


class Streamed(Selected):
    """Rows of a tensor in CPU memory for batches on another device, which has no room for all of them.

    Rows are gathered into pinned memory and copied from there while the device goes on with what it has. Nobody
    waits, if row numbers are asked for that lie in CPU memory; those of a CUDA device have to be waited for.

    Args:
        x: (M, ...) in CPU memory, a memory-mapped file say.
        device: where the rows are wanted.
        index: (N,) row numbers of it, all of them in their order if not given.
    """

    def __init__(self, x: Tensor, device: torch.device | str, index: Tensor | None = None) -> None:
        super().__init__(x, torch.arange(len(x)) if index is None else index.cpu())
        self.target = _named(device)

    @property
    def device(self) -> torch.device:
        """Where the rows are wanted."""
        return self.target

    def __getitem__(self, rows: Tensor | slice | int) -> Tensor:
        return super().__getitem__(rows.cpu() if isinstance(rows, Tensor) else rows)

    def make(self, index: Tensor) -> Tensor:
        """x[index], on the device or on its way there."""
        rows = torch.empty(len(index), *self.row, dtype=self.dtype, pin_memory=self.target.type == "cuda")
        return torch.index_select(self.x, 0, index, out=rows).to(self.target, non_blocking=True)

    def select(self, rows: Tensor) -> Self:
        """The same with the rows ``rows`` (B,) alone, none of them looked up yet."""
        return super().select(rows.cpu())


def place(x: Tensor, device: torch.device | str, budget: float = 0.6) -> Tensor | Lazy:
    """x for batches on a device: a copy there if it has the room, else streamed to it batch by batch.

    Args:
        x: (N, ...) in CPU memory; for the CPU it stays as it is.
        budget: share of the device's free memory that it may take. Place the largest split first.

    Raises:
        ValueError: the budget is no share.
    """
    if not 0 <= budget <= 1:
        raise ValueError(f"budget is a share of the free memory, 0 to 1, got {budget!r}")
    device = _named(device)
    free = _free(device)
    if free is None or x.device == device or x.nbytes <= budget * free:
        return x.to(device)
    return Streamed(x, device)


def sent(x: Tensor, device: torch.device) -> Tensor:
    """x on the device, or on its way there: unpinned, the host would wait until the device has done all before it."""
    if device.type != "cuda" or x.is_cuda:
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)


def _named(device: torch.device | str) -> torch.device:
    """A device as its tensors name it: "cuda" by its number."""
    return torch.empty(0, device=device).device


def _free(device: torch.device) -> int | None:
    """Bytes that a device has left; None where that is not the question."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None


def select(x: Tensor | Lazy, rows: Tensor) -> Tensor | Lazy:
    """The rows ``rows`` (B,) of x: a copy if it is small enough (``ROOM``), else looked up when asked for."""
    if isinstance(x, Lazy):
        return x.select(rows)
    copied = len(rows) * x[:1].nbytes
    return x[rows] if copied <= ROOM else Selected(x, rows)

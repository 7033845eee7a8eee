"""``pairs``: pictures two by two, of one person or of two, for verification."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from mtlib.datasets.geometry import Geometry
from mtlib.datasets.packing import Storage, check_storage, decoded, kept
from mtlib.datasets.pictures import Pictures
from mtlib.datasets.registry import Entry, run
from mtlib.datasets.source import folder_of_all
from mtlib.lazy import Lazy

# Readers (folder, **options) -> Listed.
ENTRIES = {
    "lfw": Entry("lfw", "lfw", "read_pairs"),
    "att_faces": Entry("att_faces", "pairs", "all_of_att"),
    "manifest": Entry("manifest", "manifest", "read_pairs"),
}


@dataclass
class Listed:
    """Pairs as they lie on disk: M pictures, and P pairs as in ``Pairs``."""

    title: str
    x: Pictures
    first: Tensor
    second: Tensor
    same: Tensor
    fold: Tensor


@dataclass
class Pairs:
    """P pairs of M pictures.

    x: (M, C, H, W) uint8, every picture once.  first, second: (P,) rows of x.  same: (P,) bool, whether they show one
    person.  fold: (P,) whole numbers; all 0 where there are no folds.
    """

    name: str
    x: Tensor | Lazy
    first: Tensor
    second: Tensor
    same: Tensor
    fold: Tensor

    def __len__(self) -> int:
        return len(self.same)

    def folds(self) -> Iterator[tuple[Tensor, Tensor]]:
        """For every fold the pairs of the others, to choose a threshold on say, and its own, to test it.

        Raises:
            ValueError: there are no folds.
        """
        numbers = self.fold.unique().tolist()
        if len(numbers) < 2:
            raise ValueError(f"{self.name} has no folds")
        for number in numbers:
            yield (self.fold != number).nonzero().flatten(), (self.fold == number).nonzero().flatten()


def pairs(
    name: str,
    *,
    root: Path | str | None = None,
    size: int | None = None,
    fit: Literal["crop", "stretch"] = "crop",
    channels: Literal[1, 3] | None = None,
    storage: Storage = "auto",
    cache: Path | str | None = None,
    device: torch.device | str = "cpu",
    **options: Any,
) -> Pairs:
    """Pairs of a data set's pictures, which are decoded once each and cached, as those of ``load``.

    Args:
        name: ``lfw`` (options ``view`` and ``images``), ``att_faces`` (all pairs of the twenty people to test on) or
            ``manifest``, a ``pairs.csv`` of one's own (option ``set``); see the readers.
        root, size, fit, channels, storage, cache, device: as for ``load``.
        options: of single sets, see their readers.

    Raises:
        ValueError: an argument that does not exist or does not fit, or a damaged file, named.
        FileNotFoundError: the set, or a part of it, is not there; what, and where to read about it.
        OSError: no room for the cache.
    """
    geometry = Geometry(size, fit, channels)
    if name not in ENTRIES:
        raise ValueError(f"there are no pairs of {name!r}; there are of {', '.join(ENTRIES)}")
    check_storage(storage)
    listed = run(name, ENTRIES[name], folder_of_all(root), options)
    x = kept(decoded(name, listed.title, {"pairs": listed.x}, geometry, cache)["pairs"], storage, device)
    columns = (column.to(device) for column in (listed.first, listed.second, listed.same, listed.fold))
    return Pairs(f"{listed.title}, {geometry}", x, *columns)


def all_of_att(folder: Path) -> Listed:
    """Every two of the 200 pictures of the AT&T faces' twenty people to test on, 900 pairs of 19 900 of one person."""
    from mtlib.datasets import att

    part = att.read(folder, split="people").parts["test"]
    person = part.y["identity"].flatten()
    first, second = torch.combinations(torch.arange(len(part)), 2).unbind(1)
    return Listed(att.TITLE, part.x, first, second, person[first] == person[second], torch.zeros_like(first))

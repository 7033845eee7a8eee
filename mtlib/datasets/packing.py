"""Decoded pictures: once into a file, from there to where training happens."""

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from mtlib.datasets.geometry import Geometry
from mtlib.datasets.pictures import Pictures, Raw
from mtlib.lazy import Lazy, Streamed, place
from mtlib.paths import repository
from mtlib.storage import Packed, check_room

Storage = Literal["auto", "resident", "stream"]
PACKING = 1  # raised when what is packed of the same pictures changes


def check_storage(storage: str) -> None:
    """Raises ValueError for what is no ``Storage``."""
    if storage not in get_args(Storage):
        raise ValueError(f"storage is one of {', '.join(get_args(Storage))}, got {storage!r}")


def decoded(
    name: str, title: str, xs: Mapping[str, Pictures], geometry: Geometry, cache: Path | str | None
) -> dict[str, Tensor]:
    """The pictures of every split, (N, C, H, W) uint8, mapped from the cache; those in memory as they are.

    Args:
        name: of the data set, which the files begin with.  title: what tells two sets of one name apart.
        xs: the splits' pictures by name.
        cache: folder of the files, ``data/cache`` of the course without; a file is made again where its pictures, their
            sizes or their dates have changed.

    Raises:
        FileNotFoundError: pictures are missing; none of the others has been decoded then.
        ValueError: one cannot be read, or is of another shape than the first.
        OSError: no room.
    """
    if geometry == Geometry() and all(isinstance(x, Raw) for x in xs.values()):
        return {split: x.x for split, x in xs.items()}
    folder = repository() / "data" / "cache" if cache is None else Path(cache)
    digests = {split: x.digest() for split, x in xs.items()}
    row = tuple(next(iter(xs.values())).one(0, geometry).shape)
    packs = {}
    for split, x in xs.items():
        key = {"holds": title, "version": PACKING, "source": digests[split], "geometry": str(geometry)}
        file = f"{name}-{split}-{len(x)}-{'x'.join(map(str, row))}-{geometry.fit}-{_short(title, digests[split])}"
        packs[split] = Packed(folder / file, key, (len(x), *row))
    check_room(packs.values())
    return {
        split: pack.ensure(partial(xs[split].decode, geometry=geometry, row=row), f"reading {name} {split}")
        for split, pack in packs.items()
    }


def kept(x: Tensor, storage: Storage, device: torch.device | str) -> Tensor | Lazy:
    """x (N, ...) on the device, or streamed to it from where it is, as ``load`` explains."""
    return {"auto": place, "resident": Tensor.to, "stream": Streamed}[storage](x, device)


def _short(title: str, digest: str) -> str:
    """Eight characters: sets, or states of a set, that differ do not overwrite each other."""
    return hashlib.blake2b(f"{title} {digest}".encode(), digest_size=4).hexdigest()

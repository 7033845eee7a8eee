"""``load``: any data set by its name, as the one ``Dataset`` that everything trains on."""

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from mtlib import faces
from mtlib.datasets import registry
from mtlib.datasets.geometry import Geometry, luma
from mtlib.datasets.mixture import join
from mtlib.datasets.packing import Storage, check_storage, decoded, kept
from mtlib.datasets.pictures import Pictures
from mtlib.datasets.source import Part, Source, choose, folder_of_all
from mtlib.seeds import generator
from mtlib.tasks import Dataset, Split

AT_ONCE = 4096  # pictures made grey together


def load(
    name: str,
    *,
    root: Path | str | None = None,
    size: int | None = None,
    fit: Literal["crop", "stretch"] = "crop",
    channels: Literal[1, 3] | None = None,
    tasks: Sequence[str] | None = None,
    train: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    storage: Storage = "auto",
    cache: Path | str | None = None,
    device: torch.device | str = "cpu",
    **options: Any,
) -> Dataset:
    """A data set with its official splits; ``data/README.md`` says of each what it is and how to get it.

    Pictures are decoded once, all to one size, into a file that later calls map into memory (``storage.Packed``); they
    stay bytes, which a network's first layer turns into floats. Tables of numbers are read whole.

    Args:
        name: one of ``NAMES``, or two of them with a ``+`` between: a mixture whose examples have labels of one
            set's tasks only (``Split.source`` is 1 for the first, 2 for the second).
        root: folder with a folder per data set (drawn faces need none); without it the one that the environment's
            MTLIB_DATA names, else the course's ``data/``.
        size, fit, channels: of pictures, see ``Geometry``. A set whose pictures differ needs a size.
        tasks: names of those to take labels of; each set has a default.
        train, validation, test: at most so many examples of each split, and of each set of a mixture, the first ones.
            Where there is no official validation split, ``validation`` training examples are held out, always the same;
            without it none are. Where it is known who is on each picture, and nobody is in both training and test,
            whole people are held out: at most so many examples.
        storage: ``resident`` on the device; ``stream`` from the mapped file, batch by batch; ``auto`` the first if
            it fits.
        cache: folder of the decoded pictures; ``data/cache`` of the course without.
        device: where batches are wanted.
        options: of single sets, see their readers.

    Returns:
        Dataset of x (N, C, size, size) uint8 or (N, features) float32, and y as ``Task`` says. Tasks that are places
        in pictures are given as fractions of them, see ``Geometry.fractions``.

    Raises:
        ValueError: an argument that does not exist or does not fit, or a damaged file, named.
        FileNotFoundError: the set, or a part of it, is not there; what, and where to read about it.
        OSError: no room for the cache.
    """
    geometry, limits = Geometry(size, fit, channels), {"train": train, "validation": validation, "test": test}
    _check(name, limits, storage)
    if name == registry.DRAWN:
        return _drawn(geometry, limits, tasks, storage, device, options)
    names = name.split("+")
    entries = [registry.entry(each) for each in names]
    if len(entries) > 2 or (len(entries) == 2 and options):
        raise ValueError(f"a mixture is of two sets, without options of their own, got {name!r} with {options}")
    found = folder_of_all(root)
    sources = [_cut(each, registry.read(each, found, options), limits) for each in names]
    source = sources[0] if len(sources) == 1 else join(*sources, tasks)
    return _placed(name, source, tasks, geometry, storage, cache, device)


def _check(name: str, limits: dict[str, int | None], storage: str) -> None:
    if not isinstance(name, str):
        raise ValueError(f"the name of a data set is one of {', '.join(registry.NAMES)}, got {name!r}")
    for split, n in limits.items():
        if n is not None and (isinstance(n, bool) or not isinstance(n, Integral) or n < 1):
            raise ValueError(f"{split} is a number of examples, 1 or more, or None for all, got {n!r}")
    check_storage(storage)


def _cut(name: str, source: Source, limits: dict[str, int | None]) -> Source:
    """The source with a validation split if there is to be one, and splits no longer than asked for."""
    parts, wanted = dict(source.parts), limits["validation"]
    if wanted is not None and "validation" not in parts:
        n = len(parts["train"])
        if wanted >= n:
            raise ValueError(f"{name}: validation takes {wanted} of {n} training examples, and none would be left")
        held = _held_out(name, parts, wanted)
        parts["validation"] = parts["train"].take(held.nonzero().flatten())
        parts["train"] = parts["train"].take((~held).nonzero().flatten())
    for split, part in parts.items():
        if limits[split] is not None and limits[split] < len(part):
            parts[split] = part.take(torch.arange(limits[split]))
    return replace(source, parts=parts)


def _held_out(name: str, parts: dict[str, Part], wanted: int) -> Tensor:
    """Which training examples (N,) are to validate on: single ones, or all those of some people.

    Raises:
        ValueError: no person has so few examples.
    """
    n = len(parts["train"])
    random = generator("held out", name)
    who = parts["train"].y.get("identity")
    if who is None or torch.isin(parts["test"].y["identity"], who[who >= 0]).any():
        return torch.isin(torch.arange(n), torch.randperm(n, generator=random)[:wanted])
    people, who, counts = who.flatten().unique(return_inverse=True, return_counts=True)
    order = torch.randperm(len(people), generator=random)
    chosen = order[counts[order].cumsum(0) <= wanted]
    if not len(chosen):
        raise ValueError(
            f"{name}: validation of {wanted} is less than the examples of one person; whole people are held out"
        )
    return torch.isin(who, chosen)


def _placed(
    name: str,
    source: Source,
    tasks: Sequence[str] | None,
    geometry: Geometry,
    storage: Storage,
    cache: Path | str | None,
    device: torch.device | str,
) -> Dataset:
    """The data set where training happens, its pictures through the cache."""
    chosen = choose(source.tasks, tasks, source.chosen, source.lacking)
    title, xs = source.title, {split: part.x for split, part in source.parts.items()}
    if isinstance(xs["train"], Pictures):
        title, xs = f"{title}, {geometry}", decoded(name, source.title, xs, geometry, cache)
    elif geometry != Geometry():
        raise ValueError(f"{name} has no pictures: it takes no size, fit or channels")
    splits = {}
    for split, part in source.parts.items():
        y = {task.name: part.y[task.name] for task in chosen}
        for task in set(source.places) & set(y):
            y[task] = geometry.fractions(y[task], *source.frame)
        origin = None if part.source is None else part.source.to(device)
        y = {key: labels.to(device) for key, labels in y.items()}
        splits[split] = Split(kept(xs[split], storage, device), y, origin)
    return Dataset(title, chosen, **splits)


def _drawn(
    geometry: Geometry,
    limits: dict[str, int | None],
    tasks: Sequence[str] | None,
    storage: Storage,
    device: torch.device | str,
    options: dict[str, Any],
) -> Dataset:
    """Drawn faces, which need no folder; ``stream`` draws them whenever a batch is asked for."""
    grey = geometry.channels == 1
    if geometry.fit != "crop":
        raise ValueError(f"{registry.DRAWN} are drawn at the size asked for: there is no fit {geometry.fit!r}")
    if grey and storage == "stream":
        raise ValueError(f"{registry.DRAWN} in grey are resident: with channels=1, storage is auto or resident")
    unknown = sorted(set(options) - {"seed"})
    if unknown:
        raise ValueError(f"{registry.DRAWN} has no option {unknown[0]!r}; it has seed")
    wanted = {split: n for split, n in limits.items() if n is not None}
    wanted |= {} if geometry.size is None else {"size": geometry.size}
    wanted |= {} if tasks is None else {"tasks": tasks}
    data = faces.dataset(**wanted, storage="fly" if storage == "stream" else "resident", device=device, **options)
    if grey:
        data = replace(data, name=f"{data.name}, grey")
        for split in (data.train, data.validation, data.test):
            split.x = torch.cat([luma(part) for part in split.x.split(AT_ONCE)])
    return data

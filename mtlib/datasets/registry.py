"""Which data sets there are, where each lies, and who reads it."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlib.datasets.source import Source


@dataclass(frozen=True)
class Entry:
    """A data set.

    folder: below the folder of all data sets.  module, function: the reader, (folder, **options) -> Source.
    options: fixed here, for readers that serve several sets.
    """

    folder: str
    module: str
    function: str = "read"
    options: tuple[tuple[str, Any], ...] = ()

    def reader(self) -> Callable[..., Source]:
        """The reader's function; its module is imported now."""
        return getattr(importlib.import_module(f"mtlib.datasets.{self.module}"), self.function)


def _mulan(function: str, *names: str) -> dict[str, Entry]:
    return {name: Entry("mulan", "mulan", function, (("name", name),)) for name in names}


ENTRIES = {
    "mnist": Entry("mnist", "mnist", options=(("name", "MNIST"),)),
    "fashion_mnist": Entry("fashion_mnist", "mnist", options=(("name", "FashionMNIST"),)),
    "cifar10": Entry("cifar10", "cifar", "read_10"),
    "cifar100": Entry("cifar100", "cifar", "read_100"),
    "celeba": Entry("celeba", "celeba"),
    "lfwa": Entry("lfw", "lfw", "read_lfwa"),
    "cub": Entry("cub", "cub"),
    "att_faces": Entry("att_faces", "att"),
    "digits": Entry("", "digits"),
    "school": Entry("school", "school"),
    **_mulan("read", "scene", "yeast", "emotions", "flags"),
    **_mulan("read_targets", "atp1d", "atp7d", "oes97", "oes10", "edm", "sf1", "sf2"),
    **_mulan("read_targets", "jura", "wq", "enb", "slump", "andro"),
    "manifest": Entry("manifest", "manifest"),
}
DRAWN = "drawn_faces"
NAMES = (*ENTRIES, DRAWN)


def entry(name: str) -> Entry:
    """A data set by its name.

    Raises:
        ValueError: there is none of that name; those that there are are listed.
    """
    if name not in ENTRIES:
        raise ValueError(
            f"there is no data set {name!r}; there are {', '.join(NAMES)}, and two of them with a + between"
        )
    return ENTRIES[name]


def read(name: str, root: Path, options: dict[str, Any]) -> Source:
    """What lies on disk of a data set.

    Raises:
        ValueError: an option that the set does not have; or as the reader does.
        FileNotFoundError: the set is not there; what is missing, and where to read about it.
    """
    return run(name, entry(name), root, options)


def run(name: str, found: Entry, root: Path, options: dict[str, Any]) -> Any:
    """What a reader gives. Raises as ``read``."""
    reader = found.reader()
    known = [key for key in inspect.signature(reader).parameters if key not in ("folder", *dict(found.options))]
    unknown = sorted(set(options) - set(known))
    if unknown:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise ValueError(f"{name} has no option {unknown[0]!r}; {has}")
    return reader(root / found.folder, **dict(found.options), **options)

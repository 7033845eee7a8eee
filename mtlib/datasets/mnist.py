"""MNIST and Fashion-MNIST: 28 x 28 grey pictures of ten digits, or ten kinds of clothes, in the files first published.

torchvision knows the files' names and checksums and what is in them. Its data sets unpack into the folder that they
read from; here nothing is written there.
"""

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from mtlib.datasets.pictures import Raw
from mtlib.datasets.source import Part, Source, damaged, md5, need, reading
from mtlib.tasks import Task
from mtlib.vision import torchvision

SETS = {"MNIST": ("MNIST", "mnist"), "FashionMNIST": ("Fashion-MNIST", "fashion_mnist")}  # title, task
FILES = {"train": ("train", 60_000), "test": ("t10k", 10_000)}  # how their names begin, pictures as published
SIDE, CLASSES = 28, 10


def read(folder: Path, name: str) -> Source:
    """Task ``mnist`` or ``fashion_mnist`` (10 classes), official splits and order.

    The files lie in ``<name>/raw``: packed (.gz) as published, or unpacked; packed ones are preferred, for their
    checksums. With the official number of pictures they must have the official MD5; fewer pictures only have to agree
    with their labels.

    Args:
        folder: of the data set.  name: ``MNIST`` or ``FashionMNIST``, as torchvision has it.

    Raises:
        FileNotFoundError: one of the four files is missing.
        ValueError: one is damaged or another one; it is named.
    """
    (title, task), raw = SETS[name], folder / name / "raw"
    files = {
        split: [_file(title, raw, f"{start}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")]
        for split, (start, _) in FILES.items()
    }  # all there before any is read
    parts = {}
    for split, (images, labels) in files.items():
        x, y = _checked(title, images, labels)
        if len(x) == FILES[split][1]:
            _official(title, name, images, labels)
        parts[split] = Part(Raw(title, x.unsqueeze(1)), {task: y.unsqueeze(1)})  # N 1 28 28, N 1
    return Source(title, (Task(task, "classes", (title,), classes=CLASSES),), parts)


def _file(title: str, raw: Path, name: str) -> Path:
    """A packed file, or the unpacked one where there is no packed one."""
    packed = raw / f"{name}.gz"
    return raw / name if (raw / name).exists() and not packed.exists() else need(title, raw, packed.name)[0]


def _checked(title: str, images: Path, labels: Path) -> tuple[Tensor, Tensor]:
    """(N, 28, 28) uint8 and (N,) int64."""
    parsers = torchvision().datasets.mnist
    x, y = _parsed(title, images, parsers.read_image_file), _parsed(title, labels, parsers.read_label_file)
    if x.shape[1:] != (SIDE, SIDE) or not len(x):
        raise damaged(title, images, f"has {len(x)} pictures of {x.shape[1]} x {x.shape[2]}, not of {SIDE} x {SIDE}")
    if len(x) != len(y):
        raise damaged(title, labels, f"has {len(y):,} labels for the {len(x):,} pictures of {images.name}")
    if y.max() >= CLASSES:
        raise damaged(title, labels, f"has a label {int(y.max())}, they go from 0 to {CLASSES - 1}")
    return x, y


def _parsed(title: str, path: Path, parse: Callable[[Path], Tensor]) -> Tensor:
    with reading(title, path):
        if path.suffix != ".gz":
            return parse(path)
        with tempfile.TemporaryDirectory() as place:  # torchvision parses unpacked files only
            unpacked = Path(place) / path.stem
            unpacked.write_bytes(gzip.decompress(path.read_bytes()))
            return parse(unpacked)


def _official(title: str, name: str, *paths: Path) -> None:
    """Refuse packed files that are not the published ones; of unpacked ones no checksums are published."""
    known = dict(getattr(torchvision().datasets, name).resources)
    for path in paths:
        if path.suffix == ".gz" and md5(path) != known[path.name]:
            raise damaged(title, path, f"has the MD5 {md5(path)}, the published one has {known[path.name]}")

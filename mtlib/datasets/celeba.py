"""CelebA (Liu, Luo, Wang and Tang 2015): 202 599 photographs of 10 177 celebrities, with 40 attributes each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtlib.datasets.columns import numbers, table
from mtlib.datasets.pictures import Files
from mtlib.datasets.source import Part, Source, absent, damaged, lines_of, md5, need
from mtlib.faces import ATTRIBUTES
from mtlib.tasks import Task

if TYPE_CHECKING:
    from pandas import DataFrame

TITLE = "CelebA"
PICTURES = 202_599
WIDE, HIGH = 178, 218  # pixels of the aligned pictures
IMAGES = "img_align_celeba"
ATTRIBUTE, PARTITION = "list_attr_celeba.txt", "list_eval_partition.txt"
IDENTITY, LANDMARKS = "identity_CelebA.txt", "list_landmarks_align_celeba.txt"
SPLITS = ("train", "validation", "test")  # as the partition numbers them
POINTS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")  # left and right as one sees them
MIRRORED = (1, 0, 2, 4, 3)  # which stands for which in a mirrored picture, as ``Augment``'s positions want it
PLACES = tuple(f"{point}_{axis}" for point in POINTS for axis in "xy")


def read(folder: Path) -> Source:
    """Tasks ``attributes`` (40, binary), ``identity`` (classes) and ``landmarks`` (5 points); the first by default.

    torchvision's layout: the text files beside ``img_align_celeba/`` with the aligned pictures, which may also lie in
    a second folder of that name inside it, as Kaggle's copy unpacks (its CSV lists are not read). The files of
    identities and of landmarks may be left out, and their tasks with them. No two official splits share a person, so
    ``identity`` is for pairs (``rows.Pairs``) or for another split; person n of the file is class n - 1. The text files
    must name the same pictures in the same order. Of all 202 599 they must be the published ones (MD5); fewer are taken
    as they are.

    torchvision's class gives those MD5s and no more: it wants the boxes of the uncropped pictures as well, which nobody
    needs, does not say which file is damaged, and takes six times as long over the lists.

    Raises:
        ValueError: a file is damaged, or does not fit the others.
        FileNotFoundError: a file is not there.
    """
    path, _, _ = need(TITLE, folder, ATTRIBUTE, PARTITION, IMAGES)
    rows = _counted(path, ATTRIBUTES)
    names = rows["picture"].tolist()
    y, tasks, lacking = {"attributes": _attributes(path, rows)}, [Task("attributes", "binary", ATTRIBUTES)], {}
    split = _partition(folder / PARTITION, names)
    if (folder / IDENTITY).exists():
        y["identity"], people = _identity(folder / IDENTITY, names)
        tasks.append(Task("identity", "classes", ("identity",), classes=people))
    else:
        lacking["identity"] = absent(TITLE, folder / IDENTITY)
    if (folder / LANDMARKS).exists():
        y["landmarks"] = _landmarks(folder / LANDMARKS, names)
        tasks.append(Task("landmarks", "points", PLACES))
    else:
        lacking["landmarks"] = absent(TITLE, folder / LANDMARKS)
    every = Part(Files(TITLE, _where(folder / IMAGES, names[0]), names, shape=(WIDE, HIGH)), y)
    parts = {name: every.take((split == place).nonzero().flatten()) for place, name in enumerate(SPLITS)}
    parts = {name: part for name, part in parts.items() if len(part)}
    for name in {"train", "test"} - set(parts):
        raise damaged(TITLE, folder / PARTITION, f"has no pictures of the {name} split")
    places = ("landmarks",) if "landmarks" in y else ()
    return Source(TITLE, tuple(tasks), parts, ("attributes",), places, (WIDE, HIGH), lacking)


def _where(images: Path, first: str) -> Path:
    """The folder of the pictures: ``images``, or that of the same name in it where the first one is there alone."""
    inner = images / IMAGES
    return inner if (inner / first).exists() and not (images / first).exists() else images


def _counted(path: Path, columns: Sequence[str]) -> "DataFrame":
    """A list whose first line is how many pictures there are, and whose second line names the columns."""
    count, header = [*lines_of(TITLE, path), ""][:2]
    if not count.strip().isdecimal():
        raise damaged(TITLE, path, "does not begin with the number of pictures")
    if tuple(header.split()) != tuple(columns):
        raise damaged(TITLE, path, f"does not name the columns {columns[0]} to {columns[-1]} in its second line")
    rows = table(TITLE, path, {"picture": str, **dict.fromkeys(columns, int)}, skip=2)
    if len(rows) != int(count):
        raise damaged(TITLE, path, f"has {len(rows):,} pictures, not {int(count):,} as its first line says")
    _published(path, len(rows))
    return rows


def _attributes(path: Path, rows: "DataFrame") -> Tensor:
    """(N, 40) int8, 0 or 1."""
    names = rows["picture"]
    if names.duplicated().any():
        raise damaged(TITLE, path, f"has {names[names.duplicated()].iloc[0]} twice")
    y = numbers(rows, ATTRIBUTES)
    wrong = (y.abs() != 1).any(1)
    if wrong.any():
        raise damaged(TITLE, path, f"has something else than -1 and 1 for {names[int(wrong.nonzero()[0])]}")
    return (y > 0).to(torch.int8)


def _partition(path: Path, names: list[str]) -> Tensor:
    """(N,) 0 to 2."""
    rows = table(TITLE, path, {"picture": str, "partition": int})
    split = numbers(rows, "partition")
    _alike(path, rows, names)
    if ((split < 0) | (split > 2)).any():
        raise damaged(TITLE, path, "has something else than the partitions 0, 1 and 2")
    return split


def _identity(path: Path, names: list[str]) -> tuple[Tensor, int]:
    """(N, 1), and how many people there are, at least the 2 that a task needs."""
    rows = table(TITLE, path, {"picture": str, "identity": int})
    _alike(path, rows, names)
    people, y = numbers(rows, "identity").unique(return_inverse=True)
    return y.unsqueeze(1), max(2, len(people))


def _landmarks(path: Path, names: list[str]) -> Tensor:
    """(N, 10) pixels, float32."""
    rows = _counted(path, PLACES)
    _alike(path, rows, names)
    y = numbers(rows, PLACES, "float32")
    outside = ((y < 0) | (y >= y.new_tensor([WIDE, HIGH] * len(POINTS)))).any(1)
    if outside.any() and len(y) != PICTURES:  # the published file is known by its MD5, whatever it has
        raise damaged(TITLE, path, f"has places outside the picture for {names[int(outside.nonzero()[0])]}")
    return y


def _alike(path: Path, rows: "DataFrame", names: list[str]) -> None:
    """The same pictures in the same order as in the list of attributes."""
    found = rows["picture"].tolist()
    if len(found) != len(names):
        raise damaged(TITLE, path, f"has {len(found):,} pictures, {ATTRIBUTE} {len(names):,}")
    for row, (one, other) in enumerate(zip(found, names, strict=True)):
        if one != other:
            raise damaged(TITLE, path, f"has {one} as picture {row + 1:,}, where {ATTRIBUTE} has {other}")
    _published(path, len(rows))


def _published(path: Path, pictures: int) -> None:
    """A list of as many pictures as CelebA has must be the published one."""
    if pictures != PICTURES:
        return
    from mtlib.vision import torchvision

    known = {name: digest for _, digest, name in torchvision().datasets.CelebA.file_list}
    if md5(path) != known[path.name]:
        raise damaged(TITLE, path, "is not the published one (MD5)")

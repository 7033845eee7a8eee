"""The AT&T ("ORL") faces: ten grey pictures of each of forty people, 92 wide and 112 high."""

from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from mtlib.datasets.geometry import Geometry
from mtlib.datasets.npz import arrays
from mtlib.datasets.pictures import Files, Raw
from mtlib.datasets.source import Part, Source, damaged, need
from mtlib.tasks import Task

TITLE = "AT&T faces"
PEOPLE, EACH = 40, 10
WIDE, HIGH = 92, 112
PACKED = "att_faces.npz"
Halves = Literal["pictures", "people"]


def read(folder: Path, split: Halves = "pictures") -> Source:
    """Task ``identity`` (40 classes: person 1 is 0). No official split.

    Either the folders as published, ``s1/1.pgm`` to ``s40/10.pgm``, or ``att_faces.npz`` with ``images``
    (400, 112, 92) and ``subject`` 1 to 40. All 400 must be there. Their order here is by picture, then by person, so
    that the first so many of a split show as many people as they can.

    Args:
        folder: of the data set.
        split: ``pictures``, the usual one: of each person the pictures 1 to 5 to train on, 6 to 10 to test. ``people``,
            for verification: the persons 1 to 20 to train on, 21 to 40 to test.

    Raises:
        ValueError: another split; or a file is damaged.
        FileNotFoundError: the pictures are not there.
    """
    if split not in get_args(Halves):
        raise ValueError(f"split is one of {', '.join(get_args(Halves))}, got {split!r}")
    x = _pictures(folder)
    picture, person = torch.arange(EACH).repeat_interleave(PEOPLE), torch.arange(PEOPLE).repeat(EACH)
    first = picture < EACH // 2 if split == "pictures" else person < PEOPLE // 2
    every = Part(Raw(TITLE, x[person * EACH + picture]), {"identity": person.unsqueeze(1)})
    parts = {name: every.take(rows.nonzero().flatten()) for name, rows in {"train": first, "test": ~first}.items()}
    return Source(TITLE, (Task("identity", "classes", ("identity",), classes=PEOPLE),), parts)


def _pictures(folder: Path) -> Tensor:
    """All pictures (400, 1, 112, 92) uint8, person by person."""
    if (folder / "s1").exists():
        return _decoded(folder)
    path = folder / PACKED
    if not path.exists():
        need(TITLE, folder, f"s1 or {PACKED}")
    found = arrays(TITLE, path, images=("uint8", 3), subject=("uint8", 1))
    if found["images"].shape != (PEOPLE * EACH, HIGH, WIDE):
        raise damaged(TITLE, path, f"has pictures of {tuple(found['images'].shape)}, not {PEOPLE * EACH, HIGH, WIDE}")
    if not found["subject"].equal(torch.arange(1, PEOPLE + 1, dtype=torch.uint8).repeat_interleave(EACH)):
        raise damaged(TITLE, path, "does not have the people 1 to 40 in order, ten pictures of each")
    return found["images"].unsqueeze(1)


def _decoded(folder: Path) -> Tensor:
    """The pictures of the folders as published; so few and small that they need no cache."""
    names = [f"s{person + 1}/{picture + 1}.pgm" for person in range(PEOPLE) for picture in range(EACH)]
    files = Files(TITLE, folder, names, formats=("PPM",), shape=(WIDE, HIGH))  # what Pillow calls all its kin
    files.digest()  # finds what is missing
    x = files.decode(0, len(files), Geometry(), (1, HIGH, WIDE))
    for place in (x[:, 0, -1] == 0).all(1).nonzero().flatten().tolist():  # nothing else tells a file zeroed to its end
        raise damaged(TITLE, folder / names[place], f"of {Path(names[place]).parent} ends in zeros")
    return x

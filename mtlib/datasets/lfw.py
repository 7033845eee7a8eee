"""Labeled Faces in the Wild (Huang and others 2007): LFWA's 40 attributes (Liu and others 2015), and pairs of faces."""

import re
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from mtlib.datasets.matlab import variables
from mtlib.datasets.pairs import Listed
from mtlib.datasets.photos import Photos
from mtlib.datasets.source import Part, Source, damaged, lines_of, md5, need
from mtlib.faces import ATTRIBUTES
from mtlib.tasks import Task

TITLE, PAIRS = "LFWA", "LFW pairs"
SIDE = 250  # pixels
LABELS, HALVES = "lfw_att_40.mat", "indices_train_test.mat"
Images = Literal["original", "funneled", "deepfunneled"]
FOLDERS = {"original": "lfw", "funneled": "lfw_funneled", "deepfunneled": "lfw-deepfunneled"}
View = Literal["folds", "train", "test"]
LISTS = {"folds": "pairs.txt", "train": "pairsDevTrain.txt", "test": "pairsDevTest.txt"}
PUBLISHED = {"folds": (10, 300), "train": (1, 1100), "test": (1, 500)}  # folds, and pairs of either kind in each


def read_lfwa(folder: Path, images: Images = "original") -> Source:
    """Tasks ``attributes`` (40, binary) and ``identity`` (classes, by name); the first by default.

    From ``lfw_att_40.mat`` and ``indices_train_test.mat`` of the LFWA release, which lie beside LFW's folders of
    pictures, 250 x 250. The release is of MATLAB 7.3 and read with h5py (see ``matlab``). Its checksums are not known
    to us, so any consistent set is taken. Of the release 6 263 pictures are to train on and 6 880 to test.

    Args:
        folder: of LFW.
        images: alignment: ``original`` in the folder ``lfw``, ``funneled`` in ``lfw_funneled``, ``deepfunneled`` in
            ``lfw-deepfunneled``.

    Raises:
        ValueError: another alignment; or a file is damaged, or does not fit the others.
        FileNotFoundError: a file is not there.
        ModuleNotFoundError: h5py is not installed.
    """
    below = _below(images)
    labels, halves, _ = need(TITLE, folder, LABELS, HALVES, below)
    names, y = _labels(labels)
    number = {person: i for i, person in enumerate(sorted({_person(name) for name in names}))}
    identity = torch.tensor([number[_person(name)] for name in names]).unsqueeze(1)
    x = Photos(TITLE, folder / below, names, shape=(SIDE, SIDE))
    every = Part(x, {"attributes": y, "identity": identity})
    parts = {split: every.take(rows) for split, rows in _halves(halves, len(names)).items()}
    people = Task("identity", "classes", ("identity",), classes=max(2, len(number)))
    return Source(TITLE, (Task("attributes", "binary", ATTRIBUTES), people), parts, ("attributes",))


def read_pairs(folder: Path, view: View = "folds", images: Images = "original") -> Listed:
    """Pairs of LFW's pictures, half of them of one person.

    torchvision's class is not used: it wants the archive beside the unpacked pictures, and does not keep the folds.
    A list as long as the published one must be that one (MD5); a shorter one is taken as it is.

    Args:
        folder: of LFW.
        view: ``folds`` is View 2, the ten folds of 600 pairs in ``pairs.txt`` that results are reported on; ``train``
            and ``test`` are View 1, for choosing methods: 2 200 and 1 000 pairs in ``pairsDevTrain.txt`` and
            ``pairsDevTest.txt``.
        images: alignment, as for ``read_lfwa``.

    Raises:
        ValueError: another view or alignment; or the list is damaged, in which line.
        FileNotFoundError: the list or the pictures are not there.
    """
    if view not in LISTS:
        raise ValueError(f"view is one of {', '.join(get_args(View))}, got {view!r}")
    below = _below(images)
    path, _ = need(PAIRS, folder, LISTS[view], below)
    first, second, same, fold = _listed(path, view)
    names = list(dict.fromkeys([*first, *second]))
    number = {name: i for i, name in enumerate(names)}
    x = Photos(PAIRS, folder / below, names, shape=(SIDE, SIDE))
    return Listed(
        PAIRS,
        x,
        torch.tensor([number[name] for name in first]),
        torch.tensor([number[name] for name in second]),
        torch.tensor(same),
        torch.tensor(fold),
    )


def _below(images: str) -> str:
    if images not in FOLDERS:
        raise ValueError(f"images is one of {', '.join(get_args(Images))}, got {images!r}")
    return FOLDERS[images]


def _person(name: str) -> str:
    return name.split("/")[0]


def _labels(path: Path) -> tuple[list[str], Tensor]:
    """Names of the pictures, and their labels (N, 40) int8 in CelebA's order."""
    content = variables(TITLE, path, "name", "AttrName", "label")
    names = [str(name).replace("\\", "/") for name in content["name"]]
    if len(set(names)) < len(names) or not all(re.fullmatch(r"(?!\.\.?/)[^/]+/[^/]+\.jpg", name) for name in names):
        raise damaged(TITLE, path, "does not name every picture once, as Name\\Name_0001.jpg")
    column = {_plain(name): i for i, name in enumerate(content["AttrName"])}
    if set(column) != set(map(_plain, ATTRIBUTES)):
        raise damaged(TITLE, path, f"does not have the {len(ATTRIBUTES)} attributes, {ATTRIBUTES[0]} and so on")
    label = content["label"]
    if label.shape != (len(names), len(ATTRIBUTES)) or not ((label == 0) | (label == 1)).all():
        raise damaged(TITLE, path, f"does not have 0 or 1 for each of {len(names):,} x {len(ATTRIBUTES)} labels")
    return names, torch.from_numpy(label[:, [column[_plain(name)] for name in ATTRIBUTES]].astype("int8"))


def _plain(name: str) -> str:
    """An attribute's name without case, blanks and signs, which differ between releases of it."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _halves(path: Path, pictures: int) -> dict[str, Tensor]:
    """Rows of the two splits, counted from 0."""
    content, halves = variables(TITLE, path, "indices_img_train", "indices_img_test"), {}
    for split in ("train", "test"):
        rows = torch.from_numpy(content[f"indices_img_{split}"].astype("float64")).flatten()
        if not len(rows) or (rows != rows.round()).any() or rows.min() < 1 or rows.max() > pictures:
            raise damaged(TITLE, path, f"does not have rows of {LABELS}, 1 to {pictures:,}, for the {split} split")
        halves[split] = rows.long() - 1
    both = torch.cat(list(halves.values()))
    if len(both.unique()) < len(both):
        raise damaged(TITLE, path, "has a picture twice")
    return halves


def _listed(path: Path, view: View) -> tuple[list[str], list[str], list[bool], list[int]]:
    """First and second pictures, whether they show one person, and the fold, as the list has them."""
    lines = lines_of(PAIRS, path)
    head = lines[0].split()
    if len(head) != (2 if view == "folds" else 1) or not all(word.isdecimal() and int(word) for word in head):
        raise damaged(PAIRS, path, "does not begin with the numbers of its folds and pairs")
    folds, pairs = map(int, head) if view == "folds" else (1, int(head[0]))
    if len(lines) != 1 + 2 * folds * pairs:
        raise damaged(PAIRS, path, f"has {len(lines) - 1:,} pairs, not {2 * folds * pairs:,} as its first line says")
    if (folds, pairs) == PUBLISHED[view]:
        _published(path)
    first, second, same = [], [], []
    for number, line in enumerate(lines[1:]):
        genuine, words = number % (2 * pairs) < pairs, line.split()  # of each fold the genuine ones come first
        one, other = (words[:2], [words[0], *words[2:]]) if genuine and words else (words[:2], words[2:])
        if not (len(one) == len(other) == 2 and one[1].isdecimal() and other[1].isdecimal()):
            kind = "a name and two numbers" if genuine else "a name and a number, twice"
            raise damaged(PAIRS, path, f"has {line[:80]!r} in line {number + 2}, not {kind}")
        if one == other or (one[0] == other[0]) != genuine:
            raise damaged(PAIRS, path, f"has {line[:80]!r} in line {number + 2}, no two pictures of {2 - genuine}")
        first.append(_file(*one))
        second.append(_file(*other))
        same.append(genuine)
    return first, second, same, [number // (2 * pairs) for number in range(len(first))]


def _file(person: str, number: str) -> str:
    return f"{person}/{person}_{int(number):04d}.jpg"


def _published(path: Path) -> None:
    from mtlib.vision import torchvision

    if md5(path) != torchvision().datasets.LFWPairs.checksums[path.name]:
        raise damaged(PAIRS, path, "is not the published one (MD5)")

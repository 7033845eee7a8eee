"""Caltech-UCSD Birds-200-2011 (Wah, Branson, Welinder, Perona and Belongie 2011): 11 788 photographs of 200 species."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor

from mtlib.datasets.columns import numbers, table
from mtlib.datasets.photos import Photos
from mtlib.datasets.source import Part, Source, absent, damaged, folder_of_all, lines_of, need
from mtlib.tasks import Task

if TYPE_CHECKING:
    from pandas import DataFrame

TITLE = "CUB-200-2011"
SET, IMAGES = "CUB_200_2011", "images"
PICTURES, SPECIES, SPLIT = "images.txt", "image_class_labels.txt", "train_test_split.txt"
CLASSES, NAMES = "classes.txt", "attributes.txt"
BOXES = "bounding_boxes.txt"
ATTRIBUTES, RELATIONS = "attributes/image_attribute_labels.txt", "class_attribute_labels_continuous.txt"
NOT_VISIBLE = 1  # of the certainties 1 to 4
Invisible = Literal["absent", "missing"]


def read(folder: Path, invisible: Invisible = "absent", boxes: bool = False) -> Source:
    """Tasks ``species`` (200 classes) and ``attributes`` (312, binary), as the archive unpacks: ``CUB_200_2011/``.

    The attributes' names come from ``attributes.txt``, which the archive has beside that folder; inside it or in its
    ``attributes/`` will do. Some of the 3.7 million lines of ``image_attribute_labels.txt`` have superfluous zeros
    before their last number, a time; only the first four numbers are read. Without that file there is no task
    ``attributes``. The pictures differ in size, so one must be asked for; the few grey ones are given in colours.

    Args:
        folder: of the data set.
        invisible: what a label is whose annotator could not see the part: ``absent``, 0, so that every picture has all
            312 labels, as the published results suppose; or ``missing``, -1, as nothing is known of that bird.
        boxes: cut the bird out first, at ``bounding_boxes.txt``.

    Raises:
        ValueError: another word for ``invisible``; or a file is damaged, or does not fit the others.
        FileNotFoundError: a file is not there.
    """
    if invisible not in get_args(Invisible):
        raise ValueError(f"invisible is one of {', '.join(get_args(Invisible))}, got {invisible!r}")
    folder, labels = folder / SET, {}
    pictures, classes, split, species, _ = need(TITLE, folder, PICTURES, CLASSES, SPLIT, SPECIES, IMAGES)
    names = _named(pictures)
    birds = _named(classes)
    train = _each(split, "split", len(names), range(2)) == 1
    labels["species"] = _each(species, f"class of {CLASSES}", len(names), range(1, len(birds) + 1)).unsqueeze(1) - 1
    _in_their_folders(species, names, birds, labels["species"])
    tasks, lacking = [Task("species", "classes", ("species",), classes=max(2, len(birds)))], {}
    if (folder / ATTRIBUTES).exists():
        known = _named(_names(folder))
        labels["attributes"] = _attributes(folder / ATTRIBUTES, len(names), len(known), invisible)
        tasks.append(Task("attributes", "binary", known))
    else:
        lacking["attributes"] = absent(TITLE, folder / ATTRIBUTES)
    around = _boxes(*need(TITLE, folder, BOXES), len(names)) if boxes else None
    every = Part(Photos(TITLE, folder / IMAGES, names, boxes=around, differ=True), labels)
    parts = {name: every.take(rows.nonzero().flatten()) for name, rows in (("train", train), ("test", ~train))}
    if not all(map(len, parts.values())):
        raise damaged(TITLE, split, "leaves a split without a picture")
    return Source(TITLE, tuple(tasks), parts, lacking=lacking)


def relations(root: Path | str | None = None) -> Tensor:
    """How often people saw attribute a on birds of species s, (200, 312) from 0 to 1; no pictures are needed.

    From ``class_attribute_labels_continuous.txt`` in CUB's ``attributes/``, or in a folder ``cub_attributes`` of its
    own. Rows are in the order of ``classes.txt``, columns in that of ``attributes.txt``; both must be there.

    Args:
        root: the folder of all data sets, as for ``load``.

    Raises:
        ValueError: a file is damaged.
        FileNotFoundError: a file is not there.
    """
    official, own = folder_of_all(root) / "cub" / SET, folder_of_all(root) / "cub_attributes"
    folder = own if (own / RELATIONS).exists() else official
    path, classes = need(TITLE, folder, RELATIONS if folder == own else f"attributes/{RELATIONS}", CLASSES)
    shape = len(_named(classes)), len(_named(_names(folder)))
    try:
        rows = [[float(word) for word in line.split()] for line in lines_of(TITLE, path)]
        found = torch.tensor(rows)  # refuses rows of different lengths
    except ValueError as error:
        raise damaged(TITLE, path, f"is no table of numbers ({error})") from None
    if tuple(found.shape) != shape:
        raise damaged(TITLE, path, f"has {len(found)} x {found.shape[-1]} numbers, not {shape[0]} x {shape[1]}")
    if not ((found >= 0) & (found <= 100)).all():
        raise damaged(TITLE, path, "has something else than percentages, 0 to 100")
    return found / 100


def _names(folder: Path) -> Path:
    """The file of the attributes' names, wherever it is."""
    for path in (folder / "attributes" / NAMES, folder / NAMES, folder.parent / NAMES):
        if path.exists():
            return path
    raise absent(TITLE, folder.parent / NAMES)


def _named(path: Path) -> list[str]:
    """Names that are numbered from 1 on, none of them twice."""
    rows = table(TITLE, path, {"number": int, "name": str})
    names = rows["name"].tolist()
    if numbers(rows, "number").tolist() != list(range(1, len(names) + 1)):
        raise damaged(TITLE, path, f"does not number its {len(names):,} lines from 1 on")
    if len(set(names)) < len(names):
        raise damaged(TITLE, path, "has a name twice")
    return names


def _each(path: Path, what: str, pictures: int, allowed: range) -> Tensor:
    """One whole number per picture (N,)."""
    rows = table(TITLE, path, {"picture": int, what: int})
    found = numbers(rows, what)
    _in_order(path, rows, pictures)
    wrong = (found < allowed.start) | (found >= allowed.stop)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise damaged(
            TITLE,
            path,
            f"has {int(found[row])} for picture {row + 1}, no {what}, {allowed.start} to {allowed.stop - 1}",
        )
    return found


def _in_order(path: Path, rows: "DataFrame", pictures: int) -> None:
    if numbers(rows, "picture").tolist() != list(range(1, pictures + 1)):
        raise damaged(TITLE, path, f"does not have the pictures 1 to {pictures:,} of {PICTURES} in order")


def _boxes(path: Path, pictures: int) -> Tensor:
    """(N, 4) left, upper, width, height in pixels."""
    columns = ("left", "upper", "width", "height")
    rows = table(TITLE, path, {"picture": int, **dict.fromkeys(columns, float)})
    _in_order(path, rows, pictures)
    found = numbers(rows, columns, "float64")
    wrong = (found < found.new_tensor([0, 0, 1, 1])).any(1)
    if wrong.any():
        raise damaged(TITLE, path, f"has no box for picture {int(wrong.nonzero()[0]) + 1}")
    return found


def _in_their_folders(path: Path, names: list[str], birds: list[str], species: Tensor) -> None:
    """A picture lies in the folder of its species: three files must agree on it."""
    for name, bird in zip(names, species.flatten().tolist(), strict=True):
        if not name.endswith(".jpg") or name.split("/")[0] != birds[bird]:
            raise damaged(
                TITLE, path, f"has {birds[bird]} for {name}: it, {PICTURES} and {CLASSES} do not fit together"
            )


def _attributes(path: Path, pictures: int, attributes: int, invisible: Invisible) -> Tensor:
    """(N, attributes) int8."""
    columns = dict.fromkeys(("picture", "attribute", "present", "certainty"), int)
    rows = table(TITLE, path, columns, more=True)
    place = (numbers(rows, "picture") - 1) * attributes + numbers(rows, "attribute") - 1
    within = (numbers(rows, "attribute") >= 1) & (numbers(rows, "attribute") <= attributes)
    whole = torch.arange(pictures * attributes)
    if not within.all() or not (place.equal(whole) or place.sort().values.equal(whole)):
        raise damaged(
            TITLE, path, f"does not have the {attributes} attributes of {NAMES} once for {pictures:,} pictures"
        )
    present, certainty = numbers(rows, "present"), numbers(rows, "certainty")
    wrong = (present < 0) | (present > 1) | (certainty < 1) | (certainty > 4)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        where = f"picture {int(place[row]) // attributes + 1}, attribute {int(place[row]) % attributes + 1}"
        raise damaged(TITLE, path, f"has something else than 0 or 1, and a certainty from 1 to 4, for {where}")
    y = torch.empty(pictures * attributes, dtype=torch.int8)
    y[place] = present.masked_fill(certainty == NOT_VISIBLE, 0 if invisible == "absent" else -1).to(torch.int8)
    return y.view(pictures, attributes)

"""A manifest: any pictures with any labels, listed in one CSV file. For sets whose layout varies, or for one's own.

``data/README.md`` shows one, and says for some sets how to make it from what their owners give out.
"""

import re
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from mtlib.datasets.pairs import Listed
from mtlib.datasets.photos import Photos
from mtlib.datasets.sheet import Sheet, sheet
from mtlib.datasets.source import Part, Source, need, reading
from mtlib.tasks import Task

TITLE = "Manifest"
FILE, PAIRS = "manifest.csv", "pairs.csv"
FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
SPLITS = ("train", "validation", "test")
FIXED = ("file", "split", "identity", "source")
LOOKED_AT = 5  # pictures, to find the size of all
KINDS = ("binary", "classes", "points", "places")


def read(folder: Path, set: str | None = None) -> Source:
    """The tasks that the columns of ``manifest.csv`` name, all of them by default.

    CSV with commas, in UTF-8. The first line names the columns, every further line is a picture:

    - ``file``: its path below the folder, with / between folders; JPEG, PNG, BMP or WEBP.
    - ``split``: train, validation or test. There must be some to train on and some to test.
    - ``identity``, may be left out: who is shown, any text. It makes the task ``identity``; its classes are the texts
      of all splits in sorted order.
    - ``source``, may be left out: a whole number, the data base that the picture comes from (``Split.source``).
    - any number of labels ``kind:task:column``; columns of one kind and task are one task. In ``binary:looks:Smiling``
      are 0 and 1. In ``classes:expression:expression`` are either whole numbers from 0 on, the largest of the task
      being the last class, or names, which are numbered in sorted order. In ``points:affect:valence`` are numbers. In
      ``places:marks:x1`` are pixels, x and y by turns; then all pictures must be of one size.

    An empty label is a missing one. Pictures are given in colour unless grey is asked for, what is transparent in them
    on white, and as they lie in the file, whatever an EXIF orientation says.

    Args:
        folder: where ``load`` looks, ``manifest``.
        set: name of another folder beside it, for more than one manifest.

    Raises:
        ValueError: another name; or something is wrong with the file, in which line and column.
        FileNotFoundError: it is not there.
    """
    folder, title = _beside(folder, set)
    found = sheet(need(TITLE, folder, FILE)[0])
    kinds = _tasks(found)
    names = _pictures(found)
    labels = {task: _labels(found, task, kind, columns) for task, (kind, columns) in kinds.items()}
    places = tuple(task for task, (kind, _) in kinds.items() if kind == "places")
    frame = _frame(title, folder, names) if places else None
    source = found.whole("source") if "source" in found.columns else None
    every = Part(Photos(title, folder, names, FORMATS, frame), {task: y for task, (_, y) in labels.items()}, source)
    number = {name: place for place, name in enumerate(SPLITS)}
    split = found.mapped("split", number, "train, validation or test")
    parts = {name: every.take((split == place).nonzero().flatten()) for name, place in number.items()}
    for name in ("train", "test"):
        if not len(parts[name]):
            raise found.fault(f"column 'split': no line has {name}")
    parts = {name: part for name, part in parts.items() if len(part)}
    return Source(title, tuple(task for task, _ in labels.values()), parts, places=places, frame=frame)


def read_pairs(folder: Path, set: str | None = None) -> Listed:
    """Pairs of pictures, for verification: the lines of ``pairs.csv``.

    ``first`` and ``second`` are paths, as ``file`` in a manifest; ``same`` is 1 for one person and 0 for two; ``fold``
    is a whole number, and may be left out.

    Args:
        folder: where ``pairs`` looks, ``manifest``.
        set: name of another folder beside it.

    Raises:
        ValueError: another name; or something is wrong with the file, in which line and column.
        FileNotFoundError: it is not there.
    """
    folder, title = _beside(folder, set)
    found = sheet(need(TITLE, folder, PAIRS)[0])
    if {"first", "second", "same"} - found.columns.keys() or found.columns.keys() - {"first", "second", "same", "fold"}:
        raise found.fault(f"line 1: columns are first, second, same and perhaps fold, not {', '.join(found.columns)}")
    first, second = found.files("first"), found.files("second")
    number = {name: i for i, name in enumerate(dict.fromkeys([*first, *second]))}
    same = found.mapped("same", {"0": 0, "1": 1}, "0 or 1").bool()
    fold = found.whole("fold") if "fold" in found.columns else torch.zeros(len(found), dtype=torch.int64)
    rows = (torch.tensor([number[name] for name in column]) for column in (first, second))
    return Listed(title, Photos(title, folder, list(number), FORMATS), *rows, same, fold)


def _beside(folder: Path, name: str | None) -> tuple[Path, str]:
    """The folder of a manifest, and what errors call it."""
    if name is None:
        return folder, TITLE
    if not isinstance(name, str) or not re.fullmatch(r"[\w-][\w. -]*", name):
        raise ValueError(f"set is the name of a folder, got {name!r}")
    return folder.parent / name, f"{TITLE} {name}"


def _tasks(found: Sheet) -> dict[str, tuple[str, list[str]]]:
    """{task: (kind, headers of its columns)}."""
    tasks: dict[str, tuple[str, list[str]]] = {}
    seen = []
    for header in found.columns:
        if header in ("file", "split", "source"):
            continue
        kind, task, column = _label(found, header)
        known, headers = tasks.setdefault(task, (kind, []))
        if known != kind:
            raise found.fault(f"line 1, column {header!r}: the task {task!r} is of kind {known} already")
        if column in seen:
            raise found.fault(f"line 1, column {header!r}: there is another column {column!r}")
        headers.append(header)
        seen.append(column)
    for name in ("file", "split"):
        if name not in found.columns:
            raise found.fault(f"line 1: has no column {name!r}")
    if not tasks:
        raise found.fault("line 1: has no column with labels")
    return tasks


def _label(found: Sheet, header: str) -> tuple[str, str, str]:
    """Kind, task and column of a header."""
    if header == "identity":
        return "classes", "identity", "identity"
    parts = re.fullmatch(rf"({'|'.join(KINDS)}):([^:]+):([^:]+)", header)
    if parts is None:
        accepted = f"{', '.join(FIXED)} and kind:task:column, with a kind of {', '.join(KINDS)}"
        raise found.fault(f"line 1: has a column {header!r}; there may be {accepted}")
    return parts.group(1), parts.group(2), parts.group(3)


def _labels(found: Sheet, name: str, kind: str, headers: list[str]) -> tuple[Task, Tensor]:
    """A task, and its labels (N, columns)."""
    columns = tuple(header.rpartition(":")[2] for header in headers)
    if kind == "binary":
        values = [found.mapped(header, {"": -1, "0": 0, "1": 1}, "0, 1 or empty") for header in headers]
        return Task(name, kind, columns), torch.stack(values, 1).to(torch.int8)
    if kind == "classes":
        number, classes = _numbered(found, name, headers)
        values = [found.mapped(header, number, "a class") for header in headers]
        return Task(name, kind, columns, classes=classes), torch.stack(values, 1)
    if kind == "places" and len(headers) % 2:
        raise found.fault(f"line 1: the places {name!r} have {len(headers)} columns, which are not x and y by turns")
    return Task(name, "points", columns), torch.stack([found.numbers(header) for header in headers], 1)


def _numbered(found: Sheet, name: str, headers: list[str]) -> tuple[dict[str, int], int]:
    """The class that every text of a task stands for, -1 for an empty one; and how many classes there are."""
    texts = {text for header in headers for text in found.columns[header]} - {""}
    whole = {text for text in texts if re.fullmatch("[0-9]{1,9}", text)} if headers != ["identity"] else frozenset()
    if whole and whole != texts:
        header, odd = next(
            (header, text) for header in headers for text in found.columns[header] if text in texts - whole
        )
        raise found.wrong(found.columns[header].index(odd), header, "a whole number from 0 on, as in other lines")
    number = {text: int(text) for text in whole} or {text: i for i, text in enumerate(sorted(texts))}
    classes = max(number.values(), default=0) + 1
    if classes < 2:
        raise found.fault(f"the task {name!r} has fewer than 2 classes")
    return number | {"": -1}, classes


def _pictures(found: Sheet) -> list[str]:
    """The pictures' paths, each once."""
    names, first = found.files("file"), {}
    for row, name in enumerate(names):
        if first.setdefault(name, row) != row:
            raise found.wrong(row, "file", f"another file than that of line {first[name] + 2}")
    return list(names)


def _frame(title: str, folder: Path, names: list[str]) -> tuple[int, int]:
    """Width and height of most of the first pictures; all must have them, and a wrong one will be named."""
    from PIL import Image

    sizes: Counter[tuple[int, int]] = Counter()
    for name in names[:LOOKED_AT]:
        if not (folder / name).exists():
            raise FileNotFoundError(f"{title}: {name} is not in {folder}")
        with reading(title, folder / name), Image.open(folder / name, formats=FORMATS) as image:
            sizes[image.size] += 1
    return sizes.most_common(1)[0][0]

"""CIFAR-10 and CIFAR-100: 32 x 32 colour pictures of ten or a hundred kinds of things.

The files published are pickles, and a pickle may run anything. So only numbers, texts, lists and arrays are taken out
of them, where torchvision's data sets would run what they find; its lists of files and checksums are used.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mtlib.datasets.npz import arrays
from mtlib.datasets.pictures import Packets, Raw
from mtlib.datasets.source import Part, Source, damaged, md5, need, reading
from mtlib.tasks import Task
from mtlib.vision import torchvision

SIDE = 32
OFFICIAL = (50_000, 10_000)  # pictures of the training and the test split
COPY, COPY_TITLE = "cifar10_jpeg.npz", "CIFAR-10 (JPEG copy)"


def read_10(folder: Path) -> Source:
    """Task ``cifar10`` (10 classes), official splits, from ``cifar-10-batches-py`` as published.

    With the official number of pictures the files must have the official MD5s; fewer only have to agree. Where that
    folder is not there but ``cifar10_jpeg.npz`` is, that copy is read: all pictures, recompressed as JPEG and in
    another order. What is reached on them cannot be compared with published numbers, and so its title says what it is.

    Raises:
        FileNotFoundError: neither is there, or a file of the folder is missing.
        ValueError: a file is damaged or another one; it is named.
    """
    task = Task("cifar10", "classes", ("CIFAR-10",), classes=10)
    official = torchvision().datasets.CIFAR10
    if not (folder / official.base_folder).exists():
        if not (folder / COPY).exists():
            need("CIFAR-10", folder, f"{official.base_folder} or {COPY}")
        return _copy(folder / COPY, task)
    return _official("CIFAR-10", folder, official, {"labels": task}, {"label_names": task})


def read_100(folder: Path) -> Source:
    """Tasks ``cifar100`` (100 classes) and, if asked for, ``cifar100_coarse`` (the same ones in 20 groups).

    Official splits, from ``cifar-100-python`` as published; checked as CIFAR-10 is.

    Raises:
        FileNotFoundError: the folder or a file of it is missing.
        ValueError: a file is damaged or another one; it is named.
    """
    fine = Task("cifar100", "classes", ("CIFAR-100",), classes=100)
    coarse = Task("cifar100_coarse", "classes", ("CIFAR-100 coarse",), classes=20)
    labels = {"fine_labels": fine, "coarse_labels": coarse}
    names = {"fine_label_names": fine, "coarse_label_names": coarse}
    return _official("CIFAR-100", folder, torchvision().datasets.CIFAR100, labels, names, chosen=("cifar100",))


# ------------------------------------------------------------------ as published


class _Plain(pickle.Unpickler):
    """Takes numbers, texts, lists, dicts and arrays out of a pickle, and refuses all else before it could run."""

    def find_class(self, module: str, name: str) -> Any:
        import numpy as np

        arrays_are_made_by = np.empty(0).__reduce__()[0]  # its module has moved; pickles name the old one
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return arrays_are_made_by
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _official(
    title: str,
    folder: Path,
    official: Any,
    labels: dict[str, Task],
    names: dict[str, Task],
    chosen: tuple[str, ...] = (),
) -> Source:
    """The files that torchvision's class ``official`` lists; ``labels``, ``names``: which keys belong to which task."""
    (base,) = need(title, folder, official.base_folder)
    lists = {"train": dict(official.train_list), "test": dict(official.test_list)}
    meta, checksums = official.meta["filename"], {official.meta["filename"]: official.meta["md5"]}
    need(title, base, *lists["train"], *lists["test"], meta)
    _names(title, base / meta, names)
    parts = {}
    for split, files in lists.items():
        found = [_batch(title, base / name, labels) for name in files]
        x = torch.cat([pictures for pictures, _ in found])
        parts[split] = Part(Raw(title, x), {key: torch.cat([y[key] for _, y in found]) for key in found[0][1]})
        checksums |= files
    if (len(parts["train"]), len(parts["test"])) == OFFICIAL:
        for name, known in checksums.items():
            if md5(base / name) != known:
                raise damaged(title, base / name, f"has the MD5 {md5(base / name)}, the published one has {known}")
    return Source(title, tuple(labels.values()), parts, chosen)


def _content(title: str, path: Path) -> dict:
    with reading(title, path):
        found = _Plain(io.BytesIO(path.read_bytes()), encoding="latin1").load()  # latin1: written by Python 2
    if not isinstance(found, dict):
        raise damaged(title, path, "holds something else")
    return found


def _names(title: str, path: Path, names: dict[str, Task]) -> None:
    content = _content(title, path)
    for key, task in names.items():
        found = content.get(key)
        if not isinstance(found, list) or len(found) != task.classes:
            raise damaged(title, path, f"does not have {task.classes} {key}")


def _batch(title: str, path: Path, labels: dict[str, Task]) -> tuple[Tensor, dict[str, Tensor]]:
    """The pictures (N, 3, 32, 32) uint8 of a file and their labels {task: (N, 1)}."""
    import numpy as np

    content = _content(title, path)
    x = content.get("data")
    if not isinstance(x, np.ndarray) or x.dtype != "uint8" or x.ndim != 2 or x.shape[1] != 3 * SIDE**2 or not len(x):
        raise damaged(title, path, f"has no pictures of {SIDE} x {SIDE} pixels")
    y = {}
    for key, task in labels.items():
        found = content.get(key)
        fits = isinstance(found, list) and all(type(label) is int and 0 <= label < task.classes for label in found)
        if not fits or len(found) != len(x):
            raise damaged(title, path, f"does not have {len(x):,} {key} from 0 to {task.classes - 1}")
        y[task.name] = torch.tensor(found).unsqueeze(1)
    return torch.from_numpy(x).view(-1, 3, SIDE, SIDE), y


# ------------------------------------------------------------------ the copy


def _copy(path: Path, task: Task) -> Source:
    """The copy's pictures, not decoded; for each split bytes one after another, where they begin, and labels."""
    wanted = {
        f"{split}_{kind}": of
        for split in ("train", "test")
        for kind, of in {"jpeg": ("uint8", 1), "offsets": ("int64", 1), "labels": ("uint8", 1)}.items()
    }
    found, parts = arrays(COPY_TITLE, path, **wanted), {}
    for split in ("train", "test"):
        content, offsets, y = (found[f"{split}_{kind}"] for kind in ("jpeg", "offsets", "labels"))
        whole = len(offsets) > 1 and offsets[0] == 0 and offsets[-1] == len(content) and (offsets.diff() > 0).all()
        if not whole:
            raise damaged(COPY_TITLE, path, f"has {split}_offsets that do not divide {split}_jpeg into pictures")
        if len(y) != len(offsets) - 1 or y.max() >= task.classes:
            raise damaged(COPY_TITLE, path, f"does not have {len(offsets) - 1:,} {split}_labels from 0 to 9")
        x = Packets(COPY_TITLE, content, offsets, shape=(SIDE, SIDE))
        parts[split] = Part(x, {task.name: y.long().unsqueeze(1)})
    return Source(COPY_TITLE, (task,), parts)

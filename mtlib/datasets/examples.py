"""Tiny data sets in the layouts in which the real ones are published, their content invented.

To try a reader without the real thing, and to see how the files have to lie::

    python -m mtlib.datasets.examples cifar10 somewhere

Pictures are smooth noise, labels and numbers are drawn. The tests read these files, and benchmarks/faults.py damages
them one by one.
"""

import gzip
import pickle
import struct
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from mtlib.seeds import generator

# Where a set is read from either of two layouts; the others are named as ``load`` names them.
SECOND = {"cifar10_jpeg": "cifar10", "att_faces_pgm": "att_faces"}


def write(name: str, root: Path | str, seed: int = 0) -> str:
    """Write an example.

    Args:
        name: of a data set, or a key of ``SECOND``; see ``every``.  root: the folder that ``load`` takes as root; the
            set gets a folder in it.  seed: another seed, other content.

    Returns:
        What ``load`` calls the data set.

    Raises:
        ValueError: there is no such example.
    """
    known = EXAMPLES if name in EXAMPLES else every()
    if name not in known:
        raise ValueError(f"there is no example {name!r}; there are {', '.join(known)}")
    known[name](Path(root), seed)
    return SECOND.get(name, name)


def every() -> dict[str, Callable[[Path, int], None]]:
    """All examples by name: (root, seed) -> files."""
    from mtlib.datasets import examples_photos

    return {**EXAMPLES, **examples_photos.EXAMPLES}


def smooth(n: int, channels: int, high: int, wide: int, *purpose: object) -> Tensor:
    """Invented pictures (n, channels, high, wide) uint8 without sharp edges."""
    coarse = torch.rand(n, channels, 4, 4, generator=generator("example", *purpose))
    fine = torch.nn.functional.interpolate(coarse, (high, wide), mode="bilinear", align_corners=True)
    return fine.mul(255).round().to(torch.uint8)


def whole(n: int, below: int, *purpose: object) -> Tensor:
    """Invented labels (n,) from 0 to below - 1; the first ones are 0, 1, 2, ..."""
    labels = torch.randint(below, (n,), generator=generator("example", *purpose, "labels"))
    labels[:below] = torch.arange(min(n, below))
    return labels


def encoded(picture: Tensor, format: str) -> bytes:
    """A picture (C, H, W) uint8 as a file's content."""
    from PIL import Image

    content = picture[0] if len(picture) == 1 else picture.permute(1, 2, 0)
    file = BytesIO()
    Image.fromarray(content.contiguous().numpy()).save(file, format=format)
    return file.getvalue()


def put(path: Path, content: bytes) -> None:
    """Write a file, and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# ------------------------------------------------------------------ pictures


def _mnist(folder: str, name: str) -> Callable[[Path, int], None]:
    def write(root: Path, seed: int) -> None:
        raw = root / folder / name / "raw"
        for split, n in {"train": 30, "t10k": 20}.items():
            x, y = smooth(n, 1, 28, 28, folder, split, seed), whole(n, 10, folder, split, seed)
            for kind, header, content in (
                ("images-idx3", (0x803, n, 28, 28), x),
                ("labels-idx1", (0x801, n), y.to(torch.uint8)),
            ):
                idx = struct.pack(f">{len(header)}i", *header) + content.numpy().tobytes()
                put(raw / f"{split}-{kind}-ubyte.gz", gzip.compress(idx, mtime=0))

    return write


class _Python2(pickle._Pickler):  # the one in C cannot be told how to write texts
    """Pickles as Python 2 did, which wrote the published files: texts and bytes are one and the same."""

    dispatch: ClassVar[dict] = dict(pickle._Pickler.dispatch)

    def save_string(self, content: str | bytes) -> None:
        written = content if isinstance(content, bytes) else content.encode("latin1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(written)) + written)
        self.memoize(content)

    dispatch[str] = dispatch[bytes] = save_string


def _pickled(content: dict[str, Any]) -> bytes:
    file = BytesIO()
    _Python2(file, protocol=2).dump(content)
    return file.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")  # where it was


def _batch(n: int, labels: dict[str, int], *purpose: object) -> bytes:
    content = {"batch_label": "invented", "filenames": [f"{i}.png" for i in range(n)]}
    content |= {key: whole(n, below, *purpose, key).tolist() for key, below in labels.items()}
    return _pickled(content | {"data": smooth(n, 3, 32, 32, *purpose).flatten(1).numpy()})


def _cifar10(root: Path, seed: int) -> None:
    folder = root / "cifar10" / "cifar-10-batches-py"
    for name in (*(f"data_batch_{i + 1}" for i in range(5)), "test_batch"):
        put(folder / name, _batch(12, {"labels": 10}, "cifar10", name, seed))
    names = [f"kind {i}" for i in range(10)]
    put(folder / "batches.meta", _pickled({"num_cases_per_batch": 12, "label_names": names, "num_vis": 3072}))


def _cifar100(root: Path, seed: int) -> None:
    folder = root / "cifar100" / "cifar-100-python"
    for name, n in {"train": 120, "test": 30}.items():
        put(folder / name, _batch(n, {"fine_labels": 100, "coarse_labels": 20}, "cifar100", name, seed))
    fine, coarse = ([f"{of} {i}" for i in range(n)] for of, n in (("kind", 100), ("group", 20)))
    put(folder / "meta", _pickled({"fine_label_names": fine, "coarse_label_names": coarse}))


def _cifar10_jpeg(root: Path, seed: int) -> None:
    import numpy as np

    found = {"class_names": np.array([f"kind {i}" for i in range(10)])}
    for split, n in {"train": 40, "test": 20}.items():
        packets = [encoded(picture, "JPEG") for picture in smooth(n, 3, 32, 32, "cifar10_jpeg", split, seed)]
        found[f"{split}_jpeg"] = np.frombuffer(b"".join(packets), dtype="uint8")
        found[f"{split}_offsets"] = np.cumsum([0, *map(len, packets)]).astype("int64")
        found[f"{split}_labels"] = whole(n, 10, "cifar10_jpeg", split, seed).numpy().astype("uint8")
    (root / "cifar10").mkdir(parents=True, exist_ok=True)
    np.savez(root / "cifar10" / "cifar10_jpeg.npz", **found)


def _att(seed: int) -> Tensor:
    return smooth(400, 1, 112, 92, "att_faces", seed)


def _att_faces(root: Path, seed: int) -> None:
    import numpy as np

    (root / "att_faces").mkdir(parents=True, exist_ok=True)
    subject = np.arange(1, 41, dtype="uint8").repeat(10)
    np.savez_compressed(root / "att_faces" / "att_faces.npz", images=_att(seed)[:, 0].numpy(), subject=subject)


def _att_faces_pgm(root: Path, seed: int) -> None:
    for place, picture in enumerate(_att(seed)):
        put(root / "att_faces" / f"s{place // 10 + 1}" / f"{place % 10 + 1}.pgm", encoded(picture, "PPM"))


# ------------------------------------------------------------------ numbers


def _school(root: Path, seed: int) -> None:
    import numpy as np
    from scipy.io import savemat

    cells = {"X": np.empty((1, 139), dtype=object), "Y": np.empty((1, 139), dtype=object)}
    for school in range(139):
        random = generator("example", "school", school, seed)
        pupils = 4 + school % 5
        x = torch.randint(2, (pupils, 28), generator=random)
        x[:, 27] = 1
        y = torch.randint(1, 71, (pupils, 1), generator=random)
        cells["X"][0, school], cells["Y"][0, school] = x.numpy().astype("uint8"), y.numpy().astype("uint8")
    (root / "school").mkdir(parents=True, exist_ok=True)
    savemat(root / "school" / "school.mat", cells, do_compression=True)


COLOURS = ["red", "green", "blue"]


def _arff(n: int, labels: dict[str, Any], *purpose: object) -> bytes:
    """An ARFF file: two numbers, a category, the labels; one number and one category are missing."""
    import arff

    random = generator("example", *purpose)
    rows: list[list[Any]] = []
    for i in range(n):
        first, second, *targets = (torch.randint(100, (2 + len(labels),), generator=random) / 100).tolist()
        binary = [str(i >> place & 1) for place in range(len(labels))]
        kinds = zip(labels.values(), targets, binary, strict=True)
        rows.append([first, second, COLOURS[i % 3], *(bit if kind == ["0", "1"] else t for kind, t, bit in kinds)])
    rows[1][0] = rows[2][2] = None
    attributes = {"first": "NUMERIC", "second": "REAL", "colour": COLOURS, **labels}
    return arff.dumps({"relation": "invented", "attributes": list(attributes.items()), "data": rows}).encode()


def _scene(root: Path, seed: int) -> None:
    folder, names = root / "mulan" / "multi-label" / "scene", [f"label{i + 1}" for i in range(4)]
    for split, n in {"train": 12, "test": 8}.items():
        put(folder / f"scene-{split}.arff", _arff(n, {key: ["0", "1"] for key in names}, "scene", split, seed))
    lines = "\n".join(f'<label name="{name}"></label>' for name in names)
    put(folder / "scene.xml", f'<labels xmlns="http://mulan.sourceforge.net/labels">\n{lines}\n</labels>\n'.encode())


def _andro(root: Path, seed: int) -> None:
    content = _arff(12, {f"target{i + 1}": "NUMERIC" for i in range(6)}, "andro", seed)
    put(root / "mulan" / "multi-target" / "andro.arff", content)


EXAMPLES: dict[str, Callable[[Path, int], None]] = {
    "mnist": _mnist("mnist", "MNIST"),
    "fashion_mnist": _mnist("fashion_mnist", "FashionMNIST"),
    "cifar10": _cifar10,
    "cifar10_jpeg": _cifar10_jpeg,
    "cifar100": _cifar100,
    "att_faces": _att_faces,
    "att_faces_pgm": _att_faces_pgm,
    "school": _school,
    "scene": _scene,
    "andro": _andro,
}


def main(arguments: list[str]) -> None:
    """``NAME FOLDER``: write an example, and say what ``load`` calls it."""
    if len(arguments) != 2:
        sys.exit("python -m mtlib.datasets.examples NAME FOLDER")
    name, root = arguments
    print(f"load({write(name, root)!r}, root={root!r})")


if __name__ == "__main__":
    main(sys.argv[1:])

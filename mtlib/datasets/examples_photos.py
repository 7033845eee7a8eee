"""Tiny sets of photographs in their official layouts: drawn faces, and colours that run into each other for birds.

Part of ``examples``, which writes them.
"""

from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path

import torch

from mtlib.datasets import celeba, lfw
from mtlib.datasets.examples import encoded, put, smooth
from mtlib.faces import ATTRIBUTES, POINTS_5, Faces, draw
from mtlib.faces.data import FIRST
from mtlib.seeds import generator

# Face numbers below 100 k + 5 are one person.
CELEBA = {"train": [0, 1, 2, 3, 100, 101, 200, 201], "validation": [0, 1, 100], "test": [0, 1, 100, 101]}
PEOPLE = {"Ada_Drawn": 4, "Ben_Drawn": 3, "Cleo_Drawn": 3, "Dan_Drawn": 2}  # how many pictures there are of each
BIRDS = ("001.Blue_Smudge", "002.Lesser_Blur", "003.Streak")
SEEN = ("has_bill_shape::none", "has_wing_color::blue", "has_wing_color::grey", "has_size::small", "has_size::wide")
CERTAINTIES = ("not visible", "guessing", "probably", "definitely")


def _lines(rows: Iterable[object]) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def celeba_faces(seed: int) -> Faces:
    """The faces of the example ``celeba``, in order, drawn 218 pixels wide: 20 are cut off on either side."""
    numbers = [FIRST[split] + number for split, drawn in CELEBA.items() for number in drawn]
    return draw(numbers, seed, celeba.HIGH)


def _celeba(root: Path, seed: int) -> None:
    folder, faces = root / "celeba", celeba_faces(seed)
    names = [f"{i + 1:06d}.jpg" for i in range(len(faces.index))]
    margin = (celeba.HIGH - celeba.WIDE) // 2
    for name, picture in zip(names, faces.images, strict=True):
        put(folder / celeba.IMAGES / name, encoded(picture[:, :, margin:-margin], "JPEG"))
    marks = (faces.landmarks[:, POINTS_5] - torch.tensor([margin, 0])).round().int().flatten(1)
    people = faces.identity.unique(return_inverse=True)[1] + 1
    partition = [place for place, drawn in enumerate(CELEBA.values()) for _ in drawn]

    def listed(rows: Iterable[object], *header: object) -> bytes:
        return _lines([*header, *(f"{name} {row}" for name, row in zip(names, rows, strict=True))])

    labels = [" ".join(f"{2 * label - 1:2d}" for label in row) for row in faces.attributes.tolist()]
    points = [" ".join(f"{place:4d}" for place in row) for row in marks.tolist()]
    put(folder / celeba.ATTRIBUTE, listed(labels, len(names), " ".join(ATTRIBUTES) + " "))
    put(folder / celeba.LANDMARKS, listed(points, len(names), " ".join(celeba.PLACES) + " "))
    put(folder / celeba.IDENTITY, listed(people.tolist()))
    put(folder / celeba.PARTITION, listed(partition))


def _lfw(root: Path, seed: int) -> None:
    """The pictures, LFWA's labels in MATLAB's older format (the release has 7.3), and the lists of pairs."""
    import numpy as np
    from scipy.io import savemat

    folder, numbers, names = root / "lfw", [], []
    for person, (name, pictures) in enumerate(PEOPLE.items()):
        numbers += [100 * person + i for i in range(pictures)]
        names += [f"{name}/{name}_{i + 1:04d}.jpg" for i in range(pictures)]
    faces = draw(numbers, seed, lfw.SIDE)
    for name, picture in zip(names, faces.images, strict=True):
        put(folder / lfw.FOLDERS["original"] / name, encoded(picture, "JPEG"))

    def cells(texts: Iterable[str]) -> "np.ndarray":
        return np.array([*texts, None], dtype=object)[:-1].reshape(-1, 1)

    labels = {"label": faces.attributes.numpy().astype("float64"), "AttrName": cells(ATTRIBUTES)}
    windows = cells(name.replace("/", "\\") for name in names)  # as the release has it
    savemat(folder / lfw.LABELS, labels | {"name": windows}, do_compression=True)
    train = np.arange(1.0, 8).reshape(-1, 1)  # Ada and Ben
    halves = {"indices_img_train": train, "indices_img_test": np.arange(8.0, 13).reshape(-1, 1)}
    savemat(folder / lfw.HALVES, halves, do_compression=True)
    ada, ben, cleo, dan = PEOPLE
    first = [f"{ada}\t1\t2", f"{ben}\t1\t3", f"{ada}\t3\t{ben}\t2", f"{ada}\t1\t{ben}\t1"]
    second = [f"{cleo}\t2\t3", f"{dan}\t1\t2", f"{cleo}\t1\t{dan}\t1", f"{cleo}\t2\t{dan}\t2"]
    put(folder / lfw.LISTS["folds"], _lines(["2\t2", *first, *second]))
    put(folder / lfw.LISTS["train"], _lines(["2", *first]))
    put(folder / lfw.LISTS["test"], _lines(["2", *second]))


def _cub(root: Path, seed: int) -> None:
    folder, random = root / "cub" / "CUB_200_2011", generator("example", "cub", seed)
    names = [f"{bird}/{bird[4:]}_{i + 1:04d}_{900 + i}.jpg" for bird in BIRDS for i in range(4)]
    numbered = [f"{i + 1} {name}" for i, name in enumerate(names)]
    boxes = []
    for i, name in enumerate(names):
        wide, high = 60 + 7 * (i % 5), 48 + 5 * (i % 3)
        picture = smooth(1, 1 if i == 5 else 3, high, wide, "cub", i, seed)[0]  # one of them is grey
        put(folder / "images" / name, encoded(picture, "JPEG"))
        boxes.append(f"{i + 1} 10.0 8.0 {wide - 24}.0 {high - 16}.0")
    put(folder / "images.txt", _lines(numbered))
    put(folder / "classes.txt", _lines(f"{i + 1} {bird}" for i, bird in enumerate(BIRDS)))
    put(folder / "image_class_labels.txt", _lines(f"{i + 1} {i // 4 + 1}" for i in range(len(names))))
    put(folder / "train_test_split.txt", _lines(f"{i + 1} {int(i % 4 < 2)}" for i in range(len(names))))
    put(folder / "bounding_boxes.txt", _lines(boxes))
    put(folder.parent / "attributes.txt", _lines(f"{i + 1} {name}" for i, name in enumerate(SEEN)))
    put(folder / "attributes" / "certainties.txt", _lines(f"{i + 1} {name}" for i, name in enumerate(CERTAINTIES)))
    present = torch.randint(2, (len(names), len(SEEN)), generator=random)
    certainty = torch.randint(1, 5, (len(names), len(SEEN)), generator=random)
    rows = []
    for i in range(len(names)):
        for a in range(len(SEEN)):
            superfluous = "0 0 " if (i, a) == (7, 2) else ""  # as in a few lines of the real file
            seen = int(present[i, a] * (certainty[i, a] > 1))
            rows.append(f"{i + 1} {a + 1} {seen} {int(certainty[i, a])} {superfluous}{1 + a}.5")
    put(folder / "attributes" / "image_attribute_labels.txt", _lines(rows))
    shares = torch.rand(len(BIRDS), len(SEEN), generator=random, dtype=torch.double) * 100
    table = _lines(" ".join(f"{share:.10f}" for share in row) for row in shares.tolist())
    put(folder / "attributes" / "class_attribute_labels_continuous.txt", table)


def _manifest(root: Path, seed: int) -> None:
    import csv

    folder, file = root / "manifest", StringIO()
    rows = csv.writer(file, lineterminator="\n")
    labels = ("binary:looks:Bright", "binary:looks:Wide", "classes:kind:kind", "classes:count:count")
    more = ("points:affect:valence", "points:affect:arousal", "places:marks:x1", "places:marks:y1")
    rows.writerow(["file", "split", "identity", "source", *labels, *more])
    formats, splits = ("JPEG", "PNG", "BMP", "WEBP"), ["train"] * 6 + ["validation"] * 2 + ["test"] * 4
    names = [f"pictures/{split}/{i + 1:03d}.{formats[i % 4].lower()}" for i, split in enumerate(splits)]
    for i, (name, split) in enumerate(zip(names, splits, strict=True)):
        put(folder / name, encoded(smooth(1, 3, 40, 48, "manifest", i, seed)[0], formats[i % 4]))
        kind = ("blue", "", "red", "green")[i % 4]  # the second of four is missing
        affect = ("", "") if i % 5 == 4 else (f"{i / 10 - 0.5:.2f}", f"{0.25 * (i % 4)}")
        rows.writerow(
            [name, split, f"person {i % 3}", 1 + i % 2, i % 2, ("", "1")[i % 2], kind, i % 3, *affect, i, 39 - i]
        )
    put(folder / "manifest.csv", file.getvalue().encode())
    pairs = [f"{names[i]},{names[j]},{int(i % 3 == j % 3)},{i % 2}" for i, j in ((0, 3), (1, 4), (0, 1), (1, 2))]
    put(folder / "pairs.csv", _lines(["first,second,same,fold", *pairs]))


EXAMPLES: dict[str, Callable[[Path, int], None]] = {
    "celeba": _celeba,
    "lfwa": _lfw,
    "cub": _cub,
    "manifest": _manifest,
}

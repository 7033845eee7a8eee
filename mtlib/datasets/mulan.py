"""Four multi-label sets and twelve sets with several targets, as the Java library Mulan collects them.

Numbers come as they are in the files and categories one column per value, see ``arff``. ``PUBLISHED`` says what Mulan's
repository has, and of each file the MD5 of its text (lines ending as there, spaces at its end aside).
"""

import hashlib
from numbers import Integral
from pathlib import Path

import torch

from mtlib.datasets import arff
from mtlib.datasets.source import Source, damaged, need
from mtlib.seeds import generator

TITLE = "Mulan"
SPLITS = 10

# features (a category is one), labels or targets, and of every file the examples and the MD5
PUBLISHED = {
    "scene": (294, 6, (1211, "ffd5d238bf5fe07ebca3f1fa3451691f"), (1196, "58f4a0f74e65cec170851313f2289b43")),
    "yeast": (103, 14, (1500, "f644523c77c54c138491ad66ffa6085e"), (917, "8f0a60228952dc478b1cf20c93d78e39")),
    "emotions": (72, 6, (391, "36ec7aa830b20ab6430ce27ce1feeb3c"), (202, "c10d7066e5dbedc764deef3a57017560")),
    "flags": (19, 7, (129, "5e3d2fba8a9cf6d9c2bd8759335bc93a"), (65, "db8231323b8acf166338b39be7268344")),
    "atp1d": (411, 6, (337, "4b421db99880a2a51df5af594a3704d4")),
    "atp7d": (411, 6, (296, "3a8a67f104f31277de1e99405d96f786")),
    "oes97": (263, 16, (334, "0ef824352198f5bffba4ecc9be4c06cd")),
    "oes10": (298, 16, (403, "5239ac693557ade7b53f01c05c81afdf")),
    "edm": (16, 2, (154, "4344db6080078ef85754e2fa085091d4")),
    "sf1": (10, 3, (323, "28700d96e33258fc3d780e7ecb4a10c8")),
    "sf2": (10, 3, (1066, "576e17f50054ce894c321b60e70ec4bc")),
    "jura": (15, 3, (359, "235ed67e86ea47d498a4e19c778d23e5")),
    "wq": (16, 14, (1060, "be06716358a76344a6a3994cdc519833")),
    "enb": (8, 2, (768, "504b8b0d87da83f0bb7ea6ca8b1716b9")),
    "slump": (7, 3, (103, "f5ad70558c6551cff88429a04c364af3")),
    "andro": (30, 6, (49, "df8340789a8b9ae1a81f05b1789d949f")),
}


def read(folder: Path, name: str) -> Source:
    """Task ``labels``, binary, named as the .xml file names them; official splits.

    The files lie in ``multi-label/<name>``. With as many columns as Mulan has they must be Mulan's; others only have
    to agree with one another (``arff.load`` reads any).

    Args:
        folder: of all Mulan sets.  name: ``scene``, ``yeast``, ``emotions`` or ``flags``.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: one is damaged or another one; it is named.
    """
    files = need(TITLE, folder / "multi-label" / name, f"{name}-train.arff", f"{name}-test.arff", f"{name}.xml")
    labels = arff.names_of(TITLE, files[2])
    train, test = arff.table(TITLE, files[0]), arff.table(TITLE, files[1])
    absent = [label for label in labels if label not in train.columns]
    if absent:
        raise damaged(TITLE, files[2], f"lists a label {absent[0]!r}, which {files[0].name} does not have")
    features, columns, *published = PUBLISHED[name]
    for table, known in zip((train, test), published, strict=True):
        if len(table.columns) == features + columns:
            _check(table, *known)
            if len(labels) != columns:
                raise damaged(TITLE, files[2], f"lists {len(labels)} labels, there are {columns}")
    return arff.source(f"{TITLE}: {name}", train, test, labels, "binary")


def read_targets(folder: Path, name: str, split: int = 0) -> Source:
    """Task ``targets``, points: the last columns. No official splits: two thirds are drawn to train on, ten times.

    The file is ``multi-target/<name>.arff``, checked as the multi-label ones are.

    Args:
        folder: of all Mulan sets.  name: ``andro`` and others, see ``PUBLISHED``.  split: which draw, 0 to 9.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: another split; or the file is damaged or another one.
    """
    if isinstance(split, bool) or not isinstance(split, Integral) or not 0 <= split < SPLITS:
        raise ValueError(f"split is 0 to {SPLITS - 1}, got {split!r}")
    (path,) = need(TITLE, folder / "multi-target", f"{name}.arff")
    table = arff.table(TITLE, path)
    features, targets, published = PUBLISHED[name]
    if len(table.columns) == features + targets:
        _check(table, *published)
    n = len(table.cells)
    order, cut = torch.randperm(n, generator=generator("mulan", name, int(split))), (2 * n + 1) // 3
    train, test = table.take(order[:cut]), table.take(order[cut:])
    return arff.source(f"{TITLE}: {name}", train, test, list(table.columns)[-targets:], "points")


def _check(table: arff.Table, examples: int, md5: str) -> None:
    """Refuse a file that has Mulan's columns and is not Mulan's."""
    if len(table.cells) != examples:
        raise damaged(TITLE, table.path, f"has {len(table.cells):,} examples, there are {examples:,}")
    found = hashlib.md5(table.path.read_bytes().replace(b"\r\n", b"\n").rstrip()).hexdigest()
    if found != md5:
        raise damaged(TITLE, table.path, f"is not as published: its text has the MD5 {found}, not {md5}")

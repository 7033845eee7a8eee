"""CSV files that people write: columns of texts, and every fault by its line and column."""

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtlib.datasets.source import reading

SHOWN = 40  # characters of a wrong value
BELOW = re.compile(r"(?![A-Za-z]:)((?!\.{1,2}/)[^/\\]+/)*(?!\.{1,2}$)[^/\\]+")  # neither absolute nor upwards


@dataclass
class Sheet:
    """path: of the file.  columns: {name: (N,) texts}; every line of the file but the first is a row."""

    path: Path
    columns: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def fault(self, what: str) -> ValueError:
        """The error to raise: what is wrong with the file."""
        return fault(self.path, what)

    def wrong(self, row: int, column: str, what: str) -> ValueError:
        """The error to raise: what should be in a cell, and what is there."""
        value = self.columns[column][row]
        value = value if len(value) <= SHOWN else f"{value[:SHOWN]}..."
        return self.fault(f"line {row + 2}, column {column!r}: should be {what}, is {value!r}")

    def mapped(self, column: str, values: Mapping[str, int], what: str) -> Tensor:
        """(N,) int64: what the texts of a column stand for.

        Raises:
            ValueError: the first that stands for nothing.
        """
        import numpy as np

        texts = self.columns[column]
        try:
            return torch.from_numpy(np.fromiter(map(values.__getitem__, texts), "int64", len(texts)))
        except KeyError:
            row = next(row for row, text in enumerate(texts) if text not in values)
            raise self.wrong(row, column, what) from None

    def numbers(self, column: str) -> Tensor:
        """(N,) float32: the numbers of a column, NaN where it is empty.

        Raises:
            ValueError: the first that is none.
        """
        found = []
        for row, text in enumerate(self.columns[column]):
            try:
                value = float(text or "nan")
            except ValueError:
                value = math.inf
            if text and not math.isfinite(value):
                raise self.wrong(row, column, "a number")
            found.append(value)
        return torch.tensor(found, dtype=torch.float32)

    def whole(self, column: str) -> Tensor:
        """(N,) int64: the whole numbers of a column.

        Raises:
            ValueError: the first that is none.
        """
        for row, text in enumerate(self.columns[column]):
            if not re.fullmatch("-?[0-9]{1,18}", text):
                raise self.wrong(row, column, "a whole number")
        return torch.tensor(list(map(int, self.columns[column])))

    def files(self, column: str) -> tuple[str, ...]:
        """Paths below the file's folder; whether they are there is not looked at.

        Raises:
            ValueError: the first that is empty, absolute, or leads out of the folder.
        """
        for row, name in enumerate(self.columns[column]):
            if not BELOW.fullmatch(name):
                raise self.wrong(row, column, "a path below the file's folder, with / between folders")
        return self.columns[column]


def fault(path: Path, what: str) -> ValueError:
    """The error to raise: what is wrong with which file."""
    return ValueError(f"{path.parent.name}/{path.name}, {what}")


def sheet(path: Path) -> Sheet:
    """A CSV file with commas, in UTF-8, one line per row, its first line the columns' names.

    pandas is not used: it fills up lines that are too short, as if their last values had been left empty.

    Raises:
        ValueError: the file is none such; which line is wrong.
    """
    with reading("Manifest", path):
        content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise fault(path, "is no text in UTF-8") from None
    if "\0" in text:
        raise fault(path, "is no text")
    if not text.endswith("\n"):
        raise fault(path, "the last line has no end: is the file whole? If so, end it with a line feed")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    try:
        for row in lines:
            rows.append(row)
            if lines.line_num != len(rows):
                raise fault(path, f"line {len(rows)}: a value goes on in the next line")
            if len(row) != len(rows[0]):
                raise fault(path, f"line {len(rows)}: has {len(row)} values, the first line has {len(rows[0])}")
    except csv.Error as error:
        raise fault(path, f"line {lines.line_num}: {error}") from None
    for name, times in Counter(rows[0]).items():
        if times > 1 or not name:
            raise fault(path, f"line 1: has a column {name!r} twice" if name else "line 1: has a column without a name")
    if len(rows) < 2:
        raise fault(path, "has no rows")
    return Sheet(path, dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True)))

"""Tables in text files, words with white space between them: read fast, and blamed by line where they are wrong."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtlib.datasets.source import damaged, reading

if TYPE_CHECKING:
    from pandas import DataFrame

BEYOND = "\0"  # a column that no line should reach
SHOWN = 40  # characters of a wrong word


def table(title: str, path: Path, columns: Mapping[str, type], skip: int = 0, more: bool = False) -> "DataFrame":
    """The rows of a text file, about five million in a second; empty lines do not count.

    Args:
        title: of the data set.  path: of the file.
        columns: {name: int, float or str}, one word each.
        skip: lines before the first row.
        more: lines may have further words, which are left; otherwise they may not.

    Raises:
        ValueError: a line has too few words or too many, or no number where there should be one: which line.
    """
    import pandas as pd

    with reading(title, path):
        content = path.read_bytes()
    if b"\0" in content:
        raise damaged(title, path, "is no text")
    kinds = {name: {int: "int64", float: "float64", str: "str"}[kind] for name, kind in columns.items()}
    try:
        rows = pd.read_csv(
            io.BytesIO(content),
            sep=r"\s+",
            header=None,
            names=list(kinds) if more else [*kinds, BEYOND],
            usecols=range(len(kinds)) if more else None,  # with it pandas minds no further words
            dtype=kinds | {BEYOND: "str"},
            skiprows=skip,
            na_filter=False,  # a word that is missing is "", never a number; NA is a name like any other
            quoting=csv.QUOTE_NONE,
            index_col=False,
        )
    except (ValueError, OverflowError):  # pandas' own errors are ValueErrors, and seldom say which line
        raise _blame(title, path, content, columns, skip, more) from None
    if not len(rows):
        raise damaged(title, path, "has no rows")
    wrong = [] if more else [(rows.pop(BEYOND) != "").any()]
    wrong += [(rows[name].abs() == math.inf).any() for name, kind in columns.items() if kind is float]
    if any(wrong) or (rows.iloc[:, -1] == "").any():  # a last word that is missing goes unnoticed until here
        raise _blame(title, path, content, columns, skip, more)
    return rows


def numbers(rows: "DataFrame", columns: str | Sequence[str], kind: str = "int64") -> Tensor:
    """One column (N,) or several (N, columns) of a table, as a tensor of its own."""
    columns = columns if isinstance(columns, str) else list(columns)
    return torch.from_numpy(rows[columns].to_numpy(kind, copy=True))


def _blame(title: str, path: Path, content: bytes, columns: Mapping[str, type], skip: int, more: bool) -> ValueError:
    """What is wrong with which line, looked for slowly now that something is."""
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        return damaged(title, path, "is no text")
    for number, line in enumerate(lines[skip:], skip + 1):
        words = line.split()
        if words and not len(columns) <= len(words) <= (len(words) if more else len(columns)):
            return damaged(title, path, f"has {len(words)} values in line {number}, not {len(columns)}")
        for word, (name, kind) in zip(words, columns.items(), strict=False):
            try:
                fits = kind is str or math.isfinite(kind(word))
            except (ValueError, OverflowError):
                fits = False
            if not fits:
                what = "a whole number" if kind is int else "a number"
                return damaged(title, path, f"has {word[:SHOWN]!r} in line {number} where {name} is {what}")
    return damaged(title, path, f"is no table of {len(columns)} columns")

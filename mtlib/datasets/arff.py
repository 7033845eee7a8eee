"""ARFF files, Weka's tables with a header: several labels or several targets of each example, anybody's own.

liac-arff parses; rows may be sparse. Numbers stay as they are (``datasets.standardise``), a category becomes one
column per value that the header lists, 1 for the one it is. No feature is missing afterwards: a missing number becomes
the mean of the training split, a missing category all zeros. Missing labels stay missing, as ``Task`` has it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from mtlib.datasets.source import Part, Source, damaged, lines_of, reading
from mtlib.tasks import Dataset, Split, Task

Kind = Literal["binary", "points"]
TITLE = "ARFF"


@dataclass
class Table:
    """What a file holds.

    columns: by name the values of a category, or None for numbers.  cells: (N, columns) float64: a number, or the place
    of the value in the category's list; NaN where there is none.
    """

    title: str
    path: Path
    columns: dict[str, tuple[str, ...] | None]
    cells: Tensor

    def take(self, rows: Tensor) -> "Table":
        """The rows ``rows`` (B,) alone."""
        return replace(self, cells=self.cells[rows])

    def column(self, name: str) -> Tensor:
        """The cells (N,) of a column."""
        return self.cells[:, list(self.columns).index(name)]


def load(train: Path | str, test: Path | str, labels: Sequence[str] | Path | str, kind: Kind = "binary") -> Dataset:
    """A data set from two ARFF files.

    Args:
        train, test: files with the same columns.
        labels: names of the columns that are labels, or a file that lists them as Mulan's .xml files do. All other
            columns are features.
        kind: ``binary``, labels 0 and 1 and the task ``labels``, or ``points``, numbers and the task ``targets``.

    Returns:
        Dataset of x (N, features) float32 and y (N, labels), int8 or float32.

    Raises:
        FileNotFoundError: a file is not there.
        ValueError: one is damaged or the two do not fit together; or no such column or kind.
    """
    paths = [Path(train), Path(test), *([Path(labels)] if isinstance(labels, Path | str) else [])]
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there")
    names = names_of(TITLE, paths[2]) if len(paths) > 2 else tuple(labels)
    found = source(paths[0].stem, table(TITLE, paths[0]), table(TITLE, paths[1]), names, kind)
    return Dataset(found.title, found.tasks, *(Split(part.x, part.y) for part in found.parts.values()))


def source(title: str, train: Table, test: Table, labels: Sequence[str], kind: Kind) -> Source:
    """Two tables with the same columns as a data set; see ``load``."""
    if kind not in get_args(Kind):
        raise ValueError(f"kind is one of {', '.join(get_args(Kind))}, got {kind!r}")
    if list(test.columns.items()) != list(train.columns.items()):
        raise damaged(test.title, test.path, f"does not have the columns of {train.path.name}")
    absent = [name for name in labels if name not in train.columns]
    if absent or not labels or len(labels) == len(train.columns):
        what = f"has no column {absent[0]!r}" if absent else "needs one or more labels, and features beside them"
        raise damaged(train.title, train.path, what)
    task = Task({"binary": "labels", "points": "targets"}[kind], kind, tuple(labels))
    read = {"binary": _binary, "points": _points}[kind]
    parts = {
        split: Part(_features(rows, train, labels), {task.name: read(rows, labels)})
        for split, rows in {"train": train, "test": test}.items()
    }
    return Source(title, (task,), parts)


def table(title: str, path: Path) -> Table:
    """The content of a file.

    Raises:
        ValueError: it does not follow the format, a column holds texts or dates, or a number is infinite.
    """
    import arff
    import numpy as np

    # liac-arff would cut what INTEGER columns hold to whole numbers, where Weka takes any number.
    lines = [re.sub(r"(?i)^(\s*@attribute\s.*\s)integer\s*$", r"\1numeric", line) for line in lines_of(title, path)]
    with reading(title, path):
        content = arff.ArffDecoder().decode(lines, encode_nominal=True, return_type=arff.DENSE_GEN)
    columns = {name: tuple(values) if isinstance(values, list) else None for name, values in content["attributes"]}
    texts = [name for name, values in content["attributes"] if values == "STRING"]
    if texts:
        raise damaged(title, path, f"has texts in {texts[0]}, where only numbers and categories can be used")
    rows = []
    try:
        for row in content["data"]:
            rows.append(np.array(row, dtype=float))  # None becomes NaN
    except (arff.ArffException, ValueError) as error:
        raise damaged(title, path, f"is damaged in example {len(rows) + 1} ({type(error).__name__})") from error
    if not rows:
        raise damaged(title, path, "has no examples")
    cells = torch.from_numpy(np.stack(rows))
    if cells.isinf().any():
        raise damaged(title, path, "has a number that is infinite")
    return Table(title, path, columns, cells)


def names_of(title: str, path: Path) -> tuple[str, ...]:
    """The labels that one of Mulan's .xml files lists."""
    from xml.etree import ElementTree

    with reading(title, path):
        labels = ElementTree.fromstring(path.read_bytes()).findall(".//{*}label")
        names = tuple(label.attrib["name"] for label in labels)
    if not names or len(set(names)) < len(names):
        raise damaged(title, path, "lists no labels, or one twice")
    return names


def _features(rows: Table, train: Table, labels: Sequence[str]) -> Tensor:
    """All columns but the labels, (N, features) float32, none of them missing."""
    found = []
    for name, values in rows.columns.items():
        cells = rows.column(name)
        if name in labels:
            continue
        if values is None:
            mean = train.column(name).nanmean().nan_to_num()
            found.append(torch.where(cells.isnan(), mean, cells).unsqueeze(1))
        else:
            found.append(cells.unsqueeze(1) == torch.arange(len(values)))  # N values
    return torch.cat([column.float() for column in found], 1)


def _binary(rows: Table, labels: Sequence[str]) -> Tensor:
    """The labels (N, labels) int8, 0 or 1, -1 where missing."""
    found = []
    for name in labels:
        cells, values = rows.column(name), rows.columns[name]
        if values is not None:
            if set(values) != {"0", "1"}:
                raise damaged(rows.title, rows.path, f"has a label {name} of {', '.join(values)}, not 0 and 1")
            cells = torch.where(cells.isnan(), cells, (cells == values.index("1")).double())
        cells = cells.nan_to_num(-1)
        if not torch.isin(cells, cells.new_tensor([-1, 0, 1])).all():
            raise damaged(rows.title, rows.path, f"has a label {name} that is neither 0 nor 1")
        found.append(cells.to(torch.int8))
    return torch.stack(found, 1)


def _points(rows: Table, labels: Sequence[str]) -> Tensor:
    """The targets (N, labels) float32, NaN where missing."""
    categories = [name for name in labels if rows.columns[name] is not None]
    if categories:
        raise damaged(rows.title, rows.path, f"has categories in {categories[0]}, which should be a number")
    return torch.stack([rows.column(name).float() for name in labels], 1)

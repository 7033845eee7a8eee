"""What a reader finds on disk: labels in memory, pictures not yet decoded; and how it says that something is wrong."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from mtlib.datasets.pictures import Pictures
from mtlib.paths import repository
from mtlib.tasks import Task

VARIABLE = "MTLIB_DATA"  # environment: the folder of all data sets


@dataclass
class Part:
    """One split as it lies on disk: x pictures (N), or numbers (N, ...); y {task name: (N, columns)}; source (N,)."""

    x: Pictures | Tensor
    y: dict[str, Tensor]
    source: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Tensor) -> "Part":
        """The rows ``rows`` (B,) alone; nothing is decoded."""
        x = self.x.take(rows) if isinstance(self.x, Pictures) else self.x[rows]
        source = None if self.source is None else self.source[rows]
        return Part(x, {name: y[rows] for name, y in self.y.items()}, source)


@dataclass
class Source:
    """A data set as a reader gives it.

    title: its name as people write it, and as data/README.md heads its section.  tasks: all that it has labels for.
    parts: ``train`` and ``test``, and ``validation`` where the set has an official one.  chosen: the tasks that
    ``load`` takes unless told otherwise; all of them if empty.  places: names of tasks of kind ``points`` that are
    places in the picture, (N, 2 P) in pixels of the file (x1, y1, x2, ...; the centre of the first pixel is 0, 0),
    which ``load`` turns into fractions; all files then have the ``frame`` (width, height).  lacking: {name: error} of
    tasks whose file is not there, raised if one of them is asked for.
    """

    title: str
    tasks: tuple[Task, ...]
    parts: dict[str, Part]
    chosen: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    frame: tuple[int, int] | None = None
    lacking: dict[str, FileNotFoundError] = field(default_factory=dict)


def folder_of_all(root: Path | str | None) -> Path:
    """The folder that has one folder per data set: ``root``, else what MTLIB_DATA names, else the course's ``data/``.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if root in (None, ""):
        root = os.environ.get(VARIABLE) or repository() / "data"
    if not Path(root).is_dir():
        raise FileNotFoundError(f"{root} is no folder; it should hold one folder per data set, see data/README.md")
    return Path(root)


def need(title: str, folder: Path, *names: str) -> list[Path]:
    """The files or folders ``names`` of a data set.

    Raises:
        FileNotFoundError: the first that is missing is named, and where it is described how to get the set.
    """
    found = [folder / name for name in names]
    for path in found:
        if not path.exists():
            raise absent(title, path)
    return found


def absent(title: str, path: Path) -> FileNotFoundError:
    """The error to raise for a file that is not there: which, and where it is described how to get it."""
    return FileNotFoundError(
        f"{title}: {path.name} is not in {path.parent}; data/README.md says under {title!r} how to get it and where to "
        "put it"
    )


def damaged(title: str, path: Path, what: str) -> ValueError:
    """The error to raise for a file that cannot be used: what is wrong with which."""
    return ValueError(f"{title}: {path.name} {what}; nothing of it is used, get it again (data/README.md)")


@contextmanager
def reading(title: str, path: Path) -> Iterator[None]:
    """Whatever a library raises at a file that it cannot read, as the error that names the file."""
    try:
        yield
    except Exception as error:  # a damaged pickle, archive or table raises nearly anything, and a folder OSError
        what = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise damaged(title, path, f"cannot be read ({what})") from error


def lines_of(title: str, path: Path) -> list[str]:
    """The lines of a text file, without the empty ones at its end.

    Raises:
        ValueError: it is no text, or empty.
    """
    with reading(title, path):
        content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise damaged(title, path, "is no text") from None
    if "\0" in text:
        raise damaged(title, path, "is no text")
    if not text.strip():
        raise damaged(title, path, "is empty")
    return text.rstrip().splitlines()


def md5(path: Path) -> str:
    """The MD5 of a file, as publishers give it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def choose(
    tasks: Sequence[Task],
    wanted: Sequence[str] | None,
    chosen: Sequence[str],
    lacking: Mapping[str, FileNotFoundError] | None = None,
) -> tuple[Task, ...]:
    """The tasks asked for by name, in the order asked for.

    Raises:
        ValueError: a name that there is not, twice, or none.
        FileNotFoundError: one of those that are ``lacking``.
    """
    known: Mapping[str, Task] = {task.name: task for task in tasks}
    names = tuple(wanted) if wanted is not None else tuple(chosen) or tuple(known)
    for name in names:
        if name in (lacking or {}):
            raise lacking[name]
    if isinstance(wanted, str) or not names or len(set(names)) < len(names) or not set(names) <= set(known):
        raise ValueError(f"tasks are one or more of {', '.join(known)}, each once, got {wanted!r}")
    return tuple(known[name] for name in names)

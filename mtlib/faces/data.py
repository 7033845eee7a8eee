"""Drawn faces as a data set: kept where training happens, drawn anew whenever asked for, or drawn once into a file."""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from numbers import Integral
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from mtlib.faces import population, structure
from mtlib.faces.draw import DRAWING, LARGEST, SMALLEST, draw
from mtlib.faces.landmarks import landmarks
from mtlib.faces.names import ACTION_UNITS, ATTRIBUTES, EXPRESSIONS, LANDMARKS
from mtlib.faces.population import RANGE, people
from mtlib.faces.portrait import sit
from mtlib.lazy import Lazy
from mtlib.paths import repository
from mtlib.progress import Progress
from mtlib.storage import Packed, check_room
from mtlib.tasks import Dataset, Split, Task

Storage = Literal["resident", "fly", "cached"]

# A split has a range of face numbers of its own, so it does not move when another one grows, and none share a person.
FIRST = {"train": 0, "validation": RANGE, "test": 2 * RANGE}
POINTS = max(places.stop for places in LANDMARKS.values())
TASKS = {
    task.name: task
    for task in (
        Task("attributes", "binary", ATTRIBUTES),
        Task("expression", "classes", ("expression",), classes=len(EXPRESSIONS)),
        Task("action_units", "binary", tuple(f"AU{unit}" for unit in ACTION_UNITS)),
        Task("landmarks", "points", tuple(f"{axis}{point + 1}" for point in range(POINTS) for axis in "xy")),
    )
}
AT_ONCE = 8192  # faces whose labels are computed together
PIXELS = 2**24  # drawn between two looks at the progress


def dataset(
    *,
    train: int = 162_770,
    validation: int = 19_867,
    test: int = 19_962,
    size: int = 64,
    seed: int = 0,
    tasks: Sequence[str] = ("attributes",),
    storage: Storage = "resident",
    root: Path | str | None = None,
    device: torch.device | str = "cpu",
) -> Dataset:
    """Drawn faces with their labels; the sizes are those of CelebA's partition unless asked for otherwise.

    Args:
        train, validation, test: faces of each split, 1 to 2**28; twenty of them are about one person. A smaller split
            is the beginning of a larger one.
        size: pixels, 32 to 256.
        seed: another seed is another population.
        tasks: which labels, any of ``attributes`` (40, binary), ``expression`` (7 classes), ``action_units`` (17,
            binary) and ``landmarks`` (72 points, see ``positions``).
        storage: ``resident`` draws all faces now and keeps them on the device, 3 size**2 bytes each;
            ``fly`` draws a batch whenever it is asked for (``Drawn``): nothing to wait for, nothing kept;
            ``cached`` draws them once, on the CPU, into a file that later calls map into memory (``storage.Packed``),
            from where another device is given a copy.
        root: folder of ``cached``; ``data/drawn_faces`` of the repository, which git ignores.
        device: of the images and labels.

    Returns:
        Dataset of x (N, 3, size, size) uint8 and y {task: (N, columns)}: attributes and action_units int8 0/1,
        expression int64 0 to 6, landmarks float32.

    Raises:
        ValueError: a task, storage, size or number of faces that there is not; before anything is drawn.
        OSError: no room for the files.
    """
    counts = {"train": train, "validation": validation, "test": test}
    chosen = _check(counts, size, seed, tasks, storage)
    counts, size, seed = {name: int(n) for name, n in counts.items()}, int(size), int(seed)
    where = Path(root) if root is not None else None
    if storage == "cached":
        where = where or repository() / "data" / "drawn_faces"
        check_room([_pack(where, name, n, size, seed) for name, n in counts.items()])
    splits = {}
    with Progress(sum(counts.values()), "drawing faces") if storage == "resident" else nullcontext() as bar:
        for name, n in counts.items():
            index = numbers(name, n).to(device)
            x = Drawn(index, seed, size)
            if storage == "resident":
                x = _resident(x, bar)
            elif storage == "cached":
                x = _cached(_pack(where, name, n, size, seed), name, size, seed).to(device)
            splits[name] = Split(x, labels(index, seed, tuple(chosen)))
    return Dataset(f"drawn faces, {size} pixels, seed {seed}", tuple(chosen.values()), **splits)


def numbers(split: str, n: int) -> Tensor:
    """The face numbers (n,) of a split: ``train``, ``validation`` or ``test``."""
    return torch.arange(FIRST[split], FIRST[split] + n)


def identities(split: str, n: int, seed: int = 0) -> Tensor:
    """Who is on each face (n,) of a split: faces of one number show one person. For ``rows.Pairs``."""
    return population.identities(numbers(split, n), seed)


def labels(index: Tensor, seed: int = 0, tasks: Sequence[str] = ("attributes",)) -> dict[str, Tensor]:
    """Labels by task (n, columns) of the faces ``index`` (n,), see ``dataset``; nothing is painted."""
    parts = [_labels(part, seed, tasks) for part in index.split(AT_ONCE)]
    return {name: torch.cat([part[name] for part in parts]) for name in tasks}


def positions(y: Tensor, size: int) -> Tensor:
    """Landmarks in pixels (n, 72, 2), as ``draw`` gives them, from the labels or outputs y (n, 144) of their task.

    There they are x1, y1, x2, ... as fractions of the image, whatever its size: -1 at its left or upper edge, 1 at
    its right or lower one.
    """
    return (y.unflatten(1, (-1, 2)) + 1) * (size / 2) - 0.5  # the centre of the first pixel is (0, 0)


class Drawn(Lazy):
    """Faces that are drawn when they are asked for, (N, 3, size, size) uint8, on the device of their numbers.

    Args:
        index: (N,) face numbers.  seed, size: as for ``draw``.
    """

    def __init__(self, index: Tensor, seed: int = 0, size: int = 64) -> None:
        super().__init__(index, (3, size, size), torch.uint8)
        self.seed, self.size = seed, size

    @property
    def recipe(self) -> str:
        """What the pictures follow from besides the numbers."""
        return f"drawn faces {_version()} seed {self.seed} size {self.size}"

    def make(self, index: Tensor) -> Tensor:
        """The pictures (B, 3, size, size) of the face numbers ``index`` (B,)."""
        if not len(index):
            return torch.empty(0, *self.row, dtype=self.dtype, device=self.device)
        return draw(index, self.seed, self.size).images


def _check(counts: dict[str, int], size: int, seed: int, tasks: Sequence[str], storage: str) -> dict[str, Task]:
    """The tasks asked for, by name."""
    for name, n in counts.items():
        if not isinstance(n, Integral) or not 1 <= n <= RANGE:
            raise ValueError(f"the {name} split has 1 to 2**28 faces, got {n!r}")
    if not isinstance(size, Integral) or not SMALLEST <= size <= LARGEST:
        raise ValueError(f"faces are drawn at {SMALLEST} to {LARGEST} pixels, got size {size!r}")
    if not isinstance(seed, Integral):
        raise ValueError(f"the seed is a whole number, got {seed!r}")
    if isinstance(tasks, str) or not tasks or len(set(tasks)) < len(tasks) or not set(tasks) <= set(TASKS):
        raise ValueError(f"tasks are one or more of {', '.join(TASKS)}, each once, got {tasks!r}")
    if storage not in get_args(Storage):
        raise ValueError(f"storage is one of {', '.join(get_args(Storage))}, got {storage!r}")
    return {name: TASKS[name] for name in tasks}


def _labels(index: Tensor, seed: int, tasks: Sequence[str]) -> dict[str, Tensor]:
    who = people(index, seed)
    found = {"attributes": who.attributes, "expression": who.expression.unsqueeze(1), "action_units": who.action_units}
    if "landmarks" in tasks:
        found["landmarks"] = landmarks(sit(who), 2).flatten(1) - 0.5  # two pixels reach from -0.5 to 1.5
    return found


def _resident(faces: Drawn, bar: Progress) -> Tensor:
    """All of them, drawn now."""
    x = torch.empty(faces.shape, dtype=faces.dtype, device=faces.device)
    for part in torch.arange(len(x)).split(max(1, PIXELS // faces.size**2)):
        x[part[0] : part[-1] + 1] = faces[part[0] : part[-1] + 1]
        bar.advance(len(part))
    return x


def _cached(pack: Packed, name: str, size: int, seed: int) -> Tensor:
    """All of them, from the file, drawn now where there is none."""
    faces = Drawn(numbers(name, pack.shape[0]), seed, size)
    return pack.ensure(lambda start, stop: faces[start:stop], f"drawing {name} faces")


def _pack(root: Path, name: str, n: int, size: int, seed: int) -> Packed:
    key = {"holds": "drawn faces", "version": _version(), "seed": seed, "size": size, "first": FIRST[name]}
    return Packed(root / f"{name}-{n}-faces-{size}-pixels-seed-{seed}", key, (n, 3, size, size))


def _version() -> str:
    """Of the population and of the drawing: another one has other faces."""
    fitted = hashlib.blake2b(structure.FILE.read_bytes(), digest_size=4).hexdigest()
    return f"{structure.load().version}.{DRAWING} ({fitted})"

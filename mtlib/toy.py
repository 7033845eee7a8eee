"""The toy plane of SOS, Sec. IV-A.2: two tasks on the square [-1, 1]^2, each a donut or a cosine band.

The printed description is garbled in two places; what was chosen, and what else it could mean, is ``Reading``.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Literal

import torch
from torch import Tensor

from mtlib import choices
from mtlib.seeds import generator
from mtlib.tasks import Dataset, Split, Task

TASKS = (Task("toy", "binary", ("task 1", "task 2")),)


@dataclass(frozen=True)
class Reading:
    """How the printed description is read (S-10, S-11 in data/papers/sos_readings.md).

    Args:
        band: the band's half-width: ``half`` eps/2, parallel to the cosine template; ``full`` eps.
        offset: which coordinate the donut's one printed offset moves: ``x0``, ``x1`` or ``both``.
        sampling: ``cycle`` alternates task-1 positive, task-1 negative, task-2 positive, task-2 negative;
            ``joint`` takes the non-empty joint classes in turn; ``separate`` is the cycle with each example
            labelled for its own task only (the other label is missing); ``uniform`` does not balance at all.
    """

    band: Literal["half", "full"] = "half"
    offset: Literal["x0", "x1", "both"] = "x0"
    sampling: Literal["cycle", "joint", "separate", "uniform"] = "cycle"

    def __post_init__(self) -> None:
        choices.check(self)


DEFAULT = Reading()


@dataclass(frozen=True)
class Donut:
    """Positive where | |X - centre| - r | < eps/2: a ring of radius r and width eps, moved by one offset."""

    r: float
    offset: float
    eps: float

    def __call__(self, x: Tensor, reading: Reading = DEFAULT) -> Tensor:
        """Labels (n,) bool of the points x (n, 2)."""
        centre = [self.offset if reading.offset in (axis, "both") else 0.0 for axis in ("x0", "x1")]
        distance = (x - x.new_tensor(centre)).norm(dim=1)
        return (distance - self.r).abs() < self.eps / (2 if reading.band == "half" else 1)


@dataclass(frozen=True)
class Cos:
    """Positive where |X1 - c cos(a X0 + b)| < eps/2: a band of height eps along a cosine."""

    a: float
    b: float
    c: float
    eps: float

    def __call__(self, x: Tensor, reading: Reading = DEFAULT) -> Tensor:
        """Labels (n,) bool of the points x (n, 2); the reading concerns donuts only."""
        return (x[:, 1] - self.c * torch.cos(self.a * x[:, 0] + self.b)).abs() < self.eps / 2


Template = Donut | Cos

# Table I: task 1, task 2 of each set, as printed.
SETS: dict[int, tuple[Template, Template]] = {
    1: (Cos(4, 0, 1, 0.2), Cos(4, 0, 1, 0.1)),
    2: (Cos(8, 0, 1, 0.1), Cos(8, 0, 1, 0.2)),
    3: (Cos(4, 2, 1, 0.2), Cos(4, 0, 1, 0.2)),
    4: (Cos(4, 0, 0.5, 0.1), Cos(4, 0, 1, 0.1)),
    5: (Donut(0.5, 0, 0.1), Cos(4, 0, 1, 0.1)),
    6: (Donut(0.5, -0.25, 0.1), Cos(4, 0, 0.5, 0.1)),
    7: (Donut(0.5, 0, 0.1), Donut(0.5, 0, 0.2)),
    8: (Donut(0.25, 0, 0.1), Donut(0.55, 0, 0.1)),
    9: (Donut(0.25, -0.25, 0.1), Donut(0.25, 0.25, 0.1)),
    10: (Donut(0.15, -0.25, 0.1), Donut(0.65, 0.25, 0.1)),
}


def templates(number: int) -> tuple[Template, Template]:
    """The two templates of set 1-10.

    Raises:
        ValueError: there is no such set.
    """
    if number not in SETS:
        raise ValueError(f"toy set {number!r} does not exist: Table I has sets 1 to 10")
    return SETS[number]


def labels(pair: tuple[Template, Template], x: Tensor, reading: Reading = DEFAULT) -> Tensor:
    """Labels (n, 2) in {0, 1} of the points x (n, 2)."""
    return torch.stack([template(x, reading) for template in pair], dim=1).long()


def make(
    number: int | tuple[Template, Template],
    n_train: int = 5000,
    n_test: int = 500,
    seed: int = 0,
    *,
    reading: Reading = DEFAULT,
    device: torch.device | str = "cpu",
) -> Dataset:
    """Set 1-10 of Table I, or any pair of templates, drawn afresh by each seed.

    Points are drawn on the CPU and moved, so every device gets the same set. Train and test are independent.

    Returns:
        Dataset with x (n, 2) float32 in [-1, 1] and y {"toy": (n, 2)} int64 in {0, 1}, -1 where missing.

    Raises:
        ValueError: no such set, sizes below 1, or a template that no point of the square satisfies.
    """
    pair = number if isinstance(number, tuple) else templates(number)
    name = f"toy {pair[0]} and {pair[1]}" if isinstance(number, tuple) else f"toy set {number}"
    splits = {}
    for split, n in (("train", n_train), ("test", n_test)):
        if n < 1:
            raise ValueError(f"n_{split} must be 1 or more, got {n}")
        x, y = _draw(pair, n, reading, ("toy", _stream(pair), reading, split, seed))
        splits[split] = Split(x.to(device), {"toy": y.to(device)})
    return Dataset(name, TASKS, splits["train"], splits["test"])


def overlap(
    pair: int | tuple[Template, Template], points: int = 2_000_000, seed: int = 0, reading: Reading = DEFAULT
) -> float:
    """Intersection over union of the two positive regions, by uniform points (S-13)."""
    pair = pair if isinstance(pair, tuple) else templates(pair)
    y = labels(pair, _uniform(points, generator("overlap", _stream(pair), reading, seed)), reading).bool()
    return (y.all(1).sum() / y.any(1).sum().clamp(min=1)).item()


def _stream(pair: tuple[Template, Template]) -> tuple:
    """What names a set's random numbers: set 9 and its templates given by hand are one set, 0 is 0.0."""
    return tuple((type(template).__name__, *map(float, astuple(template))) for template in pair)


def _uniform(n: int, random: torch.Generator) -> Tensor:
    return torch.rand(n, 2, generator=random) * 2 - 1  # n 2


def _draw(pair: tuple[Template, Template], n: int, reading: Reading, stream: tuple) -> tuple[Tensor, Tensor]:
    """n points in the order that the sampling says: example j belongs to class j modulo the classes.

    Every class has numbers of its own, so that a set of 500 is the beginning of the one of 5 000.
    """
    classes = _classes(pair, reading, generator(*stream, "classes"))
    x = torch.empty(n, 2)
    for j, member in enumerate(classes):
        places = torch.arange(n)[j :: len(classes)]
        x[places] = _rejected(pair, member, len(places), reading, generator(*stream, j))
    y = labels(pair, x, reading)
    if reading.sampling == "separate":
        own = torch.arange(n) % 4 // 2  # the task whose class was drawn
        y[torch.arange(n), 1 - own] = -1
    return x, y


def _classes(
    pair: tuple[Template, Template], reading: Reading, random: torch.Generator
) -> list[Callable[[Tensor], Tensor]]:
    """The classes to take in turn, each as a test on labels (n, 2) -> (n,) bool."""
    if reading.sampling == "uniform":
        return [lambda y: torch.ones(len(y), dtype=torch.bool)]
    if reading.sampling == "joint":
        cells = (labels(pair, _uniform(200_000, random), reading) @ torch.tensor([2, 1])).unique()  # 0 to 3
        return [lambda y, cell=cell: y @ torch.tensor([2, 1]) == cell for cell in cells]
    return [lambda y, i=i, v=v: y[:, i] == v for i in (0, 1) for v in (1, 0)]


def _rejected(
    pair: tuple[Template, Template],
    member: Callable[[Tensor], Tensor],
    n: int,
    reading: Reading,
    random: torch.Generator,
    chunk: int = 20_000,
) -> Tensor:
    """n uniform points of one class, by rejection, in chunks whose size does not depend on n."""
    found: list[Tensor] = [torch.empty(0, 2)]
    kept = drawn = 0
    while kept < n:
        x = _uniform(chunk, random)
        found.append(x[member(labels(pair, x, reading))])
        kept, drawn = kept + len(found[-1]), drawn + chunk
        if not kept and drawn >= 1_000_000:
            raise ValueError(f"{pair}: none of {drawn} points of the square falls into one of the classes")
    return torch.cat(found)[:n]

"""The pairs of data bases of SOS Sec. IV-A.3: the real ones where their files are, else stand-ins without a download.

A pair is one ``Dataset``: every example is labelled for the task of its own data base and misses the other's (S-25).
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from mtlib import datasets, faces
from mtlib.datasets import registry
from mtlib.datasets.mixture import FIRST, SECOND, join
from mtlib.datasets.source import Part, Source, folder_of_all
from mtlib.faces.names import EXPRESSIONS
from mtlib.lazy import select
from mtlib.seeds import generator
from mtlib.tasks import Dataset, Split, Task

SIZE, CHANNELS = 32, 3  # what both data bases are brought to (S-25)
KINDS = ("auto", "real", "stand-in")
SOURCES = (FIRST, SECOND)
STAND_IN = "stand-in: "  # how the names of data begin that are not the paper's
POOL = 4  # a subset of n training pictures is drawn from the first 4 n: a quick run decodes no more


@dataclass(frozen=True)
class Pair:
    """Two data bases, as Sec. IV-A.3 letters them.

    Args:
        real: their names for ``datasets.load``.  roles: as the paper calls them; a stand-in plays the same roles.
        related: whether the tasks are.  printed: updates of 200 epochs, as batches of 100 from both sets together.
        stand_in: what stands in for them.
    """

    real: str
    roles: tuple[str, str]
    related: bool
    printed: int
    stand_in: str


PAIRS = {
    "a": Pair("mnist+cifar10", ("MNIST", "CIFAR-10"), False, 220_000, "digits + expressions of drawn faces"),
    "b": Pair("cifar10+cifar100", ("CIFAR-10", "CIFAR-100"), True, 200_000, "expressions + actions of drawn faces"),
}

EXPRESSION = Task("expression", "classes", ("expression",), classes=len(EXPRESSIONS))
# Four units that are neither rare nor tiny: sixteen classes, finer than the expressions, which decide how likely each
# unit is.
UNITS = ("AU1", "AU4", "AU12", "AU25")
ACTIONS = Task("actions", "classes", ("actions",), classes=2 ** len(UNITS))


@dataclass(frozen=True)
class Given:
    """Which data a pair is trained on.

    Args:
        pair: its letter.  title: of the data, as people write it.  real: the paper's own, or a stand-in.
        train, test: pictures of each data base; None for all of a real one.
        root: folder of real sets.  device: where they are wanted.
    """

    pair: str
    title: str
    real: bool
    train: int | None
    test: int | None
    root: str = ""
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not self.real and (self.train is None or self.test is None):
            raise ValueError(f"{self.title}: faces are drawn as many as asked for; give train and test")

    @property
    def scope(self) -> str:
        """What claims on these data are about, see ``Claims.judge``."""
        return "same-data" if self.real else "stand-in"

    @property
    def name(self) -> str:
        """The title, saying of a stand-in that it is one."""
        return self.title if self.real else STAND_IN + self.title


def given(
    dataset: str = "auto",
    root: str = "",
    *,
    train: int | None = None,
    test: int | None = None,
    drawn: tuple[int, int] = (50_000, 5_000),
    device: str = "cpu",
) -> dict[str, Given]:
    """The data of every pair, by letter.

    Args:
        dataset: ``real``, ``stand-in``, or ``auto``: each pair real if both of its data bases are there.
        root: folder of real sets, see ``datasets.load``.
        train, test: pictures of each data base; None for all.  drawn: how many faces a stand-in then has.
        device: where they are wanted.

    Raises:
        ValueError: another kind of data, or files that are damaged.
        FileNotFoundError: ``real``, and a data base is not there; it is named.
    """
    if dataset not in KINDS:
        raise ValueError(f"dataset is one of {', '.join(KINDS)}, got {dataset!r}")
    found = {}
    for letter, pair in PAIRS.items():
        title = None if dataset == "stand-in" else _title(pair, root, must=dataset == "real")
        if title is not None:
            found[letter] = Given(letter, title, True, train, test, root, device)
        else:
            sizes = (train or drawn[0], test or drawn[1])
            found[letter] = Given(letter, pair.stand_in, False, *sizes, device=device)
    return found


def _title(pair: Pair, root: str, must: bool) -> str | None:
    """What the files hold; None where some are not there. A copy of CIFAR-10 says that it is one."""
    try:
        return " + ".join(registry.read(name, folder_of_all(root), {}).title for name in pair.real.split("+"))
    except FileNotFoundError:
        if must:
            raise
        return None


@lru_cache(maxsize=2)  # networks come seed by seed, and each seed has both pairs
def load(which: Given, seed: int) -> Dataset:
    """The pair's data: x (N, 3, 32, 32) uint8, ``source`` 1 or 2, and two tasks whose columns are the roles.

    Of real data a seed redraws the training subset, where one is taken; of drawn faces, all people.
    """
    return _subset(which, seed) if which.real else _stand_in(which, seed)


@lru_cache(maxsize=2)
def _whole(which: Given) -> Dataset:
    limits = {"train": which.train and POOL * which.train, "test": which.test}
    real, root = PAIRS[which.pair].real, which.root or None
    return datasets.load(real, root=root, size=SIZE, channels=CHANNELS, device=which.device, **limits)


def _subset(which: Given, seed: int) -> Dataset:
    """``train`` training pictures of each data base, in the order in which they lie on disk."""
    data = _whole(which)
    if which.train is None:
        return data
    split, parts = data.train, []
    for source in SOURCES:
        own = (split.source == source).nonzero().flatten().cpu()
        order = torch.randperm(len(own), generator=generator("two sets", which.pair, source, seed))
        parts.append(own[order[: which.train].sort().values])
    rows = torch.cat(parts).to(split.source.device)
    y = {name: labels[rows] for name, labels in split.y.items()}
    return replace(data, train=Split(select(split.x, rows), y, split.source[rows]))


def _stand_in(which: Given, seed: int) -> Dataset:
    first = _digits(which) if which.pair == "a" else _faces(EXPRESSION, which, 2 * seed)
    second = _faces(EXPRESSION if which.pair == "a" else ACTIONS, which, 2 * seed + 1)  # nobody is in both
    joined = join(first, second)
    splits = {name: _placed(part, which.device) for name, part in joined.parts.items()}
    return Dataset(which.name, joined.tasks, **splits)


def _placed(part: Part, device: str) -> Split:
    return Split(part.x.to(device), {name: y.to(device) for name, y in part.y.items()}, part.source.to(device))


def _digits(which: Given) -> Source:
    """scikit-learn's digits, 1 297 to train on and 500 to test on, enlarged from 8 pixels."""
    data = datasets.load("digits")
    (task,), sizes = data.tasks, {"train": which.train, "test": which.test}
    parts = {}
    for name, n in sizes.items():
        split: Split = getattr(data, name)
        x = F.interpolate(split.x[:n].float(), size=SIZE, mode="bilinear").round().to(torch.uint8)
        parts[name] = Part(x.repeat(1, CHANNELS, 1, 1), {task.name: split.y[task.name][:n]})  # N 3 32 32, N 1
    return Source("Digits", (task,), parts)


def _faces(task: Task, which: Given, population: int) -> Source:
    """Drawn faces of one population, labelled for one task."""
    wanted = ("expression", "action_units")
    # Drawn in silence, and only the two splits that are used.
    data = faces.dataset(
        train=which.train, validation=1, test=which.test, size=SIZE, seed=population, tasks=wanted, storage="fly"
    )
    columns = [data.tasks[1].columns.index(unit) for unit in UNITS]
    parts = {}
    for name, split in (("train", data.train), ("test", data.test)):
        y = split.y["expression"] if task is EXPRESSION else actions(split.y["action_units"][:, columns])
        parts[name] = Part(split.x[torch.arange(len(split))], {task.name: y})
    return Source("drawn faces", (task,), parts)


def actions(units: Tensor) -> Tensor:
    """One class per combination of binary units: (N, u) to (N, 1), the first unit worth 1, the next 2, then 4."""
    worth = 2 ** torch.arange(units.shape[1])
    return (units.long() * worth).sum(1, keepdim=True)

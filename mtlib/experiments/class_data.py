"""Sets of classes and attributes for Case Study II: people and their faces, birds, and yeast's genes.

All come with the tasks ``classes`` (one column) and ``attributes`` (binary), with a validation split, and with labels
of both on every example; ``halved`` takes half of them away.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mtlib import datasets
from mtlib.annotate import annotate
from mtlib.coupling import Relations, counted
from mtlib.datasets.registry import DRAWN
from mtlib.experiments.class_arms import ATTRIBUTES, CLASSES
from mtlib.faces.data import TASKS, Drawn, identities, labels, numbers
from mtlib.lazy import Lazy, select
from mtlib.seeds import generator
from mtlib.tasks import Dataset, Split, Task

LEAST = 16  # faces of everybody who is shown; four of five drawn people have so many
VALIDATION, TEST = 0.15, 0.25  # of everybody's faces
BATCH = 512  # faces drawn at a time
HELD = 300  # of yeast's training genes, to validate on
JOINED = ("Class1", "Class2", "Class3")  # of yeast's labels: their combination is the class


def load(name: str, *, root: str | None, size: int, people: int | None, seed: int, device: str = "cpu") -> Dataset:
    """A set by its name: ``drawn_faces``, ``celeba``, ``cub`` or ``yeast``.

    Args:
        root: folder of real sets.  size: of pictures, pixels.
        people: how many are shown, of sets of faces; None: all.
        seed: another one has other people where they are drawn; real sets are always the same.

    Raises:
        ValueError: another name, or fewer people with ``LEAST`` faces than asked for.
        FileNotFoundError: a set that is not there.
    """
    if name == DRAWN:
        return drawn(size, people or 64, seed, device)
    if name == "celeba":
        return celeba(root, size, people, device)
    if name == "cub":
        data = datasets.load("cub", root=root, size=size, channels=3, validation=None, device=device)
        return birds(data)
    if name == "yeast":
        return joined(datasets.load("yeast", root=root, validation=HELD, device=device), JOINED)
    raise ValueError(f"classes and attributes are those of {DRAWN}, celeba, cub or yeast, got {name!r}")


def drawn(size: int, people: int, seed: int, device: str = "cpu") -> Dataset:
    """Drawn faces of so many people, everybody in all three splits; another seed has other people."""
    index, who, y = labelled(people, seed)
    faces = Drawn(index, seed, size)
    x = torch.cat([faces[part] for part in torch.arange(len(index)).split(BATCH)]).to(device)
    title = f"drawn faces of {people} people, {size} pixels, seed {seed}"
    return _within(title, x, who.to(device), y.to(device), TASKS[ATTRIBUTES], seed)


def labelled(people: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Face numbers (n,), who is on them (n,), counted from 0, and their attributes (n, 40); nothing is painted."""
    index = numbers("train", 100 * -(-people // 4))  # of every hundred faces, four people have 16 or more
    rows, who = chosen(identities("train", len(index), seed), people)
    return index[rows], who, labels(index[rows], seed, (ATTRIBUTES,))[ATTRIBUTES]


def celeba(root: str | None, size: int, people: int | None, device: str = "cpu", least: int = LEAST) -> Dataset:
    """CelebA's training faces of those with ``least`` or more, everybody in all splits, always the same (X-20)."""
    data = datasets.load(
        "celeba", root=root, size=size, channels=3, tasks=("identity", ATTRIBUTES), device=device, validation=1
    )
    rows, who = chosen(data.train.y["identity"].flatten().cpu(), people, least)
    attributes = next(task for task in data.tasks if task.name == ATTRIBUTES)
    x, y = select(data.train.x, rows.to(device)), data.train.y[ATTRIBUTES][rows.to(device)]
    return _within(f"{data.name}, {int(who.max()) + 1} people", x, who.to(device), y, attributes, 0)


def chosen(who: Tensor, people: int | None, least: int = LEAST) -> tuple[Tensor, Tensor]:
    """The faces (n,) of the first people with ``least`` or more, and their class (n,), counted from 0.

    Args:
        who: (N,) whole numbers, who is on each face; below 0, it is not known.  people: how many; None: all.

    Raises:
        ValueError: there are not so many, or fewer than two.
    """
    known, counts = who[who >= 0].unique(return_counts=True)
    enough = known[counts >= least][:people]
    if len(enough) < (people or 2):
        raise ValueError(f"{people or 2} people with {least} faces or more are asked for; there are {len(enough)}")
    rows = torch.isin(who, enough).nonzero().flatten()
    return rows, torch.searchsorted(enough, who[rows])


def _within(title: str, x: Tensor | Lazy, who: Tensor, y: Tensor, attributes: Task, seed: int) -> Dataset:
    """Splits in which every class has a share of its own examples."""
    part = parts(who.cpu(), seed)
    splits = {}
    for place, name in enumerate(("train", "validation", "test")):
        rows = (part == place).nonzero().flatten().to(who.device)
        splits[name] = Split(select(x, rows), {CLASSES: who[rows].unsqueeze(1), ATTRIBUTES: y[rows]})
    classes = Task(CLASSES, "classes", (CLASSES,), classes=int(who.max()) + 1)
    return Dataset(title, (classes, replace(attributes, name=ATTRIBUTES)), **splits)


def parts(who: Tensor, seed: int, test: float = TEST) -> Tensor:
    """(N,) 0 to train, 1 to validate, 2 to test on: shares of every class's examples, at random, one or more of each.

    Args:
        who: (N,) the classes.  seed: names the splits.  test: share to test on; 0 where there is a test split.
    """
    order = torch.rand(len(who), generator=generator("within", seed))
    found = torch.zeros_like(who)
    for k in who.unique():
        own = (who == k).nonzero().flatten()
        own = own[order[own].argsort()]
        tested = max(1, round(test * len(own))) if test else 0
        validated = max(1, round(VALIDATION * len(own)))
        found[own[:tested]] = 2
        found[own[tested : tested + validated]] = 1
    return found


def birds(data: Dataset) -> Dataset:
    """CUB with species as classes; of the official training pictures some of every species are held out."""
    species = data.train.y["species"]
    held = parts(species.flatten().cpu(), 0, test=0) == 1
    rows = {"train": (~held).nonzero().flatten(), "validation": held.nonzero().flatten()}
    splits = {}
    for name in ("train", "validation", "test"):
        whole = data.test if name == "test" else data.train
        at = rows.get(name, torch.arange(len(whole))).to(species.device)
        splits[name] = Split(
            select(whole.x, at), {CLASSES: whole.y["species"][at], ATTRIBUTES: whole.y[ATTRIBUTES][at]}
        )
    by_name = {task.name: task for task in data.tasks}
    tasks = (Task(CLASSES, "classes", (CLASSES,), classes=by_name["species"].classes), by_name[ATTRIBUTES])
    return Dataset(f"{data.name}, species and attributes", tasks, **splits)


def joined(data: Dataset, names: Sequence[str]) -> Dataset:
    """A multi-label set with some labels joined into one class, the others as attributes.

    Every combination of theirs that the training split has is a class; an example of another one has none.
    """
    (task,) = data.tasks
    at = [task.columns.index(name) for name in names]
    rest = [place for place in range(len(task.columns)) if place not in at]
    power = 2 ** torch.arange(len(at))
    code = {name: (split.y[task.name][:, at].cpu().long() * power).sum(1) for name, split in _splits(data).items()}
    known = code["train"].unique()
    splits = {}
    for name, split in _splits(data).items():
        own = torch.where(torch.isin(code[name], known), torch.searchsorted(known, code[name]), -1)
        y = {CLASSES: own.unsqueeze(1).to(split.y[task.name].device), ATTRIBUTES: split.y[task.name][:, rest]}
        splits[name] = Split(split.x, y)
    tasks = (
        Task(CLASSES, "classes", (CLASSES,), classes=len(known)),
        Task(ATTRIBUTES, "binary", [task.columns[place] for place in rest]),
    )
    return Dataset(f"{data.name}, {' and '.join(names)} joined", tasks, **splits)


def _splits(data: Dataset) -> dict[str, Split]:
    return {"train": data.train, "validation": data.validation, "test": data.test}


# ------------------------------------------------------------------ what is known of them


def halved(data: Dataset, seed: int) -> Dataset:
    """Half of the training examples with a class, the other half with attributes; ``seed`` names which."""
    n = len(data.train) // 2
    return annotate(data, {CLASSES: n, ATTRIBUTES: n}, seed=seed)


def relations(data: Dataset, smoothing: float = 1.0) -> Relations:
    """Counted from all training labels (X-11); of halved ones, where nothing has both, ask those before."""
    classes, attributes = data.tasks
    names = [f"{CLASSES} {k}" for k in range(classes.classes)]
    y = data.train.y
    return counted(names, attributes.columns, y[CLASSES], y[ATTRIBUTES], smoothing)

"""Two data sets as one: every example has the labels of the set that it comes from, and misses the other's."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mtlib.datasets.pictures import Joined, Pictures
from mtlib.datasets.source import Part, Source
from mtlib.tasks import Task

FIRST, SECOND = 1, 2  # ``Split.source``, as ``annotate`` numbers them: labelled for the first set's tasks, the second's


def join(a: Source, b: Source, tasks: Sequence[str] | None = None) -> Source:
    """Both sets, the first one's examples first.

    SOS Sec. IV-A.3 trains on MNIST + CIFAR-10 and on CIFAR-10 + CIFAR-100 (S-25: missing labels are masked, and the
    pictures brought to one size, which ``load`` is told). ``rows.Mixed`` fills batches from both.

    Args:
        tasks: names of those that are wanted, of either set; each set's usual ones without.

    Raises:
        ValueError: one has pictures and the other numbers, or other numbers, they share a task that is wanted,
            none of them is theirs, or only one has a validation split.
        FileNotFoundError: the file of a task that is wanted is not there.
    """
    known = [task.name for task in (*a.tasks, *b.tasks)]
    a, b = _wanted(a, tasks), _wanted(b, tasks)
    if not a.tasks and not b.tasks:
        raise ValueError(f"tasks are one or more of {', '.join(known)}, each once, got {tasks!r}")
    shared = {task.name for task in a.tasks} & {task.name for task in b.tasks}
    if shared:
        raise ValueError(f"{a.title} and {b.title} both have a task {sorted(shared)[0]!r}: they cannot be mixed")
    x, other = a.parts["train"].x, b.parts["train"].x
    if isinstance(x, Pictures) != isinstance(other, Pictures):
        raise ValueError(f"{a.title} and {b.title} cannot be mixed: one has pictures, the other numbers")
    if not isinstance(x, Pictures) and x.shape[1:] != other.shape[1:]:
        raise ValueError(f"{a.title} and {b.title} cannot be mixed: {x.shape[1]} and {other.shape[1]} features")
    if set(a.parts) != set(b.parts):
        raise ValueError(f"of {a.title} and {b.title} only one has a validation split: ask for validation examples")
    a, b = _without_places(a), _without_places(b)
    parts = {split: _joined(a, b, split) for split in a.parts}
    return Source(f"{a.title} + {b.title}", (*a.tasks, *b.tasks), parts)


def _without_places(source: Source) -> Source:
    """Places are in pixels of the one set's files: in a mixture they would mean nothing."""
    return replace(source, places=(), tasks=tuple(task for task in source.tasks if task.name not in source.places))


def _wanted(source: Source, tasks: Sequence[str] | None) -> Source:
    """The set with those of its tasks that are asked for."""
    names = tasks or source.chosen or [task.name for task in source.tasks]
    kept = tuple(task for task in source.tasks if task.name in names)
    for name in names:
        if name in source.lacking:
            raise source.lacking[name]
    return replace(source, tasks=kept)


def _joined(a: Source, b: Source, split: str) -> Part:
    first, second = a.parts[split], b.parts[split]
    both = [first.x, second.x]
    x = Joined(both) if isinstance(first.x, Pictures) else torch.cat(both)
    y = {task.name: torch.cat([first.y[task.name], missing(task, len(second))]) for task in a.tasks}
    y |= {task.name: torch.cat([missing(task, len(first)), second.y[task.name]]) for task in b.tasks}
    source = torch.cat([torch.full((len(first),), FIRST), torch.full((len(second),), SECOND)])
    return Part(x, y, source)


def missing(task: Task, n: int) -> Tensor:
    """Labels (n, columns) of examples that have none."""
    return torch.full((n, len(task.columns)), task.missing)

"""Labels that are missing by design, or wrong at a known rate: what several data bases put together look like."""

from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral, Real

import torch
from torch import Tensor

from mtlib.lazy import select
from mtlib.seeds import generator
from mtlib.tasks import Dataset, Split, Task


def annotate(
    data: Dataset,
    sizes: Mapping[str, int | float],
    overlap: float = 0.0,
    flip: Mapping[str, float] | float = 0.0,
    seed: int = 0,
) -> Dataset:
    """The data set with the labels of each task on some training examples only, and some of them wrong.

    ``overlap`` of the smallest task's examples are labelled for all tasks; all others for one task alone. Examples
    left without a label are dropped, so the training split gets smaller; the others keep their order. Validation and
    test stay as they are. All choices are a pure function of the arguments, and which labels are wrong depends on
    ``seed`` and the rate alone: two sets of different sizes have the same wrong labels where they share examples.

    Args:
        data: its train split may be a tensor or ``Lazy``, and may miss labels already, which stay missing.
        sizes: {task name: examples that keep its labels}, for every task: their number (an int), or their share of
            the training examples (a float above 0, up to 1).
        overlap: 0 none, 1 the whole of the smallest task's examples.
        flip: rate at which known labels are wrong, of all tasks or by name; a binary label is turned round, a class
            becomes any other one. Points cannot be wrong.
        seed: names the choice.

    Returns:
        Dataset whose train split has ``source`` (N,): 0 labelled for all tasks, t for the t-th task alone, counted
        from 1 (so that ``rows.Mixed`` can fill batches from each); missing labels are -1, NaN for points.

    Raises:
        ValueError: tasks, sizes, overlap or rates that do not exist or do not fit together; the message has the
            numbers. A train split that has sources already.
    """
    split, tasks = data.train, {task.name: task for task in data.tasks}
    if split.source is not None:
        raise ValueError(f"{data.name}: the train split has sources already; annotate a data set that has one")
    counts = _counts(tasks, sizes, len(split))
    common = _common(counts, overlap, len(split))
    rates = _rates(tasks, flip)
    order = torch.randperm(len(split), generator=generator("annotate", seed))
    source = torch.full((len(split),), -1)
    source[order[:common]] = 0
    start = common
    for place, count in enumerate(counts.values(), 1):
        source[order[start : start + count - common]] = place
        start += count - common

    device = split.x.device
    y = dict(split.y)
    source = source.to(device)
    for place, (name, task) in enumerate(tasks.items(), 1):
        own = (source == 0) | (source == place)
        told = _flipped(task, split.y[name], rates[name], seed)
        y[name] = torch.where(own.unsqueeze(1), told, told.new_tensor(task.missing))
    known = torch.stack([_known(task, y[name]).any(1) for name, task in tasks.items()]).any(0)
    rows = known.nonzero().flatten()
    kept = ", ".join(f"{count} {name}" for name, count in counts.items())
    wrong = ", ".join(f"{rate:g} of {name} wrong" for name, rate in rates.items() if rate)
    title = f"{data.name}, labels of {kept}, overlap {overlap:g}{wrong and f', {wrong}'}, seed {seed}"
    train = Split(select(split.x, rows), {name: each[rows] for name, each in y.items()}, source[rows])
    return replace(data, name=title, train=train)


def _counts(tasks: Mapping[str, Task], sizes: Mapping[str, int | float], n: int) -> dict[str, int]:
    """Examples of each task, in the order of the tasks."""
    if set(sizes) != set(tasks):
        raise ValueError(f"sizes name every task and no other: {sorted(tasks)}, got {sorted(sizes)}")
    counts = {}
    for name in tasks:
        size, share = sizes[name], not isinstance(sizes[name], Integral)
        if isinstance(size, bool) or not isinstance(size, Real) or not (0 < size <= 1 if share else 1 <= size <= n):
            raise ValueError(
                f"sizes: {name!r} keeps a whole number of 1 to {n} examples, or a share of them (a float above 0, "
                f"up to 1), got {size!r}"
            )
        counts[name] = max(1, round(size * n)) if share else int(size)
    return counts


def _common(counts: Mapping[str, int], overlap: float, n: int) -> int:
    """How many examples are labelled for all tasks."""
    if not 0 <= overlap <= 1:
        raise ValueError(f"overlap is a share of the smallest task's examples, 0 to 1, got {overlap!r}")
    common = round(overlap * min(counts.values()))
    wanted = common + sum(count - common for count in counts.values())
    if wanted > n:
        told = " + ".join(f"{count} {name}" for name, count in counts.items())
        raise ValueError(
            f"{told} with {common} in common take {wanted} examples, and there are {n}: smaller sizes or more overlap "
            "would fit"
        )
    return common


def _rates(tasks: Mapping[str, Task], flip: Mapping[str, float] | float) -> dict[str, float]:
    """The rate of every task."""
    rates = dict(flip) if isinstance(flip, Mapping) else dict.fromkeys(tasks, flip)
    for name, rate in rates.items():
        if name not in tasks:
            raise ValueError(f"flip: there is no task {name!r} among {sorted(tasks)}")
        if not 0 <= rate <= 1:
            raise ValueError(f"flip: the rate of {name!r} is 0 to 1, got {rate!r}")
        if rate and tasks[name].kind == "points":
            raise ValueError(
                f"flip: {name!r} has points, which cannot be flipped; give rates of the other tasks by name"
            )
    return {name: rates.get(name, 0.0) for name in tasks}


def _flipped(task: Task, y: Tensor, rate: float, seed: int) -> Tensor:
    """Labels (N, c) with known ones wrong at this rate."""
    if not rate:
        return y
    random = generator("flip", task.name, seed)
    wrong = torch.rand(y.shape, generator=random).to(y.device) < rate
    if task.kind == "binary":
        other = 1 - y
    else:
        shift = torch.randint(1, task.classes, y.shape, generator=generator("flip to", task.name, seed))
        other = (y + shift.to(y.device)) % task.classes
    return torch.where(wrong & (y >= 0), other.to(y.dtype), y)


def _known(task: Task, y: Tensor) -> Tensor:
    return ~y.isnan() if task.kind == "points" else y >= 0

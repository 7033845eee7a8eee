"""Refuse what cannot train before anything is done, and say what is wrong in the words of whoever wrote it."""

import torch
from torch import Tensor

from mtlib.augment import Augment
from mtlib.method import Method
from mtlib.rows import Identities, Pairs, Rows
from mtlib.tasks import Dataset, Split, Task


def check_method(method: Method, data: Dataset, validating: bool) -> None:
    """Raises ValueError where the data does not fit the method: labels, rows, devices."""
    first = next(method.parameters(), None)
    if first is None or not any(parameter.requires_grad for parameter in method.parameters()):
        raise ValueError(f"{type(method).__name__} has no parameter to train")
    if validating and data.validation is None:
        raise ValueError(f"data set {data.name!r} has no validation split to validate on")
    for name, split in (("train", data.train), ("validation", data.validation if validating else None)):
        if split is not None:
            check_split(f"{name} split of {data.name!r}", split, method.tasks, first.device)


def check_counts(logged: int, validate_every: int | None, save_every: float) -> None:
    """Raises ValueError where one of them is no count or no time."""
    for name, value in (("logged", logged), ("validate_every", validate_every)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"{name} must be a whole number of 1 or more, got {value!r}")
    if not save_every >= 0:
        raise ValueError(f"save_every must be seconds, 0 or more, got {save_every!r}")


def check_split(name: str, split: Split, tasks: tuple[Task, ...], device: torch.device) -> None:
    """Raises ValueError where a split's rows, labels or devices do not fit the tasks."""
    if not len(split):
        raise ValueError(f"{name}: there are no rows")
    _check_device(f"{name}: x", split.x, device)
    if split.source is not None:
        _check_device(f"{name}: source", split.source, device)
        if split.source.shape != (len(split),):
            raise ValueError(f"{name}: source must be ({len(split)},), got {tuple(split.source.shape)}")
    for task in tasks:
        if task.name not in split.y:
            raise ValueError(f"{name}: no labels for task {task.name!r}; there are {sorted(split.y)}")
        y = split.y[task.name]
        _check_device(f"{name}: labels of {task.name!r}", y, device)
        if y.shape != (len(split), len(task.columns)):
            wanted = f"({len(split)}, {len(task.columns)})"
            raise ValueError(f"{name}: labels of task {task.name!r} must be {wanted}, got {tuple(y.shape)}")
        largest = {"binary": 1, "classes": (task.classes or 0) - 1, "points": None}[task.kind]
        if largest is not None and (y > largest).any():
            raise ValueError(f"{name}: labels of task {task.name!r} go from 0 to {largest}, got {y.max().item()}")


def _check_device(name: str, tensor: Tensor, device: torch.device) -> None:
    if tensor.device != device:
        raise ValueError(f"{name} is on {tensor.device}, the method on {device}; move one of them")


def check_augment(augment: Augment | None, split: Split, tasks: tuple[Task, ...], rows: Rows) -> None:
    """Raises ValueError where batches of these rows cannot be augmented so, see ``Augment.check``."""
    if augment is None:
        return
    if not isinstance(augment, Augment):
        raise ValueError(f"augment must be an Augment or None, got {augment!r}")
    augment.check(split, tasks)
    if augment.mixup and isinstance(rows, Pairs | Identities):
        raise ValueError("augment: mixup would mix the rows of a pair with others, and these rows form pairs")


def check_rows(rows: Rows, n: int, processes: int) -> None:
    """Raises ValueError where the first batch is no rows of a split of ``n``, or too few for the processes."""
    first = rows(0)
    whole = isinstance(first, Tensor) and first.ndim == 1 and first.dtype in (torch.int64, torch.int32)
    if not whole or not len(first) or first.min() < 0 or first.max() >= n:
        raise ValueError(f"rows(0) must be one or more whole numbers from 0 to {n - 1} in a tensor, got {first!r}")
    if len(first) < processes:
        raise ValueError(f"a batch of {len(first)} rows cannot be shared by {processes} processes")

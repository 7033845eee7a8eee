"""Tables of numbers in units of their spread."""

from dataclasses import replace

import torch
from torch import Tensor

from mtlib.tasks import Dataset


def standardise(dataset: Dataset, targets: bool = False) -> Dataset:
    """Every feature minus its mean, divided by its standard deviation, both over the training split alone.

    A feature that is the same for all training examples is only shifted: to zero.

    Args:
        dataset: its x is (N, features) floating.
        targets: whether the columns of tasks of kind ``points`` are treated alike, each by the training labels that it
            has. The squared error of a column is then a share of its variance.

    Returns:
        Another data set; the labels of other tasks are shared with this one.

    Raises:
        ValueError: x is no table of floating numbers.
    """
    x = dataset.train.x
    if not isinstance(x, Tensor) or x.ndim != 2 or not x.is_floating_point():
        raise ValueError(f"{dataset.name}: only tables of numbers can be standardised; a network's first layer does it")
    points = [task.name for task in dataset.tasks if targets and task.kind == "points"]
    scales = {name: _scale(dataset.train.y[name]) for name in points}
    shift, spread = _scale(x)
    splits = {}
    for name in ("train", "validation", "test"):
        split = getattr(dataset, name)
        if split is not None:
            y = {task: (split.y[task] - mean) / deviation for task, (mean, deviation) in scales.items()}
            splits[name] = replace(split, x=(split.x - shift) / spread, y=split.y | y)
    return replace(dataset, name=f"{dataset.name}, standardised", **splits)


def _scale(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every column, (columns,) each, over what is not NaN; 0 and 1 where all is."""
    x = x.double()  # thousands of pupils' percentages are no longer exact in single precision
    mean = x.nanmean(0).nan_to_num()
    deviation = (x - mean).square().nanmean(0).sqrt().nan_to_num()
    return mean.float(), torch.where(deviation > 1e-6 * mean.abs().clamp(min=1e-6), deviation, 1).float()

"""A method on a split: its outputs, its predictions, a table of scores, and a score for ``training.fit``."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtlib.method import Method
from mtlib.metrics.columns import accuracy, auc, balanced_accuracy, f1
from mtlib.metrics.correlations import balanced_correlation, correlation
from mtlib.metrics.points import mean_absolute_error, r2, root_mean_square_error
from mtlib.tasks import Split, Task, targets

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("n", "positives", "accuracy", "balanced accuracy", "F1", "AUC", "MAE", "RMSE", "R2")


def outputs(method: Method, split: Split, rows: int = 1024) -> dict[str, Tensor]:
    """The raw outputs on every example, in evaluation mode and without gradients.

    Afterwards each module is in the mode that it was in.

    Args:
        rows: how many are put through the method at a time.

    Returns:
        {task name: (N, ...)}, shapes as in Task, on the method's device.

    Raises:
        ValueError: rows below 1, or a split without examples.
    """
    if rows < 1 or not len(split):
        raise ValueError(f"needs rows of 1 or more and a split with examples, got rows={rows}, {len(split)} examples")
    state = next(chain(method.parameters(), method.buffers()), None)
    with _evaluating(method):
        parts = [method(x if state is None else x.to(state.device)) for x in split.x.split(rows)]
    return {task.name: torch.cat([part[task.name] for part in parts]) for task in method.tasks}


def predictions(method: Method, split: Split, *, probabilities: bool = False, rows: int = 1024) -> dict[str, Tensor]:
    """What the method says of every example: labels, by its own rule (``decide``), or probabilities.

    Args:
        probabilities: instead of labels, the logistic function of binary outputs (N, c), and the softmax of the
            outputs of classes (N, c, K). Points are as they are.
        rows: how many are put through the method at a time.

    Returns:
        {task name: (N, c)}, on the method's device.

    Raises:
        ValueError: as ``outputs``.
    """
    found = outputs(method, split, rows)
    if not probabilities:
        return _decide(method, found)
    rules = {"binary": torch.sigmoid, "classes": lambda z: z.softmax(-1), "points": lambda z: z}
    return {task.name: rules[task.kind](found[task.name]) for task in method.tasks}


def table(method: Method, split: Split, rows: int = 1024) -> "pd.DataFrame":
    """Scores of every label column, one per row.

    Decisions are the method's own (``decide``); the AUC is that of the raw outputs.

    Returns:
        columns "task", "column", "n" (labels known), then what the tasks' kinds have, NaN where it has no meaning:
        binary "positives" (their share), "accuracy", "balanced accuracy", "F1", "AUC"; classes "accuracy",
        "balanced accuracy", "F1" (means over classes); points "MAE" and "RMSE" in the labels' unit, "R2".

    Raises:
        ValueError: labels of a task are not in the split or do not fit it, or an output is not finite.
    """
    import pandas as pd

    labels = {task.name: _labels(task, split) for task in method.tasks}
    found = outputs(method, split, rows)
    decided = _decide(method, found)
    lines = []
    for task in method.tasks:
        try:
            scores = _SCORES[task.kind](task, found[task.name], decided[task.name], labels[task.name])
        except ValueError as error:
            raise ValueError(f"task {task.name!r}: {error}") from error
        columns = {name: values.tolist() for name, values in scores.items()}
        for j, name in enumerate(task.columns):
            lines.append({"task": task.name, "column": name} | {key: values[j] for key, values in columns.items()})
    present = [name for name in MEASURES if any(name in line for line in lines)]
    return pd.DataFrame(lines, columns=["task", "column", *present])


def balanced(method: Method, split: Split, rows: int = 1024) -> dict[str, float]:
    """Balanced accuracy of every binary or class column, for ``training.fit(score=metrics.balanced)``.

    Raises:
        ValueError: all tasks are points, or the labels of one are not in the split or do not fit it.
    """
    tasks = [task for task in method.tasks if task.kind != "points"]
    if not tasks:
        raise ValueError("tasks of points have no balanced accuracy; give another score")
    labels = {task.name: _labels(task, split) for task in tasks}
    decided = _decide(method, outputs(method, split, rows))
    scores = {}
    for task in tasks:
        values = balanced_accuracy(decided[task.name], labels[task.name], task.classes)
        scores |= dict(zip(task.columns, values.tolist(), strict=True))
    return scores


def correlation_matrices(
    method: Method,
    split: Split,
    task: str,
    *,
    balanced: bool = False,
    printed: bool = False,
    probabilities: bool = False,
    rows: int = 1024,
) -> tuple[Tensor, Tensor]:
    """Fig. 6 of SOS: correlations between the columns of a binary task, of the labels and of the predictions.

    Both over the same examples: where a label is missing, its prediction does not count either.

    Args:
        task: its name.
        balanced: ``balanced_correlation``, both matrices with the weights that the labels give; plain without.
        printed: with ``balanced``, the weights as printed.
        probabilities: correlate probabilities instead of decided labels.

    Returns:
        truth (c, c), predicted (c, c), float64; NaN where a column is constant.

    Raises:
        ValueError: the method has no binary task of that name, its labels are not in the split, ``printed`` without
            ``balanced``, or as ``outputs``.
    """
    if printed and not balanced:
        raise ValueError("printed weights belong to the balanced correlation; give balanced=True")
    binary = {one.name: one for one in method.tasks if one.kind == "binary"}
    if task not in binary:
        raise ValueError(f"no binary task {task!r}; the method has {sorted(binary)}")
    y = _labels(binary[task], split)
    predicted = predictions(method, split, probabilities=probabilities, rows=rows)[task].double()
    y = y.to(predicted.device)
    predicted = predicted.where(y >= 0, torch.nan)
    if balanced:
        return balanced_correlation(y, printed=printed), balanced_correlation(predicted, y, printed=printed)
    return correlation(y.double().where(y >= 0, torch.nan)), correlation(predicted)


@contextmanager
def _evaluating(method: Method) -> Iterator[None]:
    modes = [(module, module.training) for module in method.modules()]
    method.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:  # one by one: a part may have been kept in evaluation mode on purpose
            module.training = mode


def _decide(method: Method, found: dict[str, Tensor]) -> dict[str, Tensor]:
    with _evaluating(method):
        return method.decide(found)


def _labels(task: Task, split: Split) -> Tensor:
    if task.name not in split.y:
        raise ValueError(f"no labels for task {task.name!r}; the split has {sorted(split.y)}")
    y = split.y[task.name]
    targets(task, y)  # refuses a shape that is not the task's
    return y


def _binary(task: Task, outputs: Tensor, decided: Tensor, y: Tensor) -> dict[str, Tensor]:
    known = (y >= 0).sum(0)
    return {
        "n": known,
        "positives": (y == 1).sum(0).double() / known,
        "accuracy": accuracy(decided, y),
        "balanced accuracy": balanced_accuracy(decided, y),
        "F1": f1(decided, y),
        "AUC": auc(outputs, y),
    }


def _classes(task: Task, outputs: Tensor, decided: Tensor, y: Tensor) -> dict[str, Tensor]:
    return {
        "n": (y >= 0).sum(0),
        "accuracy": accuracy(decided, y),
        "balanced accuracy": balanced_accuracy(decided, y, task.classes),
        "F1": f1(decided, y, task.classes),
    }


def _points(task: Task, outputs: Tensor, decided: Tensor, y: Tensor) -> dict[str, Tensor]:
    return {
        "n": (~y.isnan()).sum(0),
        "MAE": mean_absolute_error(decided, y),
        "RMSE": root_mean_square_error(decided, y),
        "R2": r2(decided, y),
    }


_SCORES = {"binary": _binary, "classes": _classes, "points": _points}

"""What a task, its labels and its loss are. A task is a BLOCK of label columns: forty attributes are one Task."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
import torch.nn.functional as F
import torch.utils._pytree as pytree
from torch import Tensor

from mtlib.lazy import Lazy, Streamed, sent

Kind = Literal["binary", "classes", "points"]


@dataclass(frozen=True)
class Task:
    """A block of label columns that share a kind.

    | kind    | labels y             | outputs   | heads         | loss (Eq. 2 of SOS)             | missing |
    |---------|----------------------|-----------|---------------|---------------------------------|---------|
    | binary  | (B, c) 0/1           | (B, c)    | c, 1 output   | sigmoid cross-entropy           | -1      |
    | classes | (B, c) 0..K-1        | (B, c, K) | c, K outputs  | softmax cross-entropy           | -1      |
    | points  | (B, c) floating      | (B, c)    | 1, c outputs  | mean squared (or absolute) error | NaN     |

    Args:
        name: key of the block in every dict of labels and outputs.
        kind: see the table.
        columns: the columns' names, or how many there are.
        classes: K, for kind ``classes`` only.
        norm: 2 or 1, the error of kind ``points``.

    Raises:
        ValueError: unknown kind, no columns, names twice, K < 2, or K for another kind.
    """

    name: str
    kind: Kind
    columns: Sequence[str] | int
    classes: int | None = None
    norm: Literal[1, 2] = 2
    heads: int = field(init=False)
    outputs: int = field(init=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"task {self.name!r}: kind is {self.kind!r}, not one of {', '.join(get_args(Kind))}")
        if isinstance(self.columns, int):
            object.__setattr__(self, "columns", tuple(f"{self.name} {i + 1}" for i in range(self.columns)))
        if isinstance(self.columns, str) or not isinstance(self.columns, Sequence):
            raise ValueError(f"task {self.name!r}: columns are names or their number, got {self.columns!r}")
        names = tuple(self.columns)
        object.__setattr__(self, "columns", names)
        if not names or len(set(names)) != len(names):
            raise ValueError(f"task {self.name!r}: needs one or more columns with different names, got {names}")
        fits = isinstance(self.classes, int) and self.classes >= 2 if self.kind == "classes" else self.classes is None
        if not fits:
            raise ValueError(
                f"task {self.name!r}: 'classes' is the number of classes (2 or more) of kind 'classes' only, "
                f"got kind {self.kind!r} with classes={self.classes}"
            )
        if self.norm not in (1, 2):
            raise ValueError(f"task {self.name!r}: norm is 1 (absolute) or 2 (squared), got {self.norm}")
        object.__setattr__(self, "heads", 1 if self.kind == "points" else len(names))
        object.__setattr__(self, "outputs", {"binary": 1, "classes": self.classes, "points": len(names)}[self.kind])

    @property
    def labels(self) -> tuple[str, ...]:
        """One name per head: the columns' names, or the block's own where one head serves the block."""
        return (self.name,) if self.kind == "points" else tuple(self.columns)

    @property
    def missing(self) -> float:
        """What stands in the place of a label that is not known: NaN, or the whole number -1."""
        return float("nan") if self.kind == "points" else -1


@dataclass
class Batch:
    """What a method's losses see of the data: a pytree.

    x: (B, ...) inputs.  y: {task name: (B, c) labels}, missing = -1, or NaN for points.
    source: (B,) whole numbers, the data base that each example comes from; None where there is one.
    progress: how far training is, 0 to 1, a scalar.
    """

    x: Tensor
    y: dict[str, Tensor]
    source: Tensor | None = None
    progress: Tensor | float = 0.0


# So that vmap, compile and export see its tensors.
pytree.register_dataclass(Batch, field_names=["x", "y", "source", "progress"])


@dataclass
class Split:
    """All examples of one split where training happens: x (N, ...), y {task name: (N, c)}, source (N,) or None.

    x may be ``Lazy``: rows that are made when a batch asks for them.
    """

    x: Tensor | Lazy
    y: dict[str, Tensor]
    source: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Tensor) -> Batch:
        """The examples in ``rows`` (B,), whole numbers from 0 on, as a batch; the host does not wait for the device."""
        there = sent(rows, self.x.device)
        if isinstance(self.x, Lazy):
            x = self.x[rows if isinstance(self.x, Streamed) else there]  # streamed rows are looked up on the CPU
        else:
            x = self.x.index_select(0, there)  # a seventh of the time that indexing takes for bytes on the CPU
        source = None if self.source is None else self.source[there]
        return Batch(x, {name: y[there] for name, y in self.y.items()}, source)


@dataclass
class Dataset:
    """Splits with the tasks that their labels belong to, and where they come from."""

    name: str
    tasks: tuple[Task, ...]
    train: Split
    test: Split
    validation: Split | None = None


def check_tasks(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """The tasks as a tuple.

    Raises:
        ValueError: not Tasks, none at all, or two of one name.
    """
    if isinstance(tasks, Task) or not all(isinstance(task, Task) for task in tasks):
        raise ValueError(f"tasks are a sequence of Task, got {tasks!r}")
    tasks = tuple(tasks)
    names = [task.name for task in tasks]
    if not tasks or len(set(names)) != len(names):
        raise ValueError(f"needs one or more tasks with different names, got {names}")
    return tasks


def targets(task: Task, y: Tensor) -> Tensor:
    """Labels by head: (B, T) for binary and classes, (B, 1, c) for points.

    Raises:
        ValueError: the labels' shape does not fit the task.
    """
    if y.ndim != 2 or y.shape[1] != len(task.columns):
        raise ValueError(f"task {task.name!r}: labels must be (B, {len(task.columns)}), got {tuple(y.shape)}")
    return y.unsqueeze(1) if task.kind == "points" else y


def by_block(task: Task, z: Tensor) -> Tensor:
    """Head outputs (B, T, o) in the block's own shape, see Task."""
    return {"binary": z.squeeze(-1), "classes": z, "points": z.squeeze(1)}[task.kind]


def by_head(task: Task, outputs: Tensor) -> Tensor:
    """The inverse of ``by_block``: outputs in the block's shape as (B, T, o)."""
    return {"binary": outputs.unsqueeze(-1), "classes": outputs, "points": outputs.unsqueeze(1)}[task.kind]


def example_losses(task: Task, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of every example and head, and whether its label is known.

    Args:
        z: (B, T, o) head outputs.  t: (B, T) labels, or (B, T, o) for points; T may be any number of heads.

    Returns:
        loss (B, T), zero where unknown; known (B, T) as floats 0/1.
    """
    z = z.to(torch.promote_types(z.dtype, torch.float32))  # bfloat16 cannot count beyond 256 examples
    if task.kind == "points":
        present = ~t.isnan()
        # A NaN must not reach the difference: its gradient would be NaN even behind a mask.
        error = z - torch.where(present, t, z.detach()).to(z.dtype)
        known = present.any(-1).to(z.dtype)
        size = error.abs() if task.norm == 1 else error.square()
        return size.sum(-1) / present.sum(-1).clamp(min=1), known
    known = (t >= 0).to(z.dtype)
    t = torch.where(t >= 0, t, 0)  # a NaN that a reader's table left would survive a clamp
    if task.kind == "binary":
        loss = F.binary_cross_entropy_with_logits(z.squeeze(-1), t.to(z.dtype), reduction="none")
    else:
        loss = -z.log_softmax(-1).gather(-1, t.long().unsqueeze(-1)).squeeze(-1)
    return loss * known, known


def masked_mean(loss: Tensor, known: Tensor) -> Tensor:
    """Mean over the examples whose label is known, per head: (B, ...) -> (...). No label at all gives 0."""
    return loss.sum(0) / known.sum(0).clamp(min=1)


def supervised(tasks: Sequence[Task], outputs: dict[str, Tensor], y: dict[str, Tensor]) -> Tensor:
    """Eq. (2) before its sum over tasks: the mean loss of every head, (T,) over all blocks in order (S-4)."""
    means = []
    for task in tasks:
        if task.name not in y:
            raise ValueError(f"no labels for task {task.name!r}; the batch has {sorted(y)}")
        z, t = by_head(task, outputs[task.name]), targets(task, y[task.name])
        if len(z) != len(t):  # one row of labels would be broadcast
            raise ValueError(f"task {task.name!r}: {len(t)} rows of labels for {len(z)} examples")
        means.append(masked_mean(*example_losses(task, z, t)))
    return torch.cat(means) if len(means) > 1 else means[0]


def block_losses(tasks: Sequence[Task], outputs: dict[str, Tensor], y: dict[str, Tensor]) -> Tensor:
    """One loss per block, (T,), in place of one per head: for methods that weigh blocks, not columns.

    An image's loss is the mean over its columns whose label is known, a block's the mean over its images with any
    (X-14). So an image with few labels counts as much as one with all, which a mean over columns would not give.

    Args:
        outputs: {task name: in the block's own shape}.  y: {task name: (B, c)}.

    Raises:
        ValueError: labels that are missing or of another shape.
    """
    means = []
    for task in tasks:
        if task.name not in y:
            raise ValueError(f"no labels for task {task.name!r}; the batch has {sorted(y)}")
        z, t = by_head(task, outputs[task.name]), targets(task, y[task.name])
        if len(z) != len(t):  # the label of one image would be everybody's
            raise ValueError(f"task {task.name!r}: {len(t)} rows of labels for {len(z)} examples")
        loss, known = example_losses(task, z, t)  # B T
        images = loss.sum(1) / known.sum(1).clamp(min=1)
        means.append(masked_mean(images, known.any(1).to(loss.dtype)))
    return torch.stack(means)

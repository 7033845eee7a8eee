"""The two controls that every notebook opens with: single-task networks, and plain equal-weights multi-task."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from mtlib.method import Losses, Method
from mtlib.tasks import Batch, Task, by_block, by_head, check_tasks, supervised


class MultiTask(Method):
    """Eq. (1) of SOS: one trunk, one linear head per task, equal weights.

    Args:
        trunk: module giving (B, features).  features: its width.  tasks: blocks of tasks.
    """

    def __init__(self, trunk: nn.Module, features: int, tasks: Sequence[Task]) -> None:
        super().__init__()
        self.tasks = check_tasks(tasks)
        self.trunk = trunk
        self.heads = nn.ModuleList(nn.Linear(features, task.heads * task.outputs) for task in self.tasks)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Outputs of every block, see Task."""
        return self.predict(self.trunk(x))

    def predict(self, h: Tensor) -> dict[str, Tensor]:
        """The same from the trunk's features (B, features)."""
        return {
            task.name: by_block(task, head(h).view(len(h), task.heads, task.outputs))
            for task, head in zip(self.tasks, self.heads, strict=True)
        }

    def losses(self, batch: Batch) -> Losses:
        """Eq. (2): the mean loss of every task; what is shared ends with the trunk."""
        h = self.trunk(batch.x)
        return Losses(supervised(self.tasks, self.predict(h), batch.y), features=h)


class SingleTask(Method):
    """A network of its own for every task: nothing is shared but the batches.

    The networks train side by side on the sum of their losses; as no parameter is shared, each gets exactly
    the gradient that it would get alone.

    Args:
        trunk: makes a new trunk at each call.  features: its width.  tasks: blocks of tasks.
    """

    def __init__(self, trunk: Callable[[], nn.Module], features: int, tasks: Sequence[Task]) -> None:
        super().__init__()
        self.tasks = check_tasks(tasks)
        self.networks = nn.ModuleList()
        for task in self.tasks:
            columns = [task.columns] if task.kind == "points" else [(name,) for name in task.columns]
            for names in columns:
                self.networks.append(MultiTask(trunk(), features, [replace(task, columns=names)]))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Outputs of every block, see Task."""
        networks, outputs = iter(self.networks), {}
        for task in self.tasks:
            alone = [by_head(task, next(networks)(x)[task.name]) for _ in range(task.heads)]
            outputs[task.name] = by_block(task, torch.cat(alone, 1))
        return outputs

    def losses(self, batch: Batch) -> Losses:
        """Eq. (2): the mean loss of every task, each from its own network."""
        return Losses(supervised(self.tasks, self(batch.x), batch.y))

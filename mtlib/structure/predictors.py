"""Linear predictors of many tasks on shared features, what all of MTFAP is about; and Eq. (1), each on its own."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtlib.method import Losses, Method
from mtlib.structure.penalties import check_amount, check_count
from mtlib.tasks import Batch, Task, check_tasks, supervised


class Predictors(Method):
    """A linear predictor w_t on the trunk's features for every column, z = W^T h; a subclass says what W is.

    Logits have no bias unless asked for, as printed (M-21), and a decision at 0 (M-22). A block of points counts as
    one task of the loss, as everywhere in the course, though each of its columns has a predictor of its own.

    Args:
        trunk: module giving (B, features).  features: d.  tasks: blocks of binary tasks or points.
        bias: whether each predictor has one; no penalty is on it.

    Raises:
        ValueError: a task of classes, two columns of one name, or what is no module or size.
    """

    def __init__(self, trunk: nn.Module, features: int, tasks: Sequence[Task], bias: bool) -> None:
        super().__init__()
        self.tasks, self.features = check_tasks(tasks), check_count("features", features)
        for task in self.tasks:
            if task.kind == "classes":
                raise ValueError(f"task {task.name!r} has classes; a predictor per column needs 'binary' or 'points'")
        self.names = tuple(name for task in self.tasks for name in task.columns)
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"columns are told apart by their names, and some are there twice: {self.names}")
        if not isinstance(trunk, nn.Module):
            raise ValueError(f"trunk must be a torch module, or its parameters would not train, got {trunk!r}")
        self.trunk = trunk
        self.bias = nn.Parameter(torch.zeros(len(self.names))) if bias else None

    def weights(self) -> Tensor:
        """W (d, T): one column per task, in the tasks' order."""
        raise NotImplementedError

    def penalties(self) -> dict[str, Tensor]:
        """What is added to the data terms, weighted."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Outputs of every block, (B, c) each."""
        return self.predict(self.trunk(x))

    def predict(self, h: Tensor) -> dict[str, Tensor]:
        """The same from the trunk's features (B, d)."""
        z = h @ self.weights()  # B T
        if self.bias is not None:
            z = z + self.bias
        blocks = z.split([len(task.columns) for task in self.tasks], 1)
        return {task.name: block for task, block in zip(self.tasks, blocks, strict=True)}

    def losses(self, batch: Batch) -> Losses:
        """The mean loss of every task, and the penalties by name."""
        h = self.trunk(batch.x)
        return Losses(supervised(self.tasks, self.predict(h), batch.y), self.penalties(), features=h)


class Ridge(Predictors):
    """Eqs. (1) and (2), the baseline: predictors of their own, with a penalty of weight * sum_t ||w_t||^2.

    Args:
        trunk, features, tasks, bias: see Predictors.  weight: lambda of Eq. (1), 0 or more.

    Raises:
        ValueError: what Predictors refuses, or a negative weight.
    """

    strengths: Tensor

    def __init__(
        self, trunk: nn.Module, features: int, tasks: Sequence[Task], weight: float = 0.01, *, bias: bool = False
    ) -> None:
        super().__init__(trunk, features, tasks, bias)
        bound = features**-0.5  # nn.Linear's own start
        self.W = nn.Parameter(torch.empty(features, len(self.names)).uniform_(-bound, bound))
        # A buffer, so that many copies with different weights can be stacked.
        self.register_buffer("strengths", torch.tensor([check_amount("weight", weight)]))

    def weights(self) -> Tensor:
        """W (d, T), the parameter."""
        return self.W

    def penalties(self) -> dict[str, Tensor]:
        """{"ridge": the penalty}."""
        return {"ridge": self.strengths[0] * self.W.square().sum()}

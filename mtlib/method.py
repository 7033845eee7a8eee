"""What a method is: a module that turns inputs into outputs and a batch into losses, and knows no optimiser."""

from dataclasses import dataclass, field

from torch import Tensor, nn

from mtlib.tasks import Batch, Task


@dataclass
class Losses:
    """What a method says about a batch.

    tasks: (T,) unweighted values, one per head (``Method.loss_names``).
    extra: {name: scalar}, already scaled and gradient-routed.
    features: the shared representation, where aggregators of gradients may cut the graph; None where nothing is shared.
    """

    tasks: Tensor
    extra: dict[str, Tensor] = field(default_factory=dict)
    features: Tensor | None = None

    def total(self) -> Tensor:
        """The sum over tasks plus every extra term: what plain descent minimises."""
        total = self.tasks.sum()
        for term in self.extra.values():
            total = total + term
        return total


class Method(nn.Module):
    """Base of every method: ``tasks``, ``forward`` and ``losses``; the rest has defaults.

    ``forward(x)`` gives {task name: outputs}; ``losses(batch)`` is pure: no branches on data, no ``.item()``,
    no boolean indexing, so that one definition trains alone or by the hundred.
    """

    tasks: tuple[Task, ...]

    @property
    def loss_names(self) -> tuple[str, ...]:
        """What the T values of ``Losses.tasks`` are called: the heads, unless a method has one loss for a block."""
        return tuple(name for task in self.tasks for name in task.labels)

    def losses(self, batch: Batch) -> Losses:
        """Every loss term of the batch."""
        raise NotImplementedError

    def decide(self, outputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Labels from outputs: (B, c) for binary (logit above 0) and classes (the largest), points as they are."""
        rules = {"binary": lambda z: (z > 0).long(), "classes": lambda z: z.argmax(-1), "points": lambda z: z}
        return {task.name: rules[task.kind](outputs[task.name]) for task in self.tasks}

    def validated(self, report: dict[str, float]) -> None:
        """Told the scores of every validation; may change buffers only: thresholds, weights, a task graph."""

    def groups(self) -> list[dict]:
        """Optimiser groups; ``rate`` multiplies the recipe's learning rate."""
        return [{"params": list(self.parameters()), "rate": 1.0}]

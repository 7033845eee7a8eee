"""Aggregated descent: the shared parameters follow a common direction of the tasks' gradients, by torchjd."""

import copy
from collections.abc import Callable

from torch import Tensor, nn
from torch.optim import Optimizer

from mtlib.method import Losses
from mtlib.seeds import seeded
from mtlib.tasks import Batch
from mtlib.updates.base import Logs, Update, attempt, logs

INSTALL = "Aggregate needs torchjd: pip install 'torchjd>=0.18,<0.19'"


class Aggregate(Update):
    """Jacobian descent: theta <- theta - rate * (A(J) + grad(extra terms)), J (T, P) with rows grad L_i.

    Shared are the parameters that ``Losses.features`` depends on; J is theirs, and A makes one direction (P,) of
    its T rows (PCGrad, MGDA, UPGrad ...). All other parameters get the plain gradient of the sum of the tasks.
    Where a method gives no features, every parameter that a task depends on is taken as shared.
    Extra terms are no tasks: their plain gradient is added to every parameter they reach. With ``Sum`` all this is
    ``Descend``; with ``Mean`` the shared parameters alone move by 1/T of it.

    J takes T times the memory of the shared parameters.

    Args:
        aggregator: name of a class in ``torchjd.aggregation``, made with its defaults; one of its objects; or any
            function of J (T, P) that gives a direction (P,).
        chunk: rows of J to differentiate at once; None: all. 1 does without ``vmap``, for networks that refuse it
            (batch normalisation in bfloat16).
        seed: of aggregators that draw (PCGrad's order of the tasks); one stream per step, so that runs resume.
    """

    def __init__(
        self, aggregator: str | Callable[[Tensor], Tensor], *, chunk: int | None = None, seed: int = 0
    ) -> None:
        self.given, self.chunk, self.seed = aggregator, chunk, seed

    def build(self) -> list[Optimizer]:
        """One optimiser of all parameter groups, and the aggregator as it was given.

        Raises:
            ValueError: no torchjd, no such aggregator, one that remembers, or a compiled program, which cannot be cut.
        """
        if self.recipe.compile:
            raise ValueError("Aggregate differentiates within the losses, where a compiled program cannot be cut")
        self.aggregator = _aggregator(self.given)
        self.done = 0
        return super().build()

    def __call__(self, batch: Batch) -> Logs:
        """One step along the common direction; ``total`` is the plain sum of all terms."""
        (optimiser,) = self.optimisers
        optimiser.zero_grad()
        losses = self.losses(batch)
        total = losses.total().detach()
        self._shared(losses, total)
        if losses.extra:
            sum(losses.extra.values()).backward()  # added to the gradients that stand
        self.step(optimiser)
        self.done += 1
        return logs(losses, total)

    def _shared(self, losses: Losses, total: Tensor) -> None:
        """Fill ``.grad``: of the shared parameters with A(J), of the others with the sum of the tasks' gradients."""
        from torchjd.autojac import backward, jac_to_grad, mtl_backward

        options = {"retain_graph": True, "parallel_chunk_size": self.chunk}  # the terms share pieces of the graph
        if losses.features is None:
            backward(losses.tasks, **options)
        elif losses.features.requires_grad:
            mtl_backward(losses.tasks.unbind(), features=losses.features, **options)
        else:
            raise ValueError("Aggregate: the features depend on no parameter that trains, so nothing is shared")
        shared = [parameter for parameter in self.method.parameters() if getattr(parameter, "jac", None) is not None]
        with seeded("aggregate", self.seed, self.done):
            jac_to_grad(shared, lambda jacobian: attempt(lambda: self.aggregator(jacobian), jacobian[0], total))

    def state(self) -> dict:
        """How many steps were made, and what the aggregator keeps in buffers."""
        kept = self.aggregator.state_dict() if isinstance(self.aggregator, nn.Module) else {}
        return {"done": self.done, "aggregator": kept}

    def restore(self, state: dict) -> None:
        """Take back what ``state`` gave."""
        self.done = state["done"]
        if isinstance(self.aggregator, nn.Module):
            self.aggregator.load_state_dict(state["aggregator"])


def _aggregator(given: str | Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A fresh aggregator, see ``Aggregate.build``."""
    try:
        from torchjd import Stateful, aggregation
    except ImportError as error:
        raise ValueError(INSTALL) from error
    if isinstance(given, str):
        kind = getattr(aggregation, given, None) if given in aggregation.__all__ else None
        if not (isinstance(kind, type) and issubclass(kind, aggregation.Aggregator)):
            raise ValueError(f"Aggregate: torchjd.aggregation has no aggregator {given!r}")
        try:
            given = kind()
        except (ImportError, TypeError) as error:  # wants another package, or arguments
            raise ValueError(f"Aggregate: {given} cannot be made by its name alone: {error}") from error
    if not callable(given):
        raise ValueError(f"Aggregate: an aggregator is a name or a function of (T, P), got {given!r}")
    if isinstance(given, Stateful):
        name = type(given).__name__
        raise ValueError(f"Aggregate: {name} remembers earlier batches in ways that a checkpoint could not keep")
    return copy.deepcopy(given)

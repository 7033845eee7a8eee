"""Aggregated descent: the shared parameters follow a common direction of the tasks' gradients, by torchjd."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from mtlib.method import Losses
from mtlib.seeds import seeded
from mtlib.tasks import Batch
from mtlib.updates import jacobian
from mtlib.updates.aggregators import Aggregator, aggregator
from mtlib.updates.base import Logs, Update, attempt, logs

At = Literal["parameters", "features"]


class Aggregate(Update):
    """Jacobian descent: theta <- theta - rate * (A(J) + grad(extra terms)), J (T, P) with rows grad L_i.

    Shared are the parameters that ``Losses.features`` depends on; J is theirs, and A makes one direction (P,) of
    its T rows (PCGrad, MGDA, UPGrad ...). All other parameters get the plain gradient of the sum of the tasks.
    Where a method gives no features, every parameter that a task depends on is taken as shared.
    Extra terms are no tasks: their plain gradient is added to every parameter they reach. With ``Sum`` all this is
    ``Descend``; with ``Mean`` the shared parameters alone move by 1/T of it.

    J takes T times the memory of the shared parameters, and going through the shared part backwards T times. With
    ``at="features"`` J is that of the tasks with respect to the features, (T, B x ...), and A(J) is sent back through
    the shared part once (MGDA-UB of Sener and Koltun 2018): the cost hardly depends on T. It is another direction,
    as gradients that agree in the features of every example agree in the parameters, but not the other way round.

    Aggregators differ in scale (``PCGrad`` sums, ``MGDA`` and ``UPGrad`` average, ``NashMTL`` has length 1), which
    Adam does not see.

    Args:
        aggregator: name of a class in ``torchjd.aggregation``, made with its defaults (see
            ``updates.aggregators`` for what differs); one of its objects; or any function of J (T, P) that gives a
            direction (P,).
        at: where J is taken.
        chunk: rows of J to differentiate at once; None: all. 1 does without ``vmap``, for networks that refuse it
            (batch normalisation in bfloat16).
        seed: of aggregators that draw (PCGrad's order of the tasks); one stream per step, so that runs resume.
    """

    def __init__(
        self,
        aggregator: str | Aggregator,
        *,
        at: At = "parameters",
        chunk: int | None = None,
        seed: int = 0,
    ) -> None:
        self.given, self.at, self.chunk, self.seed = aggregator, at, chunk, seed

    def build(self) -> list[Optimizer]:
        """One optimiser of all parameter groups, and the aggregator as it was given.

        Raises:
            ValueError: no torchjd, no such aggregator, one that remembers, no such place, or a compiled program, which
                cannot be cut.
        """
        if self.at not in get_args(At):
            raise ValueError(f"Aggregate: at is one of {', '.join(get_args(At))}, got {self.at!r}")
        jacobian.check_chunk(self.chunk, "Aggregate")
        if self.recipe.compile:
            raise ValueError("Aggregate differentiates within the losses, where a compiled program cannot be cut")
        self.aggregator = aggregator(self.given)
        self.done = 0
        return super().build()

    def __call__(self, batch: Batch) -> Logs:
        """One step along the common direction; ``total`` is the plain sum of all terms."""
        (optimiser,) = self.optimisers
        optimiser.zero_grad()
        losses = self.losses(batch)
        total = losses.total()
        with seeded("aggregate", self.seed, self.done):
            if self.at == "features":
                self._by_features(losses, total)
            else:
                self._by_parameters(losses, total.detach())
        self.step(optimiser)
        self.done += 1
        return logs(losses, total)

    def _by_features(self, losses: Losses, total: Tensor) -> None:
        """Fill ``.grad`` by one backward pass, on whose way the features' gradient is exchanged."""
        features, extra = losses.features, sum(losses.extra.values())
        rows = jacobian.rows(losses, self.chunk, "Aggregate").flatten(1)  # T B*...
        rows = rows.to(losses.tasks.dtype)  # solvers refuse half precision
        sent = attempt(lambda: self.aggregator(rows), rows[0], total.detach()).to(features.dtype).view_as(features)
        if isinstance(extra, Tensor) and extra.requires_grad:
            (own,) = torch.autograd.grad(extra, features, retain_graph=True, allow_unused=True)
            sent = sent if own is None else sent + own
        hook = features.register_hook(lambda _: sent)
        total.backward()
        hook.remove()

    def _by_parameters(self, losses: Losses, total: Tensor) -> None:
        """Fill ``.grad``: of the shared parameters with A(J), of the others with the sum; then add the extra terms'."""
        from torchjd.autojac import backward, jac_to_grad, mtl_backward

        options = {"retain_graph": True, "parallel_chunk_size": self.chunk}  # the terms share pieces of the graph
        if losses.features is None:
            backward(losses.tasks, **options)
        elif losses.features.requires_grad:
            mtl_backward(losses.tasks.unbind(), features=losses.features, **options)
        else:
            raise ValueError("Aggregate: the features depend on no parameter that trains, so nothing is shared")
        shared = [parameter for parameter in self.method.parameters() if getattr(parameter, "jac", None) is not None]
        jac_to_grad(shared, lambda rows: attempt(lambda: self.aggregator(rows), rows[0], total))
        if losses.extra:
            sum(losses.extra.values()).backward()

    def state(self) -> dict:
        """How many steps were made, and what the aggregator keeps in buffers."""
        kept = self.aggregator.state_dict() if isinstance(self.aggregator, nn.Module) else {}
        return {"done": self.done, "aggregator": kept}

    def restore(self, state: dict) -> None:
        """Take back what ``state`` gave."""
        self.done = state["done"]
        if isinstance(self.aggregator, nn.Module):
            self.aggregator.load_state_dict(state["aggregator"])

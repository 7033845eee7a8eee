"""Aggregators by name: torchjd's, with what is missing for any number of tasks, small gradients and absent labels."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.updates.dual_cone import project
from mtlib.updates.nash import nash
from mtlib.updates.surgery import pcgrad

INSTALL = "Aggregate needs torchjd: pip install 'torchjd>=0.18,<0.19'"
Aggregator = Callable[[Tensor], Tensor]  # (T, P) -> (P,)
# torchjd's NashMTL starts each search where the last one ended, which a checkpoint could not keep, and wants ECOS. Its
# PCGrad goes through the pairs one by one.
OWN = {"NashMTL": nash, "PCGrad": pcgrad}
ARGUMENTS = {
    "CAGrad": {"c": 0.5},  # has no default; the authors' own
    "UPGrad": {"projector": project},  # in place of quadprog, one programme per task
}
PRESENT = ("MGDA", "CAGrad", "UPGrad", "AlignedMTL")


def aggregator(given: str | Aggregator) -> Aggregator:
    """A fresh aggregator.

    Args:
        given: the name of a class in ``torchjd.aggregation``, one of its objects, or a function.

    Raises:
        ValueError: no torchjd, no such aggregator, or one that remembers.
    """
    try:
        from torchjd import Stateful
    except ImportError as error:
        raise ValueError(INSTALL) from error
    if isinstance(given, str):
        return OWN[given] if given in OWN else _named(given)
    if not callable(given):
        raise ValueError(f"Aggregate: an aggregator is a name or a function of (T, P), got {given!r}")
    _refuse(given, Stateful)
    return copy.deepcopy(given)


def _named(name: str) -> Aggregator:
    from torchjd import Stateful, aggregation

    kind = getattr(aggregation, name, None) if name in aggregation.__all__ else None
    if not (isinstance(kind, type) and issubclass(kind, aggregation.Aggregator)):
        raise ValueError(f"Aggregate: torchjd.aggregation has no aggregator {name!r}")
    try:
        made = kind(**ARGUMENTS.get(name, {}))
    except (ImportError, TypeError) as error:  # wants another package, or arguments
        raise ValueError(f"Aggregate: {name} cannot be made by its name alone: {error}") from error
    _refuse(made, Stateful)
    return present(made) if name in PRESENT else made


def _refuse(made: Aggregator, stateful: type) -> None:
    if isinstance(made, stateful):
        name = type(made).__name__
        raise ValueError(f"Aggregate: {name} remembers earlier batches in ways that a checkpoint could not keep")


def present(made: Aggregator) -> Aggregator:
    """The same among tasks that have a gradient, whatever the gradients' size.

    A task without labels in a batch has the gradient 0, which is the shortest of all combinations: MGDA and CAGrad
    would stand still. And CAGrad takes gradients below some absolute size for none at all. So rows of 0 are left
    out, and the others are brought to size 1 all together and the direction back.
    """

    def among(jacobian: Tensor) -> Tensor:
        norms = jacobian.norm(dim=1)
        size = norms.norm()
        if size == 0:
            return torch.zeros_like(jacobian[0])
        there = norms > 0
        rows = jacobian if there.all() else jacobian[there]
        return made(rows / size) * size

    return among

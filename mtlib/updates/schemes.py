"""Every way of the course to weigh tasks, by name: losses, their trends, or their gradients."""

from collections.abc import Callable
from dataclasses import dataclass

from mtlib.tasks import Split
from mtlib.updates.aggregate import Aggregate, At
from mtlib.updates.base import Update
from mtlib.updates.descend import Descend
from mtlib.updates.grad_norm import GradNorm
from mtlib.updates.watch import Watch
from mtlib.weighting import Adaptive, DynamicAverage, Uncertainty, ValidationTrend


@dataclass(frozen=True)
class Asked:
    """What a scheme may need to know, see ``scheme``."""

    heads: int
    period: int
    validation: Split | None
    seed: int
    at: At


def _watch(asked: Asked) -> Update:
    if asked.validation is None:
        raise ValueError("scheme 'AW' watches validation examples at every step; give validation, a split")
    return Watch(Adaptive(asked.heads, asked.period), asked.validation, seed=asked.seed)


def _aggregate(name: str) -> Callable[[Asked], Update]:
    # One by one at the parameters: there a convolution under vmap takes T times the memory, and twice the time on CPUs.
    return lambda asked: Aggregate(name, at=asked.at, chunk=1 if asked.at == "parameters" else None, seed=asked.seed)


_MAKERS: dict[str, Callable[[Asked], Update]] = {
    "uniform": lambda asked: Descend(),
    "DWA": lambda asked: Descend(DynamicAverage(asked.heads, asked.period)),
    "AW": _watch,
    "validation trend": lambda asked: Descend(ValidationTrend(asked.heads)),
    "uncertainty": lambda asked: Descend(Uncertainty(asked.heads)),
    "GradNorm": lambda asked: GradNorm(),
    "MGDA": _aggregate("MGDA"),
    "PCGrad": _aggregate("PCGrad"),
    "CAGrad": _aggregate("CAGrad"),
    "Nash-MTL": _aggregate("NashMTL"),
    "UPGrad": _aggregate("UPGrad"),
    "Aligned-MTL": _aggregate("AlignedMTL"),
}
SCHEMES = tuple(_MAKERS)  # in reading order: weights of losses, then of gradients


def scheme(
    name: str, heads: int, *, period: int, validation: Split | None = None, seed: int = 0, at: At = "parameters"
) -> Update:
    """A fresh update that weighs tasks as a paper does, with the paper's constants, for any number of tasks.

    | name             | weighs           | by                                    | made with           |
    |------------------|------------------|---------------------------------------|---------------------|
    | uniform          | losses           | 1                                     | `Descend`           |
    | DWA              | losses           | training losses of two periods        | `DynamicAverage`    |
    | AW               | losses           | ten validation examples at every step | `Watch`, `Adaptive` |
    | validation trend | losses           | two validations (DMM-CNN, Eq. 4)      | `ValidationTrend`   |
    | uncertainty      | losses           | learned                               | `Uncertainty`       |
    | GradNorm         | losses           | learned, by gradients at the features | `GradNorm`          |
    | all others       | shared gradients | an aggregator                         | `Aggregate`         |

    "validation trend" needs validations that report losses: ``fit(..., validate_every=P, score=training.losses)``.

    Args:
        name: one of ``SCHEMES``.
        heads: T, how many values ``Losses.tasks`` has.
        period: updates in a period of DWA and AW; an epoch in DWA's paper, ``len(data.train) // recipe.batch``.
        validation: the examples that AW watches, where training happens; the others need none.
        seed: of what is drawn: AW's examples, PCGrad's orders.
        at: where aggregators take gradients, see ``Aggregate``.

    Raises:
        ValueError: an unknown name, AW without validation, or a number that cannot be.
    """
    if name not in _MAKERS:
        raise ValueError(f"there is no scheme {name!r}, only {', '.join(SCHEMES)}")
    return _MAKERS[name](Asked(heads, period, validation, seed, at))

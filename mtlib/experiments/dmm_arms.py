"""What is compared about DMM-CNN: networks behind its variants, weightings, controls, readings; and their making."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from mtlib.dmm import DMM, Branch, grouped, together
from mtlib.experiments.face_scores import TASK
from mtlib.faces.names import ATTRIBUTES
from mtlib.networks import Trunk
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Task
from mtlib.updates import Aggregate, Descend, Update
from mtlib.updates.aggregators import aggregator
from mtlib.updates.schemes import SCHEMES, scheme
from mtlib.weighting import ValidationTrend

POINTS = "landmarks"
# Learning rates that are tried.
RATES = {"adam": (1e-3, 3e-3, 1e-2), "sgd": (3e-3, 1e-2, 3e-2, 1e-1)}
TREND, UNIFORM = "validation trend", "uniform"
# Networks of one attribute each would take forty times as long; these were named before anything was trained.
ALONE = ("Mouth_Slightly_Open", "Wearing_Hat", "Smiling", "Young")


@dataclass(frozen=True)
class Arm:
    """One network.

    Args:
        branches: ``grouped`` as in the paper; ``swapped``, objective attributes from the pyramid and subjective ones
            from one block; ``together``, all from the pyramid (DMM-SPP); ``flat``, all from one block; ``baseline``,
            the trunk's mean and one layer.
        only: a single attribute, which then has the network to itself; None: all forty.
        landmarks: whether they are learned beside the attributes.
        scheme: name in ``updates.schemes.SCHEMES``, or in ``LONGER``.
        floor, direction, normalise: of ``validation trend``.
        validations: in an epoch, where not the plan's.
        optimiser: Adam, or SGD with momentum 0.9.
        like: the arm whose learning rate it takes; None: it is tuned.
        few: needed with few seeds only.
    """

    branches: Literal["grouped", "swapped", "together", "flat", "baseline"] = "grouped"
    only: str | None = None
    landmarks: bool = True
    scheme: str = UNIFORM
    floor: float = 1e-3
    direction: Literal["absolute", "decrease"] = "absolute"
    normalise: bool = False
    validations: int | None = None
    optimiser: Literal["adam", "sgd"] = "adam"
    like: str | None = None
    few: bool = False


EQUAL, DYNAMIC = "equal weights", "dynamic weights"
# The five networks behind Table 1; thresholds make seven variants of them, see ``VARIANTS``.
TABLE = {
    "baseline": Arm("baseline", landmarks=False),
    "attributes only": Arm(landmarks=False, scheme=TREND, like=DYNAMIC),
    EQUAL: Arm(),
    DYNAMIC: Arm(scheme=TREND),
    "one branch": Arm("together", scheme=TREND, like=DYNAMIC),
}
# {variant of Table 1: (arm, thresholds)}
VARIANTS = {
    "Baseline": ("baseline", "fixed"),
    "DMM-FAC": ("attributes only", "adaptive"),
    "DMM-EQ-FIX": (EQUAL, "fixed"),
    "DMM-EQ-AT": (EQUAL, "adaptive"),
    "DMM-DW-FIX": (DYNAMIC, "fixed"),
    "DMM-SPP": ("one branch", "adaptive"),
    "DMM-CNN": (DYNAMIC, "adaptive"),
}
# Aggregators of gradients take several times as long.
AGGREGATORS = ("MGDA", "PCGrad", "CAGrad", "Nash-MTL", "UPGrad", "Aligned-MTL")
FAMILY = {name: Arm(scheme=name, few=name in AGGREGATORS) for name in SCHEMES if name not in (UNIFORM, TREND)}
# One ingredient less or another one, with equal weights, which change nothing else.
CONTROLS = {
    "equal, attributes only": Arm(landmarks=False, like=EQUAL),
    "equal, one branch": Arm("together", like=EQUAL),
    "equal, no pyramid": Arm("flat", like=EQUAL),
    "equal, groups swapped": Arm("swapped", like=EQUAL),
}
READINGS = {
    "decrease only": Arm(scheme=TREND, direction="decrease", like=DYNAMIC, few=True),
    "no floor": Arm(scheme=TREND, floor=0.0, like=DYNAMIC, few=True),
    "mean weight 1": Arm(scheme=TREND, normalise=True, like=DYNAMIC),
    "every epoch": Arm(scheme=TREND, validations=1, like=DYNAMIC, few=True),
}
SGD = {
    "equal weights, SGD": Arm(optimiser="sgd", few=True),
    "dynamic weights, SGD": Arm(scheme=TREND, optimiser="sgd", few=True),
}
# Some directions are about as long as the mean of forty gradients, a fortieth of the sum that equal weights descend;
# the landmarks' gradient beside them stays as it is. These were added after a look at the others.
LONGER = {"MGDA, times 40": ("MGDA", 40.0), "UPGrad, times 40": ("UPGrad", 40.0)}
SCALED = {name: Arm(scheme=name, like=own, few=True) for name, (own, _) in LONGER.items()}
# Tuned for one attribute of either group.
LEADERS = dict.fromkeys(ALONE[:2], "alone: Mouth_Slightly_Open") | dict.fromkeys(ALONE[2:], "alone: Smiling")
SINGLE = {
    f"alone: {name}": Arm(
        only=name, landmarks=False, like=None if LEADERS[name] == f"alone: {name}" else LEADERS[name], few=True
    )
    for name in ALONE
}
ARMS = TABLE | FAMILY | CONTROLS | READINGS | SGD | SCALED | SINGLE
TRACED = (EQUAL, DYNAMIC)  # whose curves of Figs. 5 to 7 are kept


def build(
    arm: Arm, make: Callable[[], Trunk], tasks: Sequence[Task], seed: int, *, width: int, validations: int
) -> DMM:
    """An arm's network with its initial weights; the trunk's are the same for all arms.

    Args:
        make: gives a new trunk, whose map the branches read.  tasks: of the data, see ``narrowed``.
        width, validations: as for ``DMM``.
    """
    by_name = {task.name: task for task in tasks}
    with seeded("dmm", "trunk", seed):
        trunk = make()
    with seeded("dmm", "head", seed):
        return DMM(
            *(trunk.body, trunk.channels, by_name[TASK], branches(arm, width)),
            by_name[POINTS] if arm.landmarks else None,
            width=width,
            validations=float(validations),
        )


def branches(arm: Arm, width: int) -> Sequence[Branch]:
    """What an arm's attributes are read by."""
    if arm.branches == "baseline":
        return (Branch(ATTRIBUTES, (), (1,), "mean"),)
    if arm.branches in ("together", "flat"):
        return together(ATTRIBUTES, width, 3 if arm.branches == "together" else 1)
    shallow, deep = grouped(ATTRIBUTES, width)
    if arm.only:
        own = shallow if arm.only in shallow.columns else deep
        return (replace(own, columns=(arm.only,)),)
    if arm.branches == "swapped":
        return replace(shallow, columns=deep.columns), replace(deep, columns=shallow.columns)
    return shallow, deep


def narrowed(data: Dataset, name: str) -> Dataset:
    """The same faces with the labels of one attribute."""
    place = ATTRIBUTES.index(name)
    tasks = tuple(replace(task, columns=(name,)) if task.name == TASK else task for task in data.tasks)
    parts = {}
    for split in ("train", "validation", "test"):
        whole = getattr(data, split)
        parts[split] = replace(whole, y=whole.y | {TASK: whole.y[TASK][:, [place]]})
    return replace(data, tasks=tasks, **parts)


def update(arm: Arm, data: Dataset, per_epoch: int, seed: int) -> Update:
    """What moves an arm's parameters.

    Args:
        per_epoch: updates.  seed: of what a scheme draws.
    """
    heads = sum(task.heads for task in data.tasks if task.name == TASK)
    if arm.scheme == TREND:
        settings = {"floor": arm.floor, "direction": arm.direction, "normalise": arm.normalise}
        return Descend(ValidationTrend(heads, **settings))
    if arm.scheme in LONGER:
        return Aggregate(Longer(*LONGER[arm.scheme]), at="features", seed=seed)
    options = {"period": per_epoch, "validation": data.validation, "seed": seed}
    return scheme(arm.scheme, heads, at="features", **options)


class Longer:
    """An aggregator whose direction is multiplied: (T, P) -> (P,).

    Args:
        name: of an aggregator.  times: by what.
    """

    def __init__(self, name: str, times: float) -> None:
        self.name, self.times = name, times
        self._made = aggregator(name)

    def __call__(self, jacobian: Tensor) -> Tensor:
        """The direction (P,) of gradients (T, P)."""
        return self.times * self._made(jacobian)

"""What is compared about classes and attributes (Case Study II): networks, couplings, other methods; their making."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from mtlib.controls import MultiTask
from mtlib.coupling import Coupled, Relations
from mtlib.coupling.matching import MatchingForm
from mtlib.coupling.model import SoftLabels
from mtlib.method import Method
from mtlib.networks import Trunk
from mtlib.seeds import seeded
from mtlib.sharing import AdaShare, TaskRouting
from mtlib.tasks import Task
from mtlib.updates import Aggregate, Descend, GradNorm, Update

CLASSES, ATTRIBUTES = "classes", "attributes"
BLOCKS = (CLASSES, ATTRIBUTES)
RATES = (1e-3, 2e-3, 4e-3)  # learning rates that are tried
SHARP = 0.1  # temperature of Eq. (5), see ``TEMPERATURES``

Learns = Literal["both", "classes", "attributes"]
Scheme = Literal["sum", "MGDA-UB", "GradNorm", "AdaShare", "Task Routing"]


@dataclass(frozen=True)
class Arm:
    """One network.

    Args:
        network: which trunk, see ``class_table.TRUNKS``.
        learns: both blocks, or one that has the network to itself.
        scheme: how the two losses are put together, or what the tasks share.
        coupled: by Eqs. (2) to (6).
        matching: weight of Eq. (3); None: one over the number of attributes, which makes its sum the mean that the
            attributes' own loss is.
        form, temperature, labels: see ``coupling.Coupled``.
        smoothing: of the counts that relations come from; 0 as printed (X-11).
        wrong: share of the relations that are wrong.
        half: half of the images have a class and the other half attributes; else all have both, as in the paper.
        like: the arm whose learning rate it takes; None: it is tuned.
        few: needed with few seeds only.
    """

    network: str = "ResNet"
    learns: Learns = "both"
    scheme: Scheme = "sum"
    coupled: bool = False
    matching: float | None = None
    form: MatchingForm = "mended"
    temperature: float = SHARP
    labels: SoftLabels = "indicators"
    smoothing: float = 1.0
    wrong: float = 0.0
    half: bool = False
    like: str | None = None
    few: bool = False


NETWORKS = ("VGG", "ResNet", "DenseNet")  # of Table 4
LEADER = "ResNet"  # whose rates the others take
STRONG = "strong"  # in place of NTS-Net
KINDS = {"ST classes": {"learns": "classes"}, "ST attributes": {"learns": "attributes"}, "NC": {}}
NC, C = "ResNet NC", "ResNet C"


def rows_of(network: str, leader: str, *, half: bool = False, few: bool = False) -> dict[str, Arm]:
    """The rows of Table 4 of one network, at the rates of the ``leader``'s; coupled ones take that of ``NC``."""
    end, tuned = (", half" if half else ""), network == leader and not half
    found = {}
    for kind, own in KINDS.items():
        like = None if tuned else f"{leader} {kind}"
        found[f"{network} {kind}{end}"] = Arm(network, **own, half=half, like=like, few=few)
    return found | {f"{network} C{end}": Arm(network, coupled=True, half=half, like=f"{leader} NC", few=few)}


TABLE4 = {name: arm for network in NETWORKS for name, arm in rows_of(network, LEADER).items()}
HALF = rows_of(LEADER, LEADER, half=True)
# The weights and the temperature of the print, with the mended losses and with the printed ones.
UNIT = {"coupled": True, "matching": 1.0, "temperature": 1.0}
READINGS = {
    "ResNet C, unit weights": Arm(**UNIT, like=NC),
    "ResNet C, as printed": Arm(**UNIT, form="printed", smoothing=0.0, like=NC),
    "ResNet C, no smoothing": Arm(coupled=True, smoothing=0.0, like=NC, few=True),
    "ResNet C, Bayes, half": Arm(coupled=True, labels="bayes", half=True, like=NC, few=True),
}
# Methods for several tasks on ResNet, without coupling (Table 5).
METHODS = ("MGDA-UB", "GradNorm", "AdaShare", "Task Routing")
OTHERS = {f"ResNet {name}": Arm(scheme=name, like=NC) for name in METHODS}
NTS = rows_of(STRONG, LEADER, few=True)
# Tried on the seed of the search alone, with halves: there soft labels are all that faces without a class have.
TEMPERATURES = {
    f"ResNet C, T = {temperature:g}, half": Arm(coupled=True, temperature=temperature, half=True, like=NC)
    for temperature in (1.0, 0.1)
}
FACES = TABLE4 | HALF | READINGS | OTHERS | NTS
# A real multi-label set as classes and attributes, by fully connected layers.
YEAST = {
    **rows_of("mlp", "mlp"),
    "mlp C, wrong": Arm("mlp", coupled=True, wrong=1.0, like="mlp NC"),
    **rows_of("mlp", "mlp", half=True),
    "mlp C, wrong, half": Arm("mlp", coupled=True, wrong=1.0, half=True, like="mlp NC"),
}
ARMS = FACES | YEAST | TEMPERATURES


# ------------------------------------------------------------------ their making


def build(
    arm: Arm, make: Callable[[], tuple[nn.Module, int]], tasks: Sequence[Task], relations: Relations, seed: int
) -> Method:
    """An arm's network with its initial weights; the trunk's are the same for all arms of one network.

    Args:
        make: gives a new trunk (B, ...) -> (B, features), and its features.  tasks: classes and attributes.
        relations: counted, and right; used where the arm is coupled.
    """
    by_name = {task.name: task for task in tasks}
    with seeded("classes", "trunk", seed):
        trunk, features = make()
    with seeded("classes", "head", seed):
        if arm.learns != "both":
            return MultiTask(trunk, features, [by_name[arm.learns]])
        if arm.scheme in ("AdaShare", "Task Routing"):
            return parted(arm.scheme, trunk, [by_name[CLASSES], by_name[ATTRIBUTES]], seed)
        own = (trunk, features, by_name[CLASSES], by_name[ATTRIBUTES])
        if not arm.coupled:
            return Coupled(*own)
        table = relations.wrong(arm.wrong, seed) if arm.wrong else relations
        return Coupled(
            *own,
            table,
            matching=1 / len(table.attributes) if arm.matching is None else arm.matching,
            form=arm.form,
            temperature=arm.temperature,
            labels=arm.labels,
            everywhere=not arm.half,  # else nothing would be co-annotated where every image has a class
        )


def parted(scheme: Scheme, trunk: Trunk, tasks: Sequence[Task], seed: int) -> Method:
    """A residual trunk whose blocks each task goes through by its own choice (AdaShare) or mask (Task Routing).

    Raises:
        ValueError: a trunk without torchvision's residual blocks.
    """
    from torchvision.models.resnet import BasicBlock, Bottleneck

    layers: list[nn.Module] = []
    for layer in trunk.body:
        layers += list(layer) if isinstance(layer, nn.Sequential) else [layer]
    first = next((at for at, layer in enumerate(layers) if isinstance(layer, BasicBlock | Bottleneck)), None)
    if first is None:
        raise ValueError(f"{scheme} needs residual blocks, and this trunk has none")
    stem, blocks = nn.Sequential(*layers[:first]), layers[first:]
    if scheme == "AdaShare":
        return AdaShare(stem, [_branch(block) for block in blocks], trunk.neck, trunk.features, tasks)
    widths = [block.bn3.num_features if isinstance(block, Bottleneck) else block.bn2.num_features for block in blocks]
    entry = (blocks[0].conv1.in_channels, *widths)
    return TaskRouting([stem, *blocks], entry, trunk.neck, trunk.features, tasks, seed=seed)


def _branch(block: nn.Module) -> tuple[nn.Module, nn.Module]:
    """What a residual block adds, and what it adds it to."""
    layers = [block.conv1, block.bn1, nn.ReLU(), block.conv2, block.bn2]
    if hasattr(block, "conv3"):
        layers += [nn.ReLU(), block.conv3, block.bn3]
    return nn.Sequential(*layers), block.downsample or nn.Identity()


def update(arm: Arm, seed: int) -> Update:
    """What moves an arm's parameters; ``seed`` is of what a scheme draws."""
    if arm.scheme == "MGDA-UB":
        return Aggregate("MGDA", at="features", seed=seed)
    if arm.scheme == "GradNorm":
        return GradNorm()
    return Descend()

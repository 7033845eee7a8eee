"""The network of DMM-CNN and its losses, Eqs. (1) to (3) and (5), (6)."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from mtlib.dmm.branches import Branch, Head, grouped
from mtlib.dmm.thresholds import adapted
from mtlib.method import Losses, Method
from mtlib.tasks import Batch, Task, masked_mean, targets


class DMM(Method):
    """Branches for attributes and one for landmarks on a shared map, with a threshold per attribute.

    Landmarks are an auxiliary term, not a task: no weighting counts them (Eq. 3), they are in ``Losses.extra``. The
    weights of Eq. (4) belong to the update: ``Descend(ValidationTrend(40))``, or any other of ``mtlib.weighting``.

    Args:
        body: module giving a map (B, channels, h, w), such as ``networks.resnet50().body``.
        channels: of the map.
        attributes: the block of binary columns.
        branches: which columns are read off the map how; every column in one of them. Default: ``grouped``.
        landmarks: the block of points, or None for attributes alone.
        width: of the landmarks' hidden layer, and of the default branches.
        beta: weight of Eq. (1) in Eq. (3).
        thresholds: ``adaptive`` by Eq. (6), or ``fixed`` at 0.
        gamma: of Eq. (6).
        validations: how many of them an epoch has; the epoch l of Eq. (6) is counted by them, from 1 (D-9).

    Raises:
        ValueError: blocks of another kind, branches that do not have every column once, or a constant out of range.
    """

    thresholds: Tensor
    passes: Tensor

    def __init__(
        self,
        body: nn.Module,
        channels: int,
        attributes: Task,
        branches: Sequence[Branch] | None = None,
        landmarks: Task | None = None,
        *,
        width: int = 1024,
        beta: float = 0.5,
        thresholds: Literal["adaptive", "fixed"] = "adaptive",
        gamma: float = 0.01,
        validations: float = 1.0,
    ) -> None:
        super().__init__()
        _check(body, channels, attributes, landmarks, width)
        if thresholds not in ("adaptive", "fixed"):
            raise ValueError(f"thresholds are 'adaptive' or 'fixed', got {thresholds!r}")
        for name, value in {"beta": beta, "gamma": gamma}.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be a finite number of 0 or more, got {value!r}")
        if not 0 < validations < float("inf"):
            raise ValueError(f"validations are how many an epoch has, above 0, got {validations!r}")
        self.tasks, self.landmarks = (attributes,), landmarks
        self.beta, self.gamma, self.validations, self.adaptive = beta, gamma, validations, thresholds == "adaptive"
        self.branches = tuple(grouped(attributes.columns, width) if branches is None else branches)
        order = _order(self.branches, attributes.columns)
        self.body = body
        self.heads = nn.ModuleList(Head(branch, channels, len(branch.columns)) for branch in self.branches)
        points = len(landmarks.columns) if landmarks else 0
        self.points = Head(Branch(landmarks.columns, (width,)), channels, points) if landmarks else None
        self.register_buffer("order", torch.tensor(order), persistent=False)  # of the columns among the branches'
        self.register_buffer("thresholds", torch.zeros(len(order)))
        self.register_buffer("passes", torch.zeros((), dtype=torch.long))

    def predict(self, shared: Tensor) -> dict[str, Tensor]:
        """Outputs from the map (B, channels, h, w): attributes (B, 40), and landmarks (B, 2 T) if there are any."""
        (attributes,) = self.tasks
        z = torch.cat([head(shared) for head in self.heads], 1)
        found = {attributes.name: z.index_select(1, self.order)}
        if self.landmarks is not None:
            found[self.landmarks.name] = self.points(shared)
        return found

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Outputs of every block; an attribute is aimed at +1 and -1, so they are no logits."""
        return self.predict(self.body(x))

    def losses(self, batch: Batch) -> Losses:
        """Eq. (2) per attribute as ``tasks`` (40,), beta times Eq. (1) as the extra term ``landmarks``."""
        shared = self.body(batch.x)
        outputs, (attributes,) = self.predict(shared), self.tasks
        y = targets(attributes, _block(batch.y, attributes))
        losses = Losses(masked_mean(*squared(outputs[attributes.name], y)), features=shared)
        if self.landmarks is not None:
            places = _block(batch.y, self.landmarks)
            targets(self.landmarks, places)  # refuses another shape
            losses.extra["landmarks"] = self.beta * landmark_loss(outputs[self.landmarks.name], places)
        return losses

    def decide(self, outputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Eq. (5): 1 where the output is above its threshold, else 0."""
        return {task.name: (outputs[task.name] > self.thresholds).long() for task in self.tasks}

    @torch.no_grad()
    def validated(self, report: Mapping[str, float]) -> None:
        """Eq. (6), from a report as ``report`` makes it: the mistakes at the thresholds that stand.

        Raises:
            ValueError: adaptive thresholds and a report without some column's mistakes.
        """
        self.passes += 1
        if not self.adaptive:
            return
        wrong = [self._shares(report, kind) for kind in ("false positives", "false negatives")]
        epoch = 1 + (int(self.passes) - 1) // self.validations
        self.thresholds.copy_(adapted(self.thresholds, *wrong, self.gamma * epoch))

    def _shares(self, report: Mapping[str, float], kind: str) -> Tensor:
        """(40,) shares of one kind of mistake; a column whose labels are all missing makes none."""
        names = [f"{kind}/{column}" for column in self.tasks[0].columns]
        missing = [name for name in names if name not in report]
        if missing:
            raise ValueError(
                f"adaptive thresholds need the validation's mistakes, and {missing[0]!r} is not in the report: "
                "validate with score=mtlib.dmm.report"
            )
        return self.thresholds.new_tensor([report[name] for name in names]).nan_to_num(0.0)


def squared(z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Eq. (2) before its mean: (z - (+1 or -1))^2 of labels 1 or 0, (B, c); 0 where missing, and which are known."""
    z = z.to(torch.promote_types(z.dtype, torch.float32))
    known = (y >= 0).to(z.dtype)
    sign = 2 * torch.where(y >= 0, y, 0).to(z.dtype) - 1
    return (z - sign).square() * known, known


def landmark_loss(z: Tensor, places: Tensor) -> Tensor:
    """Eq. (1): the squared error summed over the 2 T coordinates, its mean over the images; a scalar.

    Coordinates are fractions of the image, -1 to 1 (D-12). A missing one (NaN) adds nothing; an image without any does
    not count.

    Args:
        z, places: (B, 2 T).
    """
    z = z.to(torch.promote_types(z.dtype, torch.float32))
    present = ~places.isnan()
    error = z - torch.where(present, places, z.detach()).to(z.dtype)
    return error.square().sum() / present.any(1).sum().clamp(min=1)


def _block(y: Mapping[str, Tensor], task: Task) -> Tensor:
    if task.name not in y:
        raise ValueError(f"no labels for task {task.name!r}; the batch has {sorted(y)}")
    return y[task.name]


def _order(branches: Sequence[Branch], columns: Sequence[str]) -> list[int]:
    """Where each of the columns stands among the branches'."""
    found = [name for branch in branches for name in branch.columns]
    if sorted(found) != sorted(columns):
        off = sorted(set(found) ^ set(columns)) or sorted({name for name in found if found.count(name) > 1})
        raise ValueError(f"every attribute is in one branch, once; not so: {', '.join(off)}")
    place = {name: at for at, name in enumerate(found)}
    return [place[name] for name in columns]


def _check(body: nn.Module, channels: int, attributes: Task, landmarks: Task | None, width: int) -> None:
    if not isinstance(body, nn.Module):
        raise ValueError(f"body must be a torch module, or its parameters would not train, got {body!r}")
    if not isinstance(attributes, Task) or attributes.kind != "binary":
        raise ValueError(f"attributes are a Task of kind 'binary', got {attributes!r}")
    if landmarks is not None and (not isinstance(landmarks, Task) or landmarks.kind != "points"):
        raise ValueError(f"landmarks are a Task of kind 'points' or None, got {landmarks!r}")
    for name, size in {"channels": channels, "width": width}.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name} must be a whole number of 1 or more, got {size!r}")

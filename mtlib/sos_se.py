"""SOS-SE (Dapogny et al., FG 2023, section III-E, Fig. 3): what is predicted decides which channels go on.

A squeeze-and-excitation layer averages every channel, makes a few numbers of the averages, and of those a gain for
every channel. Here the few numbers are the predictions of a SOS head, compared with the labels in every block:

    block: conv -> squeeze -> SOS -> predictions -> gains; maps * gains + maps -> conv -> batch normalisation -> ReLU

With torch alone, where ``y`` is (B, 40) and ``x`` (B, 1, H, W), bytes or floats:

    model = SOSSE([Task("attributes", "binary", 40)], channels=1)
    optimiser = torch.optim.Adam(model.parameters(), 5e-4)
    for x, y in loader:
        optimiser.zero_grad(); model.losses(Batch(x, {"attributes": y})).total().backward(); optimiser.step()

The print leaves open widths, strides and more: S-18 and S-19 of data/papers/sos_readings.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from mtlib import choices
from mtlib.method import Losses, Method
from mtlib.networks import Pixels
from mtlib.orthogonality import DEFAULT, Reading
from mtlib.sos import SOS
from mtlib.tasks import Batch, Task, by_head, check_tasks

WIDTHS = (64, 64, 128, 128)


@dataclass(frozen=True)
class Architecture:
    """What the print leaves open about the blocks (S-19).

    Args:
        excitation_reads: ``probabilities`` (sigmoid, softmax; points as they are), or the heads' ``logits``.
        excitation_layers: linear layers between predictions and gains; a second one comes after a ReLU, and between
            them there are as many numbers as predictions.
        gradients_flow: let what comes later teach the predictions of a block, through its gains.
        supervised: whose predictions are compared with the labels, of ``every`` block or the ``last`` alone, whose
            orthogonality and game are then the only ones.
        skip: around the squeeze-and-excitation layer (``se``), so that gains weigh 1 to 2, or ``none``: 0 to 1.
        first_activation: after a block's first convolution the print names none, so that the first block squeezes
            linear filters of the picture, little more than its mean; ``relu`` puts one there.
        reported: the prediction in the ``last`` block. Nothing reads what that block does afterwards: it is there, as
            printed, but neither computed nor trained. ``after``: of one more SOS head, behind the last block.
    """

    excitation_reads: Literal["probabilities", "logits"] = "probabilities"
    excitation_layers: Literal[1, 2] = 1
    gradients_flow: Literal[True, False] = True
    supervised: Literal["every", "last"] = "every"
    skip: Literal["se", "none"] = "se"
    first_activation: Literal["none", "relu"] = "none"
    reported: Literal["last", "after"] = "last"

    def __post_init__(self) -> None:
        choices.check(self)


PRINTED = Architecture()


def squeeze(maps: Tensor) -> Tensor:
    """The mean of every channel: (B, C, H, W) to (B, C)."""
    return maps.sum((2, 3)) / math.prod(maps.shape[2:])  # on its way back, ``mean`` divides at every place


def attributes(tasks: Sequence[Task], outputs: dict[str, Tensor], reads: str = "probabilities") -> Tensor:
    """The outputs of all heads side by side (B, A), as the excitation reads them.

    Args:
        outputs: of every block of tasks, see Task.  reads: ``probabilities`` or ``logits``.
    """
    parts = []
    for task in tasks:
        z = by_head(task, outputs[task.name])  # B T o
        if reads == "probabilities" and task.kind != "points":
            z = z.sigmoid() if task.kind == "binary" else z.softmax(-1)
        parts.append(z.flatten(1))
    return torch.cat(parts, 1)


def excitation(inputs: int, channels: int, layers: int = 1) -> nn.Sequential:
    """Predictions (B, inputs) to gains (B, channels) between 0 and 1."""
    hidden = [nn.Linear(inputs, inputs), nn.ReLU()] * (layers - 1)
    return nn.Sequential(*hidden, nn.Linear(inputs, channels), nn.Sigmoid())


class SEBlock(nn.Module):
    """One block in its pieces: ``first``, ``head`` on squeezed maps, ``excite``, ``second``.

    Args:
        inputs: channels that come in.  head: SOS on the block's channels, which are ``head.features``.
        stride: of the first convolution.  architecture: see Architecture.
    """

    def __init__(self, inputs: int, head: SOS, stride: int, architecture: Architecture) -> None:
        super().__init__()
        width, predictions = head.features, sum(task.heads * task.outputs for task in head.tasks)
        self.architecture = architecture
        activation = [nn.ReLU()] if architecture.first_activation == "relu" else []
        self.first = nn.Sequential(nn.Conv2d(inputs, width, 3, stride=stride, padding=1), *activation)
        # Nothing normalises what the head reads, so the signal's size is kept from the start (He et al. 2015).
        nn.init.kaiming_normal_(self.first[0].weight, nonlinearity="relu" if activation else "linear")
        nn.init.zeros_(self.first[0].bias)
        self.head = head
        self.excite = excitation(predictions, width, architecture.excitation_layers)
        convolution = nn.Conv2d(width, width, 3, padding=1, bias=False)  # the shift comes next
        self.second = nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU())

    def gains(self, outputs: dict[str, Tensor]) -> Tensor:
        """What the head predicts as gains (B, C) between 0 and 1."""
        read = attributes(self.head.tasks, outputs, self.architecture.excitation_reads)
        return self.excite(read if self.architecture.gradients_flow else read.detach())

    def weigh(self, maps: Tensor, gains: Tensor) -> Tensor:
        """maps * gains + maps, or without the skip maps * gains: maps (B, C, H, W), gains (B, C)."""
        gains = gains + 1 if self.architecture.skip == "se" else gains  # B C: the sum on a number per channel
        return maps * gains[:, :, None, None]


class Step(NamedTuple):
    """What happened in a block: outputs of every task, gains (B, C), and losses where it is supervised and trained."""

    outputs: dict[str, Tensor]
    gains: Tensor | None = None
    losses: Losses | None = None


class SOSSE(Method):
    """Blocks that predict, and weigh their channels by what they predict, for any tasks on images.

    Every block halves the images, by the stride of its first convolution, and has a SOS head with fake heads of its
    own. Losses are means over the supervised heads: on the scale of a plain SOS, so that logs can be compared and
    the learning rate of plain descent does not depend on the number of blocks. (Adam would not feel their sum.)

    Args:
        tasks: blocks of tasks, see SOS.
        channels: of the images (B, channels, H, W), bytes or floats.
        widths: channels of the blocks; their number is the number of blocks.
        strides: of the blocks' first convolutions; 2 for each without.
        common, specific: C and S of every head.
        lambda_cs, lambda_ss, lambda_adv, lambda_disc, fake_rate, reading: see SOS.
        architecture: see Architecture.

    Raises:
        ValueError: the first argument that cannot be, named.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        channels: int = 1,
        *,
        widths: Sequence[int] = WIDTHS,
        strides: Sequence[int] | None = None,
        common: int = 512,
        specific: int = 32,
        lambda_cs: float = 0.01,
        lambda_ss: float = 0.01,
        lambda_adv: float = 0.01,
        lambda_disc: float = 0.01,
        fake_rate: float = 1.0,
        reading: Reading = DEFAULT,
        architecture: Architecture = PRINTED,
    ) -> None:
        super().__init__()
        widths, strides = _check(channels, widths, strides, architecture)
        self.tasks, self.architecture, self.fake_rate = check_tasks(tasks), architecture, fake_rate
        weights = {"lambda_cs": lambda_cs, "lambda_ss": lambda_ss, "lambda_adv": lambda_adv, "lambda_disc": lambda_disc}
        settings = {**weights, "fake_rate": fake_rate, "reading": reading}
        after = widths[-1:] if architecture.reported == "after" else ()
        heads = [SOS(nn.Identity(), width, self.tasks, common, specific, **settings) for width in (*widths, *after)]
        if architecture.supervised == "last":
            for head in heads[:-1]:  # nobody plays against them
                head.fake, head.fake_tasks = nn.ModuleList(), []
        self.pixels = Pixels()
        self.blocks = nn.ModuleList(
            SEBlock(inputs, head, stride, architecture)
            for (inputs, _), head, stride in zip(pairwise((channels, *widths)), heads, strides, strict=False)
        )
        self.after = heads[-1] if after else None
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The reported outputs of every block of tasks, see Task."""
        return self.steps(x)[-1].outputs

    def every(self, x: Tensor) -> list[dict[str, Tensor]]:
        """The outputs of every head, from the first block's to the reported ones."""
        return [step.outputs for step in self.steps(x)]

    def losses(self, batch: Batch) -> Losses:
        """Eq. (8), the mean over the supervised heads term by term; see ``SOS.losses`` for what reaches what.

        Where gradients flow, the terms of a block reach the predictions of earlier ones too, never their fake heads.
        """
        found = [step.losses for step in self.steps(batch.x, batch.y) if step.losses is not None]
        extra = {name: torch.stack([each.extra[name] for each in found]).mean() for name in found[0].extra}
        return Losses(torch.stack([each.tasks for each in found]).mean(0), extra)

    def steps(self, x: Tensor, y: dict[str, Tensor] | None = None) -> list[Step]:
        """What every block predicts and how it weighs its channels; with labels, its losses too."""
        maps, steps = self.pixels(x), []
        for number, block in enumerate(self.blocks, 1):
            maps = block.first(maps)  # B C H W
            step = self._predicted(block.head, maps, y)
            steps.append(step._replace(gains=block.gains(step.outputs)))
            if number < len(self.blocks) or self.after is not None:
                maps = block.second(block.weigh(maps, steps[-1].gains))
        if self.after is not None:
            steps.append(self._predicted(self.after, maps, y))
        return steps

    def _predicted(self, head: SOS, maps: Tensor, y: dict[str, Tensor] | None) -> Step:
        last = self.blocks[-1].head if self.after is None else self.after
        if y is None or (self.architecture.supervised == "last" and head is not last):
            return Step(head(squeeze(maps)))
        outputs, losses = head.from_features(squeeze(maps), y)
        return Step(outputs, losses=losses)

    def sizes(self) -> dict[str, int]:
        """Numbers of parameters: for ``prediction``, for ``training`` (fake heads too), and ``idle`` ones in both.

        Idle is what follows the prediction in the last block, where that is the reported one (S-18).
        """
        counts = {name: sum(p.numel() for p in group["params"]) for name, group in self._sides().items()}
        tail = [] if self.after is not None else [self.blocks[-1].excite, self.blocks[-1].second]
        idle = sum(p.numel() for module in tail for p in module.parameters())
        return {"prediction": counts["rest"], "training": sum(counts.values()), "idle": idle}

    def groups(self) -> list[dict]:
        """Two optimiser groups, as those of SOS: everything that predicts, and the fake heads of all blocks."""
        return [group for group in self._sides().values() if group["params"]]

    def _sides(self) -> dict[str, dict]:
        fake = {name: p for name, p in self.named_parameters() if "fake" in name.split(".")}
        rest = [p for name, p in self.named_parameters() if name not in fake]
        return {
            "rest": {"params": rest, "rate": 1.0},
            "fake": {"params": list(fake.values()), "rate": self.fake_rate, "critic": True},
        }


def _check(
    channels: int, widths: Sequence[int], strides: Sequence[int] | None, architecture: Architecture
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The blocks' widths and strides; SOS refuses the rest."""
    if not _whole(channels):
        raise ValueError(f"channels must be a whole number of 1 or more, got {channels!r}")
    if not isinstance(widths, Sequence) or not widths or not all(map(_whole, widths)):
        raise ValueError(f"widths are one or more whole numbers of 1 or more, got {widths!r}")
    strides = (2,) * len(widths) if strides is None else strides
    if not isinstance(strides, Sequence) or len(strides) != len(widths) or not all(map(_whole, strides)):
        raise ValueError(f"strides are {len(widths)} whole numbers of 1 or more, one per block, got {strides!r}")
    if not isinstance(architecture, Architecture):
        raise ValueError(f"architecture must be an Architecture, got {architecture!r}")
    return tuple(widths), tuple(strides)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1

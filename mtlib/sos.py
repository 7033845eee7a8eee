"""Semantically orthogonal spaces (Dapogny et al., FG 2023): a common space, a space per task, and a game.

Task i is predicted from the common space and its own specific space (Eq. 3). Soft orthogonality (Eqs. 4, 5)
decorrelates the spaces; fake heads try to predict task i from the common space and the space of another task k,
and the spaces learn to make them fail (Eqs. 6, 7). Take it to any network, with torch alone:

    model = SOS(trunk, features=512, tasks=[Task("attributes", "binary", 40)], common=128, specific=16)
    optimiser = torch.optim.Adam(model.parameters(), 5e-4)
    for x, y in loader:  # y: (B, 40), -1 where missing
        optimiser.zero_grad(); model.losses(Batch(x, {"attributes": y})).total().backward(); optimiser.step()

Where the print is ambiguous or degenerate the default is what S-1 to S-9, S-24 and S-28 of
data/papers/sos_readings.md settle; ``Reading`` offers the alternatives.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib.heads import FakeHeads, TaskHeads
from mtlib.method import Losses, Method
from mtlib.orthogonality import (
    DEFAULT,
    Reading,
    common_specific,
    noise_floor,
    semantic_losses,
    soft,
    specific_specific,
    standardise,
)
from mtlib.tasks import Batch, Task, check_tasks, example_losses, masked_mean, supervised, targets

__all__ = ["SOS", "Reading", "common_specific", "noise_floor", "semantic_losses", "specific_specific", "standardise"]


class SOS(Method):
    """SOS(C, S): the multi-task head of Eq. (8) on any trunk.

    Args:
        trunk: module giving (B, features).
        features: width of the trunk's output.
        tasks: blocks of tasks; every binary or class column, and every block of points, is one of the n tasks.
        common: C, size of the common space.
        specific: S, size of each specific space. With 0 the model is exactly plain multi-task learning, Eq. (1).
            With S above 0 a batch needs two examples or more: give a loader ``drop_last=True``.
        lambda_cs, lambda_ss, lambda_adv, lambda_disc: weights of Eqs. (4), (5), (6), (7), 0 or more.
        fake_rate: learning rate of the fake heads relative to the rest. Under Adam this, and not lambda_disc,
            sets how fast they learn (S-6); it takes effect through ``groups()``.
        reading: see Reading.

    Raises:
        ValueError: a negative size or weight, no space at all, or a reading that the sizes or tasks cannot have.
    """

    lambdas: Tensor

    def __init__(
        self,
        trunk: nn.Module,
        features: int,
        tasks: Sequence[Task],
        common: int,
        specific: int,
        *,
        lambda_cs: float = 0.01,
        lambda_ss: float = 0.01,
        lambda_adv: float = 0.01,
        lambda_disc: float = 0.01,
        fake_rate: float = 1.0,
        reading: Reading = DEFAULT,
    ) -> None:
        super().__init__()
        self.tasks = check_tasks(tasks)
        weights = {"cs": lambda_cs, "ss": lambda_ss, "adv": lambda_adv, "disc": lambda_disc}
        _check(trunk, self.tasks, features, common, specific, weights, fake_rate, reading)
        self.features, self.common, self.specific = features, common, specific
        self.fake_rate, self.reading = fake_rate, reading
        self.n = sum(task.heads for task in self.tasks)
        self.trunk = trunk
        self.spaces = nn.Linear(features, common + self.n * specific)
        blocks, start = {}, 0
        for task in self.tasks:
            blocks[task.name] = list(range(start, start + task.heads))
            start += task.heads
        self.heads = nn.ModuleList(TaskHeads(blocks[t.name], common, specific, t.outputs) for t in self.tasks)
        self.fake = nn.ModuleList()
        self.fake_tasks: list[Task] = []  # whose label each table is after
        if specific and self.n > 1:
            for task in self.tasks:
                for table in FakeHeads.tables(blocks[task.name], self.n):
                    self.fake.append(FakeHeads(*table, common, specific, task.outputs))
                    self.fake_tasks.append(task)
        # A buffer, so that many copies with different weights can be stacked.
        self.register_buffer("lambdas", torch.tensor(list(weights.values())))

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The linear spaces of Eq. (3) before their ReLU: common (B, C), specific (B, n, S)."""
        return self._split(F.linear(self._features(x), self.spaces.weight) + self.spaces.bias)

    def _features(self, x: Tensor) -> Tensor:
        """What the trunk gives, (B, features)."""
        h = self.trunk(x)
        if h.ndim != 2 or h.shape[1] != self.features:
            raise ValueError(f"the trunk gives {tuple(h.shape)}, SOS was told (B, {self.features})")
        return h

    def _split(self, spaces: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C + n S) -> common (B, C), specific (B, n, S)."""
        return spaces[:, : self.common], spaces[:, self.common :].view(len(spaces), self.n, self.specific)

    def predict(self, common: Tensor, specific: Tensor) -> dict[str, Tensor]:
        """Eq. (3) from the spaces after their ReLU."""
        return {task.name: heads(task, common, specific) for task, heads in zip(self.tasks, self.heads, strict=True)}

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Outputs of every block, see Task."""
        common, specific = self.embed(x)
        return self.predict(common.relu(), specific.relu())

    def losses(self, batch: Batch) -> Losses:
        """Eq. (8) term by term. ``tasks`` is Eq. (2) per task; the extra terms carry their weight.

        ``common-specific`` (4) and ``specific-specific`` (5) reach the trunk and the spaces, ``semantic`` (6)
        the same, ``adversarial`` (7) the fake heads only (S-5).
        """
        return self.from_features(self._features(batch.x), batch.y)[1]

    def from_features(self, h: Tensor, y: dict[str, Tensor]) -> tuple[dict[str, Tensor], Losses]:
        """Outputs and Eq. (8) of features that are there already: what ``forward`` and ``losses`` give, for one pass.

        Args:
            h: (B, features), as the trunk gives them.  y: the labels of every block.
        """
        products = F.linear(h, self.spaces.weight)  # without their bias, (B, C + n S)
        linear = products + self.spaces.bias
        common, specific = self._split(linear.relu())
        outputs = self.predict(common, specific)
        # Cut at the spaces and not at the trunk: all tasks read the common space, so its weights are shared as well.
        losses = Losses(supervised(self.tasks, outputs, y), features=linear)
        if self.specific:
            # Centring removes the bias. Were it left in, the bias of a unit that no head sees would get a gradient of
            # mere rounding noise in place of 0, and Adam would make full steps of it.
            seen = products if self.reading.standardise else linear
            losses.extra = self._soft(self._split(seen) if self.reading.spaces == "linear" else (common, specific))
            if self.fake_tasks:
                losses.extra |= self._game(common, specific, y)
        if self.reading.examples == "sum":
            losses.tasks = losses.tasks * len(h)
            losses.extra = {name: term * len(h) for name, term in losses.extra.items()}
        return outputs, losses

    def _soft(self, spaces: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Eqs. (4) and (5)."""
        weights = {"common-specific": self.lambdas[0], "specific-specific": self.lambdas[1]}
        return {name: weights[name] * term for name, term in soft(*spaces, self.reading).items()}

    def _game(self, common: Tensor, specific: Tensor, y: dict[str, Tensor]) -> dict[str, Tensor]:
        """Eqs. (6) and (7): one loss of the same fake heads, seen by the two sides."""
        reading = self.reading
        shown = common.detach() if reading.detach_common else common
        hidden = (common, specific) if reading.adversarial_reaches_features else (common.detach(), specific.detach())
        semantic, adversarial = [], []
        for task, heads in zip(self.fake_tasks, self.fake, strict=True):
            t = targets(task, y[task.name]).index_select(1, heads.columns)  # B T: the label each head is after
            z = heads(shown, specific, frozen=not reading.semantic_reaches_heads)
            semantic.append(masked_mean(*semantic_losses(task, z, t, reading)).sum())
            adversarial.append(masked_mean(*example_losses(task, heads(*hidden), t)).sum())
        pairs = self.n * (self.n - 1)
        return {
            "semantic": self.lambdas[2] * sum(semantic) / pairs,
            "adversarial": self.lambdas[3] * sum(adversarial) / pairs,
        }

    def groups(self) -> list[dict]:
        """Two optimiser groups: everything that predicts, and the fake heads at ``fake_rate``, marked as a critic.

        torch's optimisers do not know ``rate``: ``[{**g, "lr": 5e-4 * g["rate"]} for g in model.groups()]``.
        """
        fake = list(self.fake.parameters())
        ids = {id(p) for p in fake}
        main = {"params": [p for p in self.parameters() if id(p) not in ids], "rate": 1.0}
        return [main, {"params": fake, "rate": self.fake_rate, "critic": True}] if fake else [main]


def _check(
    trunk: nn.Module,
    tasks: Sequence[Task],
    features: int,
    common: int,
    specific: int,
    weights: dict,
    fake_rate: float,
    reading: Reading,
) -> None:
    """Refuse what cannot train, before anything is built."""
    sizes = {"features": features, "common": common, "specific": specific}
    for name, size in sizes.items():
        if not isinstance(size, int) or size < (1 if name == "features" else 0):
            raise ValueError(f"{name} must be a whole number of {1 if name == 'features' else 0} or more, got {size!r}")
    if common + specific == 0:
        raise ValueError("common and specific are both 0: the heads would have nothing to read")
    for name, value in {**{f"lambda_{k}": v for k, v in weights.items()}, "fake_rate": fake_rate}.items():
        if not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise ValueError(f"{name} must be a finite number of 0 or more, got {value!r}")
    if not isinstance(trunk, nn.Module):
        raise ValueError(f"trunk must be a torch module, or its parameters would not train, got {trunk!r}")
    if not isinstance(reading, Reading):
        raise ValueError(f"reading must be a Reading, got {reading!r}")
    if specific and reading.common_specific == "inner" and common != specific:
        raise ValueError(f"reading 'inner' of Eq. (4) needs common == specific, got {common} and {specific}")
    if reading.semantic in ("uniform", "swapped") and any(task.kind == "points" for task in tasks):
        raise ValueError(f"reading {reading.semantic!r} of Eq. (6) needs classes; a task of points has none")

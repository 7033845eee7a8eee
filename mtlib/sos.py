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
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib import choices
from mtlib.heads import FakeHeads, TaskHeads
from mtlib.method import Losses, Method
from mtlib.tasks import Batch, Task, check_tasks, example_losses, masked_mean, supervised, targets


@dataclass(frozen=True)
class Reading:
    """One reading of the print. The defaults train; most printed alternatives are degenerate.

    Args:
        common_specific: Eq. (4). ``batch``: correlations over the batch. Per example there are ``outer``
            products, which only shrink norms, and ``inner`` products, which need common == specific (S-1).
        specific_specific: Eq. (5). ``batch``, or the per-example ``inner`` product, no correlation (S-2).
        soft_mean: mean instead of sum over the entries of a correlation matrix: no noise floor of C S / B (S-3).
        examples: ``mean``, or the printed ``sum`` over the batch's examples (S-4).
        semantic: Eq. (6). ``printed`` is unbounded below; ``clipped`` stops pushing a fake head that is wrong by
            ``clip`` nats; ``uniform`` asks for undecided heads; ``swapped`` for the wrong label (S-8).
        clip: for ``clipped``, nats; for tasks of points, in the units of their error.
        semantic_reaches_heads: let Eq. (6) train the fake heads as well (S-5, S-7 ii).
        adversarial_reaches_features: let Eq. (7) train the spaces as well (S-5). With both, one total loss in
            which (6) and (7) cancel at equal weights.
        detach_common: keep Eq. (6) from emptying the common space (S-9).
        spaces: what the orthogonality terms see, the ``linear`` spaces or what the heads read, ``relu`` (S-24).
        standardise: centre and scale the features over the batch inside the orthogonality terms (S-24).
    """

    common_specific: Literal["batch", "outer", "inner"] = "batch"
    specific_specific: Literal["batch", "inner"] = "batch"
    soft_mean: bool = False
    examples: Literal["mean", "sum"] = "mean"
    semantic: Literal["clipped", "printed", "uniform", "swapped"] = "clipped"
    clip: float = 10.0
    semantic_reaches_heads: bool = False
    adversarial_reaches_features: bool = False
    detach_common: bool = False
    spaces: Literal["linear", "relu"] = "linear"
    standardise: bool = True

    def __post_init__(self) -> None:
        choices.check(self)
        if not self.clip > 0:
            raise ValueError(f"reading: clip must be above 0 nats, got {self.clip}")


DEFAULT = Reading()
EPS = 1e-5  # guards a feature without variance, as torch's batch normalisation does


def standardise(h: Tensor) -> Tensor:
    """Centre every feature over the batch (first axis) and scale it to unit variance: (B, ...) -> (B, ...).

    Raises:
        ValueError: a single example, which has no variance.
    """
    if len(h) < 2:
        raise ValueError(f"SOS correlates over the batch: it needs 2 or more examples (drop_last=True), got {len(h)}")
    return F.batch_norm(h.flatten(1), None, None, training=True, eps=EPS).view_as(h)


def correlate(a: Tensor, b: Tensor, reading: Reading = DEFAULT) -> Tensor:
    """The products Z_a^T Z_b / B of (B, p) and (B, q): (p, q), correlations if the reading standardises.

    Had from the covariance: to scale p q numbers costs less than to scale every example.

    Raises:
        ValueError: a single example, which has no variance.
    """
    if not reading.standardise:
        return a.T @ b / len(a)
    if len(a) < 2:
        raise ValueError(f"SOS correlates over the batch: it needs 2 or more examples (drop_last=True), got {len(a)}")
    a, b = a - a.mean(0), b - b.mean(0)
    scale_a, scale_b = ((h.square().mean(0) + EPS).rsqrt() for h in (a, b))
    return a.T @ b * (scale_a[:, None] * scale_b / len(a))


def common_specific(common: Tensor, specific: Tensor, reading: Reading = DEFAULT) -> Tensor:
    """Eq. (4): (1/n) sum_i ||R_i||_F^2 with R_i = Z_c^T Z_i / B, (C, S), on standardised features.

    Args:
        common: (B, C).  specific: (B, n, S).

    Raises:
        ValueError: the ``inner`` reading with C != S, or a batch of one.
    """
    _, n, size = specific.shape
    if reading.common_specific == "batch":
        r = correlate(common, specific.flatten(1), reading)  # C n*S
        return r.square().sum() / (n * (common.shape[1] * size if reading.soft_mean else 1))
    if reading.standardise:
        common, specific = standardise(common), standardise(specific)
    if reading.common_specific == "outer":
        products = common.square().sum(1, keepdim=True) * specific.square().sum(2)  # B n
    else:
        if common.shape[1] != size:
            raise ValueError(
                f"reading 'inner' of Eq. (4) needs spaces of one size, got common {common.shape[1]}, specific {size}"
            )
        products = torch.einsum("bc,bnc->bn", common, specific).square()
    return products.sum(1).mean() / n


def specific_specific(specific: Tensor, reading: Reading = DEFAULT) -> Tensor:
    """Eq. (5): 1/(n(n-1)) sum over ordered pairs k != i of ||Z_i^T Z_k / B||_F^2.

    Args:
        specific: (B, n, S) with n of 2 or more.
    """
    _, n, size = specific.shape
    others = 1 - torch.eye(n, dtype=specific.dtype, device=specific.device)  # n n, without k = i
    if reading.specific_specific == "batch":
        flat = specific.flatten(1)
        squares = correlate(flat, flat, reading).square().view(n, size, n, size)
        pairs = squares.sum((1, 3)) / (size * size if reading.soft_mean else 1)  # n n
    else:
        z = standardise(specific) if reading.standardise else specific
        pairs = torch.einsum("bis,bks->bik", z, z).square().mean(0)
    return (pairs * others).sum() / (n * (n - 1))


def noise_floor(common: int, specific: int, batch: int) -> float:
    """What ||R_i||_F^2 of independent features is expected to be: C S / (B - 1), never zero (S-3); B of 2 or more."""
    return common * specific / (batch - 1)


def semantic_losses(task: Task, z: Tensor, t: Tensor, reading: Reading = DEFAULT) -> tuple[Tensor, Tensor]:
    """What Eq. (6) minimises for every example and fake head, (B, T), and which labels are known.

    Args:
        z: (B, T, o) fake outputs.  t: (B, T) labels, (B, T, o) for points.

    Raises:
        ValueError: ``uniform`` or ``swapped`` for points, which have no classes.
    """
    loss, known = example_losses(task, z, t)
    if reading.semantic == "printed":
        return -loss, known
    if reading.semantic == "clipped":
        return -loss.clamp(max=reading.clip), known
    if task.kind == "points":
        raise ValueError(f"task {task.name!r}: reading {reading.semantic!r} of Eq. (6) needs classes, not points")
    every = _every_class(task, z)
    if reading.semantic == "uniform":
        return every.mean(-1) * known, known
    return (every.sum(-1) - loss) / (every.shape[-1] - 1) * known, known


def _every_class(task: Task, z: Tensor) -> Tensor:
    """The cross-entropy (B, T, K) that each class would have as the label."""
    if task.kind == "binary":
        return torch.cat([F.softplus(z), F.softplus(-z)], -1)
    return -z.log_softmax(-1)


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
        return self._split(self._products(x) + self.spaces.bias)

    def _products(self, x: Tensor) -> Tensor:
        """The linear spaces without their bias, (B, C + n S)."""
        h = self.trunk(x)
        if h.ndim != 2 or h.shape[1] != self.features:
            raise ValueError(f"the trunk gives {tuple(h.shape)}, SOS was told (B, {self.features})")
        return F.linear(h, self.spaces.weight)

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
        products = self._products(batch.x)
        linear = products + self.spaces.bias
        common, specific = self._split(linear.relu())
        losses = Losses(supervised(self.tasks, self.predict(common, specific), batch.y))
        if self.specific:
            # Centring removes the bias. Were it left in, the bias of a unit that no head sees would get a gradient of
            # mere rounding noise in place of 0, and Adam would make full steps of it.
            seen = products if self.reading.standardise else linear
            losses.extra = self._extra(self._split(seen) if self.reading.spaces == "linear" else (common, specific))
            if self.fake_tasks:
                losses.extra |= self._game(common, specific, batch.y)
        if self.reading.examples == "sum":
            losses.tasks = losses.tasks * len(batch.x)
            losses.extra = {name: term * len(batch.x) for name, term in losses.extra.items()}
        return losses

    def _extra(self, spaces: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        terms = {}
        if self.common:
            terms["common-specific"] = self.lambdas[0] * common_specific(*spaces, self.reading)
        if self.n > 1:
            terms["specific-specific"] = self.lambdas[1] * specific_specific(spaces[1], self.reading)
        return terms

    def _game(self, common: Tensor, specific: Tensor, y: dict[str, Tensor]) -> dict[str, Tensor]:
        """Eqs. (6) and (7): one loss of the same fake heads, seen by the two sides."""
        reading = self.reading
        shown = common.detach() if reading.detach_common else common
        hidden = (common, specific) if reading.adversarial_reaches_features else (common.detach(), specific.detach())
        semantic, adversarial = [], []
        for task, heads in zip(self.fake_tasks, self.fake, strict=True):
            t = targets(task, y[task.name])[:, heads.columns]  # B T: the label each head is after
            z = heads(shown, specific, frozen=not reading.semantic_reaches_heads)
            semantic.append(masked_mean(*semantic_losses(task, z, t, reading)).sum())
            adversarial.append(masked_mean(*example_losses(task, heads(*hidden), t)).sum())
        pairs = self.n * (self.n - 1)
        return {
            "semantic": self.lambdas[2] * sum(semantic) / pairs,
            "adversarial": self.lambdas[3] * sum(adversarial) / pairs,
        }

    def groups(self) -> list[dict]:
        """Two optimiser groups: everything that predicts, and the fake heads at ``fake_rate``.

        torch's optimisers do not know ``rate``: ``[{**g, "lr": 5e-4 * g["rate"]} for g in model.groups()]``.
        """
        fake = list(self.fake.parameters())
        ids = {id(p) for p in fake}
        main = {"params": [p for p in self.parameters() if id(p) not in ids], "rate": 1.0}
        return [main, {"params": fake, "rate": self.fake_rate}] if fake else [main]


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

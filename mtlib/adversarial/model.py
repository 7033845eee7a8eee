"""A network that learns one attribute and is to become blind to another: Eqs. (1) to (6) and (9) to (11)."""

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib.adversarial.reversal import reverse
from mtlib.method import Losses, Method
from mtlib.tasks import Batch, Task, example_losses, masked_mean, supervised, targets

Form = Literal["reversal", "gan", "wasserstein", "clipped"]


class Adversarial(Method):
    """A trunk F, a linear classifier C_a of the main attributes, and an adversary C_b that reads the same features.

        F, C_a descend L_a - weight * L_b,   C_b descends L_b                                             Eqs. (5), (6)

    L_a and L_b are means over the A main attributes and the B listed partners, Eqs. (10), (11); each attribute's loss
    is the mean cross-entropy over the images whose label is known. ``weight`` is lambda: 0 is a single-task network,
    Eq. (1), with an onlooker that says how much of b the features give away, and -1 is Eq. (2), sharing.

    | form | what F descends besides L_a | how |
    |---|---|---|
    | reversal | -weight * L_b, Eq. (6) | a gradient-reversal layer |
    | gan | weight * L_b with flipped labels, Eq. (4) | the adversary held fixed |
    | wasserstein | weight * distance: the adversary's mean output where b, less that where not b | unit slope |
    | clipped | the same | slopes are bounded by ``Critic(steps=5, clip=0.01)``, as published |

    All but ``clipped`` move both sides at once, with ``Descend``; but for ``reversal``, ``Critic`` may train the
    adversary ahead. The min-max that is printed, Eqs. (3) and (9), is not built: it trains C_b to fail (L-2).

    Args:
        trunk: module giving (B, features).  features: its width.
        main, partners: Tasks of kind "binary", A and B columns.
        weight: lambda; the buffer ``weight``, so copies of an ensemble may differ in it.
        form: see the table.
        listed: which of the partners count, by place; all without. Also a buffer.
        hidden: width of a hidden layer of the adversary; 0 is the printed linear one (L-20).

    Raises:
        ValueError: tasks of other kinds or of one name, no partner, an unknown form, a weight that is no number, or a
            hidden layer whose slope ``wasserstein`` would not bound.
    """

    weight: Tensor
    listed: Tensor

    def __init__(
        self,
        trunk: nn.Module,
        features: int,
        main: Task,
        partners: Task,
        weight: float = 0.1,
        *,
        form: Form = "reversal",
        listed: Sequence[int] | None = None,
        hidden: int = 0,
    ) -> None:
        super().__init__()
        _check(main, partners, weight, form, hidden)
        columns = len(partners.columns)
        chosen = list(range(columns)) if listed is None else list(listed)
        if not chosen or not set(chosen) <= set(range(columns)):
            raise ValueError(f"listed are places of the {columns} partners, one or more, got {listed!r}")
        self.tasks = (main, partners)
        self.form = form
        self.trunk = trunk
        self.head = nn.Linear(features, len(main.columns))
        inner = (nn.Linear(features, hidden), nn.ReLU()) if hidden else ()
        self.adversary = nn.Sequential(*inner, nn.Linear(hidden or features, columns))
        self.register_buffer("weight", torch.tensor(float(weight)))
        self.register_buffer("listed", torch.zeros(columns).index_fill_(0, torch.tensor(chosen), 1.0))

    @property
    def loss_names(self) -> tuple[str, ...]:
        """One loss, the mean over the main attributes."""
        return (self.tasks[0].name,)

    def groups(self) -> list[dict]:
        """What learns the main attributes, and the adversary, marked for ``Critic``."""
        rest = [*self.trunk.parameters(), *self.head.parameters()]
        return [
            {"params": rest, "rate": 1.0},
            {"params": list(self.adversary.parameters()), "rate": 1.0, "critic": True},
        ]

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """{main: (B, A) logits, partners: (B, B') what the adversary makes of the features}."""
        h = self.trunk(x)
        return {self.tasks[0].name: self.head(h), self.tasks[1].name: self.guess(h)}

    def guess(self, h: Tensor, *, fixed: bool = False) -> Tensor:
        """The adversary's outputs (B, B') of features (B, features); ``fixed`` keeps gradients from its parameters."""
        for layer in self.adversary:
            if isinstance(layer, nn.Linear):
                weight, bias = (p.detach() if fixed else p for p in (layer.weight, layer.bias))
                if self.form == "wasserstein":
                    weight = weight / weight.norm(dim=1, keepdim=True).clamp(min=1e-12)
                h = F.linear(h, weight, bias)
            else:
                h = layer(h)
        return h

    def losses(self, batch: Batch) -> Losses:
        """L_a as ``tasks`` (1,), and what the form adds as extra terms, see the table."""
        main, partners = self.tasks
        h = self.trunk(batch.x)
        own = supervised((main,), {main.name: self.head(h)}, batch.y).mean().unsqueeze(0)
        y = targets(partners, batch.y[partners.name])  # B B'
        if self.form == "reversal":
            return Losses(own, {"adversary": self._cross_entropy(self.guess(reverse(h, self.weight)), y)}, features=h)
        ahead, behind = self.guess(h.detach()), self.guess(h, fixed=True)
        if self.form == "gan":
            flipped = torch.where(y >= 0, 1 - y, y)
            extra = {"critic": self._cross_entropy(ahead, y), "flipped": self._cross_entropy(behind, flipped)}
            return Losses(own, extra | {"flipped": self.weight * extra["flipped"]}, features=h)
        extra = {"critic": -self._distance(ahead, y), "distance": self.weight * self._distance(behind, y)}
        return Losses(own, extra, features=h)

    def _cross_entropy(self, z: Tensor, y: Tensor) -> Tensor:
        """L_b: the mean over the listed partners."""
        return self._mean(masked_mean(*example_losses(self.tasks[1], z.unsqueeze(-1), y)))

    def _distance(self, z: Tensor, y: Tensor) -> Tensor:
        """Mean output where the partner is labelled 1, less that where 0; nothing where the batch lacks either."""
        one, none = (y == 1).to(z.dtype), (y == 0).to(z.dtype)
        gap = masked_mean(z * one, one) - masked_mean(z * none, none)
        return self._mean(gap * (one.any(0) & none.any(0)))

    def _mean(self, values: Tensor) -> Tensor:
        return (values * self.listed).sum() / self.listed.sum()


def _check(main: Task, partners: Task, weight: float, form: str, hidden: int) -> None:
    for name, task in (("main", main), ("partners", partners)):
        if not isinstance(task, Task) or task.kind != "binary":
            raise ValueError(f"{name} is a Task of kind 'binary', got {task!r}")
    if main.name == partners.name:
        raise ValueError(f"main and partners need different names, both are {main.name!r}")
    if form not in get_args(Form):
        raise ValueError(f"form is one of {', '.join(get_args(Form))}, got {form!r}")
    if not isinstance(weight, int | float) or not math.isfinite(weight):
        raise ValueError(f"weight is a finite number, got {weight!r}")
    if not isinstance(hidden, int) or isinstance(hidden, bool) or hidden < 0:
        raise ValueError(f"hidden is a layer's width, or 0 for none, got {hidden!r}")
    if hidden and form == "wasserstein":
        raise ValueError("form 'wasserstein' bounds the slope of a linear adversary only: hidden=0, or form 'clipped'")

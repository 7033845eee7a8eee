"""A critic trained ahead: some steps of its own before every step of what it criticises."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from mtlib.method import Losses
from mtlib.tasks import Batch
from mtlib.updates.base import Logs, Update, logs, sides


class Critic(Update):
    """``steps`` times phi <- phi - rate * grad_phi(critic's terms), then theta <- theta - rate * grad_theta(the rest).

    phi are the method's groups marked ``{"critic": True}``, theta all others; both sides have an optimiser. The
    method gives the critic's loss as extra terms; the tasks and all other extra terms are what theta descends.
    Gradients are routed here: the critic's terms reach the critic only, the rest everything but the critic.

    All steps are on the same batch, each with a forward pass of its own, so that layers which gather statistics
    (batch normalisation) see it ``steps + 1`` times. A game in which both sides move at once, by gradient reversal
    or detached terms, needs only ``Descend``.

    Args:
        terms: name or names of the critic's terms in ``Losses.extra``.
        steps: of the critic, for one of the rest.
        clip: after each of its steps every parameter of the critic is put within -clip and clip, which bounds
            its slope (Wasserstein critics); None: free.
    """

    def __init__(self, terms: str | Sequence[str] = "critic", steps: int = 1, clip: float | None = None) -> None:
        self.terms = (terms,) if isinstance(terms, str) else tuple(terms)
        self.steps, self.clip = steps, clip

    def build(self) -> list[Optimizer]:
        """Two optimisers, the rest's and the critic's.

        Raises:
            ValueError: no critic's group, nothing but the critic, a parameter on both sides, or a bad argument.
        """
        self._check()
        both = sides(self.method, "Critic")
        self.rest, self.critic = (_trained(side) for side in both)
        if {id(parameter) for parameter in self.rest} & {id(parameter) for parameter in self.critic}:
            raise ValueError("Critic: a parameter belongs both to the critic and to the rest")
        return [self.recipe.optimise(side) for side in both]

    def _check(self) -> None:
        if not isinstance(self.steps, int) or isinstance(self.steps, bool) or self.steps < 1:
            raise ValueError(f"Critic: steps must be a whole number of 1 or more, got {self.steps!r}")
        if not self.terms or not all(isinstance(name, str) for name in self.terms):
            raise ValueError(f"Critic: terms are names of extra terms, got {self.terms!r}")
        if self.clip is not None and not 0 < self.clip < math.inf:
            raise ValueError(f"Critic: clip must be above 0, or None, got {self.clip!r}")

    def __call__(self, batch: Batch) -> Logs:
        """The critic's steps and one of the rest; the losses are those after the critic's, ``total`` the rest's."""
        rest, critic = self.optimisers
        for _ in range(self.steps):
            critic.zero_grad()
            # Told its inputs, the backward pass ends at the critic and spares the trunk.
            self._split(self.losses(batch))[1].backward(inputs=self.critic)
            self.step(critic)
            self._clip()
        rest.zero_grad()
        losses = self.losses(batch)
        total = self._split(losses)[0]
        total.backward(inputs=self.rest)
        self.step(rest)
        return logs(losses, total)

    def _split(self, losses: Losses) -> tuple[Tensor, Tensor]:
        """What the rest descends and what the critic does, two scalars."""
        for name in self.terms:
            if name not in losses.extra:
                raise ValueError(f"Critic: the losses have no term {name!r}, only {', '.join(losses.extra) or 'tasks'}")
        others = {name: term for name, term in losses.extra.items() if name not in self.terms}
        return Losses(losses.tasks, others).total(), sum(losses.extra[name] for name in self.terms)

    @torch.no_grad()
    def _clip(self) -> None:
        if self.clip is not None:
            for parameter in self.critic:
                parameter.clamp_(-self.clip, self.clip)


def _trained(groups: list[dict]) -> list[nn.Parameter]:
    """The parameters of some groups that have gradients."""
    return [parameter for group in groups for parameter in group["params"] if parameter.requires_grad]

"""Plain descent: one sum of losses, weighted as one likes, and one step of the optimiser."""

import copy
from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from mtlib.method import Losses
from mtlib.tasks import Batch
from mtlib.updates.base import Logs, Update, logs
from mtlib.weighting import Weigh, Weighting


class Descend(Update):
    """Minimise the sum of all terms: theta <- theta - rate * grad(sum_i weighting(L)_i + extra terms).

    Extra terms carry their weight already and are added as they are. Games by gradient reversal, where one total
    trains both sides at once (SOS, adversarial attribute learning), need nothing more than this.

    Args:
        weighting: see ``mtlib.weighting``; None counts every task once. A module is copied when training starts, so
            that one update can train many runs alike; what became of it is ``update.weighting``.
    """

    def __init__(self, weighting: Weigh | None = None) -> None:
        self.given = self.weighting = weighting

    def build(self) -> list[Optimizer]:
        """One optimiser of the method's groups and of the weighting's parameters, if it has any.

        Raises:
            ValueError: the weighting is for another number of heads.
        """
        groups = self.method.groups()
        self.weighting = self.given
        if isinstance(self.given, nn.Module):
            heads = len(self.method.loss_names)
            if isinstance(self.given, Weighting) and self.given.heads != heads:
                raise ValueError(f"descend: the weighting is for {self.given.heads} heads, the method has {heads}")
            like = next(self.method.parameters())
            self.weighting = copy.deepcopy(self.given).to(like.device, like.dtype)
            own = list(self.weighting.parameters())
            # A penalty on the logarithm of a weight would be a preference for some scale of the losses.
            groups = [*groups, {"params": own, "weight_decay": 0.0}] if own else groups
        return [self.recipe.optimise(groups)]

    def __call__(self, batch: Batch) -> Logs:
        """One step down the total loss."""
        (optimiser,) = self.optimisers
        optimiser.zero_grad()
        losses = self.losses(batch)
        total = self.total(losses)
        total.backward()
        self.step(optimiser)
        return logs(losses, total)

    def total(self, losses: Losses) -> Tensor:
        """What is descended: the weighted tasks and every extra term, a scalar."""
        if self.weighting is None:
            return losses.total()
        return Losses(self.weighting(losses), losses.extra).total()

    def validated(self, report: Mapping[str, float]) -> None:
        """After every validation: a weighting is told the report."""
        super().validated(report)
        if isinstance(self.weighting, Weighting):
            self.weighting.validated(report)

    def state(self) -> dict:
        """The weighting's parameters and buffers."""
        return self.weighting.state_dict() if isinstance(self.weighting, nn.Module) else {}

    def restore(self, state: dict) -> None:
        """Take back what ``state`` gave."""
        if isinstance(self.weighting, nn.Module):
            self.weighting.load_state_dict(state)

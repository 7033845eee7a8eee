"""Plain descent: one sum of losses, one step of the optimiser."""

from mtlib.tasks import Batch
from mtlib.updates.base import Logs, Update, logs


class Descend(Update):
    """Minimise the sum of all terms: theta <- theta - rate * grad(sum_i L_i + extra terms)."""

    def __call__(self, batch: Batch) -> Logs:
        """One step down the total loss."""
        (optimiser,) = self.optimisers
        optimiser.zero_grad()
        losses = self.losses(batch)
        total = losses.total()
        total.backward()
        optimiser.step()
        return logs(losses, total)

"""Plain descent in which a critic has an optimiser of its own; both move at once."""

from dataclasses import replace

from torch.optim import Optimizer

from mtlib.recipe import Recipe
from mtlib.tasks import Batch
from mtlib.updates.base import Logs, Update, logs, sides


class Separate(Update):
    """theta <- theta - step(grad_theta L), phi <- phi - own step(grad_phi L), from one backward pass.

    phi are the method's groups marked ``{"critic": True}`` (the fake heads of SOS), theta all others. The method routes
    its gradients by itself. A constant factor on the critic's loss has no effect under Adam, which divides by the
    gradient's size; under plain SGD it multiplies the learning rate (S-6).

    Args:
        critic: how the critic moves. Its steps are those of the run, whatever it says.
    """

    def __init__(self, critic: Recipe) -> None:
        self.critic = critic

    def build(self) -> list[Optimizer]:
        """Two optimisers, the rest's and the critic's.

        Raises:
            ValueError: no critic's group, or nothing but the critic.
        """
        self._recipes = [self.recipe, replace(self.critic, steps=self.recipe.steps, epochs=None)]
        both = sides(self.method, "Separate")
        return [recipe.optimise(side) for recipe, side in zip(self._recipes, both, strict=True)]

    def start(self, *arguments: object, **options: object) -> None:
        """Get ready to train; each optimiser's rate follows its own schedule."""
        super().start(*arguments, **options)
        self.schedules = [r.schedules(o) for r, o in zip(self._recipes, self.optimisers, strict=True)]

    def __call__(self, batch: Batch) -> Logs:
        """One step of both, down the total loss."""
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        losses = self.losses(batch)
        total = losses.total()
        total.backward()
        for optimiser in self.optimisers:
            self.step(optimiser)
        return logs(losses, total)

"""GradNorm: weights that bring the tasks' gradients to sizes that go with how fast the tasks learn."""

import math

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from mtlib import parallel
from mtlib.method import Losses
from mtlib.tasks import Batch
from mtlib.updates import jacobian
from mtlib.updates.base import Logs, Update, logs


class GradNorm(Update):
    """Descend sum_i w_i L_i with w learned (Chen, Badrinarayanan, Lee and Rabinovich 2018, Algorithm 1).

        G_i = w_i |grad_F L_i|;   s_i = L_i / L_i(0);   r_i = s_i / mean s
        w <- w - rate * grad_w sum_i |G_i - mean(G) r_i^alpha|, the second term held fixed;   w <- T w / sum w

    The gradients are those with respect to the shared features F (``Losses.features``) and not to the weights of the
    last shared layer, as in the paper: the common cheap variant, which needs the heads alone to be differentiated T
    times, in one batched call. Norms are the batch's.

    The weights are moved by the recipe's optimiser at a rate of their own, which follows the recipe's schedule, and
    do not go below 0. L_i(0) is the first loss of task i that is not 0, as without labels it would be. Extra terms
    are descended as they are.

    Args:
        alpha: how strongly tasks that lag behind are favoured; 0 makes all norms equal. 1.5 in the paper's larger
            experiment, the more the tasks differ the larger.
        rate: of the weights; 0.025 in the paper.
        chunk: tasks to differentiate at once; None: all. 1 does without ``vmap``, for heads that refuse it.
    """

    def __init__(self, alpha: float = 1.5, rate: float = 0.025, *, chunk: int | None = None) -> None:
        self.alpha, self.rate, self.chunk = alpha, rate, chunk

    def build(self) -> list[Optimizer]:
        """One optimiser of the method's groups and of the weights.

        Raises:
            ValueError: a bad argument, or a compiled program, which cannot be cut.
        """
        self._check()
        like, heads = next(self.method.parameters()), len(self.method.loss_names)
        self.weights = nn.Parameter(torch.ones(heads, dtype=like.dtype, device=like.device))
        self.first = torch.zeros_like(self.weights, requires_grad=False)  # L(0)
        own = {"params": [self.weights], "rate": self.rate / self.recipe.rate, "weight_decay": 0.0}
        return [self.recipe.optimise([*self.method.groups(), own])]

    def _check(self) -> None:
        for name, value, low in (("alpha", self.alpha, 0.0), ("rate", self.rate, math.nextafter(0, 1))):
            if not isinstance(value, int | float) or not low <= value < math.inf:
                raise ValueError(f"GradNorm: {name} must be finite and {'above 0' if low else '0 or more'}: {value!r}")
        jacobian.check_chunk(self.chunk, "GradNorm")
        if self.recipe.compile:
            raise ValueError("GradNorm differentiates within the losses, where a compiled program cannot be cut")

    def __call__(self, batch: Batch) -> Logs:
        """One step down the weighted total, and one of the weights.

        Raises:
            ValueError: the method's losses give no features.
        """
        (optimiser,) = self.optimisers
        optimiser.zero_grad()
        losses = self.losses(batch)
        norms = jacobian.rows(losses, self.chunk, "GradNorm").flatten(1).to(self.weights.dtype).norm(dim=1)  # T
        total = Losses(self.weights.detach() * losses.tasks, losses.extra).total()
        total.backward()
        self.weights.grad = self._slope(norms, losses.tasks.detach())
        self.step(optimiser)
        self._normalise()
        return logs(losses, total)

    @torch.no_grad()
    def _slope(self, norms: Tensor, values: Tensor) -> Tensor:
        """grad_w sum_i |w_i n_i - target_i| = sign(w_i n_i - target_i) n_i, (T,)."""
        values = parallel.mean(values, self.share).to(self.first.dtype)
        self.first.copy_(torch.where(self.first > 0, self.first, values))
        speeds = torch.where(self.first > 0, values / self.first, 1)  # s, the inverse training rates
        number = torch.finfo(speeds.dtype)
        sizes = self.weights * norms
        targets = sizes.mean() * (speeds / speeds.mean().clamp(min=number.tiny)) ** self.alpha
        return (sizes - targets).sign() * norms

    @torch.no_grad()
    def _normalise(self) -> None:
        """Back to sum T."""
        self.weights.clamp_(min=0)
        self.weights.mul_(len(self.weights) / self.weights.sum())

    def state(self) -> dict:
        """The weights and the first losses."""
        return {"weights": self.weights.detach(), "first": self.first}

    @torch.no_grad()
    def restore(self, state: dict) -> None:
        """Take back what ``state`` gave."""
        self.weights.copy_(state["weights"])
        self.first.copy_(state["first"])

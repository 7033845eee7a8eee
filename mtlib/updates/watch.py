"""Plain descent with an eye on a few validation examples after every step."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from mtlib.rows import Epoch
from mtlib.seeds import derive, seeded
from mtlib.tasks import Batch, Split
from mtlib.updates.base import Logs
from mtlib.updates.descend import Descend
from mtlib.weighting import Weighting
from mtlib.weighting.base import whole


class Watch(Descend):
    """``Descend``, and after every step ``weighting.watched(losses (T,))`` of some validation examples.

    The look leaves the method as it was: no gradients, evaluation mode (so that batch normalisation neither uses nor
    gathers statistics of ten examples), every module's mode put back, random numbers of its own. Which examples
    are seen is a pure function of (seed, step): all of them in an order, then in another.

    Args:
        weighting: with a method ``watched``, such as ``weighting.Adaptive``.
        split: the validation examples, where training happens.
        batch: how many are seen at a step; 10 in AW.
        seed: of their order.

    Raises:
        ValueError: a weighting that cannot be told, no examples, or a batch that cannot be.
    """

    def __init__(self, weighting: Weighting, split: Split, batch: int = 10, seed: int = 0) -> None:
        super().__init__(weighting)
        if not callable(getattr(weighting, "watched", None)):
            raise ValueError(f"Watch: needs a weighting with a method 'watched', such as Adaptive, got {weighting!r}")
        self.split, self.batch, self.seed = split, whole("batch", batch), seed

    def build(self) -> list[Optimizer]:
        """One optimiser, see ``Descend.build``.

        Raises:
            ValueError: the weighting is for another number of heads, or there are no examples.
        """
        if not len(self.split):
            raise ValueError("Watch: the split to be watched has no examples")
        self.done, self._rows = 0, Epoch(len(self.split), self.batch, derive("watch", self.seed))
        return super().build()

    def __call__(self, batch: Batch) -> Logs:
        """One step down the total loss, and a look."""
        found = super().__call__(batch)
        self.weighting.watched(self._look())
        self.done += 1
        return found

    @torch.no_grad()
    def _look(self) -> Tensor:
        """(T,) losses of the validation examples whose turn it is."""
        modes = [(module, module.training) for module in self.method.modules()]
        self.method.eval()
        try:
            with seeded("watch", self.seed, self.done):
                # Not the compiled losses: a program is made for batches of one size, in training mode.
                return self.method.losses(self.split.take(self._rows(self.done))).tasks
        finally:
            for module, mode in modes:
                module.training = mode

    def state(self) -> dict:
        """How many looks were taken, and what the weighting keeps."""
        return {"done": self.done, "weighting": super().state()}

    def restore(self, state: dict) -> None:
        """Take back what ``state`` gave."""
        self.done = state["done"]
        super().restore(state["weighting"])

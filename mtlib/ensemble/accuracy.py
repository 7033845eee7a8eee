"""How many labels every copy gets right, all copies at once: a look at an ensemble on its way."""

import copy as copying
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from mtlib.ensemble.stack import Copy, Networks
from mtlib.method import Method
from mtlib.tasks import Split

ROOM = 2**24  # numbers in the widest output that is computed at once


class Outputs(nn.Module):
    """A method whose call gives one task's outputs; its parameters have the names that ``Terms`` gives them."""

    def __init__(self, method: Method, task: str) -> None:
        super().__init__()
        self.method, self.task = method, task

    def forward(self, x: Tensor) -> Tensor:
        """x (B, ...) -> the task's outputs."""
        return self.method(x)[self.task]


class Accuracy:
    """A look: the accuracy of a binary task on some splits, (K, splits, columns) float64, NaN without labels.

    All copies see the same inputs, which are held once; each is asked for its own columns.

    Args:
        splits: of one data set.  task: the name of a binary task.  copies: as ``fit`` is given them.
    """

    def __init__(self, splits: Sequence[Split], task: str, copies: Sequence[Copy]) -> None:
        self.splits, self.task = list(splits), task
        every = range(splits[0].y[task].shape[1])
        self.columns = torch.tensor([list(each.columns.get(task, every)) for each in copies])  # K c

    def __call__(self, networks: Networks) -> Tensor:
        """Every copy's accuracies now, in evaluation mode; nothing of the networks changes."""
        method = Outputs(copying.deepcopy(networks.terms.method).eval(), self.task)
        buffers = dict.fromkeys(networks.stacked, 0) | dict.fromkeys(networks.shared)

        def one(parameters: dict, own: dict, x: Tensor) -> Tensor:
            return functional_call(method, (parameters, own), (x,))

        run = vmap(one, in_dims=(0, buffers, None))
        state = networks.parameters, {**networks.stacked, **networks.shared}
        with torch.no_grad():
            return torch.stack([self._share(run, state, split) for split in self.splits], dim=1)

    def _share(self, run: Callable[..., Tensor], state: tuple[dict, dict], split: Split) -> Tensor:
        columns = self.columns.to(split.x.device)
        width = max(value.shape[1] for value in state[0].values())  # a layer's outputs
        right, known = (torch.zeros(columns.shape, dtype=torch.double, device=columns.device) for _ in range(2))
        for rows in torch.arange(len(split)).split(max(1, ROOM // (len(columns) * width))):
            batch = split.take(rows)
            z = run(*state, batch.x)  # K B c
            y = batch.y[self.task][:, columns].movedim(0, 1)  # K B c
            right += (((z > 0) == (y == 1)) & (y >= 0)).sum(1)
            known += (y >= 0).sum(1)
        return right / known

"""Task Routing (Strezoski, van Noord and Worring, ICCV 2019): every task has a fixed mask over the channels of a trunk.

Masks are drawn once and never learned. Some channels serve all tasks, each other one serves a single task. Here, what
differs: a task is a block of columns (the paper masks single attributes); channels that are not everybody's are dealt
out without overlap, where the published code draws every task's mask for itself; and masks follow the pieces of a trunk
that are given, such as residual blocks, where the paper masks every convolution.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtlib.method import Losses, Method
from mtlib.seeds import generator
from mtlib.tasks import Batch, Task, block_losses, by_block, check_tasks


class TaskRouting(Method):
    """One trunk that every block of tasks goes through with channels of its own masked out.

        x <- m_t * piece(x),   m_t in {0, 1}^C fixed;  one loss per block

    Args:
        pieces: of the trunk in their order, each giving a map (B, C, h, w).  channels: C of each.
        neck: last map -> (B, features).  features: what the heads see.
        tasks: blocks; each has its own route.
        shared: sigma, share of the channels that all tasks use, 0 to 1; the others are dealt out evenly.
        seed: of the masks.

    Raises:
        ValueError: no pieces, channels that do not fit them, a share outside 0 to 1, or so few channels that a task
            would have none.
    """

    def __init__(
        self,
        pieces: Sequence[nn.Module],
        channels: Sequence[int],
        neck: nn.Module,
        features: int,
        tasks: Sequence[Task],
        *,
        shared: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.tasks = check_tasks(tasks)
        if not pieces or len(pieces) != len(channels):
            raise ValueError(f"routing: one number of channels per piece, got {len(pieces)} and {len(channels)}")
        if not 0 <= shared <= 1:
            raise ValueError(f"routing: the share of channels that all tasks use is 0 to 1, got {shared!r}")
        self.pieces, self.neck = nn.ModuleList(pieces), neck
        self.heads = nn.ModuleList(nn.Linear(features, task.heads * task.outputs) for task in self.tasks)
        for place, width in enumerate(channels):
            self.register_buffer(f"mask{place}", masks(len(self.tasks), width, shared, seed, place))

    @property
    def loss_names(self) -> tuple[str, ...]:
        """One loss per block."""
        return tuple(task.name for task in self.tasks)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Outputs of every block, see Task; the trunk is gone through once per block."""
        found = {}
        for t, (task, head) in enumerate(zip(self.tasks, self.heads, strict=True)):
            own = x
            for place, piece in enumerate(self.pieces):
                own, mask = piece(own), getattr(self, f"mask{place}")[t]
                if own.shape[1] != len(mask):  # a single one would be broadcast
                    raise ValueError(f"routing: piece {place} gives {own.shape[1]} channels, not {len(mask)}")
                own = own * mask.to(own.dtype).view(1, -1, 1, 1)
            z = head(self.neck(own))
            found[task.name] = by_block(task, z.view(len(z), task.heads, task.outputs))
        return found

    def losses(self, batch: Batch) -> Losses:
        """One loss per block; routes part from the first piece on, so there are no shared features to name."""
        return Losses(block_losses(self.tasks, self(batch.x), batch.y))


def masks(tasks: int, channels: int, shared: float, seed: int, place: int) -> Tensor:
    """(tasks, channels) 0/1: a share of the channels is everybody's, the others are dealt out in a random order.

    Raises:
        ValueError: a task would have no channel.
    """
    order = torch.randperm(channels, generator=generator("routing", seed, place))
    common = round(shared * channels)
    found = torch.zeros(tasks, channels)
    found[:, order[:common]] = 1
    for turn, channel in enumerate(order[common:].tolist()):
        found[turn % tasks, channel] = 1
    if not found.any(1).all():
        raise ValueError(f"routing: {channels} channels with {common} shared leave some of {tasks} tasks without any")
    return found

"""AdaShare (Sun, Panda, Feris and Saenko, NeurIPS 2020): every task learns which residual blocks it goes through.

A task *selects* or *skips* a block; a skipped one is its shortcut alone. Choices are samples of learned probabilities,
straight through (Gumbel-softmax), and two terms ask for few blocks and for the same ones. Here, what differs: a task is
a block of columns; weights and policy move together where the paper alternates them, all blocks at once and not from
the last one on; samples are hard, at one temperature; and there is no second training from scratch: for the first part
of training every task takes all blocks, for the last one the likeliest.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib.method import Losses, Method
from mtlib.tasks import Batch, Task, block_losses, by_block, check_tasks


class AdaShare(Method):
    """Residual blocks of which every block of tasks goes through its own choice.

        x <- shortcut(x) + u_tl f_l(x),  u_tl in {0, 1};  one loss per block of tasks, and

        sparsity * sum_tl log a_tl + sharing * sum_{t < s} sum_l (L - l) / L |a_tl - a_sl|,   a = P(select)

    l counts from 0, so that the first blocks, which see what all tasks need, are the ones to be shared.

    Args:
        stem: images -> a map.  blocks: (f_l, shortcut_l) of each of the L residual blocks, a ReLU follows their sum.
        neck: last map -> (B, features).  features: what the heads see.
        tasks: blocks; each has its own policy.
        sparsity, sharing: weights of the two terms; the paper's settings lie between 0.0005 and 1.
        temperature: of the Gumbel-softmax; 5 at first in the paper, then falling.
        learned: part of training in which policies are learned; before it all blocks are taken, after it the likeliest.
        rate: of the policies, times the recipe's learning rate.

    Raises:
        ValueError: no blocks, a weight below 0, a temperature not above 0, or a part that is none.
    """

    def __init__(
        self,
        stem: nn.Module,
        blocks: Sequence[tuple[nn.Module, nn.Module]],
        neck: nn.Module,
        features: int,
        tasks: Sequence[Task],
        *,
        sparsity: float = 0.05,
        sharing: float = 0.05,
        temperature: float = 2.0,
        learned: tuple[float, float] = (0.25, 0.75),
        rate: float = 10.0,
    ) -> None:
        super().__init__()
        self.tasks = check_tasks(tasks)
        if not blocks:
            raise ValueError("AdaShare: needs one or more residual blocks to select or skip")
        for name, value in {"sparsity": sparsity, "sharing": sharing}.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"AdaShare: {name} must be a finite weight of 0 or more, got {value!r}")
        if not temperature > 0 or not rate > 0:
            raise ValueError(f"AdaShare: temperature and rate must be above 0, got {temperature!r} and {rate!r}")
        if not 0 <= learned[0] <= learned[1] <= 1:
            raise ValueError(f"AdaShare: policies are learned between two shares of training, got {learned!r}")
        self.sparsity, self.sharing, self.temperature, self.learned, self.rate = (
            *(sparsity, sharing, temperature, tuple(learned)),
            rate,
        )
        self.stem, self.neck = stem, neck
        self.branches = nn.ModuleList(branch for branch, _ in blocks)
        self.shortcuts = nn.ModuleList(shortcut for _, shortcut in blocks)
        self.heads = nn.ModuleList(nn.Linear(features, task.heads * task.outputs) for task in self.tasks)
        self.policy = nn.Parameter(torch.zeros(len(self.tasks), len(blocks), 2))  # select, skip: even at first

    @property
    def loss_names(self) -> tuple[str, ...]:
        """One loss per block of tasks."""
        return tuple(task.name for task in self.tasks)

    def groups(self) -> list[dict]:
        """The weights, and the policies at a rate of their own."""
        weights = [value for name, value in self.named_parameters() if name != "policy"]
        # A penalty on logits pulls towards a coin flip, before policies are learned and, by Adam, past 0 when they are
        # to stay as they are.
        return [{"params": weights, "rate": 1.0}, {"params": [self.policy], "rate": self.rate, "weight_decay": 0.0}]

    @property
    def likeliest(self) -> Tensor:
        """(T, L) 0/1: what each task selects."""
        return (self.policy[..., 0] >= self.policy[..., 1]).to(self.policy.dtype)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Outputs of every block of tasks, each by its likeliest policy."""
        return self.routed(x, self.likeliest)

    def routed(self, x: Tensor, u: Tensor) -> dict[str, Tensor]:
        """Outputs by the choices u (T, L); the stem is gone through once, the blocks once per task."""
        first, found = self.stem(x), {}
        for t, (task, head) in enumerate(zip(self.tasks, self.heads, strict=True)):
            own = first
            for choice, branch, shortcut in zip(u[t], self.branches, self.shortcuts, strict=True):
                own = F.relu(shortcut(own) + choice.to(own.dtype) * branch(own))
            z = head(self.neck(own))
            found[task.name] = by_block(task, z.view(len(z), task.heads, task.outputs))
        return found

    def losses(self, batch: Batch) -> Losses:
        """One loss per block of tasks by sampled choices, and the two terms while policies are learned."""
        begin, end = self.learned
        progress = torch.as_tensor(batch.progress, device=self.policy.device)
        sampled = F.gumbel_softmax(self.policy, self.temperature, hard=True)[..., 0]
        before, learning = progress < begin, (progress >= begin) & (progress < end)
        u = torch.where(before, torch.ones_like(sampled), torch.where(learning, sampled, self.likeliest))
        terms = {
            "sparsity": learning * self.sparsity * sparsity(self.policy),
            "sharing": learning * self.sharing * sharing(self.policy),
        }
        return Losses(block_losses(self.tasks, self.routed(batch.x, u), batch.y), terms)


def sparsity(policy: Tensor) -> Tensor:
    """sum over tasks and blocks of log P(select), of logits (T, L, 2): the smaller, the more is skipped."""
    return policy.log_softmax(-1)[..., 0].sum()


def sharing(policy: Tensor) -> Tensor:
    """sum over pairs of tasks and blocks of (L - l) / L |difference of P(select)|, of logits (T, L, 2)."""
    chosen = policy.softmax(-1)[..., 0]  # T L
    blocks = chosen.shape[1]
    early = torch.arange(blocks, 0, -1, device=policy.device, dtype=policy.dtype) / blocks  # 1 at the first
    apart = (chosen.unsqueeze(0) - chosen.unsqueeze(1)).abs()  # T T L
    return (apart * early).sum() / 2

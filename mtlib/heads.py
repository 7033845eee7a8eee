"""The linear heads of SOS, batched: n heads that predict, n(n-1) fake heads that should fail."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib.tasks import Task, by_block


class TaskHeads(nn.Module):
    """Eq. (3): head i of a block reads the common space and specific space i.

    Args:
        block: the block's tasks, consecutive places among the n tasks.
        common, specific: C and S.  outputs: o, outputs of each head.
    """

    def __init__(self, block: list[int], common: int, specific: int, outputs: int) -> None:
        super().__init__()
        self.block = slice(block[0], block[-1] + 1)
        self.outputs = outputs
        heads = len(block)
        self.common = _uniform(heads * outputs, common, fan_in=common + specific)
        self.specific = _uniform(heads, specific, outputs, fan_in=common + specific)
        self.bias = _uniform(heads * outputs, fan_in=common + specific)

    def forward(self, task: Task, common: Tensor, specific: Tensor) -> Tensor:
        """common (B, C), specific (B, n, S) -> outputs in the block's shape, see Task."""
        z = F.linear(common, self.common, self.bias).view(len(common), -1, self.outputs)  # B T o
        if specific.shape[-1]:
            z = z + torch.einsum("bts,tso->bto", specific[:, self.block], self.specific)
        return by_block(task, z)


class FakeHeads(nn.Module):
    """R sources with M targets each: head (k, m) reads the common space and specific space k, and is after a
    task other than k. What all of them take from the common space is one product; what they take from their own
    source is one batched product. Nothing is computed for k = i (S-28).

    Args:
        sources: R places among the n tasks whose specific space is read.
        columns: (R, M) places *within the target block* of the tasks that each source's heads are after.
        common, specific: C and S.  outputs: o, outputs of each head.
    """

    columns: Tensor

    def __init__(self, sources: list[int], columns: list[list[int]], common: int, specific: int, outputs: int) -> None:
        super().__init__()
        self.sources, self.outputs = sources, outputs
        rows, targets = len(sources), len(columns[0])
        self.common = _uniform(rows * targets * outputs, common, fan_in=common + specific)
        self.specific = _uniform(rows, specific, targets * outputs, fan_in=common + specific)
        self.bias = _uniform(rows * targets * outputs, fan_in=common + specific)
        # Row-major, as the outputs are: head (k, m) is number k M + m.
        self.register_buffer("columns", torch.tensor(columns).flatten(), persistent=False)

    @staticmethod
    def tables(block: list[int], n: int) -> list[tuple[list[int], list[list[int]]]]:
        """The sources and columns of all fake heads after one block of the n tasks, as regular tables.

        Within the block every source skips itself; sources outside it are after the whole block.
        """
        every = list(range(len(block)))
        outside = [k for k in range(n) if k not in block]
        tables = []
        if len(block) > 1:
            tables.append((block, [[m for m in every if m != own] for own in every]))
        if outside:
            tables.append((outside, [every] * len(outside)))
        return tables

    def forward(self, common: Tensor, specific: Tensor, *, frozen: bool = False) -> Tensor:
        """common (B, C), specific (B, n, S) -> (B, R M, o). ``frozen`` keeps gradients from the heads."""
        w_common, w_specific, bias = (p.detach() if frozen else p for p in (self.common, self.specific, self.bias))
        if len(self.sources) != specific.shape[1]:
            specific = specific[:, self.sources]  # B R S
        z = F.linear(common, w_common, bias)  # B R*M*o
        own = torch.bmm(specific.transpose(0, 1), w_specific)  # R B M*o
        return (z + own.transpose(0, 1).flatten(1)).view(len(common), -1, self.outputs)


def _uniform(*shape: int, fan_in: int) -> nn.Parameter:
    """nn.Linear's own initialisation: uniform within 1 / sqrt(inputs of the head)."""
    bound = 1 / math.sqrt(fan_in)
    return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))

"""Several processes, one run: each takes its part of every batch, gradients are averaged, parameters stay the same.

Write a script whose work is a function of the device, and start it once per device with torchrun:

    # train.py
    from mtlib import parallel, toy
    from mtlib.controls import MultiTask
    from mtlib.networks import mlp
    from mtlib.recipe import Recipe
    from mtlib.training import fit

    def work(device):
        method = MultiTask(mlp(2, 20, 20), 20, toy.TASKS).to(device)
        result = fit(method, toy.make(8, device=device), Recipe(steps=1000), label="training")
        if parallel.rank() == 0:
            print(result.history[-1])

    if __name__ == "__main__":
        parallel.run(work)

    torchrun --standalone --nproc-per-node 2 train.py

``Recipe.batch`` is the batch of all processes together. Process 0 alone shows progress, validates and writes
checkpoints. With all labels known, a run in several processes equals the run in one up to rounding. By definition
it cannot where a loss is no mean over examples, as every process sees only its own part of the batch:

- batch statistics (batch normalisation), which are those of the part; at the end process 0's are everybody's;
- what is correlated over the batch, such as the soft orthogonality of SOS, or matched between distributions;
- masked means with missing labels: a process that knows fewer labels still counts by its rows;
- directions that are no linear function of the gradients (``updates.Aggregate``): each process finds its own, and
  these are averaged; so are weightings that follow the losses, which follow those of the part, and which a
  resumed run gives the state of process 0 everywhere;
- random numbers drawn inside a step (dropout), which are other ones in every process;
- mix-up (``Augment``), which mixes the rows of a part among themselves; all else that it does is the same.

A batch of consecutive pairs (``rows.Pairs``) must hold an even number of rows per process.
"""

import os
from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")


def world() -> int:
    """How many processes train together; 1 where none were started."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if world() > 1 else 0


def run(work: Callable[[torch.device], object]) -> None:
    """Call ``work(device)`` in a process that torchrun started, or in the only one.

    Everything that ``work`` makes is gone before the processes part: a network or optimiser that outlives the
    group can abort the interpreter at its exit.
    """
    if "WORLD_SIZE" not in os.environ:
        work(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        return
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        work(device)
        dist.barrier()
    finally:
        dist.destroy_process_group()


def part(rows: Tensor) -> Tensor:
    """This process's part of a batch's row numbers (B,): consecutive ones, all parts together are the batch."""
    if world() == 1:
        return rows
    return rows[len(rows) * rank() // world() : len(rows) * (rank() + 1) // world()]


def average(parameters: Iterable[Tensor], share: float) -> None:
    """Replace every gradient by its mean over the processes, each counted by its share of the batch.

    Args:
        parameters: the same ones in every process; those without a gradient are left alone.
        share: rows of this process over those of all; 1 where there is one process, and nothing is done.
    """
    if world() == 1:
        return
    kinds: dict[tuple, list[Tensor]] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            kinds.setdefault((parameter.grad.dtype, parameter.grad.device), []).append(parameter.grad)
    for gradients in kinds.values():
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients]).mul_(share)  # one message, not hundreds
        dist.all_reduce(flat)
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))


def mean(values: Tensor, share: float) -> Tensor:
    """The mean of a tensor over the processes, each counted by its share; not finite where one of them is not."""
    if world() == 1:
        return values
    values = values * share
    dist.all_reduce(values)
    return values


@torch.no_grad()
def broadcast(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors with those of process 0."""
    if world() > 1:
        for tensor in tensors:
            value = tensor.detach().contiguous()
            dist.broadcast(value, 0)
            tensor.copy_(value)


def from_first(make: Callable[[], T]) -> T:
    """What ``make()`` gives in process 0, in every process; what it raises there is raised everywhere."""
    if world() == 1:
        return make()
    message: list = [None, None]
    if rank() == 0:
        try:
            message = [make(), None]
        except Exception as error:  # the others would wait for ever
            message = [None, error]
    dist.broadcast_object_list(message, 0)
    if message[1] is not None:
        raise message[1]
    return message[0]


def anybody(*wishes: bool) -> list[bool]:
    """For every wish: does one of the processes have it?"""
    if world() == 1:
        return list(wishes)
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    flags = torch.tensor(wishes, dtype=torch.int32, device=device)
    dist.all_reduce(flags, dist.ReduceOp.MAX)
    return flags.bool().tolist()

"""How much faster is one batched product than a double loop of Linear layers, for all fake heads of SOS?

    python benchmarks/sos_heads.py [--tasks 40 --common 512 --specific 32 --batch 128 --repeats 15]

Forward and backward (gradients of heads and of both spaces) of n(n-1) fake heads, three ways, in turn in one
process with one thread count: `batched` is mtlib.heads.FakeHeads; `loop` a Linear layer on the concatenation for
every ordered pair; `bare` the matrix product of the common part and its two gradient products, which any version
must do. Ratios are medians of the ratios of neighbouring repeats. Targets on two cores: loop / batched of 40 or more,
batched / bare of 1.5 or less.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from mtlib.heads import FakeHeads


def batched(common: torch.Tensor, specific: torch.Tensor, g: torch.Tensor) -> Callable[[], None]:
    n, s = specific.shape[1:]
    (table,) = FakeHeads.tables(list(range(n)), n)
    heads = FakeHeads(*table, common.shape[1], s, 1).to(common.device)
    return lambda: trained(heads, heads, common, specific, g)


def loop(common: torch.Tensor, specific: torch.Tensor, g: torch.Tensor) -> Callable[[], None]:
    n, s = specific.shape[1:]
    heads = nn.ModuleList(nn.Linear(common.shape[1] + s, 1) for _ in range(n * (n - 1))).to(common.device)

    def forward(common: torch.Tensor, specific: torch.Tensor) -> torch.Tensor:
        found, turn = [], iter(heads)
        for k in range(n):
            for i in range(n):
                if i != k:
                    found.append(next(turn)(torch.cat([common, specific[:, k]], dim=1)))
        return torch.stack(found, dim=1)

    return lambda: trained(forward, heads, common, specific, g)


def bare(common: torch.Tensor, specific: torch.Tensor, g: torch.Tensor) -> Callable[[], None]:
    h, g = common.detach(), g.squeeze(-1)
    weight = torch.randn(g.shape[1], h.shape[1], device=h.device)

    def products() -> None:
        h @ weight.T  # the outputs
        g.T @ h  # the gradient of the weights
        g @ weight  # the gradient of the common space

    return products


def trained(forward: Callable, heads: nn.Module, common: torch.Tensor, specific: torch.Tensor, g: torch.Tensor) -> None:
    for tensor in (*heads.parameters(), common, specific):
        tensor.grad = None
    forward(common, specific).backward(g)


def seconds(run: Callable[[], None], device: torch.device) -> float:
    synchronise(device)
    start = time.perf_counter()
    run()
    synchronise(device)
    return time.perf_counter() - start


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("tasks", 40), ("common", 512), ("specific", 32), ("batch", 128), ("repeats", 15)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    common = torch.randn(a.batch, a.common, device=a.device, requires_grad=True)
    specific = torch.randn(a.batch, a.tasks, a.specific, device=a.device, requires_grad=True)
    g = torch.randn(a.batch, a.tasks * (a.tasks - 1), 1, device=a.device)
    ways = {way.__name__: way(common, specific, g) for way in (batched, loop, bare)}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(a.repeats + 2):
        for name, run in ways.items():
            spent = seconds(run, common.device)
            if repeat >= 2:  # two rounds to warm up
                times[name].append(spent)
    print(
        f"n = {a.tasks}, C = {a.common}, S = {a.specific}, batch {a.batch}, {a.device}, "
        f"{a.threads} threads, {a.repeats} repeats"
    )
    for above, below, target in (("loop", "batched", "at least 40"), ("batched", "bare", "at most 1.5")):
        ratios = [x / y for x, y in zip(times[above], times[below], strict=True)]
        low, high = statistics.quantiles(ratios, n=4)[::2]
        print(
            f"{above} / {below}: {statistics.median(ratios):.2f}  (quartiles {low:.2f} to {high:.2f}; target {target})"
        )


if __name__ == "__main__":
    main()

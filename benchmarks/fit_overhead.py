"""What does ``fit`` cost over the bare loop, and do bfloat16, channels-last and compiling pay?

    python benchmarks/fit_overhead.py [--network lenet|wide --batch 128 --steps 40 --repeats 5 --ways bfloat16 ...]

A small convolutional network trained in turn, in one process with one thread count, by `bare` (forward, backward and
fused Adam on one resident batch, nothing else) and by `mtlib.training.fit` with the plain recipe and with each way
of making it faster. Times are per update, the first ones left out, in which caches fill. Ratios are medians of the
ratios of neighbouring repeats. Target: fit / bare of 1.10 or less. `lenet` is LeNet-5 on 28 x 28 grey images,
`wide` four strided convolutions of 32 to 128 filters on 64 x 64 colour images; both have 10 binary tasks.
"""

import argparse
import statistics
from collections.abc import Callable
from itertools import pairwise

import torch
from common import Clock
from torch import nn

from mtlib.controls import MultiTask
from mtlib.networks import lenet5
from mtlib.recipe import Recipe
from mtlib.seeds import generator, seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit

TASKS = (Task("attributes", "binary", 10),)
WARM = 3  # updates that are not counted
WAYS = {"bfloat16": {"precision": "bfloat16"}, "channels_last": {"channels_last": True}, "compile": {"compile": True}}
WAYS["all three"] = {name: value for way in WAYS.values() for name, value in way.items()}
Way = Callable[[], float]


def wide() -> nn.Sequential:
    widths = [3, 32, 64, 128, 128]
    layers = [nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.ReLU()) for a, b in pairwise(widths)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 16, 84), nn.ReLU())


NETWORKS = {"lenet": (lenet5, (1, 28, 28)), "wide": (wide, (3, 64, 64))}


def network(name: str, device: str) -> MultiTask:
    with seeded("weights", 0):
        return MultiTask(NETWORKS[name][0](), 84, TASKS).to(device)


def drawn(name: str, rows: int, device: str) -> Dataset:
    random = generator("benchmark")
    x = torch.rand(rows, *NETWORKS[name][1], generator=random)
    y = torch.randint(0, 2, (rows, 10), generator=random)
    split = Split(x.to(device), {"attributes": y.to(device)})
    return Dataset("drawn", TASKS, split, split)


def bare(name: str, batch: int, steps: int, device: str) -> Way:
    def run() -> float:
        method, clock = network(name, device).train(), Clock(device, steps, WARM)
        optimiser = torch.optim.Adam(method.parameters(), 5e-4, fused=True)
        resident = drawn(name, batch, device).train.take(torch.arange(batch, device=device))
        for _ in range(steps):
            optimiser.zero_grad()
            method.losses(resident).total().backward()
            optimiser.step()
            clock()
        return clock.seconds()

    return run


def fitted(name: str, batch: int, steps: int, device: str, **settings: object) -> Way:
    data = drawn(name, 16 * batch, device)

    def run() -> float:
        clock = Clock(device, steps, WARM)
        fit(network(name, device), data, Recipe(steps=steps, batch=batch, **settings), advance=clock)
        return clock.seconds()

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default="lenet")
    for name, default in (("batch", 128), ("steps", 40), ("repeats", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    if a.steps <= WARM or a.repeats < 2:
        parser.error(f"needs more than {WARM} steps, and 2 or more repeats")
    torch.set_num_threads(a.threads)
    sizes = (a.network, a.batch, a.steps, a.device)
    ways: dict[str, Way] = {"bare": bare(*sizes), "fit": fitted(*sizes)}
    ways |= {name: fitted(*sizes, **WAYS[name]) for name in a.ways}
    for run in ways.values():
        run()  # compilers and allocators warm up
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(a.repeats):
        for name, run in ways.items():
            times[name].append(run())
    print(f"{a.network}, batch {a.batch}, {a.steps} steps, {a.device}, {a.threads} threads, {a.repeats} repeats")
    print(f"bare: {1000 * statistics.median(times['bare']):.2f} ms per update")
    for above, below, note in [("fit", "bare", "; target at most 1.10"), *(("fit", name, "") for name in a.ways)]:
        ratios = [x / y for x, y in zip(times[above], times[below], strict=True)]
        low, high = statistics.quantiles(ratios, n=4)[::2]
        print(f"{above} / {below}: {statistics.median(ratios):.3f}  (quartiles {low:.3f} to {high:.3f}{note})")


if __name__ == "__main__":
    main()

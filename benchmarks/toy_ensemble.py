"""How much faster are many toy networks as one program than one by one?

    python benchmarks/toy_ensemble.py [--copies 1 30 100 300 --models ST MT SOS --threads 2 --device cpu]

Microseconds per update and network, drawing of rows included, all ways in turn in one process with one thread count:
`loop` is one network, its losses, backward and torch's fused Adam, and nothing else; `eager` and `compiled` are
mtlib.ensemble with K copies of different seeds and data sets. Ratios are medians of the ratios of neighbouring repeats.
Targets for MT at the best K: 20 or more on two cores, 1 000 or more on an H100.

Where the rest goes: for MT at the largest K the parts of an update are timed alone, beside the time that its matrix
products would take at the rate of one large product.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from mtlib import toy
from mtlib.ensemble import Copy
from mtlib.ensemble.run import Run
from mtlib.ensemble.stack import Batches, Networks
from mtlib.experiments import sos_toy
from mtlib.recipe import Recipe
from mtlib.rows import Epoch
from mtlib.seeds import seeded

RECIPE = Recipe(steps=10**9)  # the printed one, without an end
CHUNK = 64


def loop(model: str, device: str, updates: int) -> Callable[[], int]:
    data, method = toy.make(1, device=device).train, sos_toy.build(model).to(device)
    optimiser = torch.optim.Adam(method.parameters(), RECIPE.rate, fused=True)
    rows, step = Epoch(len(data), RECIPE.batch, 0), iter(range(10**9))

    def run() -> int:
        for _ in range(updates):
            optimiser.zero_grad()
            method.losses(data.take(rows(next(step)).to(device))).total().backward()
            optimiser.step()
        return updates

    return run


def batched(model: str, count: int, device: str, compiled: bool) -> tuple[Callable[[], int], Run]:
    data = [toy.make(1 + k % 10, seed=k // 10, device=device) for k in range(count)]
    copies = [Copy(seed=k // 10, data=k) for k in range(count)]

    def build(copy: Copy) -> torch.nn.Module:
        with seeded("weights", copy.data):
            return sos_toy.build(model).to(device)

    batches = Batches(data, copies, RECIPE.batch, Epoch)
    recipe = replace(RECIPE, compile=compiled)
    work = Run(copies, Networks([build(copy) for copy in copies]), batches, recipe, 1, lambda updates: None)

    def run() -> int:
        work.train(CHUNK)
        return CHUNK * count

    return run, work


def parts(work: Run) -> dict[str, Callable[[], int]]:
    """The parts of ``CHUNK`` updates of a run, each alone."""
    count = len(work.result.copies)
    x, y = next(work.batches.draw(0, 1))
    work.program(x, y, 0.0)

    def each(call: Callable[[], object]) -> Callable[[], int]:
        def run() -> int:
            for _ in range(CHUNK):
                call()
            return CHUNK * count

        return run

    def draw() -> int:
        for _ in work.batches.draw(0, CHUNK):
            pass
        return CHUNK * count

    return {
        "drawing rows": draw,
        "losses and gradients": each(lambda: work.program(x, y, 0.0)),
        "Adam": each(work.optimiser.step),
    }


def arithmetic(model: str, device: str) -> float:
    """Microseconds that one update's matrix products would take at the rate of one large product."""
    a = torch.randn(1024, 1024, device=device)
    rate = 2 * 1024**3 * 10 / measured(lambda: [a @ a for _ in range(10)], device)
    return 1e6 * sos_toy.cost(model) / rate


def measured(run: Callable[[], object], device: str) -> float:
    synchronise(device)
    start = time.perf_counter()
    run()
    synchronise(device)
    return time.perf_counter() - start


def synchronise(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def in_turn(ways: dict[str, Callable[[], int]], device: str, repeats: int) -> dict[str, list[float]]:
    """Microseconds per update and network of every way, once a repeat, after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + 1):
        for name, run in ways.items():
            done: list[int] = []
            spent = measured(lambda run=run, done=done: done.append(run()), device)
            if repeat:
                times[name].append(1e6 * spent / done[0])
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 30, 100, 300])
    parser.add_argument("--models", nargs="+", default=["ST", "MT", "SOS"])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--eager", action="store_true", help="do not compile")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    print(f"{a.device}, {a.threads} threads, median of {a.repeats}: microseconds per update and network (loop / it)")
    for model in a.models:
        ways = {"loop": loop(model, a.device, 200)}
        last = None
        for count in a.copies:
            for name in ("eager",) if a.eager else ("eager", "compiled"):
                ways[f"K = {count}, {name}"], last = batched(model, count, a.device, name == "compiled")
        times = in_turn(ways, a.device, a.repeats)
        for name, found in times.items():
            ratio = statistics.median(x / y for x, y in zip(times["loop"], found, strict=True))
            print(f"{model:4} {name:18} {statistics.median(found):8.1f}   {ratio:6.1f} x")
        if model == "MT":
            whole = statistics.median(times[name])
            alone = {part: statistics.median(t) for part, t in in_turn(parts(last), a.device, a.repeats).items()}
            alone["all else"] = whole - sum(alone.values())
            print(f"     of the last line's {whole:.1f}: " + ", ".join(f"{k} {v:.1f}" for k, v in alone.items()))
            limit = arithmetic(model, a.device)
            loops = statistics.median(times["loop"])
            print(f"     its matrix products at the rate of one large product: {limit:.1f} ({loops / limit:.0f} x)")


if __name__ == "__main__":
    main()

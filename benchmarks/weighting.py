"""What does a step cost under each scheme that weighs tasks, and what would it cost with a backward pass per task?

    python benchmarks/weighting.py [--tasks 2 8 40 --batch 64 --size 48 --repeats 3 --threads 1 --schemes MGDA ...]

One update of ``networks.small`` with a linear head of T attributes on random images: every scheme of
``updates.schemes``, beside uniform weights and beside the same scheme done naively, in turn in one process, each step
of a scheme right after one with uniform weights. Naive is one backward pass through everything for every task: each
weighted loss by itself; for aggregators a row of the Jacobian each, handed to torchjd's own aggregator where that can
be made without another solver. Aggregators are timed at the parameters and at the features. The validations that
"validation trend" compares are not in its step. Ratios are medians of the ratios of neighbouring steps.

Targets, where T = 40 is asked for: a step costs at most 1.1 times a uniform one where losses are weighed, 1.4 under
AW, 1.5 under GradNorm and with aggregators at the features; at the parameters it costs at most 1.1 times the naive
step, everywhere else half of it at most. Ratios are of wall clock times and, in brackets, of the processor's own time,
which other jobs on the machine change less. Exit status 1 where both miss a target.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.controls import MultiTask
from mtlib.networks import small
from mtlib.recipe import Recipe
from mtlib.seeds import generator, seeded
from mtlib.tasks import Batch, Split, Task
from mtlib.updates import SCHEMES, Aggregate, GradNorm, Update, scheme

LIMITS = {"AW": 1.4, "GradNorm": 1.5, "features": 1.5}  # of a step over a uniform one
LOSSES = 1.1  # of the schemes that weigh losses
NAIVE = {"parameters": 1.1, "elsewhere": 0.5}  # of a step over the naive one
JUDGED = 40  # tasks


def split(n: int, tasks: int, size: int) -> Split:
    draw = generator("benchmark", "weighting", n, tasks)
    x = torch.randint(0, 256, (n, 3, size, size), generator=draw, dtype=torch.uint8)
    return Split(x, {"attributes": torch.randint(0, 2, (n, tasks), generator=draw)})


def started(name: str, tasks: int, at: str, data: Split, size: int) -> Update:
    with seeded("weights"):
        method = MultiTask(small(size=size), 256, [Task("attributes", "binary", tasks)])
    update = scheme(name, tasks, period=3, validation=data, at=at)
    update.start(method.train(), Recipe(steps=10_000, schedule="constant"))
    return update


# ------------------------------------------------------------------ one backward pass per task


def naive(update: Update) -> Callable[[Batch], None]:
    """A step of the same scheme, task by task."""
    if isinstance(update, Aggregate):
        return lambda batch: rows_one_by_one(update, batch)
    return lambda batch: terms_one_by_one(update, batch)


def terms_one_by_one(update: Update, batch: Batch) -> None:
    """Every weighted loss is sent back by itself; GradNorm's gradients at the features come one by one too."""
    (optimiser,) = update.optimisers
    optimiser.zero_grad()
    losses = update.losses(batch)
    if isinstance(update, GradNorm):
        found = [torch.autograd.grad(task, losses.features, retain_graph=True)[0].norm() for task in losses.tasks]
        terms = update.weights.detach() * losses.tasks
        update.weights.grad = update._slope(torch.stack(found), losses.tasks.detach())
    else:
        terms = losses.tasks if update.weighting is None else update.weighting(losses)
    for term in terms:
        term.backward(retain_graph=True)
    update.step(optimiser)
    if hasattr(update, "_look"):
        update.weighting.watched(update._look())


def rows_one_by_one(update: Aggregate, batch: Batch) -> None:
    """A row of the Jacobian for every task, at the parameters."""
    (optimiser,) = update.optimisers
    losses = update.losses(batch)
    shared, own = list(update.method.trunk.parameters()), list(update.method.heads.parameters())
    rows, plain = [], [torch.zeros_like(value) for value in own]
    for task in losses.tasks:
        found = torch.autograd.grad(task, [*shared, *own], retain_graph=True)
        rows.append(torch.cat([gradient.flatten() for gradient in found[: len(shared)]]))
        for total, gradient in zip(plain, found[len(shared) :], strict=True):
            total += gradient
    direction = theirs(update)(torch.stack(rows))
    for value, gradient in zip(shared, direction.split([value.numel() for value in shared]), strict=True):
        value.grad = gradient.view_as(value)
    for value, gradient in zip(own, plain, strict=True):
        value.grad = gradient
    update.step(optimiser)


def theirs(update: Aggregate) -> Callable[[Tensor], Tensor]:
    """torchjd's aggregator as it comes; the course's where that one wants a solver that is not installed."""
    from torchjd import aggregation

    arguments = {"CAGrad": {"c": 0.5}}.get(update.given, {})
    if update.given in ("NashMTL", "UPGrad"):
        return update.aggregator
    return getattr(aggregation, update.given)(**arguments)


# ------------------------------------------------------------------ side by side


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """By the wall and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor


def ratio(above: list[tuple[float, float]], below: list[tuple[float, float]]) -> list[float]:
    """Medians of the ratios of neighbouring steps, by the wall and of the processor."""
    pairs = list(zip(above, below, strict=True))
    return [statistics.median(one[clock] / other[clock] for one, other in pairs) for clock in (0, 1)]


def compare(name: str, at: str, tasks: int, a: argparse.Namespace) -> bool:
    """Print one line; whether the targets are met."""
    data = split(max(a.batch, 64), tasks, a.size)
    batch = data.take(torch.arange(a.batch))
    uniform, own, other = (started(kind, tasks, at, data, a.size) for kind in ("uniform", name, name))
    ways = (lambda: uniform(batch), lambda: own(batch), lambda: naive(other)(batch))
    times = [[seconds(way) for way in ways] for _ in range(a.repeats + 1)][1:]  # one round to warm up
    plain, mine, slow = zip(*times, strict=True)
    cost, naively, saved = ratio(mine, plain), ratio(slow, plain), ratio(mine, slow)
    aggregates = isinstance(own, Aggregate)
    label = f"{name} at the {at}" if aggregates else name
    limit = LIMITS.get(at if aggregates else name, torch.inf if aggregates else LOSSES)
    share = NAIVE["parameters" if aggregates and at == "parameters" else "elsewhere"]
    met = tasks != JUDGED or (min(cost) <= limit and min(saved) <= share)
    uniform_ms = 1e3 * statistics.median(wall for wall, _ in plain)
    print(
        f"T = {tasks}, {label}: {cost[0]:.2f} ({cost[1]:.2f}) times uniform, which takes {uniform_ms:.0f} ms; "
        f"naive {naively[0]:.2f} ({naively[1]:.2f}) times; own / naive {saved[0]:.2f} ({saved[1]:.2f})"
        f"{'' if met else f'  MISSED: at most {limit:g} and {share:g}'}",
        flush=True,
    )
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[2, 8, 40])
    for name, default in (("batch", 64), ("size", 48), ("repeats", 3), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=SCHEMES)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    print(f"small, {a.size} px, batch {a.batch}, {a.threads} threads, {a.repeats} repeats after one")
    met = []
    for tasks in a.tasks:
        for name in a.schemes:
            # Weights of losses know no place.
            places = ("parameters", "features") if SCHEMES.index(name) > SCHEMES.index("GradNorm") else ("parameters",)
            met += [compare(name, at, tasks, a) for at in places]
    sys.exit(not all(met))


if __name__ == "__main__":
    main()

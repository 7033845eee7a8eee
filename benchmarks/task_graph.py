"""How much faster than a general solver are the course's own, and do they find the same graph?

    python benchmarks/task_graph.py [--tasks 40 300 --beta 0.1 --repeats 3 --threads 1]

Both programmes of mtlib.structure.learned_graph beside cvxpy with CLARABEL on the same distances, in turn in one
process: of random predictors in clusters of five tasks, in 64 dimensions. cvxpy's time has the building of the
programme in it, as every call has; its import and one small programme come first. Times are medians of wall clock
times, and beside them the processor's own time, which other jobs on the machine change less; ratios are medians of the
ratios of neighbouring repeats. Targets on one core: 5 ms at 40 tasks, 500 ms at 300, objectives equal to 1e-6. Exit
status 1 where an objective differs by more, or both of a solver's own medians are longer than the target.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from mtlib.seeds import generator
from mtlib.structure import learned_graph, programmes
from mtlib.structure.laplacian import squared_distances

AIMS = {40: 5.0, 300: 500.0}  # milliseconds
SAME = 1e-6


class Timed(NamedTuple):
    """Milliseconds by the wall and of the processor, and what was found."""

    wall: float
    processor: float
    found: learned_graph.Learned | programmes.Solved


def distances(n: int) -> Tensor:
    """Of n predictors that lie around n / 5 centres."""
    draw = generator("benchmark", "task graph", n)
    centres = torch.randn(64, max(1, n // 5), generator=draw).double()
    around = 0.5 * torch.randn(64, n, generator=draw).double()
    return squared_distances(centres[:, torch.arange(n) % centres.shape[1]] + around)


def timed(run: Callable[[], learned_graph.Learned | programmes.Solved]) -> Timed:
    wall, processor = time.perf_counter(), time.process_time()
    found = run()
    return Timed(1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor), found)


def compare(name: str, n: int, beta: float, repeats: int) -> bool:
    """Print one line; whether all targets are met."""
    z, own, general = distances(n), [], []
    for repeat in range(repeats + 1):
        first = timed(lambda: getattr(learned_graph, name)(z, beta=beta))
        second = timed(lambda: getattr(programmes, name)(z, beta=beta))
        if repeat:
            own.append(first)
            general.append(second)
    size = max(abs(general[-1].found.objective), n)  # a logarithm's objective may be near 0
    apart = abs(own[-1].found.objective - general[-1].found.objective) / size
    wall, solver = (statistics.median(one.wall for one in runs) for runs in (own, general))
    processor, busy = (statistics.median(one.processor for one in runs) for runs in (own, general))
    ratio = statistics.median(theirs.wall / ours.wall for ours, theirs in zip(own, general, strict=True))
    edges = int((own[-1].found.graph > 0).sum()) // 2
    differ = (own[-1].found.graph - general[-1].found.graph).abs().max() / own[-1].found.graph.max()
    print(
        f"{name}, {n} tasks: {wall:.1f} ms ({processor:.1f} ms of the processor), {own[-1].found.steps} steps, "
        f"{edges} edges; cvxpy with {general[-1].found.solver} {solver:.0f} ms ({busy:.0f} ms); "
        f"cvxpy / own {ratio:.0f}; objectives differ by {apart:.1e}, edges by {differ:.1e} of the largest"
    )
    return apart <= SAME and min(wall, processor) <= AIMS.get(n, float("inf"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[40, 300])
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    programmes.trace_frobenius(distances(3), 1.0)  # imports cvxpy
    print(f"beta = {a.beta:g} of distances with mean 1, {a.threads} threads, medians of {a.repeats} after one")
    names = ("trace_frobenius", "log_degree")
    met = [compare(name, n, a.beta, a.repeats) for n in a.tasks for name in names]
    sys.exit(not all(met))


if __name__ == "__main__":
    main()

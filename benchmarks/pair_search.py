"""How much faster is the pair search as one program than one training after another?

    python benchmarks/pair_search.py [--attributes 40 --threads 2 --device cpu --widths 32 32 --repeats 5]

All pairs of the attributes of drawn faces, two columns each, on 64 numbers per face. `one by one` is a network, its
losses, backward and torch's fused Adam, and nothing else, on rows drawn as the search draws them; `batched` is the
search itself (mtlib.ensemble, jobs of 200 networks, which share one copy of the inputs). Both in turn in one process
with one thread count. Ratios are medians of the ratios of neighbouring repeats. Target: 8 or more at 64-32-32 on two
cores. `--to` keeps the numbers, the course's own in data/costs/pair_search.json.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from mtlib.adversarial import pairs
from mtlib.controls import MultiTask
from mtlib.ensemble import Copy
from mtlib.ensemble.run import Run
from mtlib.ensemble.stack import Batches, Networks
from mtlib.experiments import pair_search
from mtlib.experiments.pair_data import Source
from mtlib.experiments.pair_search import TOGETHER, Cell, Job, Plan
from mtlib.networks import mlp
from mtlib.paths import write_atomic
from mtlib.rows import Epoch
from mtlib.tasks import Dataset, Task

LOOP, BATCHED = 200, 16  # updates of a repeat


def one_by_one(data: Dataset, widths: tuple[int, ...], batch: int) -> Callable[[], float]:
    """Seconds per update and network of a plain loop."""
    inputs, device = data.train.x.shape[1], data.train.x.device
    method = MultiTask(mlp(inputs, *widths), widths[-1], [Task("main", "binary", 2)]).to(device)
    optimiser = torch.optim.Adam(method.parameters(), 0.01, fused=True)
    rows, step = Epoch(len(data.train), batch, 0), iter(range(10**9))
    y = data.train.y["main"]
    data.train.y["main"] = y[:, :2].contiguous()

    def run() -> float:
        start = time.perf_counter()
        for _ in range(LOOP):
            optimiser.zero_grad()
            method.losses(data.train.take(rows(next(step)))).total().backward()
            optimiser.step()
        synchronise(device)
        return (time.perf_counter() - start) / LOOP

    return run


def batched(plan: Plan, data: Dataset, cells: list[Cell], device: torch.device) -> Callable[[], float]:
    """Seconds per update and network of the search's own programs, all jobs of all pairs."""
    width = data.train.x.shape[1]
    work = []
    for at in range(0, len(cells), TOGETHER):
        job = Job("pair", 0, tuple(cells[at : at + TOGETHER]), 0.01)
        copies = [Copy(columns=pair_search.columns("pair", cell), settings={"cell": cell}) for cell in job.cells]
        networks = [pair_search.build(job, plan, cell, width, 0).to(device) for cell in job.cells]
        recipe = plan.recipe(0.01).resolved(10**6)
        batches = Batches([data], copies, plan.batch, Epoch)
        work.append(Run(copies, Networks(networks), batches, recipe, 1, lambda updates: None))

    def run() -> float:
        start = time.perf_counter()
        for each in work:
            each.train(BATCHED)
        synchronise(device)
        return (time.perf_counter() - start) / (BATCHED * len(cells))

    return run


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def measured(a: argparse.Namespace) -> dict:
    torch.set_num_threads(a.threads)
    source = Source(train=a.faces, validation=64, test=64, attributes=a.attributes, device=a.device)
    plan = Plan(source, Path(tempfile.mkdtemp()), widths=tuple(a.widths))
    data, _ = pair_search.prepared("pair", plan, 0, 0.01)
    cells = [Cell(first, (second,)) for first, second in pairs(a.attributes)]
    fast = batched(plan, data, cells, data.train.x.device)
    alone = Dataset(data.name, data.tasks, type(data.train)(data.train.x, dict(data.train.y)), data.test)
    slow = one_by_one(alone, plan.widths, plan.batch)
    times = [(slow(), fast()) for _ in range(a.repeats + 1)][1:]
    ratio = statistics.median(one / many for one, many in times)
    return {
        "networks": len(cells),
        "of": f"{source.components}-{'-'.join(map(str, plan.widths))}, batches of {plan.batch}, {a.threads} threads, "
        f"{'CPU' if a.device == 'cpu' else torch.cuda.get_device_name()}",
        "medians of": a.repeats,
        "one by one over batched": round(ratio, 1),
        "smallest and largest": [round(f(one / many for one, many in times), 1) for f in (min, max)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attributes", type=int, default=40)
    parser.add_argument("--faces", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 32])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--to", type=Path, help="file to keep the numbers in")
    a = parser.parse_args()
    found = measured(a)
    print(json.dumps(found, indent=1))
    if a.to:
        kept = json.loads(a.to.read_text()) if a.to.exists() else {}
        write_atomic(a.to, json.dumps(kept | {found["of"]: found}, indent=1) + "\n")


if __name__ == "__main__":
    main()

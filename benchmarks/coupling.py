"""What do the coupling losses add to a training step of the small trunk?

    python benchmarks/coupling.py [--repeats 60 --batch 64 --size 48 --threads 1 --to data/costs/coupling.json]

Two networks with the same weights see the same batch in turn, in one process: one without relations, one with both
coupling losses. The ratio is the median of the ratios of neighbours, in processor time. A third network, without
relations too, says how large the noise is. Case I has 7 expressions and 17 action units; case II 200 classes and 312
attributes, the sizes of CUB. Target: at most 2 % more in case I. Exit status 1 where it is missed.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

from mtlib.coupling import Coupled, Relations
from mtlib.coupling.printed import relations
from mtlib.faces.names import ACTION_UNITS, EXPRESSIONS
from mtlib.networks import small
from mtlib.paths import write_atomic
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Batch, Task
from mtlib.updates import Descend

LIMIT = 1.02
UNITS = tuple(f"AU{unit}" for unit in ACTION_UNITS)


def tables() -> dict[str, Relations]:
    """The relations of both cases."""
    names = [tuple(f"{what} {i}" for i in range(n)) for what, n in (("class", 200), ("attribute", 312))]
    table = torch.rand(200, 312, generator=torch.Generator().manual_seed(0))
    return {"7 x 17": relations("study", EXPRESSIONS, UNITS), "200 x 312": Relations(*names, table, table)}


def started(table: Relations, coupled: bool, size: int) -> Descend:
    classes = Task("class", "classes", 1, classes=len(table.classes))
    with seeded("benchmark", "coupling"):
        trunk = small(size=size)
        tasks = classes, Task("attributes", "binary", table.attributes)
        method = Coupled(trunk, trunk.features, *tasks, table if coupled else None, everywhere=True)
    update = Descend()
    update.start(method.train(), Recipe(steps=10_000))
    return update


def batch_of(table: Relations, n: int, size: int) -> Batch:
    """Half of the images have a class, half have attributes."""
    random = torch.Generator().manual_seed(1)
    x = torch.randint(0, 256, (n, 3, size, size), generator=random, dtype=torch.uint8)
    y = torch.randint(0, len(table.classes), (n, 1), generator=random)
    attributes = torch.randint(0, 2, (n, len(table.attributes)), generator=random)
    y[n // 2 :], attributes[: n // 2] = -1, -1
    return Batch(x, {"class": y, "attributes": attributes})


def seconds(one: Descend, batch: Batch) -> float:
    began = time.process_time()
    one(batch)
    return time.process_time() - began


def ratios(table: Relations, n: int, size: int, repeats: int) -> dict[str, float]:
    """What a step costs with coupling, and another one without, in steps without."""
    batch = batch_of(table, n, size)
    steps = {name: started(table, name == "coupled", size) for name in ("plain", "coupled", "noise")}
    times = [{name: seconds(one, batch) for name, one in steps.items()} for _ in range(repeats + 2)][2:]
    return {name: statistics.median(t[name] / t["plain"] for t in times) for name in ("coupled", "noise")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("repeats", 60), ("batch", 64), ("size", 48), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--to", type=Path, help="file to write the ratios to")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    found = {name: ratios(table, a.batch, a.size, a.repeats) for name, table in tables().items()}
    for name, own in found.items():
        print(f"{name}: {own['coupled']:.3f} times a step without coupling (noise {own['noise']:.3f})", flush=True)
    if a.to:
        told = {
            "measured by": "benchmarks/coupling.py",
            "of": f"the small trunk, {a.size} pixels, batch {a.batch}, {a.threads} thread on a CPU",
            "medians of": a.repeats,
            "steps": {name: {key: round(value, 3) for key, value in own.items()} for name, own in found.items()},
        }
        write_atomic(a.to, json.dumps(told, indent=1) + "\n")
    sys.exit(found["7 x 17"]["coupled"] > LIMIT)


if __name__ == "__main__":
    main()

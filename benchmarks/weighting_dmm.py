"""What does an update of DMM-CNN with forty attributes cost under each weighting, relative to equal weights?

    python benchmarks/weighting_dmm.py [--repeats 15 --batch 64 --threads 1 --to data/costs/weighting.json]

The network, pictures and batches of notebook 03b: 48 pixels, landmarks beside the attributes, gradients at the shared
map. An update of every weighting follows one of equal weights, in turn in one process; ratios are medians of the ratios
of neighbours, by the wall. The validations of "validation trend" are not in its update. Equal weights against
themselves say how large the noise is. Target: what looks at losses costs at most 1.5 updates, what looks at forty
gradients (GradNorm and the aggregators) at most 10. Exit status 1 where one is missed.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

from mtlib.experiments import dmm_table
from mtlib.experiments.dmm_arms import AGGREGATORS, ARMS, build, update
from mtlib.experiments.dmm_family import SCHEMES
from mtlib.paths import write_atomic
from mtlib.tasks import Batch
from mtlib.updates import Update

LIMITS = {"losses": 1.5, "gradients": 10.0}


def started(arm: str, plan: dmm_table.Plan) -> Update:
    data = dmm_table.load(plan, 0)
    method = build(ARMS[arm], plan.trunk, data.tasks, 0, width=plan.width, validations=plan.validations)
    made = update(ARMS[arm], data, max(1, len(data.train) // plan.recipe.batch), 0)
    made.start(method.train(), plan.recipe.resolved(10_000))
    return made


def seconds(one: Update, batch: Batch) -> float:
    began = time.perf_counter()
    one(batch)
    return time.perf_counter() - began


def cost(arm: str, plan: dmm_table.Plan, batch: Batch, repeats: int) -> tuple[float, float]:
    """The ratio, and how long an update with equal weights takes, in milliseconds."""
    plain, own = started(SCHEMES["uniform"], plan), started(arm, plan)
    times = [(seconds(plain, batch), seconds(own, batch)) for _ in range(repeats + 1)][1:]  # one to warm up
    return statistics.median(b / a for a, b in times), 1e3 * statistics.median(a for a, _ in times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("repeats", 15), ("batch", 64), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--to", type=Path, help="file to write the ratios to")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    profile = dmm_table.profile("smoke")  # the same pictures and network, fewer of them
    plan = profile.plan(Path(), data="drawn_faces", root=None, made_by=None, device="cpu").at(dmm_table.RATE)
    batch = dmm_table.load(plan, 0).train.take(torch.arange(a.batch))
    found, missed = {}, []
    for name in a.schemes:
        found[name], plain = cost(SCHEMES[name], plan, batch, a.repeats)
        limit = LIMITS["gradients" if name in (*AGGREGATORS, "GradNorm") else "losses"]
        missed += [name] if found[name] > limit else []
        late = f"  MISSED: at most {limit:g}" if found[name] > limit else ""
        print(f"{name}: {found[name]:.2f} times equal weights, {plain:.0f} ms{late}", flush=True)
    if a.to:
        noise = found.pop("uniform", None)
        told = {
            "measured by": "benchmarks/weighting_dmm.py",
            "of": f"DMM-CNN's small network, {plan.size} pixels, batch {a.batch}, {a.threads} thread on a CPU",
            "medians of": a.repeats,
            "equal weights by themselves": None if noise is None else round(noise, 2),
            "40": {name: round(value, 2) for name, value in found.items()},
        }
        write_atomic(a.to, json.dumps(told, indent=1) + "\n")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()

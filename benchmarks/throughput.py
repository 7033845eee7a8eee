"""How many images per second are trained on: the bare loop, ``fit``, and the script that everybody writes?

    python benchmarks/throughput.py [--network tiny|cnn8 --size 64 --batch 128 --steps N --repeats 5 --files 1024]

One network with forty binary heads is trained in one process in turn by three ways, on the same drawn faces:
`bare`: forward, backward, fused Adam on one batch that stays on the device, nothing else: what the network costs.
`fit`: `mtlib.training.fit` on a data set that `datasets.load` has decoded into its cache: new rows every update.
`usual`: torchvision's CelebA class on the same JPEG files with Resize, CenterCrop and ToTensor, a shuffled DataLoader
with as many workers as cores that stay alive, Adam as it comes.
Images per second are medians over the repeats, ratios medians of ratios of neighbouring repeats; the first updates are
left out, in which caches and compilers fill. With --precision, --channels-last and --compile, `bare` and `fit` change
alike, `usual` stays what it is. Targets: fit / bare of 0.9 or more; on a GPU fit / usual of 5 or more for CNN8. Exit
status 1 where one is missed.

    python benchmarks/throughput.py --head --network cnn8 --size 128

What does the SOS head cost? The bare loop with three heads in turn: `linear`, forty rows on the trunk's features;
`fc2`, a layer of 1792 before them, as many as SOS has; `sos`, SOS(512, 32) with its four extra terms and fake heads.
Target: a step of CNN8 at 128 px or more takes 1.15 times as long with `sos` as with `linear`, or less.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from common import Clock, draw_files
from torch import nn
from torch.utils.data import DataLoader, RandomSampler

from mtlib import datasets, vision
from mtlib.controls import MultiTask
from mtlib.datasets.celeba import PLACES
from mtlib.faces import ATTRIBUTES
from mtlib.method import Method
from mtlib.networks import Cost, cnn8, cost, tiny
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.tasks import Dataset, Task
from mtlib.training import fit
from mtlib.training.speed import prepared

vision.torchvision()
from torchvision import transforms  # noqa: E402
from torchvision.datasets import CelebA  # noqa: E402

TASKS = (Task("attributes", "binary", ATTRIBUTES),)
NETWORKS = {"tiny": (tiny, 3), "cnn8": (cnn8, 1)}  # the SOS paper's CNN8 sees grey pictures
HEADS = {"linear": None, "fc2": (1792, 0), "sos": (512, 32)}  # C and S; the paper's sizes for forty attributes
WARM = 4  # updates that are not counted
# Dense peaks in 10^12 operations per second by NVIDIA's data sheets: bfloat16, and float32 on tensor cores (TF32).
PEAKS = {"H100": (989, 494), "H200": (989, 494), "A100": (312, 156)}
Way = Callable[[], float]  # trains anew, gives images per second


def written(root: Path, count: int) -> None:
    """So many drawn faces as CelebA lies on disk, one of them to test; what nobody reads is zeros."""
    folder, names = root / "celeba", [f"{number + 1:06d}.jpg" for number in range(count)]
    (folder / "img_align_celeba").mkdir(parents=True)
    attributes = draw_files([folder / "img_align_celeba" / name for name in names])
    lines = [" ".join(map(str, row)) for row in (2 * attributes - 1).tolist()]
    listed = {
        "list_attr_celeba.txt": ([str(count), " ".join(ATTRIBUTES)], lines),
        "list_eval_partition.txt": ([], [0] * (count - 1) + [2]),
        "identity_CelebA.txt": ([], [1] * (count - 1) + [2]),
        "list_landmarks_align_celeba.txt": ([str(count), " ".join(PLACES)], ["0 0 0 0 0 0 0 0 0 0"] * count),
        "list_bbox_celeba.txt": ([str(count), "image_id x_1 y_1 width height"], ["0 0 1 1"] * count),
    }
    for file, (head, rows) in listed.items():
        content = [*head, *(f"{name} {row}" for name, row in zip(names, rows, strict=True)), ""]
        (folder / file).write_text("\n".join(content))


class Unchecked(CelebA):
    """torchvision's CelebA, of files that are not the published ones."""

    def _check_integrity(self) -> bool:
        return True


def method(name: str, size: int, device: str, head: str = "linear") -> Method:
    build, channels = NETWORKS[name]
    with seeded("weights", 0):
        trunk = build(channels, size=size) if name == "cnn8" else build(channels)
        if HEADS[head] is None:
            return MultiTask(trunk, trunk.features, TASKS).to(device)
        return SOS(trunk, trunk.features, TASKS, *HEADS[head]).to(device)


def bare(a: argparse.Namespace, data: Dataset, recipe: Recipe, head: str = "linear") -> Way:
    batch = data.train.take(torch.arange(a.batch, device=a.device))

    def run() -> float:
        network, clock = method(a.network, a.size, a.device, head).train(), Clock(a.device, a.steps, WARM)
        losses = prepared(network, recipe, batch)
        optimiser = recipe.optimise(network.groups())
        for _ in range(a.steps):
            optimiser.zero_grad()
            losses(batch).total().backward()
            optimiser.step()
            clock()
        return a.batch / clock.seconds()

    return run


def fitted(a: argparse.Namespace, data: Dataset, recipe: Recipe) -> Way:
    def run() -> float:
        clock = Clock(a.device, a.steps, WARM)
        fit(method(a.network, a.size, a.device), data, replace(recipe, steps=a.steps), advance=clock)
        return a.batch / clock.seconds()

    return run


def usual(a: argparse.Namespace, root: Path) -> Way:
    steps = [transforms.Resize(a.size), transforms.CenterCrop(a.size), transforms.ToTensor()]
    grey = [transforms.Grayscale()] if NETWORKS[a.network][1] == 1 else []
    files = Unchecked(str(root), transform=transforms.Compose([*grey, *steps]))
    # One epoch spans the run, as one of CelebA's 1 271 batches would: at its end the workers would run dry.
    loader = DataLoader(
        files,
        batch_size=a.batch,
        sampler=RandomSampler(files, replacement=True, num_samples=a.batch * a.steps),
        num_workers=a.workers,
        persistent_workers=a.workers > 0,
        pin_memory=a.device != "cpu",
    )

    def run() -> float:
        network, clock = method(a.network, a.size, a.device).train(), Clock(a.device, a.steps, WARM)
        optimiser, criterion = torch.optim.Adam(network.parameters(), lr=5e-4), nn.BCEWithLogitsLoss()
        for x, y in loader:
            x, y = x.to(a.device, non_blocking=True), y.to(a.device, non_blocking=True)
            optimiser.zero_grad()
            criterion(network(x)["attributes"], y.float()).backward()
            optimiser.step()
            clock()
        return a.batch / clock.seconds()

    return run


def conditions(a: argparse.Namespace, counted: Cost, rates: dict[str, list[float]]) -> Iterator[str]:
    how = f"{a.precision}{', channels-last' * a.channels_last}{', compiled' * a.compile}"
    ours = "all" if a.head else "bare and fit"
    workers = "" if a.head else f", {a.workers} workers"
    yield (
        f"{a.network}, {a.size} px, {NETWORKS[a.network][1]} channel(s), {counted}; batch {a.batch}, "
        f"{a.steps} updates, {a.repeats} repeats; {ours} in {how}; {torch.get_num_threads()} threads{workers}"
    )
    for name, each in rates.items():
        low, high = statistics.quantiles(each, n=4)[::2]
        yield f"{name}: {statistics.median(each):,.0f} images/s  (quartiles {low:,.0f} to {high:,.0f})"


def head_report(a: argparse.Namespace, rates: dict[str, list[float]], kept: list[bool]) -> Iterator[str]:
    yield from conditions(a, cost(method(a.network, a.size, "cpu"), (NETWORKS[a.network][1], a.size, a.size)), rates)
    for head, other in (("sos", "linear"), ("sos", "fc2"), ("fc2", "linear")):
        times = [y / x for x, y in zip(rates[head], rates[other], strict=True)]  # of a step: the slower, the larger
        low, high = statistics.quantiles(times, n=4)[::2]
        aimed = (head, other) == ("sos", "linear") and a.network == "cnn8" and a.size >= 128
        kept.append(not aimed or statistics.median(times) <= 1.15)
        note = "; target 1.15 or less" if aimed else ""
        yield f"a step with {head} / {other}: {statistics.median(times):.3f}  (quartiles {low:.3f} to {high:.3f}{note})"


def report(a: argparse.Namespace, rates: dict[str, list[float]], kept: list[bool]) -> Iterator[str]:
    counted = cost(method(a.network, a.size, "cpu"), (NETWORKS[a.network][1], a.size, a.size))
    yield from conditions(a, counted, rates)
    aims = {"bare": 0.9, "usual": 5.0 if a.device != "cpu" and a.network == "cnn8" else 0.0}
    for below, aim in aims.items():
        ratios = [x / y for x, y in zip(rates["fit"], rates[below], strict=True)]
        low, high = statistics.quantiles(ratios, n=4)[::2]
        kept.append(statistics.median(ratios) >= aim)
        note = f"; target {aim} or more" if aim else ""
        yield f"fit / {below}: {statistics.median(ratios):.2f}  (quartiles {low:.2f} to {high:.2f}{note})"
    if a.device != "cpu":
        card = torch.cuda.get_device_name()
        done = statistics.median(rates["fit"]) * counted.multiplications * 2 * 3 / 1e12  # backward costs twice forward
        for key, (half, single) in PEAKS.items():
            if key in card:
                peak = half if a.precision == "bfloat16" else single
                yield f"{card}: {done:.1f} of {peak} 10^12 operations/s, {100 * done / peak:.1f} % of its dense peak"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default="tiny")
    for name, default in (("size", 64), ("batch", 128), ("steps", 0), ("repeats", 5), ("files", 1024)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--head", action="store_true", help="what the SOS head costs, instead")
    a = parser.parse_args()
    # On a GPU the workers are ahead by two batches each when the clock starts; then these must not matter.
    a.steps = a.steps or (24 if a.device == "cpu" else WARM + 20 * a.workers)
    if a.steps <= WARM or a.repeats < 2 or a.files <= a.batch:
        parser.error(f"needs more than {WARM} steps, 2 or more repeats, and more files than a batch has")
    torch.set_num_threads(a.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, a.files)
        channels = NETWORKS[a.network][1]
        data = datasets.load(
            "celeba", root=folder, size=a.size, channels=channels, cache=folder / "cache", device=a.device
        )
        recipe = Recipe(batch=a.batch, precision=a.precision, channels_last=a.channels_last, compile=a.compile)
        if a.head:
            ways = {head: bare(a, data, recipe, head) for head in HEADS}
        else:
            ways = {"bare": bare(a, data, recipe), "fit": fitted(a, data, recipe), "usual": usual(a, folder)}
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(a.repeats):
            for name, run in ways.items():
                rates[name].append(run())
        kept: list[bool] = []
        print(*(head_report if a.head else report)(a, rates, kept), sep="\n")
    sys.exit(not all(kept))


if __name__ == "__main__":
    main()

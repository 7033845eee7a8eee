"""What accuracy do the small networks reach on real pictures, and how long does that take?

    python benchmarks/accuracy.py [--sets mnist cifar10 --seeds 5 --root FOLDER]

Trains by `training.fit` on the whole training split and looks at the test split once, at the end. MNIST's learning rate
was chosen on held-out training examples, its number of epochs by the time that they take; CIFAR-10's recipe is one
guess, not tuned. A seed draws weights, order and augmentation anew. Targets on two cores: LeNet-5 on MNIST 99 % within
two minutes; tiny on CIFAR-10, what five minutes give. Times are whole calls of `fit`. Exit status 1 where the interval
reaches below the accuracy aimed at, or the slowest call took longer.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from mtlib import datasets
from mtlib.augment import Augment
from mtlib.controls import MultiTask
from mtlib.metrics import interval
from mtlib.networks import Trunk, lenet5, tiny
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Dataset
from mtlib.training import accuracy, fit


@dataclass(frozen=True)
class Aim:
    """A network, how it is trained, and how long that may take."""

    network: str
    trunk: Callable[[], Trunk]
    recipe: Recipe
    augment: Augment | None
    reached: float  # per cent of test examples
    seconds: float  # on two cores


AIMS = {
    "mnist": Aim("LeNet-5", lenet5, Recipe(epochs=12, batch=256, rate=3e-3), Augment(crop=2), 99.0, 120),
    "cifar10": Aim("tiny", tiny, Recipe(epochs=50, batch=256, rate=3e-3), Augment(flip=0.5, crop=4), 0.0, 300),
}


def one(aim: Aim, data: Dataset, seed: int, device: str) -> tuple[float, float]:
    """Test accuracy in per cent, and seconds."""
    with seeded("weights", seed):
        trunk = aim.trunk()
        method = MultiTask(trunk, trunk.features, data.tasks).to(device)
    began = time.perf_counter()
    fit(method, data, aim.recipe, augment=aim.augment, seed=seed)
    spent = time.perf_counter() - began
    (found,) = accuracy(method, data.validation or data.test).values()
    return 100 * found, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="*", choices=AIMS, default=list(AIMS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--root", type=Path, help="folder of the data sets; MTLIB_DATA's without")
    parser.add_argument("--train", type=int, help="so many training examples only")
    parser.add_argument("--validation", type=int, help="hold out so many training examples and look at those instead")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    missed = 0
    for name in a.sets:
        aim = AIMS[name]
        data = datasets.load(name, root=a.root, train=a.train, validation=a.validation, device=a.device)
        print(f"{data.name}: {aim.network}, {aim.recipe.epochs} epochs of {len(data.train)}, {a.threads} threads")
        found = []
        for seed in range(a.seeds):
            found.append(one(aim, data, seed, a.device))
            print(f"  seed {seed}: {found[-1][0]:.2f} % after {found[-1][1]:.0f} s", flush=True)
        if a.seeds > 1:
            mean, slowest = interval([score for score, _ in found]), max(spent for _, spent in found)
            where = "held-out examples" if a.validation else "test"
            print(
                f"  {where}: {mean.mean:.2f} % [{mean.low:.2f}, {mean.high:.2f}], n = {mean.n}; "
                f"slowest {slowest:.0f} s of {aim.seconds:.0f}"
            )
            missed += mean.low < aim.reached or slowest > aim.seconds
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()

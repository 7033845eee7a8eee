"""What drawn faces are held to: CelebA's label statistics, and what a network can learn from the pictures.

Both are measured on populations of several seeds, each with new people, new pictures and a new network.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.cluster.hierarchy import leaves_list, linkage
from torch import Tensor, nn

from mtlib.controls import MultiTask
from mtlib.experiments.jobs import once
from mtlib.faces import structure
from mtlib.faces.data import TASKS, dataset
from mtlib.faces.draw import DRAWING
from mtlib.faces.names import ATTRIBUTES
from mtlib.faces.report import PAIRS, Report
from mtlib.method import Method
from mtlib.networks import Pixels, small
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Split
from mtlib.training import fit
from mtlib.training.scores import accuracy

# By the noise of their labels: hardly any, and as much as the correlations allow.
NOISE = structure.load().noise
EASY = tuple(name for name, noise in zip(ATTRIBUTES, NOISE, strict=True) if noise < 0.05)
HARD = tuple(name for name, noise in zip(ATTRIBUTES, NOISE, strict=True) if noise > 0.8)

TASK = TASKS["attributes"]
MARGINALS, CORRELATIONS, IDENTITY, ENOUGH = 1.5, 0.03, 0.10, 35  # points, root mean square, share, attributes
COUNTED = ("room/shares", "room/correlations", "room/identity")  # claims about labels: nothing is trained
WITHIN = 3.0  # points that a network may stay below the bound on an easy attribute


def likeness(report: Report) -> dict[str, float]:
    """How far a population is from CelebA's training labels: in points, as correlation, and attributes in 40."""
    share, correlation, between = (part[1] - part[0] for part in (report.share, report.correlation, report.between))
    return {
        "largest difference of a share": 100 * float(np.abs(share).max()),
        "error of the correlations": float(np.sqrt((correlation**2).mean())),
        "identity shares within 0.10": float((np.abs(between) <= IDENTITY).sum()),
    }


def worst_pairs(report: Report, n: int = 8) -> list[tuple[str, str, float, float]]:
    """The n pairs of attributes whose correlation is furthest from CelebA's: two names, CelebA's, the drawn one."""
    order = np.argsort(-np.abs(report.correlation[1] - report.correlation[0]))[:n]
    return [
        (ATTRIBUTES[PAIRS[0][k]], ATTRIBUTES[PAIRS[1][k]], *(float(side[k]) for side in report.correlation))
        for k in order
    ]


def network(size: int, tasks: tuple, seed: int) -> MultiTask:
    """The small convolutional network: ``networks.small`` with one linear output per attribute."""
    with seeded("drawn faces", "network", seed):
        return MultiTask(small(size=size), 256, tasks)


def linear(size: int, tasks: tuple, seed: int) -> MultiTask:
    """A linear probe on pixels: every attribute a weighted sum of all values of the picture."""
    with seeded("drawn faces", "linear", seed):
        return MultiTask(nn.Sequential(Pixels(), nn.Flatten()), 3 * size**2, tasks)


# Where a processor has no instructions for it, bfloat16 is emulated and takes three times as long as float32.
PRECISION = "bfloat16" if torch.backends.cpu.get_cpu_capability() == "AVX512" else "float32"
# Rates were chosen on pilot populations. The probe's: of 3e-5 to 5e-3, which gave 85.7 to 88.0 per cent, the best.
MODELS = {
    "network": (network, {"batch": 64, "rate": 2e-3, "precision": PRECISION, "channels_last": True}),
    "linear": (linear, {"batch": 64, "rate": 2e-3}),
}


def side_by_side(partial: Tensor) -> list[int]:
    """The attributes in an order that puts relatives together: (40, 40) partial correlations -> 40 numbers."""
    apart = 1 - partial.abs()[*torch.triu_indices(len(partial), len(partial), 1)]
    return leaves_list(linkage(apart.numpy(), "average", optimal_ordering=True)).tolist()


def learn_all(
    seeds: Sequence[int], *, folder: Path, device: str = "cpu", **options: int
) -> list[dict[str, dict[str, float]]]:
    """``learn`` for each seed; what an earlier run finished is read from ``folder``."""
    models = [(name, settings, repr(build(options["size"], (TASK,), 0))) for name, (build, settings) in MODELS.items()]
    content = structure.FILE.read_bytes() + f"{DRAWING} {models} {sorted(options.items())} {device}".encode()
    key = hashlib.blake2b(content, digest_size=5).hexdigest()

    def found(seed: int) -> dict[str, dict[str, float]]:
        return once(folder / f"drawn-faces-{key}-{seed}.json", lambda: learn(seed, device=device, **options))

    return [found(seed) for seed in seeds]


def by_attribute(runs: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, list[float]]]:
    """{model: {attribute: [accuracy (per cent) of every seed]}}, to a hundredth of a point."""
    return {model: {name: [round(run[model][name], 2) for run in runs] for name in ATTRIBUTES} for model in runs[0]}


def learn(
    seed: int, *, train: int, test: int, size: int, epochs: int, device: str = "cpu"
) -> dict[str, dict[str, float]]:
    """Test accuracy (per cent) of each attribute: of a small network, a linear probe, and the commoner label.

    Args:
        seed: of people, pictures, weights and order.  train, test: faces.  size: pixels.
        epochs: of both; the learning rate falls to 0 over them.
    """
    data = dataset(train=train, validation=1, test=test, size=size, seed=seed, device=device)
    found = {"majority": majority(data.train, data.test)}
    for name, (build, settings) in MODELS.items():
        method = build(size, data.tasks, seed).to(device)
        fit(method, data, Recipe(epochs=epochs, **settings), seed=seed, label=f"{name}, seed {seed}")
        found[name] = {key: 100 * value for key, value in score(method, data.test).items()}
    return found


def score(method: Method, split: Split) -> dict[str, float]:
    """Accuracy by attribute, 0 to 1."""
    method.eval()
    return accuracy(method, split)


def majority(train: Split, test: Split) -> dict[str, float]:
    """Test accuracy (per cent) of always saying the commoner label of the training faces."""
    common = train.y["attributes"].float().mean(0).round()
    right = (test.y["attributes"] == common).float().mean(0)
    return dict(zip(ATTRIBUTES, (100 * right).tolist(), strict=True))


def gaps(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """What the claims ask of one run, in points."""
    bound = dict(zip(ATTRIBUTES, (100 * structure.load().bound).tolist(), strict=True))
    below = {name: bound[name] - found["network"][name] for name in ATTRIBUTES}
    gain = [found["network"][name] - found["linear"][name] for name in ATTRIBUTES]
    return {
        "worst easy gap": max(below[name] for name in EASY),
        "mean easy gap": float(np.mean([below[name] for name in EASY])),
        "mean hard gap": float(np.mean([below[name] for name in HARD])),
        "network over linear": float(np.mean(gain)),
    }


def samples(likenesses: list[dict[str, float]], runs: list[dict[str, float]]) -> dict[str, list[float]]:
    """{a claim's key: its estimate of every seed}: room left below a limit, or a difference, see claims/faces.toml."""
    return {
        "room/shares": [MARGINALS - one["largest difference of a share"] for one in likenesses],
        "room/correlations": [100 * (CORRELATIONS - one["error of the correlations"]) for one in likenesses],
        "room/identity": [one["identity shares within 0.10"] - ENOUGH + 1 for one in likenesses],
        "room/easy": [WITHIN - one["worst easy gap"] for one in runs],
        "gap/hard": [one["mean hard gap"] - one["mean easy gap"] for one in runs],
        "gain/network-linear": [one["network over linear"] for one in runs],
    }


def in_both(p: float, q: float, correlation: float) -> float:
    """Share of examples with both of two labels, from the share of each and their correlation."""
    return p * q + correlation * (p * (1 - p) * q * (1 - q)) ** 0.5


def gained(accuracy: float, majority: float, bound: float) -> float:
    """What an accuracy has gained over the commoner label, as a share of what can be gained at all."""
    return (accuracy - majority) / (bound - majority)

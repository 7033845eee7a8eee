"""Faces as a few numbers each, so that thousands of small networks can learn from them: images never reach the search.

A picture becomes its largest principal components: pooled to 16 x 16 places, centred, turned and scaled by what the
training pictures show, so that every component has unit variance. Or it becomes the features of a network that learned
all attributes and is frozen, the paper's shared CNN. What the search sees of all attributes is the same, held once.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from mtlib import datasets
from mtlib.controls import MultiTask
from mtlib.datasets.registry import DRAWN
from mtlib.lazy import Lazy
from mtlib.networks import Trunk, trunk
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit

PLACES = 16  # of a picture, along each side
AT_ONCE = 1024  # pictures


@dataclass(frozen=True)
class Source:
    """Which faces, and how many.

    Args:
        data: name of the set for ``datasets.load``; of a manifest, its first binary task is taken.
        root: folder of real sets.  seed: of drawn faces; real ones are the same for every seed.
        size: pixels.  components: numbers per face.
        train, validation, test: faces; None: all that there are.  Where a set has no validation split, training faces
            are held out, so that partners are not chosen on the test set (L-12).
        attributes: how many of the task's columns, the first ones; None: all.
        network: None for principal components; else the name of a trunk, which is trained for ``epochs``.
        device: where.
    """

    data: str = DRAWN
    root: str | None = None
    seed: int = 0
    size: int = 32
    components: int = 64
    train: int | None = 16_384
    validation: int | None = 8192
    test: int | None = 8192
    attributes: int | None = None
    network: str | None = None
    epochs: int = 6
    device: str = "cpu"


@lru_cache(maxsize=4)  # small, as pictures are not kept
def load(source: Source) -> Dataset:
    """x (N, components) float32 and y {"attributes": (N, M)} int8, -1 where unknown, in three splits.

    Raises:
        ValueError: a set without a binary task, or more components than training faces or colours of places.
    """
    images, task = _images(source)
    columns = tuple(task.columns)[: source.attributes]
    splits = {"train": images.train, "validation": images.validation, "test": images.test}
    labels = {name: split.y[task.name][:, : len(columns)].to(torch.int8) for name, split in splits.items()}
    if source.network is None:
        x = {name: pooled(split.x) for name, split in splits.items()}
        mean, turn = principal(x["train"], source.components)
        x = {name: (own - mean) @ turn for name, own in x.items()}
        title = f"{source.components} components"
    else:
        network = learned(source, images, task)
        x = {name: features(network, split.x) for name, split in splits.items()}
        title = f"features of {source.network}"
    made = {name: Split(x[name], {"attributes": labels[name]}) for name in splits}
    task = Task("attributes", "binary", columns)
    return Dataset(f"{images.name}, {title}", (task,), made["train"], made["test"], made["validation"])


@lru_cache(maxsize=8)
def names(source: Source) -> tuple[str, ...]:
    """The attributes; few faces are looked at."""
    few = replace(source, train=2, validation=2, test=2)
    return tuple(_images(few)[1].columns)[: source.attributes]


def _images(source: Source) -> tuple[Dataset, Task]:
    """The pictures, and the task whose columns are paired."""
    own = {"seed": source.seed} if source.data == DRAWN else {"root": source.root}
    counts = {"train": source.train, "validation": source.validation, "test": source.test}
    own |= {name: count for name, count in counts.items() if count is not None}
    images = datasets.load(source.data, size=source.size, channels=3, device=source.device, **own)
    task = next((task for task in images.tasks if task.kind == "binary"), None)
    if task is None or images.validation is None:
        missing = "binary attributes" if task is None else "a validation split: ask for validation faces"
        raise ValueError(f"{images.name}: pairs are of {missing}")
    return images, task


def learned(source: Source, images: Dataset, task: Task) -> Trunk:
    """A trunk that learned all attributes of the training faces together: Adam, 1e-4, a tenth of it after 4 / 6."""
    with seeded("pair data", source.seed):
        body = trunk(source.network, 3, source.size)
        method = MultiTask(body, body.features, [task]).to(source.device)
    recipe = Recipe(epochs=source.epochs, rate=1e-4, weight_decay=5e-4, schedule="step", drops=(4 / 6,))
    if fit(method, images, recipe, seed=source.seed, label="the shared network").interrupted:
        raise KeyboardInterrupt  # half a network must not be built on
    return body.eval()


@torch.no_grad()
def features(network: torch.nn.Module, x: Tensor | Lazy) -> Tensor:
    """(N, features) of rows x (N, ...)."""
    return torch.cat([network(part) for part in x.split(AT_ONCE)])


def pooled(x: Tensor | Lazy) -> Tensor:
    """Pictures (N, C, H, W) of bytes as (N, C * 16 * 16) floats of 0 to 1."""
    parts = []
    for part in x.split(AT_ONCE):
        parts.append(F.adaptive_avg_pool2d(part.float().div_(255), PLACES).flatten(1))
    return torch.cat(parts)


def principal(x: Tensor, components: int) -> tuple[Tensor, Tensor]:
    """The mean (D,) and the map (D, components) to components of unit variance, largest first, of rows x (N, D).

    The sign of a component is arbitrary; here its largest weight is positive.

    Raises:
        ValueError: more components than the rows can have.
    """
    if not 1 <= components <= min(len(x) - 1, x.shape[1]):
        raise ValueError(f"{len(x)} rows of {x.shape[1]} numbers have no {components} components")
    mean = x.mean(0)
    centred = (x - mean).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / (len(x) - 1))  # rising
    values, vectors = values[-components:].flip(0), vectors[:, -components:].flip(1)
    signs = vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()
    return mean, (vectors * signs / values.clamp(min=1e-12).sqrt()).to(x.dtype)

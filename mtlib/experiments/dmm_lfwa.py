"""LFWA for DMM-CNN (Sec. 4.1): pictures in two alignments to train on, and a network that has learned CelebA first."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from mtlib import checkpoints, datasets
from mtlib.datasets import celeba
from mtlib.dmm import DMM
from mtlib.experiments.face_scores import TASK
from mtlib.tasks import Dataset, Split, Task

ALIGNMENTS = ("original", "funneled")
HELD = 626  # of the 6 263 training pictures, a tenth (D-10)
POINTS = Task("landmarks", "points", celeba.PLACES)


def joined(
    *,
    root: str | None,
    size: int,
    train: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    device: str = "cpu",
) -> Dataset:
    """LFWA with its training pictures twice, as they are and funnelled; tests are as they are (D-15).

    Args:
        validation: training pictures that are held out, in both alignments, and validated on as they are. None: none
            are, and validations see the training pictures themselves, as printed (D-10).
        train: of each alignment.  root, size, test, device: as for ``datasets.load``.

    Returns:
        Dataset with the tasks ``attributes`` and ``landmarks``; the latter's labels are all missing (NaN), as nobody
        has marked LFWA's pictures: CelebA's five points, so that its network fits.

    Raises:
        ValueError, FileNotFoundError: as ``datasets.load``.
    """
    common = {"root": root, "size": size, "channels": 3, "tasks": (TASK,), "storage": "resident", "device": device}
    counts = {"train": train, "validation": validation, "test": test}
    both = [datasets.load("lfwa", images=images, **common, **counts) for images in ALIGNMENTS]
    first = both[0]
    trained = _with_points(
        torch.cat([one.train.x for one in both]), torch.cat([one.train.y[TASK] for one in both]), device
    )
    held = first.validation
    seen = trained if held is None else _with_points(held.x, held.y[TASK], device)
    name = f"{first.name}, {' and '.join(ALIGNMENTS)}"
    tested = _with_points(first.test.x, first.test.y[TASK], device)
    return Dataset(name, (first.tasks[0], POINTS), trained, tested, seen)


def _with_points(x: Tensor, y: Tensor, device: str) -> Split:
    places = torch.full((len(y), len(POINTS.columns)), torch.nan, device=device)
    return Split(x, {TASK: y, POINTS.name: places})


def begin(method: DMM, path: Path, learn: Callable[[], DMM]) -> None:
    """Give a network the values of one that has learned CelebA, thresholds among them; epochs are counted anew.

    Args:
        path: where those values are kept, and looked for first.
        learn: trains that network.
    """
    run = {"kind": "DMM-CNN on CelebA", "method": checkpoints.describe(method, values=False)}
    values = checkpoints.load(path, run)
    if values is None:
        values = learn().state_dict()
        checkpoints.save(path, run, values)
    method.load_state_dict(values)
    method.passes.zero_()

"""The handwritten digits that come with scikit-learn: 1 797 pictures of 8 x 8, 17 grey levels; no download."""

from pathlib import Path

import torch

from mtlib.datasets.pictures import Raw
from mtlib.datasets.source import Part, Source
from mtlib.tasks import Task

TITLE = "Digits"
TEST = 500  # the last ones


def read(folder: Path) -> Source:
    """Task ``digit`` (10 classes). No official split: the last 500 pictures are the test split."""
    from sklearn.datasets import load_digits

    found = load_digits()
    x = torch.from_numpy(found.images).mul(255 / 16).round().to(torch.uint8).unsqueeze(1)  # N 1 8 8
    y = torch.from_numpy(found.target).long().unsqueeze(1)
    cut = len(x) - TEST
    parts = {
        "train": Part(Raw(TITLE, x[:cut]), {"digit": y[:cut]}),
        "test": Part(Raw(TITLE, x[cut:]), {"digit": y[cut:]}),
    }
    return Source(TITLE, (Task("digit", "classes", ("digit",), classes=10),), parts)

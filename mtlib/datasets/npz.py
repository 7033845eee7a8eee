"""Arrays from numpy's .npz archives, every byte of them checked."""

import zipfile
from pathlib import Path

import torch
from torch import Tensor

from mtlib.datasets.source import damaged, reading


def arrays(title: str, path: Path, **wanted: tuple[str, int]) -> dict[str, Tensor]:
    """Arrays by name; an archive has a checksum of each, so that a changed byte of them is found.

    Args:
        title: of the data set.  path: of the archive.  wanted: name = (type, dimensions), as ``labels=("uint8", 1)``.

    Raises:
        ValueError: it is no such archive, or damaged, or an array is missing or another one.
    """
    import numpy as np

    with reading(title, path), zipfile.ZipFile(path) as archive:
        spoilt = archive.testzip()  # numpy stops where an array's header says that it ends
    if spoilt is not None:
        raise damaged(title, path, f"is damaged in {spoilt}")
    found = {}
    with reading(title, path), np.load(path, allow_pickle=False) as content:
        for name in wanted:
            found[name] = content[name]
    for name, (kind, dimensions) in wanted.items():
        array = found[name]
        if array.dtype != kind or array.ndim != dimensions:
            raise damaged(title, path, f"has {name} {array.shape} {array.dtype}, not {dimensions} dimensions of {kind}")
    return {name: torch.from_numpy(array) for name, array in found.items()}

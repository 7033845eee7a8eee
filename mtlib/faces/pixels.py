"""Which attributes share pixels: measured once on drawn faces, and kept in structure.json with the other graph.

``python -m mtlib.faces.pixels`` measures it again and rewrites the file.
"""

import json

import torch
from torch import Tensor

from mtlib.faces.calibrate import text
from mtlib.faces.draw import draw
from mtlib.faces.names import ATTRIBUTES
from mtlib.faces.structure import FILE
from mtlib.paths import write_atomic

SHARE = 0.1  # of the pixels that either of two attributes draws, at least so many are both's


def overlap(index: Tensor, seed: int = 0, size: int = 64) -> Tensor:
    """Intersection over union of every two attributes' masks, (40, 40) float64, mean over the faces.

    A face on which one of the two has no visible pixel does not count; Attractive has none anywhere: 0.
    """
    faces = draw(index, seed, size)
    masks = faces.masks(ATTRIBUTES).flatten(2).float()  # n 40 H*W
    both = masks @ masks.transpose(1, 2)  # n 40 40
    area = masks.sum(2)
    either = area.unsqueeze(1) + area.unsqueeze(2) - both
    counts = (area.unsqueeze(1) > 0) & (area.unsqueeze(2) > 0)
    return ((both / either.clamp(min=1)) * counts).double().sum(0) / counts.double().sum(0).clamp(min=1)


def shared(overlaps: Tensor) -> Tensor:
    """The graph: (40, 40) bool, who shares at least ``SHARE`` with whom; nobody with itself."""
    return (overlaps >= SHARE) & ~torch.eye(len(overlaps), dtype=torch.bool, device=overlaps.device)


def main() -> None:
    """Measure on 300 people and write."""
    content = json.loads(FILE.read_text())
    content["pixels"] = shared(overlap(torch.arange(0, 30_000, 100))).int().tolist()
    write_atomic(FILE, text(content))


if __name__ == "__main__":
    main()

"""What several benchmarks share: a clock for updates, and faces as files like CelebA's."""

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from mtlib.faces.draw import draw

WIDTH, HEIGHT = 178, 218  # CelebA's aligned and cropped images
QUALITY = 87  # gives files of about 7 kB, which is their mean size in CelebA


class Clock:
    """Told every update: seconds per update between the end of the warm-up and the last one."""

    def __init__(self, device: str, steps: int, warm: int) -> None:
        self.device, self.steps, self.warm, self.done, self.times = device, steps, warm, 0, []

    def __call__(self, updates: int = 1) -> None:
        self.done += updates
        if self.done in (self.warm, self.steps):
            if self.device != "cpu":
                torch.cuda.synchronize()
            self.times.append(time.perf_counter())

    def seconds(self) -> float:
        return (self.times[1] - self.times[0]) / (self.steps - self.warm)


def draw_files(files: Sequence[Path]) -> Tensor:
    """Draw another face into each file, a JPEG of CelebA's size; returns their attributes (N, 40)."""
    left, attributes = (HEIGHT - WIDTH) // 2, []
    for part in torch.arange(len(files)).split(64):
        faces = draw(part, size=HEIGHT)
        images = faces.images[:, :, :, left : left + WIDTH].permute(0, 2, 3, 1).numpy()
        for place, image in zip(part.tolist(), images, strict=True):
            Image.fromarray(image).save(files[place], quality=QUALITY)
        attributes.append(faces.attributes)
    return torch.cat(attributes)

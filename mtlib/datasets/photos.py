"""Photographs: of all sizes, most of them in colour, and perhaps with a box around what they show."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from torch import Tensor

from mtlib.datasets.geometry import Geometry
from mtlib.datasets.pictures import Files

if TYPE_CHECKING:
    from PIL import Image


class Photos(Files):
    """Picture files, given in colour unless grey is asked for: among thousands of photographs some are always grey.

    Args:
        title, folder, names, formats, shape: as of ``Files``.
        boxes: (N, 4) float64 left, upper, width and height, in pixels, of what is cut out first; nothing without.
        differ: they are known to differ in size, so that one must be asked for.
    """

    def __init__(
        self,
        title: str,
        folder: Path,
        names: Sequence[str],
        formats: Sequence[str] = ("JPEG",),
        shape: tuple[int, int] | None = None,
        boxes: Tensor | None = None,
        differ: bool = False,
    ) -> None:
        super().__init__(title, folder, names, formats, shape)
        self.boxes, self.differ = boxes, differ

    def take(self, rows: Tensor) -> Self:
        """The files ``rows`` (B,) alone."""
        other = super().take(rows)
        other.boxes = None if self.boxes is None else self.boxes[rows]
        return other

    def digest(self) -> str:
        """As of ``Files``, and of the boxes."""
        found = super().digest()
        if self.boxes is None:
            return found
        return hashlib.blake2b(self.boxes.contiguous().numpy(), digest_size=8, key=found.encode()).hexdigest()

    def one(self, place: int, geometry: Geometry) -> Tensor:
        """One file, decoded.

        Raises:
            ValueError: no size was asked for, and they are known to differ; or as ``Files.one``.
        """
        if self.differ and geometry.size is None:
            raise ValueError(f"{self.title}: its pictures differ in size; give the size that they should get")
        geometry = replace(geometry, channels=geometry.channels or 3)
        return super().one(place, geometry if self.boxes is None else _Cut(self.boxes[place].tolist(), geometry))


class _Cut:
    """A geometry of what is in a box, as far as the picture reaches."""

    def __init__(self, box: Sequence[float], geometry: Geometry) -> None:
        self.box, self.geometry = box, geometry

    def __call__(self, image: "Image.Image") -> Tensor:
        left, upper, wide, high = self.box
        right, lower = min(image.width, round(left + wide)), min(image.height, round(upper + high))
        left, upper = min(round(left), right - 1), min(round(upper), lower - 1)  # a pixel at least
        return self.geometry(image.crop((left, upper, right, lower)))

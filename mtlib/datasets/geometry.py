"""How pictures of any size become alike, and where the places in them go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from mtlib import choices

if TYPE_CHECKING:
    from PIL import Image

SMALLEST, LARGEST = 8, 1024  # pixels
ALPHA = ("RGBA", "LA", "PA")  # Pillow's names; others may name a colour that is transparent


@dataclass(frozen=True)
class Geometry:
    """How a picture of any size becomes (channels, size, size).

    Args:
        size: pixels; None leaves pictures as large as they are, which then must be all alike.
        fit: ``crop`` resizes the shorter side and cuts the middle out, as torchvision's Resize and CenterCrop do;
            ``stretch`` resizes both sides, whatever the proportions.
        channels: 3 colours, or 1 grey (ITU-R 601, as Pillow has it); None leaves them as they are.

    Raises:
        ValueError: something else.
    """

    size: int | None = None
    fit: Literal["crop", "stretch"] = "crop"
    channels: Literal[1, 3] | None = None

    def __post_init__(self) -> None:
        if self.size is not None and (type(self.size) is not int or not SMALLEST <= self.size <= LARGEST):
            raise ValueError(f"size is {SMALLEST} to {LARGEST} pixels, or None as the files are, got {self.size!r}")
        if self.channels not in (None, 1, 3):
            raise ValueError(f"channels is 1, 3 or None as the files are, got {self.channels!r}")
        choices.check(self)

    def __str__(self) -> str:
        size = "as they are" if self.size is None else f"{self.size} pixels, {self.fit}"
        return size + {None: "", 1: ", grey", 3: ", colour"}[self.channels]

    def scaled(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The resized picture's width and height, and the left and upper edge of what is cut out of it."""
        if self.size is None:
            return width, height, 0, 0
        if self.fit == "stretch":
            return self.size, self.size, 0, 0
        short = min(width, height)
        width, height = self.size * width // short, self.size * height // short
        return width, height, round((width - self.size) / 2), round((height - self.size) / 2)

    def __call__(self, image: "Image.Image") -> Tensor:
        """A Pillow image as (channels, size, size) uint8; what is transparent in it is put on white.

        Raises:
            ValueError: its pixels are of 16 or 32 bits, which Pillow would cut off at 255.
        """
        import numpy as np
        from PIL import Image

        if image.mode[0] in "IF":
            raise ValueError(f"has pixels of mode {image.mode}, not of 8 bits")
        if image.mode in ALPHA or "transparency" in image.info:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        if self.channels is not None or image.mode not in ("L", "RGB"):
            image = image.convert("L" if self.channels == 1 else "RGB")
        width, height, left, top = self.scaled(*image.size)
        if (width, height) != image.size:
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        if self.size is not None:
            image = image.crop((left, top, left + self.size, top + self.size))
        content = torch.from_numpy(np.array(image))  # H W, or H W 3
        return content.unsqueeze(0) if content.ndim == 2 else content.permute(2, 0, 1).contiguous()

    def fractions(self, points: Tensor, width: int, height: int) -> Tensor:
        """Places in a picture of width x height (N, 2 P) as fractions of what is made of it, whatever its size.

        In pixels the centre of the first one is (0, 0); as fractions -1 is the left or upper edge, 1 the right or
        lower one. So the drawn faces' landmarks are given, too (``faces.data.positions`` turns back).
        """
        wide, high, left, top = self.scaled(width, height)
        across, down = (self.size, self.size) if self.size is not None else (width, height)
        xy = points.float().unflatten(1, (-1, 2)) + 0.5
        scale, corner = xy.new_tensor([wide / width, high / height]), xy.new_tensor([left, top])
        return ((xy * scale - corner) * 2 / xy.new_tensor([across, down]) - 1).flatten(1)


def luma(x: Tensor) -> Tensor:
    """Bytes of colour (N, 3, H, W) as grey ones (N, 1, H, W): ITU-R 601, rounded as Pillow does."""
    red, green, blue = x.int().unbind(1)
    return ((19_595 * red + 38_470 * green + 7_471 * blue + 2**15) >> 16).to(torch.uint8).unsqueeze(1)

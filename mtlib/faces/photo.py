"""What the camera adds: background, light, sensor noise, blur."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from mtlib.faces import counter
from mtlib.faces.canvas import Canvas, blob, ramp
from mtlib.faces.looks import Geometry, Looks, palette

BACKS = [
    (0.55, 0.62, 0.70), (0.72, 0.66, 0.58), (0.30, 0.34, 0.40), (0.80, 0.80, 0.78), (0.46, 0.55, 0.45),
    (0.62, 0.48, 0.50), (0.22, 0.22, 0.26),
]  # fmt: skip
NOISE = 2**18 + 3 * 256**2  # numbers in the table of sensor noise; a picture takes a run of them


@dataclass
class Photo(Geometry):
    """Two background colours (n, 3) and where they meet; light; noise; blur."""

    back: Tensor
    other: Tensor
    spot: Tensor
    level: Tensor
    slope: Tensor
    gain: Tensor  # n 3
    across: Tensor
    down: Tensor
    noise: Tensor
    start: Tensor
    blur: Tensor


def photo(looks: Looks) -> Photo:
    """How the people were photographed."""
    one, two, spot, level, slope, light, cast, across, down, noise, start = looks.scene("photo", 11).unbind(1)
    tint = torch.stack([1 + 0.10 * (cast - 0.5), torch.ones_like(cast), 1 - 0.10 * (cast - 0.5)], 1)
    return Photo(
        back=palette(BACKS, one),
        other=palette(BACKS, two),
        spot=spot * 2 - 1,
        level=level * 1.6 - 0.8,
        slope=slope * 2 - 1,
        gain=tint * (0.80 + 0.26 * light).unsqueeze(1),
        across=0.36 * (across - 0.5),
        down=0.20 * (down - 0.5),
        noise=0.003 + 0.010 * noise * noise,
        start=(start * 2**18).floor(),
        blur=0.85 * looks.on("Blurry", 0.75),  # what lies in the picture stays visible, barely
    )


def paint_background(canvas: Canvas, g: Photo) -> None:
    """Two colours that meet softly, and a spot of light: indoors or out, never sharp."""
    edge = ramp(canvas.v + g.slope * canvas.u - g.level, -0.5, 0.5)
    glow = blob(canvas.u - g.spot, canvas.v + 0.5, 0.8, 0.8).mul_(0.12)
    torch.mul(g.other - g.back, edge.unsqueeze(1), out=canvas.rgb)
    canvas.rgb.add_(g.back).add_(glow.unsqueeze(1))


def expose(canvas: Canvas, frame: Photo) -> Tensor:
    """Images (n, 3, size, size) uint8: light across the picture, blur, noise."""
    g = frame.grid()
    size, rgb = canvas.size, canvas.rgb
    place = (torch.arange(size, device=rgb.device) * 2 + 1 - size).to(torch.float32) / size  # -1 to 1
    light = 1 + g.across * place.view(1, 1, -1) + g.down * place.view(1, -1, 1)  # n H W
    rgb.mul_(g.gain * 255).mul_(light.unsqueeze(1))
    blurred = (frame.blur > 0).nonzero().flatten()
    if len(blurred):
        rgb[blurred] = blur(rgb[blurred], g.blur[blurred].unsqueeze(1))
    runs = _noise(str(rgb.device)).unfold(0, rgb[0].numel(), 1)
    rgb.add_(runs[frame.start.long()].view_as(rgb) * (g.noise * 255).unsqueeze(1))
    return rgb.add_(0.5).clamp_(0, 255).to(torch.uint8)


def reach(size: int) -> int:
    """Pixels to either side that one box mean of ``blur`` takes in."""
    return max(1, round(size / 30))


def blur(rgb: Tensor, strength: Tensor) -> Tensor:
    """Out of focus: two box means along each side, as wide as a fifteenth of the picture, mixed in by strength."""
    width, soft = reach(rgb.shape[-1]), rgb
    for dim in (2, 3, 2, 3):
        here, last = torch.arange(rgb.shape[dim], device=rgb.device), rgb.shape[dim] - 1
        rows = [(here + step).clamp_(0, last) for step in range(-width, width + 1)]
        total = soft.index_select(dim, rows[0])
        for row in rows[1:]:
            total += soft.index_select(dim, row)  # one by one: the order of a sum is part of its value
        soft = total / (2 * width + 1)
    return rgb + (soft - rgb) * strength


@cache
def _noise(device: str) -> Tensor:
    """A table of normal numbers, (NOISE,) float32."""
    return counter.normal(0, "sensor noise", torch.arange(NOISE), 1).flatten().to(torch.float32).to(device)

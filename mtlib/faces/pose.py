"""How a face is held: shift, scale, roll and a mild yaw, and the two ways between image and face."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.faces.looks import Geometry, Looks

SPAN = 1.27  # face units from the middle of the image to its edge, at scale 1
CENTRE = -0.02  # where (0, 0) of the face lies in the image, in face units below its middle
ROUND = 0.85  # yaw moves what is nearer to the middle than this, as on a cylinder
SHIFT, ROLL, YAW = 0.09, 0.19, 0.13  # at most: units, radians (11 degrees), units of the nose's root (about 12 degrees)
SMALLEST, LARGEST = 0.92, 1.10


@dataclass
class Pose(Geometry):
    """x, y: shift in units; scale; cos, sin of the roll; yaw: how far the face's middle moves to the side, in units."""

    x: Tensor
    y: Tensor
    scale: Tensor
    cos: Tensor
    sin: Tensor
    yaw: Tensor

    def faces(self, size: int) -> tuple[Tensor, Tensor]:
        """Face coordinates u, v (n, size, size) of every pixel's centre."""
        g = self.grid()
        centre = (torch.arange(size, device=g.x.device) * 2 + 1 - size).to(torch.float32) * (SPAN / size)
        x = (centre.view(1, 1, -1) - g.x) / g.scale  # n 1 W
        y = (centre.view(1, -1, 1) - CENTRE - g.y) / g.scale  # n H 1
        p = x * g.cos + y * g.sin  # n H W
        v = y * g.cos - x * g.sin
        near = (1 - p * p / (ROUND * ROUND)).clamp_(min=0)
        return p - g.yaw * near, v

    def image(self, points: Tensor, size: int) -> Tensor:
        """Pixels (n, m, 2) of points (n, m, 2) given as u, v; the centre of the first pixel is (0, 0)."""
        u, v = points.unbind(-1)
        yaw = self.yaw.unsqueeze(1)
        a = yaw / ROUND**2  # solves u = p - yaw (1 - p^2 / ROUND^2) for p
        p = 2 * (u + yaw) / (1 + (1 + 4 * a * (u + yaw)).clamp(min=0).sqrt())
        p = torch.where(p.abs() < ROUND, p, u)
        cos, sin, scale = self.cos.unsqueeze(1), self.sin.unsqueeze(1), self.scale.unsqueeze(1)
        x = (p * cos - v * sin) * scale + self.x.unsqueeze(1)
        y = (p * sin + v * cos) * scale + self.y.unsqueeze(1) + CENTRE
        return (torch.stack([x, y], -1) / SPAN + 1) * (size / 2) - 0.5

    def resolution(self, size: int) -> Tensor:
        """Pixels per unit, (n, 1, 1)."""
        return self.grid().scale * (size / (2 * SPAN))


def pose(looks: Looks) -> Pose:
    """How each face is held in its picture."""
    x, y, scale, roll, yaw = looks.scene("pose", 5).unbind(1)
    # Products of two uniforms gather near 0: most people look into the camera.
    roll, yaw = (((value * 2 - 1) * (0.4 + 0.6 * other)) for value, other in ((roll, x), (yaw, y)))
    roll = roll * ROLL
    return Pose(
        x=(x * 2 - 1) * SHIFT,
        y=(y * 2 - 1) * SHIFT,
        scale=SMALLEST + (LARGEST - SMALLEST) * scale,
        cos=roll.cos(),
        sin=roll.sin(),
        yaw=yaw * YAW,
    )


def reach(half: float, top: float, bottom: float) -> tuple[float, float, float, float]:
    """The part of the image, -1 to 1, that the box |u| <= half, top <= v <= bottom can get to in any pose."""
    half = half + YAW + 0.02
    lean = half * ROLL + 0.02, max(abs(top), abs(bottom)) * ROLL + 0.02
    edges = []
    for edge, extra, centre, sign in (
        (-half, lean[1], 0.0, -1), (top, lean[0], CENTRE, -1), (half, lean[1], 0.0, 1), (bottom, lean[0], CENTRE, 1),
    ):  # fmt: skip
        far = edge + sign * extra
        scale = LARGEST if far * sign > 0 else SMALLEST
        edges.append((far * scale + centre + sign * SHIFT) / SPAN)
    return tuple(edges)

"""A canvas for many faces at once: every pixel knows where it lies on its face, and layers are painted back to front.

Face coordinates: u to the right and v downwards, in units in which a head is about 1.2 wide and 1.6 high; (0, 0) lies
between the eyes. The pose maps them to the image. Shapes are signed distances (negative inside), their edges are one
pixel wide.

Pixels are made with + - x / sqrt, min, max and floor, which IEEE 754 fixes to the last bit, and with torch's ``lerp``,
which is computed alike at every place of a tensor (as tested on Linux; another compiler might fuse it otherwise). So a
face is the same bit for bit in every batch. Another device may round a ``lerp``, or a division by a constant, in
another way, which should move a pixel by one grey level at most.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.faces.pose import Pose, reach


@dataclass
class Window:
    """A part of the canvas: views of its coordinates, and where it lies.

    u, v, a: (n, h, w) face coordinates of the pixels, and |u|, for what is left-right symmetric.
    who: (n,) the faces it is a window on, where it is not all of them.
    """

    u: Tensor
    v: Tensor
    a: Tensor
    rows: slice
    columns: slice
    sharp: Tensor  # n 1 1, minus the pixels per unit
    who: Tensor | None = None


class Canvas:
    """Images under way: (n, 3, size, size) floats, 0 black to 1.

    Args:
        pose: of the n faces.  size: pixels.
        track: {part: (n, 1, 1) bool}, on which faces the part's visible pixels are collected in ``seen``.
    """

    def __init__(self, pose: Pose, size: int, track: Mapping[str, Tensor] | None = None) -> None:
        self.pose, self.size, self.track = pose, size, track or {}
        self.u, self.v = pose.faces(size)  # n H W
        self.a = self.u.abs()
        self.sharp = -pose.resolution(size)  # n 1 1, pixels per unit, negative: distance times this grows inwards
        n = len(self.u)
        self.rgb = self.u.new_zeros(n, 3, size, size)
        self.seen = self.u.new_zeros(n, size, size) if self.track else None
        self._blank = True  # nothing is in ``seen`` yet, so that nothing can be hidden

    def window(self, half: float, top: float, bottom: float, who: Tensor | None = None) -> Window:
        """Every pixel that can lie in |u| <= half, top <= v <= bottom of a face, in whatever pose.

        Args:
            who: (m,) the faces to paint on; what few people have is painted on those few. All where it is None.
        """
        left, upper, right, lower = reach(half, top, bottom)
        columns, rows = (
            slice(max(0, int((low + 1) / 2 * self.size)), min(self.size, int((high + 1) / 2 * self.size) + 1))
            for low, high in ((left, right), (upper, lower))
        )
        planes = [plane[:, rows, columns] for plane in (self.u, self.v, self.a)]
        sharp = self.sharp
        if who is not None:
            planes, sharp = [plane.index_select(0, who) for plane in planes], sharp[who]
        return Window(*planes, rows, columns, sharp, who)

    def paint(self, where: Window, alpha: Tensor, colour: Tensor, part: str) -> None:
        """Lay a colour (n, 3, 1, 1) or (n, 3, h, w) over what is there, alpha (n, h, w) from 0 to 1."""
        below = self._below(where)
        below.lerp_(colour, alpha.unsqueeze(1))
        self._put(where, below)
        if part in self.track or not self._blank:
            self._track(where, alpha, part, hides=True)

    def shade(self, where: Window, alpha: Tensor, factor: Tensor | float, part: str) -> None:
        """Multiply the colours by ``factor``, a number or (n, h, w), where alpha (n, h, w) is 1: it hides nothing."""
        below = self._below(where)
        below *= (alpha * (factor - 1)).add_(1).unsqueeze(1)
        self._put(where, below)
        if part in self.track:
            self._track(where, alpha, part, hides=False)

    def _below(self, where: Window) -> Tensor:
        """The colours in a window: a view, or a copy of a few faces'."""
        below = self.rgb[:, :, where.rows, where.columns]
        return below if where.who is None else below.index_select(0, where.who)

    def _put(self, where: Window, below: Tensor) -> None:
        if where.who is not None:
            self.rgb[:, :, where.rows, where.columns].index_copy_(0, where.who, below)

    def _track(self, where: Window, alpha: Tensor, part: str, hides: bool) -> None:
        seen = self.seen[:, where.rows, where.columns]
        before = seen if where.who is None else seen[where.who]
        after = before * (1 - alpha) if hides else before
        if part in self.track:
            own = self.track[part] if where.who is None else self.track[part][where.who]
            after, self._blank = torch.where(own, torch.maximum(before, alpha), after), False
        if where.who is None:
            seen.copy_(after)
        else:
            seen.index_copy_(0, where.who, after)


def cover(where: Window, distance: Tensor) -> Tensor:
    """Share of each pixel inside a shape (n, h, w), from its signed distance, which is overwritten."""
    return distance.mul_(where.sharp).add_(0.5).clamp_(0, 1)


def ellipse(x: Tensor, y: Tensor, width: Tensor, height: Tensor) -> Tensor:
    """Signed distance to an ellipse around (0, 0) with these half-axes: exact on the rim and in its slope there."""
    x, y = x / width, y / height
    radius = (x * x + y * y).add_(1e-9).sqrt_()
    x, y = x.div_(width), y.div_(height)
    slope = x.mul_(x).add_(y.mul_(y)).add_(1e-9).sqrt_()
    return radius * (radius - 1) / slope


def box(x: Tensor, y: Tensor, width: Tensor, height: Tensor, corner: Tensor | float) -> Tensor:
    """Signed distance to a box around (0, 0) with these half-sides and rounded corners."""
    x, y = x.abs() - (width - corner), y.abs() - (height - corner)
    outside = (x.clamp(min=0).square() + y.clamp(min=0).square()).sqrt_()
    return outside + torch.maximum(x, y).clamp_(max=0) - corner


def lens(t: Tensor, v: Tensor, upper: Tensor, lower: Tensor) -> Tensor:
    """Distance, measured along v, to the area between two parabolas that meet at t = -1 and t = 1.

    The upper one rises by ``upper`` at t = 0, the lower one hangs by ``lower``.
    """
    bulge = 1 - t * t
    return torch.maximum((bulge * upper).neg_().sub_(v), v - bulge * lower)


def blob(x: Tensor, y: Tensor, width: Tensor | float, height: Tensor | float) -> Tensor:
    """A soft spot: 1 at (0, 0), falling smoothly to 0 at these half-axes."""
    x, y = x / width, y / height
    inside = (1 - x.mul_(x)).sub_(y.mul_(y)).clamp_(min=0)
    return inside.mul_(inside)


def ramp(x: Tensor, start: Tensor | float, end: Tensor | float) -> Tensor:
    """Smoothly from 0 at ``start`` to 1 at ``end``."""
    t = ((x - start) / (end - start)).clamp_(0, 1)
    return t * t * (3 - 2 * t)


def wave(x: Tensor) -> Tensor:
    """A wave of period 1 between -1 and 1, made of parabolas: a sine would not be the same on every device."""
    t = (x - x.floor()) * 2 - 1  # -1 to 1
    return t * (1 - t.abs()) * 4

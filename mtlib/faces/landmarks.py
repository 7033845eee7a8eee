"""Seventy-two points on every face, from the same numbers that draw it (``names.LANDMARKS`` has their order)."""

import torch
from torch import Tensor

from mtlib.faces.canvas import ramp
from mtlib.faces.eyes import EYE, Eyes, brow_line
from mtlib.faces.head import Head
from mtlib.faces.mouth import Mouth, Nose
from mtlib.faces.portrait import Subject


def landmarks(subject: Subject, size: int) -> Tensor:
    """Points (n, 72, 2) float32 in pixels, x to the right, y downwards, (0, 0) the centre of the first pixel."""
    head, eyes = subject.head, subject.eyes
    left, right = _brow(eyes), _eye(eyes)
    points = torch.cat(
        [
            *(_jaw(head), _mirrored(left), left.flip(1), _nose(subject.nose)),
            *(_mirrored(right), _swapped(right), _lips(subject.mouth), _mirrored(_centre(eyes)), _centre(eyes)),
            *(_mirrored(_lobe(head)), _lobe(head)),
        ],
        dim=1,
    )
    return subject.pose.image(points, size).to(torch.float32)


def _points(*pairs: tuple[Tensor, Tensor]) -> Tensor:
    """(n, m, 2) from m pairs of (n,) coordinates."""
    return torch.stack([torch.stack(torch.broadcast_tensors(u, v), -1) for u, v in pairs], 1)


def _mirrored(points: Tensor) -> Tensor:
    """The same on the other half of the face."""
    return points * torch.tensor([-1.0, 1.0], dtype=points.dtype, device=points.device)


def _jaw(g: Head) -> Tensor:
    """17 points along the outline, from the left ear over the chin to the right ear."""
    share = torch.tensor([0.0, 0.16, 0.33, 0.50, 0.66, 0.80, 0.91, 0.98], dtype=g.chin.dtype, device=g.chin.device)
    v = g.chin.unsqueeze(1) * share  # n 8
    right = torch.stack([g.rim(v), v], -1)
    chin = torch.stack([torch.zeros_like(g.chin), g.chin], -1).unsqueeze(1)
    return torch.cat([_mirrored(right), chin, right.flip(1)], 1)


def _brow(g: Eyes) -> Tensor:
    """5 points of the right half's brow, from its outer end to its inner one."""
    t = torch.tensor([0.95, 0.5, 0.0, -0.5, -0.95], dtype=g.apart.dtype, device=g.apart.device)
    g = g.columns()
    return torch.stack([g.apart + t * 0.165, brow_line(g, t)], -1)


def _nose(g: Nose) -> Tensor:
    """4 points down the bridge to the tip, 5 along the base."""
    root, zero = -0.10, torch.zeros_like(g.base)
    heights = [zero + root, root + (g.base - root) * 0.33, root + (g.base - root) * 0.66, g.base - 0.03]
    bridge = [(g.tip * ramp(v, -0.12, 0.22), v) for v in heights]
    base = [(g.tip + g.width * k, g.base + 0.005 - 0.02 * abs(k)) for k in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    return _points(*bridge, *base)


def _eye(g: Eyes) -> Tensor:
    """6 points of the left half's eye once mirrored: outer corner, two above, inner corner, two below."""
    at = lambda t, h: (g.apart + t * g.width, EYE + h * (1 - t * t))  # noqa: E731
    up, down = -g.upper, g.lower
    return _points(at(1.0, up), at(0.4, up), at(-0.4, up), at(-1.0, up), at(-0.4, down), at(0.4, down))


def _swapped(eye: Tensor) -> Tensor:
    """The right half's eye begins at its inner corner."""
    return eye[:, [3, 2, 1, 0, 5, 4]]


def _lips(g: Mouth) -> Tensor:
    """12 points around the lips from the left corner over the upper lip, 8 around the opening."""

    def at(t: float, thick: Tensor) -> tuple[Tensor, Tensor]:
        return g.width * t, g.height - g.rise * (t * t - 0.4) + thick * (1 - t * t)

    def inner(t: float, thick: Tensor) -> tuple[Tensor, Tensor]:
        return g.width * t, g.height - g.rise * (t * t - 0.4) + thick * (1 - (t / 0.88) ** 2)

    upper, lower = -(g.upper + 0.42 * g.open), g.lower + 0.58 * g.open
    above, below = -0.42 * g.open, 0.58 * g.open
    outer = [at(t, upper) for t in (-1.0, -0.6, -0.25, 0.0, 0.25, 0.6, 1.0)]
    outer += [at(t, lower) for t in (0.6, 0.25, 0.0, -0.25, -0.6)]
    opening = [inner(t, above) for t in (-0.88, -0.4, 0.0, 0.4, 0.88)] + [inner(t, below) for t in (0.4, 0.0, -0.4)]
    return _points(*outer, *opening)


def _centre(g: Eyes) -> Tensor:
    """The middle of the right half's eye."""
    return _points((g.apart, torch.full_like(g.apart, EYE)))


def _lobe(g: Head) -> Tensor:
    """The lobe of the right half's ear."""
    return _points((g.width + 0.015, 0.05 + 1.25 * g.ears * 0.95))

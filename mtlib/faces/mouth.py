"""Nose and mouth."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.faces.canvas import Canvas, blob, cover, ellipse, lens, ramp
from mtlib.faces.head import Head
from mtlib.faces.looks import Geometry, Looks, mix, palette

STICKS = [(0.78, 0.10, 0.16), (0.62, 0.06, 0.22), (0.85, 0.28, 0.36), (0.50, 0.05, 0.10)]
HOLLOW = (0.22, 0.06, 0.07)
NOSE = 0.26  # height of the nose's base


@dataclass
class Nose(Geometry):
    """Half-width of the wings, height of the base, half-width of the bridge, how pointed; u of the tip (yaw)."""

    width: Tensor
    base: Tensor
    bridge: Tensor
    point: Tensor
    tip: Tensor


def nose(looks: Looks, yaw: Tensor) -> Nose:
    """The noses of the people: they stick out, so yaw (n,) moves their tips further than the face."""
    big, pointed = looks.push("Big_Nose", 0.15), looks.push("Pointy_Nose", 0)
    wrinkled = looks.unit(9)
    return Nose(
        width=0.105 + 0.032 * big - 0.014 * pointed + 0.003 * looks.trait("nose width") + 0.015 * wrinkled,
        base=NOSE + 0.018 * big + 0.008 * looks.trait("nose length") - 0.03 * wrinkled,
        bridge=0.045 + 0.012 * big,
        point=0.5 + 0.5 * pointed,
        tip=0.45 * yaw,
    )


def paint_nose(canvas: Canvas, g: Nose, h: Head) -> None:
    """A shaded bridge, the ball of the nose, its wings and nostrils; a pointed tip has a sharp light and shadow."""
    where = canvas.window(0.30, -0.16, 0.46)
    along = ramp(where.v, -0.12, 0.22)  # 0 at the root, 1 at the tip
    u = where.u - g.tip * along
    a = u.abs()
    side = blob(a - (g.bridge + 0.025 + (g.width - g.bridge - 0.02) * along * along), where.v - 0.08, 0.05, 0.26)
    canvas.paint(where, side.mul_(0.38), h.dark, "nose")
    ridge = blob(u, where.v - 0.09, g.bridge * 0.8, 0.25)
    canvas.paint(where, ridge.mul_(0.30), (h.skin * 1.12 + 0.03).clamp(max=1), "nose")
    v = where.v - g.base
    wings = ellipse(u, v + 0.035, g.width, 0.062)
    rim = cover(where, wings.abs() - 0.010) * ramp(v, -0.075, 0.0)
    canvas.paint(where, cover(where, wings).mul_(0.40), h.skin * 0.95, "nose")
    canvas.paint(where, rim.mul_(0.60), h.dark, "nose")
    tip = ellipse(u, v + 0.045 - 0.045 * g.point, 0.062 - 0.030 * g.point, 0.045 + 0.040 * g.point)
    canvas.paint(where, cover(where, tip).mul_(0.22 + 0.40 * g.point), (h.skin * 1.10 + 0.04).clamp(max=1), "nose")
    corner = (v - 0.055 * g.point + a * (0.25 + 0.80 * g.point)).abs_() - 0.012  # a V under a pointed tip
    under = cover(where, corner) * ramp(a, g.width * 0.95, g.width * 0.45)
    canvas.paint(where, under.mul_(0.20 + 0.70 * g.point), h.dark * 0.8, "nose")
    holes = cover(where, ellipse(a - g.width * 0.52, v + 0.006, g.width * 0.24, 0.016))
    canvas.paint(where, holes.mul_(0.75), h.dark * 0.45, "nose")


@dataclass
class Mouth(Geometry):
    """Height of the mouth, half-width, how far its corners rise, lips above and below, opening; colours."""

    height: Tensor
    width: Tensor
    rise: Tensor
    upper: Tensor
    lower: Tensor
    open: Tensor
    teeth: Tensor
    press: Tensor
    lips: Tensor  # n 3


def mouth(looks: Looks, skin: Tensor) -> Mouth:
    """The mouths of the people. Smiling is AU12, an open mouth AU25; AU26 opens it further. ``skin`` is (n, 3)."""
    smile = looks.unit(12)
    tight, press, stretch, raised = looks.unit(23), looks.unit(24), looks.unit(20), looks.unit(10)
    open_ = looks.unit(25) * (0.058 + 0.030 * looks.chance("opening")) + 0.080 * looks.unit(26) * looks.unit(25).sign()
    lipstick = looks.on("Wearing_Lipstick", 0.75)
    thin = (1 - 0.30 * tight - 0.35 * press) * (1 + 0.06 * looks.trait("lips"))
    big = looks.push("Big_Lips", 0.0)
    own = skin * torch.tensor([0.64, 0.46, 0.46]).to(skin) + torch.tensor([0.17, 0.09, 0.10]).to(skin)
    stick = palette(STICKS, looks.chance("lipstick"))
    return Mouth(
        height=0.485 + 0.008 * looks.trait("mouth height") + 0.010 * looks.unit(26) - 0.012 * looks.unit(17),
        width=(0.198 + 0.068 * smile + 0.050 * stretch - 0.025 * tight) * (1 + 0.04 * looks.trait("mouth width")),
        rise=0.004 + 0.130 * smile - 0.085 * looks.unit(15),
        upper=(0.042 + 0.019 * big) * thin * (1 - 0.25 * raised),
        lower=(0.058 + 0.027 * big) * thin,
        open=open_ + 0.02 * raised * (open_ > 0),
        teeth=(0.030 + 0.030 * smile + 0.02 * stretch) * (open_ > 0),
        press=press,
        lips=mix(own, stick, 0.92 * lipstick),
    )


def paint_mouth(canvas: Canvas, g: Mouth, h: Head) -> None:
    """Lips as a lens along a parabola, the opening with teeth in it, or the line between closed lips."""
    where = canvas.window(0.36, 0.26, 0.82)
    t = where.u / g.width
    v = where.v - g.height + g.rise * (t * t - 0.4)  # from the middle line, which the corners bend
    lips = cover(where, lens(t, v, g.upper + 0.42 * g.open, g.lower + 0.58 * g.open))
    notch = blob(t, v + g.upper + 0.42 * g.open, 0.20, 0.022)  # of the upper lip
    canvas.paint(where, lips * (1 - 0.7 * notch), g.lips, "mouth")
    light = blob(t, v - 0.62 * g.open - 0.45 * g.lower, 0.45, 0.40 * g.lower) * 0.35
    canvas.paint(where, light, (g.lips * 1.25 + 0.05).clamp(max=1), "mouth")
    inner = lens(t / 0.88, v, 0.42 * g.open, 0.58 * g.open)
    hollow = cover(where, inner) * (g.open > 0)
    canvas.paint(where, hollow, v.new_tensor(HOLLOW).view(3, 1, 1), "mouth")
    edge = v + 0.42 * g.open * (1 - t * t) - g.teeth  # teeth hang from the upper lip
    canvas.paint(where, cover(where, edge) * hollow * (g.teeth > 0), torch.full_like(g.lips, 0.94), "mouth")
    line = cover(where, v.abs() - 0.009 - 0.006 * g.press) * cover(where, (t.abs() - 1.04) * g.width)
    canvas.paint(where, line * (g.open <= 0) * 0.85, g.lips * 0.42, "mouth")

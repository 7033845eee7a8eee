"""Eyes, brows, and the glasses before them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.faces.canvas import Canvas, blob, cover, ellipse, lens, ramp
from mtlib.faces.head import Head
from mtlib.faces.looks import Geometry, Looks, few, palette

EYE = -0.03  # height of the eyes
IRIS = [
    (0.20, 0.12, 0.07), (0.30, 0.18, 0.09), (0.42, 0.27, 0.12), (0.35, 0.42, 0.22), (0.28, 0.45, 0.58),
    (0.35, 0.42, 0.48),
]  # fmt: skip
LIDS = [(0.45, 0.30, 0.55), (0.30, 0.35, 0.60), (0.55, 0.30, 0.35), (0.40, 0.28, 0.22)]
FRAMES = [(0.08, 0.08, 0.09), (0.30, 0.16, 0.08), (0.15, 0.18, 0.35), (0.45, 0.10, 0.12), (0.55, 0.50, 0.42)]


@dataclass
class Eyes(Geometry):
    """Distance of an eye from the middle, half-width, opening above and below, where it looks; brows; glasses."""

    apart: Tensor
    width: Tensor
    upper: Tensor
    lower: Tensor
    look: Tensor
    iris: Tensor  # n 3
    lash: Tensor
    brow: Tensor  # height of the brow's middle
    inner: Tensor  # how far its inner end is raised
    outer: Tensor  # its outer end
    arch: Tensor
    thick: Tensor
    brows: Tensor  # n 3
    shadow: Tensor  # of make-up
    lids: Tensor  # n 3
    glasses: Tensor
    frame: Tensor  # n 3
    rim: Tensor
    tall: Tensor
    tint: Tensor


def eyes(looks: Looks, hair: Tensor) -> Eyes:
    """The eyes, brows and glasses of the people. ``hair`` (n, 3) is the colour of their hair."""
    narrow, open_, tight, cheek = looks.push("Narrow_Eyes", 0.35), looks.unit(5), looks.unit(7), looks.unit(6)
    size = 1 + 0.05 * looks.trait("eye size")
    opening = size * (1 - 0.20 * narrow) * (1 + 0.40 * open_ - 0.22 * tight)
    male, arched, makeup = looks.push("Male", 0.7), looks.push("Arched_Eyebrows", 0.35), looks.on("Heavy_Makeup", 0.6)
    frown, colour = looks.unit(4), looks.trait("iris")
    frames = looks.scene("frame", 4)
    return Eyes(
        apart=0.25 + 0.008 * looks.trait("eye distance"),
        width=0.128 * size,
        upper=0.074 * opening,
        lower=0.050 * opening * (1 - 0.45 * cheek),
        look=0.030 * (looks.chance("gaze") * 2 - 1),
        iris=palette(IRIS, 0.5 + 0.5 * torch.erf(colour / 2**0.5) - 0.18),
        lash=0.012 + 0.012 * makeup - 0.002 * male,
        brow=-0.225 + 0.012 * male - 0.050 * looks.unit(2) - 0.02 * looks.unit(1) + 0.040 * frown,
        inner=0.075 * looks.unit(1) - 0.050 * frown - 0.004,
        outer=0.045 * looks.unit(2) + 0.002,
        arch=0.034 + 0.040 * arched.clamp(min=-0.6),
        thick=(0.026 + 0.012 * looks.push("Bushy_Eyebrows", 0.35) + 0.004 * male) * (1 + 0.05 * looks.trait("brow")),
        brows=(hair * 0.62 + 0.02).clamp(max=0.55),
        shadow=makeup,
        lids=palette(LIDS, looks.chance("lids")),
        glasses=looks.on("Eyeglasses", 1),
        frame=palette(FRAMES, frames[:, 0]),
        rim=0.014 + 0.014 * frames[:, 1],
        tall=0.75 + 0.30 * frames[:, 2],
        tint=torch.where(frames[:, 3] < 0.12, 0.80, 0.10).to(narrow),
    )


def paint_eyes(canvas: Canvas, g: Eyes, h: Head) -> None:
    """Eye shadow, eyeballs with iris and pupil, lids with lashes."""
    where = canvas.window(0.45, -0.22, 0.12)
    side, v = where.a - g.apart, where.v - EYE  # from an eye's middle, outwards and down
    t = side / g.width
    _paint_shadow(canvas, g)
    shape = lens(t, v, g.upper, g.lower)
    white = cover(where, shape)
    canvas.paint(where, white, torch.full_like(g.iris, 0.95), "eyes")
    # The iris looks to the side: that is not symmetric, hence u and not |u|.
    centre = torch.where(where.u > 0, side - g.look, side + g.look)
    ball = (centre * centre + (v + 0.008) * (v + 0.008)).sqrt_()
    canvas.paint(where, cover(where, ball - 0.062) * white, g.iris, "eyes")
    canvas.paint(where, cover(where, ball - 0.028) * white, torch.full_like(g.iris, 0.04), "eyes")
    spark = cover(where, ellipse(centre - 0.02, v + 0.035, g.width * 0.12, g.width * 0.12)) * white
    canvas.paint(where, spark, torch.full_like(g.iris, 0.97), "eyes")
    bulge = (1 - t * t).clamp_(min=0)
    lid = (v + bulge * g.upper).abs_() - g.lash * (0.8 + 0.6 * ramp(t, -1.0, 1.0))
    inside = ramp(t.abs(), 1.12, 1.0)
    canvas.paint(where, cover(where, lid).mul_(inside), h.dark * 0.35, "eyes")
    lower = (v - bulge * g.lower).abs_() - 0.007
    canvas.paint(where, cover(where, lower).mul_(inside).mul_(0.55), h.dark * 0.7, "eyes")


def _paint_shadow(canvas: Canvas, g: Eyes) -> None:
    """Make-up on the upper lids."""
    who = few(g.shadow)
    if not len(who):
        return
    where, g = canvas.window(0.46, -0.24, 0.04, who), g.of(who)
    shadow = blob(where.a - g.apart - 0.01, where.v - EYE + 0.07, g.width * 1.45, 0.13).clamp_(max=0.75)
    canvas.paint(where, (shadow * (1.1 * g.shadow)).clamp_(max=0.85), g.lids, "eye shadow")


def brow_line(g: Eyes, t: Tensor) -> Tensor:
    """Height of a brow along t, from -1 at its inner end to 1 at its outer end."""
    arch = g.arch * (0.5 - (t - 0.1) * (t - 0.1) / 1.21)
    return g.brow - arch - g.inner * ramp(t, 0.6, -1.0) - g.outer * ramp(t, -0.4, 1.0)


def paint_brows(canvas: Canvas, g: Eyes) -> None:
    """Brows: bands along a parabola, tapering outwards."""
    where = canvas.window(0.46, -0.44, -0.08)
    t = (where.a - g.apart) / 0.165
    middle = brow_line(g, t)
    half = g.thick * (1 - 0.42 * ramp(t, -0.1, 1.0))
    band = cover(where, (where.v - middle).abs_() - half) * cover(where, (t.abs() - 1) * 0.165)
    canvas.paint(where, band.mul_(0.92), g.brows, "brows")


def paint_glasses(canvas: Canvas, g: Eyes, h: Head) -> None:
    """Two lenses with a rim, a bridge, and temples towards the ears."""
    who = few(g.glasses)
    if not len(who):
        return
    where, g, h = canvas.window(0.72, -0.26, 0.24, who), g.of(who), h.of(who)
    side, v = where.a - g.apart, where.v - EYE - 0.02
    lens_ = ellipse(side, v, 0.185, 0.165 * g.tall)
    canvas.paint(where, cover(where, lens_.clone()) * (g.tint * g.glasses), g.frame * 0.6 + 0.08, "glasses")
    rim = cover(where, lens_.abs_() - g.rim)
    bridge = cover(where, (v + 0.03).abs_() - g.rim * 0.9) * cover(where, where.a - (g.apart - 0.175))
    temple = cover(where, (v + 0.05).abs_() - g.rim * 0.9) * cover(where, (g.apart + 0.175) - where.a)
    temple.mul_(cover(where, where.a - (h.width + 0.01)))
    frame = torch.maximum(rim, torch.maximum(bridge, temple))
    canvas.paint(where, frame.mul_(g.glasses), g.frame, "glasses")

"""Hair and beards."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.faces.canvas import Canvas, Window, blob, cover, ellipse, ramp, wave
from mtlib.faces.head import TOP, Head, outline
from mtlib.faces.looks import Geometry, Looks, few, mix, palette

COLOURS = {
    "Black_Hair": [(0.06, 0.05, 0.06), (0.11, 0.09, 0.09)],
    "Brown_Hair": [(0.33, 0.20, 0.11), (0.44, 0.28, 0.16)],
    "Blond_Hair": [(0.80, 0.62, 0.30), (0.93, 0.80, 0.52)],
    "Gray_Hair": [(0.58, 0.58, 0.60), (0.82, 0.82, 0.84)],
}
# Of those for whom none of the four holds: mostly between black and brown, then auburn, copper, dyed.
OTHERS = [
    (0.20, 0.13, 0.10), (0.22, 0.13, 0.09), (0.25, 0.12, 0.09), (0.33, 0.13, 0.09), (0.46, 0.18, 0.10),
    (0.60, 0.28, 0.13), (0.33, 0.10, 0.20),
]  # fmt: skip


def colour(looks: Looks) -> Tensor:
    """Colour of the hair, (n, 3)."""
    shade = looks.chance("hair shade")
    found = palette(OTHERS, 0.5 + 0.5 * torch.erf(looks.trait("other hair") / 2**0.5))
    for attribute, colours in COLOURS.items():
        has = looks.margin(attribute) > 0
        found = mix(found, palette(colours, shade), has.to(found.dtype))
    return found


@dataclass
class Hair(Geometry):
    """How far the hair stands off the head, how low it reaches, hairline, fringe, waves, streaks; beards."""

    colour: Tensor  # n 3
    volume: Tensor
    length: Tensor
    line: Tensor
    recede: Tensor
    bald: Tensor
    bangs: Tensor
    fringe: Tensor
    waves: Tensor
    straight: Tensor
    phase: Tensor
    stubble: Tensor
    beard: Tensor
    goatee: Tensor
    mustache: Tensor
    sideburns: Tensor
    beards: Tensor  # n 3


def hair(looks: Looks, tint: Tensor) -> Hair:
    """The hair of the people, in the colour ``tint`` (n, 3)."""
    male, wavy, bald = looks.push("Male", 0.6), looks.on("Wavy_Hair", 0.6), looks.on("Bald", 1)
    # Long or short: mostly by the appearance of Male, and by taste.
    long = (0.5 - 0.85 * male + 0.28 * looks.trait("hair length")).clamp(0, 1)
    return Hair(
        colour=tint,
        volume=(0.055 + 0.045 * long + 0.05 * wavy + 0.012 * looks.trait("hair volume")) * (1 - bald * 0.92) + 0.004,
        length=torch.where(bald > 0, 0.22, 0.26 + 1.15 * long),
        line=-0.56 + 0.02 * looks.trait("hairline") - 0.05 * looks.on("Receding_Hairline", 0.7),
        recede=0.26 * looks.on("Receding_Hairline", 0.7),
        bald=bald,
        bangs=looks.on("Bangs", 0.8),
        fringe=-0.285 + 0.02 * looks.trait("fringe"),
        waves=0.042 * wavy,
        straight=looks.on("Straight_Hair", 0.6),
        phase=looks.chance("strands"),
        stubble=looks.on("5_o_Clock_Shadow", 0.5),
        beard=(-looks.push("No_Beard", 0.8)).clamp(min=0),
        goatee=looks.on("Goatee", 0.8),
        mustache=looks.on("Mustache", 0.8),
        sideburns=looks.on("Sideburns", 0.7),
        beards=tint * 0.72 + 0.015,
    )


def _outline(g: Hair, h: Head, where: Window, length: Tensor) -> Tensor:
    """1 on the rim of the hair, less inside: a skull's arch above, straight sides down to ``length``."""
    sway = g.waves * wave(where.v * 3.2 + g.phase)
    arch = (where.v - 0.02).clamp(max=0) / (TOP + 0.02 + g.volume * 1.15)
    down = (where.v - 0.02).clamp(min=0) / length
    u = (where.a + sway) / (h.width + 0.02 + g.volume)
    down = down * down
    return (u * u + arch * arch + down * down).sqrt_()


def _strands(canvas: Canvas, g: Hair, where: Window, alpha: Tensor, part: str) -> None:
    """Light and shade of the strands: streaked when straight, bent when wavy, else plain."""
    who = few(g.straight, g.waves)
    if not len(who):
        return
    g, u, v = g.of(who), where.u[who], where.v[who]
    bent = wave(u * 5.5 + g.phase + 9 * g.waves * wave(v * 2.2 + g.phase))
    among = Window(u, v, u, where.rows, where.columns, where.sharp, who if where.who is None else where.who[who])
    canvas.shade(among, alpha[who], 1 + bent * (0.30 * g.straight + 5.0 * g.waves), part)


def paint_back(canvas: Canvas, g: Hair, h: Head) -> None:
    """What falls behind head and neck: to the shoulders, or to the ears."""
    low = (g.length > 0.40).flatten()
    for who, bottom in ((low.nonzero().flatten(), 1.50), ((~low).nonzero().flatten(), 0.44)):
        if len(who):
            _paint_back(canvas, who, g.of(who), h.of(who), bottom)


def _paint_back(canvas: Canvas, who: Tensor, g: Hair, h: Head, bottom: float) -> None:
    where = canvas.window(0.86, -1.04, bottom, who)
    rim = _outline(g, h, where, g.length)
    alpha = cover(where, (rim - 1) * (h.width + g.volume))
    canvas.paint(where, alpha, g.colour * 0.80, "back hair")
    _strands(canvas, g, where, alpha, "back hair")


def paint_front(canvas: Canvas, g: Hair, h: Head) -> None:
    """What covers the skull above the hairline, and the fringe on the forehead."""
    where = canvas.window(0.86, -1.04, 0.14)
    rim = _outline(g, h, where, torch.full_like(g.length, 0.20))
    inside = cover(where, (rim - 1) * (h.width + g.volume))
    t = where.a / h.width
    square = t * t
    arch = square * square
    line = (g.line + 0.50 * arch).sub_((square - arch).clamp_(min=0).mul_(4 * g.recede))
    top = cover(where, where.v - line).mul_(inside).mul_(1 - g.bald)
    canvas.paint(where, top, g.colour, "hair")
    _strands(canvas, g, where, top, "hair")
    shine = canvas.window(0.60, -0.90, -0.54)
    gloss = blob(shine.u + 0.18, shine.v + 0.72, 0.36, 0.14).mul_(0.22 * (1 - g.bald))
    canvas.shade(shine, gloss, 2.0, "hair")
    _paint_bangs(canvas, g, h)


def _paint_bangs(canvas: Canvas, g: Hair, h: Head) -> None:
    """The fringe on the forehead."""
    who = few(g.bangs)
    if not len(who):
        return
    where, g, h = canvas.window(0.60, -0.96, -0.14, who), g.of(who), h.of(who)
    rim = _outline(g, h, where, torch.full_like(g.length, 0.20))
    inside = cover(where, (rim - 1) * (h.width + g.volume))
    square = where.a / h.width
    square = square * square
    tooth = 0.028 * wave(where.u * 6.5 + g.phase) + 0.05 * square
    cut = cover(where, where.v - g.fringe - tooth) * cover(where, where.a - 0.80 * h.width)
    cut.mul_(inside)
    canvas.paint(where, cut, g.colour * 0.90, "bangs")
    _strands(canvas, g, where, cut, "bangs")


def paint_beard(canvas: Canvas, g: Hair, h: Head) -> None:
    """Stubble, beard along the jaw, goatee and sideburns, on those who have any."""
    who = few(g.stubble, g.beard, g.goatee, g.sideburns)
    if not len(who):
        return
    where, g, h = canvas.window(0.72, -0.28, 0.98, who), g.of(who), h.of(who)
    out = outline(h, where)
    inside = cover(where, (out - 1) * h.width)
    stubble = ramp(where.v, 0.20, 0.40) * ramp(out, 0.35, 0.62) * inside
    canvas.paint(where, stubble * (0.38 * g.stubble), g.beards * 0.6 + 0.10, "stubble")
    full = cover(where, (0.80 - out) * h.width) * cover(where, 0.30 - where.v) * inside
    canvas.paint(where, full * ((0.80 + 0.15 * g.beard) * (g.beard > 0)), g.beards, "beard")
    chin = cover(where, ellipse(where.u, where.v - h.chin + 0.10, 0.17, 0.115)) * inside
    canvas.paint(where, chin * (0.95 * (g.goatee > 0)), g.beards * 0.85, "goatee")
    band = cover(where, (where.v - 0.02).abs() - 0.27) * cover(where, (h.width - 0.135) - where.a) * inside
    canvas.paint(where, band * (0.95 * (g.sideburns > 0)), g.beards, "sideburns")


def paint_mustache(canvas: Canvas, g: Hair, mouth: Tensor) -> None:
    """Between nose and mouth; ``mouth`` is its height (n, 1, 1)."""
    who = few(g.mustache)
    if not len(who):
        return
    where, g = canvas.window(0.30, 0.24, 0.60, who), g.of(who)
    t = where.a / 0.235
    v = where.v - (mouth[who] - 0.085) - 0.075 * t * t
    band = cover(where, v.abs() - 0.036 * (1 - 0.55 * t * t)) * cover(where, (t - 1) * 0.235)
    canvas.paint(where, band.mul_(0.95), g.beards, "mustache")

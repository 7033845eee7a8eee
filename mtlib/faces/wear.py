"""What people wear: clothes, necktie, necklace, earrings, hat."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.faces.canvas import Canvas, box, cover, ellipse, ramp, wave
from mtlib.faces.head import Head
from mtlib.faces.looks import Geometry, Looks, few, palette

CLOTH = [
    (0.15, 0.18, 0.30), (0.75, 0.74, 0.70), (0.55, 0.16, 0.18), (0.20, 0.42, 0.40), (0.10, 0.10, 0.11),
    (0.80, 0.62, 0.30), (0.42, 0.30, 0.52),
]  # fmt: skip
TIES = [(0.70, 0.08, 0.10), (0.10, 0.15, 0.45), (0.12, 0.12, 0.13), (0.08, 0.38, 0.22), (0.60, 0.35, 0.08)]
HATS = [
    (0.18, 0.22, 0.38), (0.62, 0.14, 0.16), (0.84, 0.80, 0.70), (0.13, 0.13, 0.14), (0.32, 0.46, 0.30),
    (0.85, 0.55, 0.15),
]  # fmt: skip
METAL = [(0.95, 0.80, 0.30), (0.90, 0.91, 0.94), (0.15, 0.75, 0.70), (0.95, 0.30, 0.40)]


@dataclass
class Wear(Geometry):
    """What is worn, 0 or 1, and its colours (n, 3)."""

    cloth: Tensor
    collar: Tensor
    tie: Tensor
    ties: Tensor
    necklace: Tensor
    beads: Tensor
    earrings: Tensor
    metal: Tensor
    hat: Tensor
    brim: Tensor
    hats: Tensor
    band: Tensor


def wear(looks: Looks) -> Wear:
    """What the people wear."""
    cloth, tie, metal, hat, brim, neck, beads = looks.scene("wear", 7).unbind(1)
    return Wear(
        cloth=palette(CLOTH, cloth),
        collar=0.20 + 0.30 * neck,
        tie=looks.on("Wearing_Necktie", 1),
        ties=palette(TIES, tie),
        necklace=looks.on("Wearing_Necklace", 1),
        beads=palette(METAL, beads),
        earrings=looks.on("Wearing_Earrings", 1),
        metal=palette(METAL, metal),
        hat=looks.on("Wearing_Hat", 1),
        brim=torch.where(brim < 0.55, 0.30, 0.02).to(brim),
        hats=palette(HATS, hat),
        band=palette(HATS, 1 - hat),
    )


def paint_clothes(canvas: Canvas, g: Wear, h: Head) -> None:
    """Shoulders with a neckline; a shirt with a tie; a necklace."""
    where = canvas.window(1.60, 0.84, 1.70)
    cloth = cover(where, ellipse(where.u, where.v - 1.90, 1.20, 0.93))
    neckline = cover(where, ellipse(where.u, where.v - 0.98, h.neck * 1.05, g.collar))
    canvas.paint(where, cloth * (1 - neckline), g.cloth, "clothes")
    fold = cover(where, (where.a - 0.62 - 0.10 * (where.v - 1.2)).abs_() - 0.014) * cloth
    canvas.shade(where, fold.mul_(0.5), 0.6, "clothes")
    _paint_tie(canvas, g, h)
    _paint_necklace(canvas, g, h)


def _paint_tie(canvas: Canvas, g: Wear, h: Head) -> None:
    """A white shirt with a necktie."""
    who = few(g.tie)
    if not len(who):
        return
    where, g, h = canvas.window(0.62, 0.92, 1.60, who), g.of(who), h.of(who)
    shirt = cover(where, where.a - h.neck * 1.08) * cover(where, 0.985 - where.v + 0.10 * where.a)
    canvas.paint(where, shirt, torch.full_like(g.cloth, 0.93), "necktie")
    knot = where.a - (0.075 - 0.02 * ramp(where.v, 1.0, 1.08) + 0.10 * (where.v - 1.06).clamp(0, 0.6))
    tie = cover(where, knot) * cover(where, 1.0 - where.v)
    canvas.paint(where, tie, g.ties * (1 + 0.25 * wave(where.v * 6 + where.u * 6)).unsqueeze(1), "necktie")


def _paint_necklace(canvas: Canvas, g: Wear, h: Head) -> None:
    """A string of beads with a pendant; a necktie hides it."""
    who = few(g.necklace * (1 - g.tie))
    if not len(who):
        return
    where, g, h = canvas.window(0.46, 0.82, 1.26, who), g.of(who), h.of(who)
    t = where.u / (h.neck * 1.12)
    chain = (where.v - 0.98 - 0.16 * (1 - t * t)).abs_()
    beads = cover(where, chain - 0.024) * cover(where, (t.abs() - 1) * h.neck)
    canvas.paint(where, beads, g.beads * (0.9 + 0.25 * wave(where.u * 9)).unsqueeze(1), "necklace")
    canvas.paint(where, cover(where, ellipse(where.u, where.v - 1.185, 0.045, 0.055)), g.beads, "necklace")


def paint_earrings(canvas: Canvas, g: Wear, h: Head) -> None:
    """A drop under each ear."""
    who = few(g.earrings)
    if not len(who):
        return
    where, g, h = canvas.window(0.80, 0.10, 0.44, who), g.of(who), h.of(who)
    side = where.a - (h.width + 0.03)
    drop = cover(where, ellipse(side, where.v - 0.26, 0.042, 0.075))
    stud = cover(where, ellipse(side, where.v - 0.175, 0.026, 0.026))
    canvas.paint(where, torch.maximum(drop, stud), g.metal, "earrings")


def paint_hat(canvas: Canvas, g: Wear, h: Head) -> None:
    """A crown with a band, and a brim that is wide or none."""
    who = few(g.hat)
    if not len(who):
        return
    where, g, h = canvas.window(1.02, -1.30, -0.32, who), g.of(who), h.of(who)
    width = h.width + 0.13
    crown = box(where.u, where.v + 0.80, width * (1 - 0.10 * ramp(where.v, -0.5, -1.15)), 0.36, 0.26)
    canvas.paint(where, cover(where, crown), g.hats * (1.06 - 0.2 * where.a).unsqueeze(1), "hat")
    bend = where.v + 0.475 - 0.05 * where.u * where.u
    band = cover(where, (bend + 0.05).abs_() - 0.055) * cover(where, where.a - width)
    canvas.paint(where, band, g.band, "hat")
    brim = cover(where, bend.abs_() - 0.032) * cover(where, where.a - width - g.brim)
    canvas.paint(where, brim, g.hats * 0.78, "hat")

"""Head, ears and neck: their outline, the colour of the skin, and what lies on it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.faces.canvas import Canvas, Window, blob, box, cover, ellipse, ramp
from mtlib.faces.looks import Geometry, Looks, few, mix, palette

# From light to dark; ``skin_tone`` runs through them evenly. The five darkest are near the Monk scale's 6 to 10, a
# little warmer at the end; the light ones are warmer than its 1 to 5, so that a pale face differs from a light one.
TONES = [
    (0.97, 0.87, 0.80), (0.95, 0.82, 0.73), (0.93, 0.77, 0.65), (0.88, 0.69, 0.55), (0.79, 0.59, 0.43),
    (0.63, 0.46, 0.33), (0.51, 0.36, 0.26), (0.38, 0.26, 0.20), (0.29, 0.20, 0.16), (0.21, 0.15, 0.12),
]  # fmt: skip
PALE = (0.98, 0.93, 0.92)
TOP = 0.80  # of the skull, above (0, 0)


@dataclass
class Head(Geometry):
    """Half-width at the eyes, depth of the chin below (0, 0), squareness of the jaw 0 to 1; colours."""

    width: Tensor
    chin: Tensor
    jaw: Tensor
    ears: Tensor
    neck: Tensor
    skin: Tensor  # n 3
    dark: Tensor  # n 3, of folds and shadows

    def rim(self, v: Tensor) -> Tensor:
        """Half-width (n, m) of the outline at heights v (n, m), where it runs; 0 beyond the chin."""
        t = (v / torch.where(v > 0, self.chin.unsqueeze(1), TOP)) ** 2
        jaw = torch.where(v > 0, self.jaw.unsqueeze(1), 0.0)
        return self.width.unsqueeze(1) * (1 - t * (1 - jaw + jaw * t)).clamp(min=0).sqrt()


def head(looks: Looks) -> Head:
    """The heads of the people."""
    chubby, oval, male = looks.push("Chubby", 0.5), looks.push("Oval_Face", 0), looks.push("Male", 0.7)
    tone = palette(TONES, looks.people.skin_tone)
    pale = torch.tensor(PALE, dtype=tone.dtype, device=tone.device).expand_as(tone)
    skin = mix(tone, pale, 0.62 * looks.on("Pale_Skin", 0.7))
    warmth = 1 + 0.02 * looks.trait("warmth").unsqueeze(1) * torch.tensor([1.0, 0.0, -1.0]).to(tone)
    skin = (skin * warmth).clamp(0, 1)
    return Head(
        width=0.585 + 0.045 * chubby.clamp(min=-0.3) - 0.03 * oval + 0.012 * looks.trait("head width") + 0.012 * male,
        chin=0.80 + 0.03 * oval + 0.015 * male + 0.015 * looks.trait("head length") + 0.035 * looks.unit(26),
        jaw=(0.30 + 0.22 * male + 0.22 * chubby - 0.22 * oval + 0.05 * looks.trait("jaw")).clamp(0.02, 0.9),
        ears=0.115 + 0.008 * looks.trait("ears"),
        neck=0.25 + 0.045 * male + 0.03 * chubby.clamp(min=0),
        skin=skin,
        dark=skin * torch.tensor([0.60, 0.50, 0.48]).to(skin),
    )


def outline(g: Head, where: Window) -> Tensor:
    """How far out a pixel lies (n, h, w): 0 in the middle of the head, 1 on its outline."""
    up, down = where.v.clamp(max=0) / TOP, where.v.clamp(min=0) / g.chin
    u, down = where.u / g.width, down * down
    return (u * u + up * up + down * (1 - g.jaw + g.jaw * down)).sqrt_()


def paint_neck(canvas: Canvas, g: Head) -> None:
    """Neck, with the shadow of the chin on it."""
    where = canvas.window(0.45, 0.45, 1.45)
    canvas.paint(where, cover(where, box(where.a, where.v - 0.9, g.neck, 0.5, 0.05)), g.skin, "neck")
    below = cover(where, ellipse(where.u, where.v - 0.55, g.neck * 1.35, g.chin - 0.40)).mul_(0.55)
    canvas.shade(where, below.mul_(cover(where, where.a - g.neck)), 0.62, "chin shadow")


def paint_ears(canvas: Canvas, g: Head) -> None:
    """Ears, behind the head."""
    where = canvas.window(0.82, -0.25, 0.35)
    shape = ellipse(where.a - (g.width + 0.015), where.v - 0.05, g.ears * 0.62, g.ears * 1.25)
    canvas.paint(where, cover(where, shape), g.skin * 0.93, "ears")
    inner = ellipse(where.a - (g.width + 0.03), where.v - 0.04, g.ears * 0.30, g.ears * 0.75)
    canvas.paint(where, cover(where, inner).mul_(0.5), g.dark, "ears")


def paint_head(canvas: Canvas, g: Head) -> None:
    """The skin, a little darker towards its rim."""
    where = canvas.window(0.74, -0.86, 0.98)
    out = outline(g, where)
    alpha = cover(where, (out - 1) * g.width)
    rounding = 1.04 - (out * out).clamp_(max=1.1).mul_(0.17)
    canvas.paint(where, alpha, g.skin * rounding.unsqueeze(1), "head")


@dataclass
class Marks(Geometry):
    """What lies on the skin, as strengths from 0 to 1, in units of shading."""

    cheekbones: Tensor
    rosy: Tensor
    wrinkles: Tensor
    folds: Tensor
    bags: Tensor
    double_chin: Tensor
    frown: Tensor
    nose_lines: Tensor
    chin_bump: Tensor
    crow: Tensor


def marks(looks: Looks) -> Marks:
    """What lies on the people's skin."""
    old = (-looks.push("Young", 0.6)).clamp(min=0)
    smile = looks.unit(12)
    return Marks(
        cheekbones=0.5 + 0.5 * looks.push("High_Cheekbones", 0.0),
        rosy=looks.on("Rosy_Cheeks", 0.5),
        wrinkles=old,
        folds=(0.75 * old + 0.55 * looks.unit(11) + 0.45 * smile + 0.35 * looks.unit(10)).clamp(max=1),
        bags=looks.on("Bags_Under_Eyes", 0.4),
        double_chin=looks.on("Double_Chin", 0.6),
        frown=looks.unit(4),
        nose_lines=looks.unit(9),
        chin_bump=looks.unit(17),
        crow=(0.8 * old + 0.7 * looks.unit(6)).clamp(max=1),
    )


def paint_marks(canvas: Canvas, g: Head, m: Marks, pink: Tensor, light: Tensor) -> None:
    """Cheeks, wrinkles, folds, bags, a second chin."""
    where = canvas.window(0.60, 0.0, 0.42)
    canvas.paint(where, blob(where.a - 0.36, where.v - 0.13, 0.17, 0.085) * (0.70 * m.cheekbones), light, "cheekbones")
    under = blob(where.a - 0.40, where.v - 0.275, 0.17, 0.10) * (0.48 * m.cheekbones)
    canvas.paint(where, under, g.dark, "cheekbones")
    for painter, strength in (
        (_rosy, m.rosy), (_wrinkles, m.wrinkles), (_frown, m.frown), (_nose_lines, m.nose_lines), (_folds, m.folds),
        (_bags, m.bags), (_crow, m.crow), (_double_chin, m.double_chin), (_chin, m.chin_bump),
    ):  # fmt: skip
        who = few(strength)
        if len(who):
            painter(canvas, who, g.of(who), strength[who], pink[who])


def _rosy(canvas: Canvas, who: Tensor, g: Head, strength: Tensor, pink: Tensor) -> None:
    where = canvas.window(0.52, 0.02, 0.36, who)
    canvas.paint(where, blob(where.a - 0.33, where.v - 0.19, 0.17, 0.14) * (0.75 * strength), pink, "rosy cheeks")


def _wrinkles(canvas: Canvas, who: Tensor, g: Head, strength: Tensor, pink: Tensor) -> None:
    where = canvas.window(0.36, -0.58, -0.30, who)  # on the forehead
    lines = torch.zeros_like(where.u)
    for height in (-0.40, -0.47, -0.54):
        curve = where.v - height - 0.12 * where.u * where.u
        lines = torch.maximum(lines, cover(where, curve.abs_() - 0.014))
    canvas.paint(where, lines.mul_(ramp(where.a, 0.34, 0.22)) * (0.9 * strength), g.dark, "wrinkles")


def _frown(canvas: Canvas, who: Tensor, g: Head, strength: Tensor, pink: Tensor) -> None:
    where = canvas.window(0.08, -0.34, -0.10, who)  # between the brows
    upright = cover(where, (where.a - 0.035).abs_() - 0.010) * ramp((where.v + 0.22).abs_(), 0.09, 0.06)
    canvas.paint(where, upright * (0.8 * strength), g.dark, "frown")


def _nose_lines(canvas: Canvas, who: Tensor, g: Head, strength: Tensor, pink: Tensor) -> None:
    where = canvas.window(0.10, -0.12, 0.0, who)
    across = cover(where, ((where.v + 0.06).abs_() - 0.025).abs_() - 0.009) * ramp(where.a, 0.075, 0.05)
    canvas.paint(where, across * (0.8 * strength), g.dark, "nose lines")


def _folds(canvas: Canvas, who: Tensor, g: Head, strength: Tensor, pink: Tensor) -> None:
    where = canvas.window(0.40, 0.16, 0.62, who)  # from the nose to the corners of the mouth
    run = 0.155 + (where.v - 0.22) * 0.42
    fold = cover(where, (where.a - run).abs_() - 0.011) * ramp((where.v - 0.36).abs_(), 0.17, 0.10)
    canvas.paint(where, fold * (0.8 * strength), g.dark, "folds")


def _bags(canvas: Canvas, who: Tensor, g: Head, strength: Tensor, pink: Tensor) -> None:
    where = canvas.window(0.44, 0.0, 0.20, who)  # under the eyes
    t = (where.a - 0.25) / 0.15
    arc = (where.v - 0.085 - 0.055 * (1 - t * t)).abs_()
    canvas.paint(where, cover(where, arc - 0.014) * ramp(t.abs_(), 1.0, 0.75) * (0.85 * strength), g.dark, "bags")
    swelling = blob(where.a - 0.25, where.v - 0.095, 0.14, 0.055) * (0.45 * strength)
    canvas.paint(where, swelling, g.dark, "bags")


def _crow(canvas: Canvas, who: Tensor, g: Head, strength: Tensor, pink: Tensor) -> None:
    where = canvas.window(0.54, -0.12, 0.06, who)  # beside the eyes
    feet = (where.a - 0.47).clamp(min=0)
    lines = cover(where, ((where.v + 0.03).abs_() - 0.030 - feet * 0.45).abs_() - 0.009)
    canvas.paint(where, lines * ramp((where.a - 0.46).abs_(), 0.05, 0.03) * (0.75 * strength), g.dark, "crow's feet")


def _double_chin(canvas: Canvas, who: Tensor, g: Head, strength: Tensor, pink: Tensor) -> None:
    where = canvas.window(0.40, 0.66, 1.10, who)
    rise = where.v - g.chin
    roll = blob(where.u, rise - 0.03, 0.34, 0.12) * strength
    canvas.paint(where, roll.clamp_(max=0.8), g.skin * 0.95, "double chin")
    line = cover(where, (rise - 0.075 + 0.5 * where.u * where.u).abs_() - 0.015) * ramp(where.a, 0.34, 0.20)
    canvas.paint(where, line * (0.9 * strength), g.dark, "double chin")


def _chin(canvas: Canvas, who: Tensor, g: Head, strength: Tensor, pink: Tensor) -> None:
    where = canvas.window(0.14, 0.56, 0.84, who)
    dimple = (where.v - g.chin + 0.13 - 0.8 * where.u * where.u).abs_()
    line = cover(where, dimple - 0.011) * ramp(where.a, 0.12, 0.07)
    canvas.paint(where, line * (0.8 * strength), g.dark, "chin raiser")

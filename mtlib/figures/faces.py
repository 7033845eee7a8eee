"""Figures of the drawn faces: who they are, what is known of them, and how like CelebA's labels they are."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from mtlib.faces.draw import Faces
from mtlib.faces.names import ACTION_UNITS, ATTRIBUTES, EXPRESSIONS, POINTS_5
from mtlib.faces.report import Report
from mtlib.figures import BLACK, BLUE, GREY, ORANGE, Drawing, new


def tiled(images: Tensor, columns: int, gap: int = 2) -> Tensor:
    """Images (n, 3, h, w) side by side as one (3, H, W), ``gap`` white pixels between them."""
    n, _, high, wide = images.shape
    rows = -(-n // columns)
    sheet = torch.full((3, rows * (high + gap) - gap, columns * (wide + gap) - gap), 255, dtype=torch.uint8)
    for k, image in enumerate(images.cpu()):
        top, left = (k // columns) * (high + gap), (k % columns) * (wide + gap)
        sheet[:, top : top + high, left : left + wide] = image
    return sheet


def picture(ax: Axes, image: Tensor) -> Axes:
    """One image (3, h, w) uint8, without axes, no pixel smoothed."""
    ax.imshow(image.permute(1, 2, 0).cpu().numpy(), interpolation="nearest")
    ax.set_axis_off()
    return ax


def contact_sheet(faces: Faces, columns: int = 12) -> Drawing:
    """All faces, small, side by side."""
    sheet = tiled(faces.images, columns)
    figure = new(10, 10 * sheet.shape[1] / sheet.shape[2])
    picture(figure.subplots(), sheet)
    people = len(faces.identity.unique())
    return Drawing(
        "contact-sheet",
        figure,
        {"images": faces.images, "skin tone": faces.skin_tone},
        f"A contact sheet of {len(faces.images)} drawn faces of {faces.size} pixels, with all skin tones, ages, "
        "hair styles and accessories mixed: simple drawings in flat colours, clearly no photographs.",
        f"{people} people, every one drawn from a number: nobody's photograph is behind them.",
        photo=True,
    )


def switched(off: Sequence[Tensor], on: Sequence[Tensor], names: Sequence[str], columns: int = 8) -> Drawing:
    """One face without and with each attribute, in pairs.

    Args:
        off, on: images (3, h, w) with the attribute set to 0 and to 1.  names: the attributes.
        columns: pairs beside each other.
    """
    rows = -(-len(names) // columns)
    figure = new(12, (6 / columns + 0.27) * rows + 0.1)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, without, with_, name in zip(axes.flat, off, on, names, strict=False):
        picture(ax, tiled(torch.stack([without, with_]), 2))
        ax.set_title(name.replace("_", " "), fontsize=9, loc="center", pad=2)
    change = [(b.float() - a.float()).abs().mean().item() for a, b in zip(off, on, strict=True)]
    nothing = [name for name, value in zip(names, change, strict=True) if value == 0]
    seen = "Glasses, hat, beard and hair colour show at once; lips, nose and cheekbones change a little."
    told = f"{' and '.join(nothing)} changes no pixel: it is an opinion." if nothing else "All of them change pixels."
    return Drawing(
        "attributes-off-and-on",
        figure,
        {"mean change (grey levels)": change},
        f"One face in {len(names)} pairs of pictures: without an attribute on the left, with it on the right, all "
        f"else as it was. {seen if len(names) > columns else ', '.join(names).replace('_', ' ') + '.'}",
        f"Each attribute can be switched alone. {told}",
        photo=True,
    )


def annotated(faces: Faces, masks: Mapping[str, Tensor]) -> Drawing:
    """The landmarks of the first face, and the masks (h, w) of some attributes on it.

    Args:
        masks: {attribute: (h, w) bool}.
    """
    figure = new(12, 5)
    panels = figure.subplot_mosaic(
        [["points", *list(masks)[:3]], ["points", *list(masks)[3:6]]], width_ratios=[2, 1, 1, 1]
    )
    points, image = faces.landmarks[0].cpu(), faces.images[0]
    ax = picture(panels["points"], image)
    ax.scatter(*points.T, s=16, color="white", edgecolors=BLACK, linewidths=0.8)
    five = points[list(POINTS_5)]
    ax.scatter(*five.T, s=60, marker="s", facecolors="none", edgecolors=ORANGE, linewidths=2)
    ax.set_title(f"{len(points)} landmarks; squares: CelebA's five", loc="center")
    for name, mask in masks.items():
        ax = picture(panels[name], image)
        shade = np.zeros((*mask.shape, 4))
        shade[~mask.cpu().numpy()] = (1, 1, 1, 0.72)
        ax.imshow(shade, interpolation="nearest")
        ax.contour(mask.float().cpu().numpy(), levels=[0.5], colors=BLACK, linewidths=0.8)
        ax.set_title(name.replace("_", " "), loc="center", fontsize=11)
    share = {name: mask.float().mean().item() for name, mask in masks.items()}
    smallest = min(share, key=share.get)
    return Drawing(
        "landmarks-and-masks",
        figure,
        {"landmarks": points, "share of the picture": list(share.values())},
        "A drawn face with 72 points along jaw, brows, nose, eyes, lips and ear lobes, and six copies in which all but "
        f"the pixels of one attribute are faded: {', '.join(masks)}.",
        f"The pixels behind a label are known; {smallest.replace('_', ' ')} has {100 * share[smallest]:.1f} % of them.",
        photo=True,
    )


def expressions(faces: Sequence[Faces]) -> Drawing:
    """The same people through the seven expressions.

    Args:
        faces: one Faces per expression, of the same people.
    """
    people = len(faces[0].images)
    figure = new(12, 1.75 * people + 0.9)
    axes = figure.subplots(people, len(EXPRESSIONS), squeeze=False)
    for column, (drawn, name) in enumerate(zip(faces, EXPRESSIONS, strict=True)):
        for row in range(people):
            ax = picture(axes[row, column], drawn.images[row])
            units = [str(unit) for unit, on in zip(ACTION_UNITS, drawn.action_units[row], strict=True) if on]
            ax.text(
                0.5,
                -0.02,
                "AU " + " ".join(units) if units else "no AU",
                transform=ax.transAxes,
                ha="center",
                va="top",
                fontsize=9,
            )
        axes[0, column].set_title(name, loc="center")
    active = torch.stack([drawn.action_units.float().mean(0) for drawn in faces])
    return Drawing(
        "expressions",
        figure,
        {"share of active units": active},
        f"{people} people in seven columns, neutral to disgust; under each picture the numbers of its active action "
        f"units.",
        "An expression is a cause of action units, and they move brows, eyes and mouth; no two people show it alike.",
        photo=True,
    )


def likeness(report: Report) -> Drawing:
    """CelebA's statistics against the drawn ones: shares, correlations, and what stays with a person."""
    figure = new(12, 4.3)
    panels = (
        ("share of faces", report.share, (0, 1), 0.015),
        ("correlation of two labels", report.correlation, (-1, 1), 0.03),
        ("share of variance between identities", report.between, (0, 1), 0.10),
    )
    for ax, (name, (celeba, drawn), limits, band) in zip(figure.subplots(1, 3), panels, strict=True):
        ax.plot(limits, limits, color=BLACK, lw=1)
        ax.fill_between(limits, np.subtract(limits, band), np.add(limits, band), color=GREY, alpha=0.35, lw=0)
        ax.plot(celeba, drawn, "o", ms=4, color=BLUE, alpha=0.6, mec="none")
        ax.set(xlim=limits, ylim=limits, aspect="equal", xlabel="CelebA train", ylabel="drawn", title=name)
    worst = 100 * np.abs(report.share[1] - report.share[0]).max()
    error = np.sqrt(((report.correlation[1] - report.correlation[0]) ** 2).mean())
    near = int((np.abs(report.between[1] - report.between[0]) <= 0.10).sum())
    return Drawing(
        "likeness",
        figure,
        {"share": report.share, "correlation": report.correlation, "between": report.between},
        "Three scatter plots of drawn faces against CelebA's training labels, all near the diagonal: how often each "
        "of 40 attributes occurs, how each of 780 pairs correlates, how much of each label stays with a person. Grey "
        "bands: ± 0.015, ± 0.03 and ± 0.10.",
        f"Labels follow CelebA: shares within {worst:.1f} points, correlations within {error:.3f} (root mean square), "
        f"{near} of 40 identity shares within 0.10.",
    )


def graphs(partial: Tensor, pixels: Tensor, order: Sequence[int]) -> Drawing:
    """Both graphs in one matrix: below the diagonal who depends on whom, above it who shares pixels.

    Args:
        partial: (40, 40) partial correlations of the appearances.  pixels: (40, 40) bool.
        order: of the attributes, relatives side by side.
    """
    names = [ATTRIBUTES[k].replace("_", " ") for k in order]
    partial, pixels = partial[order][:, order].numpy(), pixels[order][:, order].numpy()
    figure = new(11, 9.6)
    ax = figure.subplots()
    row, column = np.nonzero(np.tril(partial))
    value = partial[row, column]
    shown = ax.scatter(
        column, row, s=70, c=value, cmap="PuOr_r", vmin=-0.8, vmax=0.8, marker="s", edgecolors=BLACK, lw=0.4
    )
    row, column = np.nonzero(np.triu(pixels))
    ax.scatter(column, row, s=26, color=GREY, marker="o")
    ax.plot([-0.5, 39.5], [-0.5, 39.5], color=BLACK, lw=1)
    ax.set(xlim=(-0.5, 39.5), ylim=(39.5, -0.5), xticks=range(40), yticks=range(40))
    ax.set_xticklabels(names, rotation=90, fontsize=9)
    ax.set_yticklabels(names, fontsize=9)
    ax.tick_params(length=0)
    ax.grid(color="#EEEEEE", lw=0.6)
    ax.set_axisbelow(True)
    ax.set_title("below: depend on each other (squares)      above: share pixels (dots)", loc="center", fontsize=13)
    figure.colorbar(shown, ax=ax, shrink=0.5, label="partial correlation of the appearances")
    edges, common = int((partial != 0).sum()) // 2, int(pixels.sum()) // 2
    both = int((pixels & (partial != 0)).sum()) // 2
    return Drawing(
        "two-graphs",
        figure,
        {"partial": partial, "pixels": pixels},
        "A 40 by 40 matrix of attributes. Below the diagonal coloured squares mark the pairs whose appearances "
        "depend on each "
        "other given all others; above it grey dots mark the pairs that draw on the same pixels.",
        f"Two different truths: {edges} pairs depend on each other, {common} share pixels, {both} do both.",
    )


def learned(found: Mapping[str, Mapping[str, Sequence[float]]], bound: Mapping[str, float], stamp: str) -> Drawing:
    """Accuracy of every attribute beside the best that is possible.

    Args:
        found: {"network" | "linear" | "majority": {attribute: test accuracy (per cent) of every seed}}.
        bound: {attribute: per cent}.  stamp: what the runs were.
    """
    mean = {model: {name: float(np.mean(values)) for name, values in by.items()} for model, by in found.items()}
    order = sorted(bound, key=lambda name: mean["network"][name] - bound[name])
    figure = new(12, 6.6)
    for ax, names in zip(figure.subplots(1, 2), (order[:20], order[20:]), strict=True):
        y = np.arange(len(names))
        ax.hlines(y, [mean["majority"][n] for n in names], [bound[n] for n in names], color="#DDDDDD", lw=6)
        ax.plot([bound[n] for n in names], y, "|", ms=16, mew=2.5, color=BLACK, label="bound")
        ax.plot([mean["network"][n] for n in names], y, "o", ms=7, color=BLUE, label="small network")
        ax.plot([mean["linear"][n] for n in names], y, "x", ms=7, mew=2, color=ORANGE, label="linear probe on pixels")
        ax.plot([mean["majority"][n] for n in names], y, "s", ms=5, mfc="none", color=GREY, label="commoner label")
        ax.set_yticks(y, [n.replace("_", " ") for n in names], fontsize=10)
        ax.set(ylim=(len(names) - 0.4, -0.6), xlim=(48, 101), xlabel="test accuracy (%)")
    figure.suptitle(stamp, fontsize=12)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    far, near = order[0], order[-1]
    return Drawing(
        "what-can-be-learned",
        figure,
        {"bound": [bound[n] for n in ATTRIBUTES]} | {m: [mean[m][n] for n in ATTRIBUTES] for m in mean},
        "For each of 40 attributes a row with four marks on an accuracy scale: the commoner label at the left, a "
        "linear probe "
        "on pixels, a small network, and the bound at the right. The network's rows are sorted by how far it stays "
        "below.",
        f"The network is closest to the bound on {near.replace('_', ' ')} and furthest below it on "
        f"{far.replace('_', ' ')}.",
        trained={"network": 4.0, "linear": 4.0},
    )

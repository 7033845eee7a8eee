"""The figures of notebook 04b: relations of people and attributes, soft labels, Tables 4 and 5 in shape, yeast."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from mtlib.figures import BLACK, BLUE, GREEN, GREY, ORANGE, RED, Drawing, dots, new

BLOCKS = ("classes", "attributes")
POINTS = 6.0  # that a mean of few short runs may move between machines
LOOK = {"classes": (BLUE, "o"), "attributes": (RED, "s")}

Samples = Mapping[str, Sequence[float]]  # {row: points, one per seed}
Both = Mapping[str, Mapping[str, Sequence[float]]]  # {row: {block: points, one per seed}}


def relations(plain: ndarray, smooth: ndarray, attributes: Sequence[str], examples: Sequence[int]) -> Drawing:
    """p(attribute | class) as counted and with Laplace's rule, side by side; entries of exactly 0 are marked.

    Args:
        plain, smooth: (K, M) tables.  attributes: M names.  examples: (K,) of each class, that were counted.
    """
    order = np.argsort(plain.mean(0))[::-1]
    figure = new(12, 6.4)
    panels = figure.subplots(1, 2, sharey=True)
    zeros = plain == 0
    image = None
    for ax, table, title in (
        (panels[0], plain, "as printed: counts alone"),
        (panels[1], smooth, "with Laplace's rule"),
    ):
        image = ax.imshow(table[:, order], vmin=0, vmax=1, cmap="cividis", aspect="auto", interpolation="nearest")
        ax.set(title=title, xlabel="attributes, common ones first")
        ax.set_xticks([0, len(order) - 1], [attributes[order[0]], attributes[order[-1]]], fontsize=10)
        ax.get_xticklabels()[0].set_ha("left")
        ax.get_xticklabels()[1].set_ha("right")
    rows, columns = np.nonzero(zeros[:, order])
    panels[0].plot(columns, rows, ".", color="white", ms=2.5)
    panels[0].set_ylabel("class")
    figure.colorbar(image, ax=list(panels), label="p(attribute | class)", shrink=0.8)
    share = 100 * zeros.mean()
    return Drawing(
        "relations",
        figure,
        {"zeros (%)": [share], "smallest": [smooth.min()], "means": smooth[:, order].mean(0)},
        f"Two heat maps of {plain.shape[0]} classes by {plain.shape[1]} attributes: relations counted from training "
        "labels, and the same with Laplace's rule; white dots mark entries of exactly 0 in the first.",
        f"Counted from {min(examples)} to {max(examples)} training examples of a class, {share:.0f} % of the entries "
        f"are exactly 0, where Eq. (3) takes a logarithm; with Laplace's rule the smallest is {smooth.min():.3f}.",
    )


def soft_labels(temperatures: Sequence[float], found: Mapping[str, Mapping[str, Sequence[float]]], k: int) -> Drawing:
    """What soft labels of K classes are worth over the temperature of Eq. (5).

    Args:
        temperatures: rising.  found: {"indicators": {"own", "largest", "first": one per temperature}, "Bayes": the
            same of one value}: mean probability of the right class, mean largest one, share of examples (0 to 1) whose
            largest is right.  k: classes.
    """
    figure = new(12, 4.6)
    left, right = figure.subplots(1, 2)
    own, bayes = found["indicators"], found["Bayes"]
    for name, colour, marker, style in (
        ("largest", ORANGE, "D", "--"),
        ("own", BLUE, "o", "-"),
    ):
        title = {"own": "of the right class", "largest": "largest"}[name]
        left.plot(temperatures, own[name], color=colour, marker=marker, ls=style, lw=2.2, ms=7, label=title)
    left.axhline(1 / k, color=GREY, lw=1.5, ls=":", label=f"uniform, 1/{k}")
    left.set(ylabel="mean soft probability", title="Eqs. (4), (5): how flat")
    left.legend()
    right.plot(temperatures, [100 * each for each in own["first"]], color=BLUE, marker="o", lw=2.2, ms=7)
    right.axhline(100 * bayes["first"][0], color=GREEN, lw=2, ls="-.", label="Bayes' rule, same table")
    right.axhline(100 / k, color=GREY, lw=1.5, ls=":", label="chance")
    right.set(ylabel="right class is the largest (%)", title="how often right")
    right.set_ylim(0, None)
    right.legend()
    for ax in (left, right):
        ax.set(xscale="log", xlabel="temperature (logarithmic; 1 is printed)")
        ax.grid(alpha=0.3)
    one = list(temperatures).index(1.0)
    return Drawing(
        "soft-labels",
        figure,
        {**{name: list(values) for name, values in own.items()}, "Bayes": [bayes[name][0] for name in own]},
        f"Two panels over the temperature: mean largest soft probability and that of the right one of {k} classes, "
        "and how often the right class is the largest, with Bayes' rule and chance as lines.",
        f"At the printed temperature the right class has {own['own'][one]:.4f} on average, uniform would be "
        f"{1 / k:.4f}. The largest is right for {100 * own['first'][one]:.0f} % of the examples at any temperature, by "
        f"Bayes' rule with the same table for {100 * bayes['first'][0]:.0f} %.",
    )


def table4(
    ours: Mapping[str, Both], printed: Mapping[str, Mapping[str, Mapping[str, float]]], stamp: str = ""
) -> Drawing:
    """What coupling and sharing change, networks by rows: ours and CelebA's printed effects in panels of their own.

    Args:
        ours: {step: {network: {block: points, one per seed}}}.  printed: {step: {network: {block: points}}}.
        stamp: how large the evidence is.

    Raises:
        ValueError: nothing to draw.
    """
    lines = {f"{network}: {step}": both for step, own in ours.items() for network, both in own.items()}
    theirs = {f"{network}: {step}": both for step, own in printed.items() for network, both in own.items()}
    figure = _four(lines, theirs, f"{stamp or 'ours'}, drawn faces", "CelebA as printed")
    means = {block: [float(np.mean(own[block])) for own in lines.values()] for block in BLOCKS}
    told = {}
    for block in BLOCKS:
        for step, own in ours.items():
            more, less = dots.beyond(each[block] for each in own.values())
            told[block, step] = f"{step} {more} clearly up and {less} clearly down"
    return Drawing(
        "table-4",
        figure,
        means,
        "Four panels, classes above and attributes below: at the left our differences with 95 % intervals, a line per "
        "network and comparison, at the right the differences that the paper prints of CelebA, axes of their own.",
        f"{f'{stamp}: ' if stamp else ''}of {len(next(iter(ours.values())))} networks (95 % intervals): "
        + "; ".join(f"{block}, " + " and ".join(told[block, step] for step in ours) for block in BLOCKS)
        + ".",
        trained=dict.fromkeys(BLOCKS, POINTS),
    )


def _four(lines: Both, printed: Mapping[str, Mapping[str, float]], ours_are: str, theirs_are: str) -> Figure:
    """Classes above, attributes below; ours at the left, printed ones at the right, on axes of their own.

    Raises:
        ValueError: nothing to draw.
    """
    if not lines:
        raise ValueError("there is no difference to draw")
    figure = new(12.5, 2.6 + 0.9 * len(lines))
    panels = figure.subplots(2, 2, sharey=True, width_ratios=(3, 2))
    for block, (left, right) in zip(BLOCKS, panels, strict=True):
        _rows(left, [own[block] for own in lines.values()], *LOOK[block])
        known = {at: printed[name][block] for at, name in enumerate(lines) if name in printed}
        right.set_xlim(*dots.limits([[value] for value in known.values()], 0.0))
        right.plot(list(known.values()), list(known), "D", color=ORANGE, ms=9, mec=BLACK, ls="none")
        for ax, title in ((left, f"{block}: {ours_are}"), (right, f"{block}: {theirs_are}")):
            ax.axvline(0, color=BLACK, lw=1)
            ax.set(title=title)
            ax.grid(axis="x", alpha=0.3)
            ax.tick_params(axis="y", length=0)
        left.set_yticks(range(len(lines)), list(lines))
        left.set_ylim(len(lines) - 0.4, -0.6)
    for ax in panels[1]:
        ax.set_xlabel("difference of accuracy (points)")
    dots.key(figure, colour=BLUE)
    return figure


def _rows(ax: Axes, rows: Sequence[Sequence[float]], colour: str, marker: str) -> None:
    ax.set_xlim(*dots.limits(rows, 0.0))
    for at, values in enumerate(rows):
        dots.spread(ax, at, values, colour, marker)


def table5(ours: Both, printed: Mapping[str, Mapping[str, float]], stamp: str = "") -> Drawing:
    """What other methods and a stronger network gain over single-task networks, beside Table 5 of CUB.

    Args:
        ours: {method: {block: points, one per seed}}.  printed: {method: {block: points}}.
        stamp: how large the evidence is.

    Raises:
        ValueError: nothing to draw.
    """
    figure = _four(ours, printed, f"{stamp or 'ours'}, drawn faces", "CUB as printed")
    means = {block: [float(np.mean(own[block])) for own in ours.values()] for block in BLOCKS}
    hurt = [name for name, *both in zip(ours, *means.values(), strict=True) if min(both) < 0]
    return Drawing(
        "table-5",
        figure,
        means,
        f"Four panels, classes above and attributes below: gain over single-task networks of {', '.join(ours)}, ours "
        "with 95 % intervals on drawn faces at the left, as printed of CUB at the right, axes of their own.",
        f"{f'{stamp}: ' if stamp else ''}below single-task networks in classes or attributes, on average: "
        f"{', '.join(hurt) if hurt else 'none'}.",
        trained=dict.fromkeys(BLOCKS, POINTS),
    )


def yeast(ours: Both, stamp: str = "") -> Drawing:
    """Differences to a network without coupling on yeast, classes and attributes side by side.

    Args:
        ours: {row: {block: points, one per seed}}.  stamp: how large the evidence is.

    Raises:
        ValueError: nothing to draw.
    """
    if not ours:
        raise ValueError("there is no difference to draw")
    figure = new(12.5, 1.9 + 0.55 * len(ours))
    panels = figure.subplots(1, 2, sharey=True)
    for block, ax in zip(BLOCKS, panels, strict=True):
        _rows(ax, [own[block] for own in ours.values()], *LOOK[block])
        ax.axvline(0, color=BLACK, lw=1)
        ax.set(title=f"{block}", xlabel="difference to no coupling (points)")
        ax.grid(axis="x", alpha=0.3)
        ax.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(ours)), list(ours))
    panels[0].set_ylim(len(ours) - 0.4, -0.6)
    dots.key(figure, colour=BLUE)
    told = [f"{row} {np.mean(own['classes']):+.1f}" for row, own in ours.items()]
    return Drawing(
        "yeast",
        figure,
        {block: [float(np.mean(own[block])) for own in ours.values()] for block in BLOCKS},
        f"Two panels of differences to a network without coupling on yeast, classes and attributes, with 95 % "
        f"intervals: {', '.join(ours)}.",
        f"{f'{stamp}: ' if stamp else ''}accuracy of classes against no coupling, points: {'; '.join(told)}.",
        trained=dict.fromkeys(BLOCKS, POINTS),
    )

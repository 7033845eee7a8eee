"""Tables 1 and 2 of task structure as printed, and the same comparison on drawn faces, on an axis of its own."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlib.figures import BLACK, BLUE, GREY, ORANGE, RED, Drawing, new
from mtlib.figures.dots import Values, beyond, counted, key, known, limits, spread

DATA = {"CelebA": (BLUE, "o"), "LFWA": (ORANGE, "D")}
WITH, WITHOUT = "prior", "without_prior"  # columns of the printed tables
NAMES = {WITH: "with prior knowledge", WITHOUT: "without prior knowledge"}


def printed(table1: pd.DataFrame, table2: pd.DataFrame, ours: Mapping[str, Values], stamp: str) -> Drawing:
    """Is it the prior? Per attribute as printed, among other methods as printed, and on drawn faces.

    Args:
        table1, table2: data/papers/mtfap_table1_celeba.csv and mtfap_table2_lfwa.csv.
        ours: {comparison: [points of every seed, None or NaN where missing]}, the first "known groups minus ...".
        stamp: what our runs were.

    Raises:
        ValueError: tables that differ in their attributes or lack one of the paper's two columns.
    """
    plain = {name.replace("\n", " "): each for name, each in ours.items()}  # a name may be broken into lines
    tables = dict(zip(DATA, (table1, table2), strict=True))
    for name, table in tables.items():
        if missing := {"attribute", WITH, WITHOUT} - set(table.columns):
            raise ValueError(f"printed: the table of {name} lacks {sorted(missing)}")
    if list(table1["attribute"]) != list(table2["attribute"]):
        raise ValueError("printed: both tables must hold the same attributes in the same order")
    gains = {name: table[WITH] - table[WITHOUT] for name, table in tables.items()}
    means = {name: table.drop(columns=["idx", "attribute"], errors="ignore").mean() for name, table in tables.items()}
    figure = new(13.5, 0.225 * len(table1) + 1.6)
    panels = figure.subplot_mosaic([["cells", "means"], ["cells", "ours"]], width_ratios=(1.15, 1),
                                   height_ratios=(2.2, max(1.0, 0.4 * len(ours))))  # fmt: skip
    _cells(panels["cells"], table1["attribute"], gains)
    _means(panels["means"], means)
    _ours(panels["ours"], ours)
    _legend(figure, panels["cells"])
    wins, cells = sum(int((gain > 0).sum()) for gain in gains.values()), sum(map(len, gains.values()))
    lacking = {
        name: [m for m in mean.index if m not in NAMES and mean[m] > mean[WITHOUT]] for name, mean in means.items()
    }
    beaten = "; ".join(f"without it {_beaten(name, others)}" for name, others in lacking.items())
    return Drawing(
        "prior-knowledge",
        figure,
        {f"gain, {name}": gain.to_numpy() for name, gain in gains.items()}
        | {f"means, {name}": mean.to_numpy() for name, mean in means.items()}
        | {"ours": [sum(v) / len(v) for v in map(known, ours.values()) if v]},
        "Left, as printed: for each attribute the points that prior knowledge adds, on CelebA (circles) and LFWA "
        f"(diamonds), all right of zero where it helps. Top right, as printed: every method's mean accuracy on both. "
        f"Bottom right, ours, on an axis of its own: {', '.join(plain)}.",
        f"As printed, the prior wins on {wins} of {cells} cells, by {gains['CelebA'].mean():.2f} points on CelebA and "
        f"{gains['LFWA'].mean():.2f} on LFWA; {beaten}. {stamp}: {_verdict(plain)}.",
        trained={"ours": 3.0},
    )


def _cells(ax: Axes, attributes: pd.Series, gains: Mapping[str, pd.Series]) -> None:
    order = (sum(gains.values()) / len(gains)).sort_values(ascending=False, kind="stable").index
    rows = range(len(order))
    both = pd.concat(gains.values(), axis=1).loc[order]
    ax.hlines(rows, both.min(axis=1), both.max(axis=1), color="#C8C8C8", lw=2, zorder=1)
    for name, gain in gains.items():
        colour, marker = DATA[name]
        ax.plot(gain[order], rows, marker, color=colour, mec=BLACK, mew=0.6, ms=7, ls="none")
        ax.axvline(gain.mean(), color=colour, lw=1.5, ls="--" if name == "CelebA" else ":", zorder=0.5)
    ax.axvline(0, color=BLACK, lw=1.2)
    ax.set_yticks(rows, attributes[order], fontsize=10)
    ax.set(ylim=(len(order) - 0.3, -0.7), xlabel="points that the prior adds (dashed, dotted: means)")
    ax.set_title("as printed: with minus without the prior")
    ax.grid(axis="x", alpha=0.3)


def _means(ax: Axes, means: Mapping[str, pd.Series]) -> None:
    methods = means["CelebA"].sort_values(ascending=False).index
    for name, mean in means.items():
        colour, marker = DATA[name]
        there = [method for method in methods if method in mean.index]
        at = [list(methods).index(method) for method in there]
        ax.plot(mean[there], at, marker, color=colour, mec=BLACK, mew=0.6, ms=8, ls="none")
    ax.set_yticks(range(len(methods)), [NAMES.get(method, method) for method in methods], fontsize=11)
    for label, method in zip(ax.get_yticklabels(), methods, strict=True):
        if method in NAMES:
            label.set_fontweight("bold")
            ax.axhspan(*(list(methods).index(method) + side for side in (-0.5, 0.5)), color=GREY, alpha=0.2, lw=0)
    ax.set(ylim=(len(methods) - 0.4, -0.6), xlabel="mean accuracy over 40 attributes (%)")
    ax.set_title("as printed: all methods (bold: this paper)")
    ax.grid(axis="x", alpha=0.3)


def _ours(ax: Axes, ours: Mapping[str, Values]) -> None:
    values = {name: known(each) for name, each in ours.items()}
    ax.set_xlim(limits(values.values(), 0))
    ax.axvline(0, color=BLACK, lw=1.2)
    for y, each in enumerate(values.values()):
        spread(ax, y, each, RED)
    ax.set_yticks(range(len(values)), list(values))
    ax.set(ylim=(len(values) - 0.4, -0.6), xlabel="points of mean accuracy")
    ax.set_title(f"drawn faces, ours, {counted(values.values())}")
    ax.grid(axis="x", alpha=0.3)


def _legend(figure: Figure, ax: Axes) -> None:
    first = {f"{name}, as printed": ax.plot([], [], marker, color=colour, mec=BLACK, ms=8)[0]
             for name, (colour, marker) in DATA.items()}  # fmt: skip
    key(figure, first, RED)


def _beaten(name: str, others: Sequence[str]) -> str:
    return (
        f"the mean on {name} is below {', '.join(others)}"
        if others
        else f"the mean on {name} is the highest but for the prior's"
    )


def _verdict(ours: Mapping[str, Values]) -> str:
    parts = []
    for name, each in ours.items():
        if values := known(each):
            above, below = beyond([values])
            clear = "above zero" if above else "below zero" if below else "not clearly off zero"
            parts.append(f"{name} {sum(values) / len(values):+.2f} points, {clear}")
    return "; ".join(parts) or "nothing was run"

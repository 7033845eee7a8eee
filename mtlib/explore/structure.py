"""The explorer of notebook 02: a graph learned live from distances between predictors, and how much of it is true."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy import ndarray

from mtlib.explore import Explorer
from mtlib.figures import BLACK, GREY, Drawing, new
from mtlib.figures.circle import RIGHT, WRONG, angles, checked, marks, names_around, pairs, relatives, ring
from mtlib.structure import prune, trace_frobenius
from mtlib.structure.clusters import BETAS


def edges(z: object, names: Sequence[str], truth: object, betas: Sequence[float] = BETAS) -> Explorer:
    """Choose beta: which edges are learned, and how many of them are true?

    Args:
        z: (n, n) squared distances between predictors, three tasks or more.
        names: of the n tasks.
        truth: (n, n) bool, which pairs are related.
        betas: the slider's values, from an edge or two to all; shown with three digits.

    Raises:
        ValueError: matrices that are not (n, n) and finite, fewer than three tasks, or no betas.
    """
    n = len(names)
    z = checked(z, "squared distances", n)
    true = checked(truth, "truth", n).astype(bool)
    betas = tuple(dict.fromkeys(float(f"{beta:.3g}") for beta in sorted(betas)))
    if n < 3 or not betas:
        raise ValueError(f"edges: three tasks or more and one beta or more, got {n} and {len(betas)}")
    order = relatives(z)

    @cache
    def learned(beta: float) -> ndarray:
        return prune(trace_frobenius(torch.from_numpy(z), beta).graph).numpy()

    def draw(beta: float) -> Drawing:
        return _edges([learned(each) for each in betas], betas, betas.index(beta), names, true, order)

    return Explorer(
        "Is there a β at which more edges are right than wrong? What do you gain by a larger one, and what do you pay?",
        {"beta": betas},
        {"beta": betas[len(betas) // 2]},
        draw,
        {"beta": "β, weight of ‖L‖²"},
    )


def _edges(
    graphs: Sequence[ndarray], betas: Sequence[float], k: int, names: Sequence[str], true: ndarray, order: Sequence[int]
) -> Drawing:
    wanted = pairs(true)
    right = np.array([int((wanted & (pairs(graph) > 0)).sum()) for graph in graphs])
    wrong = np.array([int((pairs(graph) > 0).sum()) for graph in graphs]) - right
    chance = float(wanted.mean())
    figure = new(13, 7)
    panels = figure.subplot_mosaic([["ring", "counts"], ["ring", "share"]], width_ratios=(1.35, 1))
    at = angles([0] * len(names), order)
    ring(panels["ring"], graphs[k], at, true, [0] * len(names), 7)
    names_around(panels["ring"], names, at, 10, ~(graphs[k] > 0).any(1))
    panels["ring"].set(xlim=(-1.7, 1.7), ylim=(-1.62, 1.62))
    _counts(panels["counts"], betas, right, wrong, k)
    _shares(panels["share"], betas, right, wrong, k, chance)
    lines, texts = marks("true edge", "wrong edge")
    figure.legend(lines, texts, loc="outside lower center", ncols=2, handlelength=3.5)
    total = right[k] + wrong[k]
    share = 100 * right[k] / total if total else 0.0
    return Drawing(
        "explore-edges",
        figure,
        {"true edges": right, "wrong edges": wrong, "beta": [betas[k]]},
        f"Left, a circle of {len(names)} tasks and the edges of the graph learned at beta {betas[k]:g}: solid blue are "
        "true, dashed red wrong. Right, over beta, with a vertical line at this one: how many edges of either kind, "
        "and which share is true; dotted is chance.",
        f"β = {betas[k]:g}: {total} edges, {right[k]} of them true ({share:.0f} %; chance {100 * chance:.0f} %), which "
        f"are {right[k]} of all {int(wanted.sum())} true ones.",
        trained={"true edges": 60.0, "wrong edges": 150.0},
    )


def _counts(ax: Axes, betas: Sequence[float], right: ndarray, wrong: ndarray, k: int) -> None:
    for count, (colour, line), marker in ((right, RIGHT, "o"), (wrong, WRONG, "s")):
        ax.plot(betas, count, color=colour, ls=line, lw=2, marker=marker, ms=4)
        ax.plot(betas[k], count[k], marker, color=colour, ms=10, mec=BLACK, zorder=3)
    ax.axvline(betas[k], color=GREY, lw=1.5)
    ax.set(xscale="log", ylabel="edges", title=f"β = {betas[k]:g}: {right[k]} true, {wrong[k]} wrong")
    ax.set_yscale("symlog", linthresh=1)
    ax.set_ylim(-0.15, None)
    ticks = [0, 1, 3, 10, 30, 100, 300, 1000]
    shown = [tick for tick in ticks if tick <= 1.5 * max(right.max(), wrong.max(), 3)]
    ax.set_yticks(shown, map(str, shown))
    ax.set_yticks([], minor=True)
    ax.grid(alpha=0.3)


def _shares(ax: Axes, betas: Sequence[float], right: ndarray, wrong: ndarray, k: int, chance: float) -> None:
    total = np.maximum(right + wrong, 1)
    ax.plot(betas, 100 * right / total, color=BLACK, lw=2, marker="o", ms=4)
    ax.plot(betas[k], 100 * right[k] / total[k], "o", color=BLACK, ms=10)
    ax.axvline(betas[k], color=GREY, lw=1.5)
    for height, line, text in ((50, "--", "half"), (100 * chance, ":", "chance")):
        ax.axhline(height, color=GREY, ls=line, lw=2)
        ax.annotate(text, (1, height), (-3, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
                    ha="right")  # fmt: skip
    ax.set(xscale="log", ylim=(-3, 103), xlabel="β (logarithmic)", ylabel="of the edges, true (%)")
    ax.grid(alpha=0.3)

"""Figures of task structure on invented problems: do the algorithms arrive, and which edges are learned?"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy import ndarray

from mtlib.figures import BLACK, BLUE, GREEN, ORANGE, RED, SKY, Drawing, new
from mtlib.figures.circle import angles, checked, marks, pairs, ring
from mtlib.figures.dots import Values, counted, key, known, limits, spread
from mtlib.structure import prune

LINES = (
    (RED, "s", "--"),
    (ORANGE, "D", "-."),
    (BLUE, "o", "-"),
    (BLACK, "^", ":"),
    (GREEN, "v", "-"),
    (SKY, "P", "--"),
)
FLOOR = 1e-6  # of the first gap: smaller ones are drawn there, as a logarithm has no zero
PRINTED = "as printed:\nno edge, whatever the tasks"


def objectives(
    paths: Mapping[str, Sequence[Sequence[float]]], steps: Sequence[int], optimum: float | Sequence[float], stamp: str
) -> Drawing:
    """The objective above the best that is known, over steps: a thin line for each seed, a thick one for their median.

    Args:
        paths: {algorithm: [objective at every recorded step, for every seed]}; NaN from where a run diverged.
        steps: that were recorded, 1 or more of them, growing.
        optimum: the best known objective, or one for every seed where seeds are problems of their own.
        stamp: what the runs were.

    Raises:
        ValueError: no path, lengths that do not fit, or a path that starts without a finite objective.
    """
    gaps = {name: _gaps(name, runs, steps, optimum) for name, runs in paths.items()}
    if not gaps:
        raise ValueError("objectives: one algorithm or more, got none")
    first = float(np.median([gap[:, 0] for gap in gaps.values()]))
    floor = FLOOR * first
    medians = {name: np.maximum(_median(gap), floor) for name, gap in gaps.items()}
    figure = new(11, 5.6)
    ax = figure.subplots()
    for k, (name, gap) in enumerate(gaps.items()):
        colour, marker, line = LINES[k % len(LINES)]
        for run in gap:
            ax.plot(steps, np.maximum(run, floor), color=colour, lw=0.8, alpha=0.45)
        mark = {"marker": marker, "markevery": (k * len(steps) // 40, max(1, len(steps) // 8)), "ms": 8, "mec": BLACK}
        ax.plot(steps, medians[name], color=colour, ls=line, lw=2.8, label=name, mew=0.8, **mark)
    low = min(float(np.nanmin(median)) for median in medians.values())
    ax.set(yscale="log", ylim=(low / 1.6, None), xlabel="step", xlim=(steps[0], steps[-1]))
    ax.set_ylabel("objective above the best known\n(logarithmic)")
    ax.set_title(f"thick: median, thin: each of {max(map(len, gaps.values()))} seeds")
    ax.grid(alpha=0.3)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, handlelength=3.5)
    ends = {name: float(median[-1]) for name, median in medians.items()}
    return Drawing(
        "objectives",
        figure,
        {"log10 of the gap": [[math.log10(v) for v in (m[0], m[-1]) if v > 0] for m in medians.values()]},
        f"Lines over {steps[-1]} steps, falling means better: how far the objective of Equation (3) is above the best "
        f"known, on a logarithmic axis, for {', '.join(gaps)}.",
        f"{stamp}: {_arrived(ends, first, floor, steps[-1])}.",
        trained={"log10 of the gap": 1.0},
    )


def _gaps(
    name: str, runs: Sequence[Sequence[float]], steps: Sequence[int], optimum: float | Sequence[float]
) -> ndarray:
    """Objective minus optimum, (seeds, steps)."""
    found = np.asarray(runs, float)
    best = np.broadcast_to(np.asarray(optimum, float).reshape(-1), (len(runs),)) if np.size(optimum) == 1 else optimum
    if found.ndim != 2 or found.shape[1] != len(steps) or len(best) != len(found) or not len(steps):
        raise ValueError(
            f"objectives: {name} needs (seeds, {len(steps)} steps) and one optimum or one of each seed, got "
            f"{found.shape} and {np.size(optimum)}"
        )
    gap = found - np.asarray(best, float)[:, None]
    if not (np.isfinite(gap[:, 0]) & (gap[:, 0] > 0)).all():
        raise ValueError(f"objectives: {name} must start above the optimum, starts at {gap[:, 0].tolist()} from it")
    return gap


def _median(gap: ndarray) -> ndarray:
    """Over seeds; a diverged one counts as infinitely far, and infinity is not drawn."""
    found = np.median(np.where(np.isfinite(gap), gap, np.inf), axis=0)
    last = found[np.isfinite(found)][-1]
    return np.where(np.isfinite(found), found, last)


def _arrived(ends: Mapping[str, float], first: float, floor: float, steps: int) -> str:
    order = sorted(ends, key=ends.get)
    parts = [f"{name} {'less than ' * (ends[name] <= floor)}{_per_cent(ends[name] / first)}" for name in order]
    return f"after {steps} steps, of the start's distance to the best known objective there remain (median): " + (
        ", ".join(parts)
    )


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def graphs(
    learned: Sequence[ndarray], betas: Sequence[float], groups: Sequence[int], stamp: str, share: float = 0.1
) -> Drawing:
    """Which edges a learned graph has, from a small beta to a large one; the printed graph first.

    Args:
        learned: (K, n, n), one graph for every beta.  betas: K, growing.  groups: the cluster of each task.
        stamp: what the predictors were.  share: edges below this part of a graph's largest are left out (M-5).

    Raises:
        ValueError: shapes that do not fit.
    """
    n = len(groups)
    found = [prune(torch.from_numpy(checked(g, "a graph", n)), share).numpy() for g in learned]
    if len(found) != len(betas) or not found:
        raise ValueError(f"graphs: one graph for each of {len(betas)} betas, one or more; got {len(found)}")
    same = np.equal.outer(groups, groups)
    possible = int(pairs(same).sum()), int(pairs(~same).sum())
    counts = [(int((pairs(g * same) > 0).sum()), int((pairs(g * ~same) > 0).sum())) for g in found]
    heads = [f"β = {beta:.3g}:\n{a} of {possible[0]} within, {b} of {possible[1]} between" for beta, (a, b) in
             zip(betas, counts, strict=True)]  # fmt: skip
    panels = [(PRINTED, np.zeros((n, n))), *zip(heads, found, strict=True)]
    columns = min(len(panels), 3) if len(panels) != 4 else 4
    rows = -(-len(panels) // columns)
    figure = new(3.6 * columns, 4.2 * rows + 0.5)
    axes = figure.subplots(rows, columns, squeeze=False)
    at = angles(groups)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (head, graph) in zip(axes.flat, panels, strict=False):
        ring(ax, graph, at, same, groups)
        ax.set_title(head, loc="center")
        ax.set_anchor("S")  # a title of two lines needs the room above
    figure.legend(*marks("edge within a cluster", "edge between clusters"), loc="outside lower center", ncols=2,
                  handlelength=3)  # fmt: skip
    return Drawing(
        "graphs-by-beta",
        figure,
        {"edges within": [a for a, _ in counts], "edges between": [b for _, b in counts]},
        f"Circles of {n} tasks in {len(set(groups))} clusters, told apart by colour and shape of their marks. The "
        f"first, as printed, has no edge. With growing beta ({betas[0]:.3g} to {betas[-1]:.3g}) there are edges first "
        "within clusters, then between them.",
        f"{stamp}: {_told(betas, counts, possible)}.",
    )


def _told(betas: Sequence[float], counts: Sequence[tuple[int, int]], possible: tuple[int, int]) -> str:
    parts = [
        f"at β = {beta:.3g} {100 * a / max(possible[0], 1):.0f} % of the edges within clusters are there and "
        f"{100 * b / max(possible[1], 1):.0f} % of those between"
        for beta, (a, b) in zip(betas, counts, strict=True)
    ]
    return "the printed graph step finds nothing; " + ", ".join(parts)


def curves(
    found: Mapping[str, Mapping[float, Values]],
    printed_best: Mapping[str, float],
    stamp: str,
    score: str = "accuracy (%)",
    each: str = "one seed",
) -> Drawing:
    """Fig. 7: the score over each hyper-parameter, the others fixed; the printed best value marked.

    Args:
        found: {parameter: {value above 0: [score of every seed; None or NaN where missing]}}; a value may be a string,
            as in a record.
        printed_best: {parameter: the value that the paper found best}; may lack some.
        stamp: what the runs were.  score: its name and unit.  each: what a small mark is.

    Raises:
        ValueError: no parameter with scores, or a value that is not above 0.
    """
    found = {name: {float(v): known(by[v]) for v in sorted(by, key=float)} for name, by in found.items() if by}
    if not found or any(min(by) <= 0 for by in found.values()):
        raise ValueError(
            f"curves: one parameter or more, of values above 0; got {[(p, *by) for p, by in found.items()]}"
        )
    groups = [values for by in found.values() for values in by.values()]
    figure = new(max(7.0, 4.2 * len(found)), 4.8)
    axes = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    bottom, top = limits(groups, *([] if any(groups) else [0.0]))
    means, line = {}, None
    for ax, (name, by) in zip(axes, found.items(), strict=True):
        ax.set_ylim(bottom, top)
        at = {value: math.log10(value) for value in by}
        wide = max(at.values()) - min(at.values()) or 1.0
        if name in printed_best:
            line = ax.axvline(math.log10(printed_best[name]), color=RED, ls="--", lw=2, zorder=0.5)
        for value, scores in by.items():
            spread(ax, at[value], scores, BLUE, upright=True, aside=0.035 * wide)
        means[name] = {value: sum(scores) / len(scores) for value, scores in by.items() if scores}
        ax.plot([at[value] for value in means[name]], list(means[name].values()), color=BLUE, lw=1.2, zorder=1)
        ax.set_xticks(list(at.values()), [f"{value:g}" for value in at])
        ax.set(xlabel=f"{name} (logarithmic)", title=f"{name}, {counted(by.values())}")
        ax.margins(x=0.12)
        ax.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel(score)
    key(figure, {"best in print": line} if line else None, each=each)
    told = [_best(name, by, printed_best.get(name)) for name, by in means.items() if by]
    return Drawing(
        "hyper-parameters",
        figure,
        {"means": [mean for by in means.values() for mean in by.values()]},
        f"A panel for each of {', '.join(found)}: {score} over its values on a logarithmic axis; small dots are seeds, "
        "large ones means, bars 95 % intervals. Dashed vertical lines are the values that the paper found best.",
        f"{stamp}: {'; '.join(told) or 'no run ended'}.",
        trained={"means": 3.0},
    )


def _best(name: str, means: Mapping[float, float], printed: float | None) -> str:
    best = max(means, key=means.get)
    text = f"{name} is best at {best:g}" + (f" (in print {printed:g})" if printed is not None else "")
    return f"{text}, its means lie between {min(means.values()):.2f} and {max(means.values()):.2f}"

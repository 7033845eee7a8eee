"""Figures of task structure on forty attributes: which relations a learned graph finds (Figs. 4 and 9)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy import ndarray

from mtlib.figures import BLACK, BLUE, GREY, Drawing, new
from mtlib.figures.circle import angles, checked, marks, names_around, pairs, ring
from mtlib.figures.dots import Values, beyond, counted, key, known, limits, spread
from mtlib.figures.sos_maps import stagger

CHANCE = 0.5


def heat(
    maps: Mapping[str, ndarray], names: Sequence[str], order: Sequence[int], truth: ndarray, stamp: str
) -> Drawing:
    """Fig. 9: how related each pair of tasks is, for several measures, with the true edges marked.

    Args:
        maps: {title: (n, n)}, larger where two tasks are more related; below 0 where they exclude each other. Each is
            shown in units of its own largest entry off the diagonal.
        names: of the n tasks.  order: of them, relatives side by side.
        truth: (n, n) bool, which pairs are related.
        stamp: what the runs were.

    Raises:
        ValueError: no map, one that is not (n, n) and finite, or an order that is none of n tasks.
    """
    n = len(names)
    if not maps or sorted(order) != list(range(n)):
        raise ValueError(f"heat: one map or more, and an order of 0 to {n - 1}; got {list(maps)}, {list(order)}")
    at = np.ix_(order, order)
    true = checked(truth, "truth", n).astype(bool)[at]
    shown = {title: _scaled(checked(matrix, title, n)[at]) for title, matrix in maps.items()}
    figure = new(4.3 * len(shown) + 3.4, 5.2)
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    for ax, (title, matrix) in zip(axes, shown.items(), strict=True):
        image = _matrix(ax, matrix)
        ax.set_title(title, loc="center")
        row, column = np.nonzero(np.triu(true, 1))
        dots = ax.plot(column, row, "o", ms=3.4 if n > 20 else 6, color=BLACK, mec="white", mew=0.4)
    stagger(axes[0], [names[k] for k in order], 9)
    figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, label="relation, share of the panel's largest")
    edges = int(pairs(true).sum())
    figure.legend(dots, [f"one of {edges} true edges (above the diagonal only)"], loc="outside lower center",
                  markerscale=1.8)  # fmt: skip
    hits = {title: _hits(matrix, true) for title, matrix in shown.items()}
    chance = edges * edges / max(len(pairs(true)), 1)
    told = ", ".join(f"{hit} for {title}" for title, hit in hits.items())
    return Drawing(
        "relation-maps",
        figure,
        shown,
        f"Square maps of {n} tasks, relatives side by side, one for each of {', '.join(shown)}. Orange-brown: "
        "related; violet: they exclude each other; white: neither. Black dots above the diagonal are the true edges.",
        f"{stamp}: of the {edges} pairs with the largest weight (as many as there are true edges) true ones are "
        f"{told}; chance would give {chance:.0f}.",
        trained=dict.fromkeys(shown, 0.3),
    )


def _scaled(matrix: ndarray) -> ndarray:
    """Without the diagonal, in units of the largest entry."""
    matrix = matrix.copy()
    np.fill_diagonal(matrix, 0)
    return matrix / (np.abs(matrix).max() or 1)


def _matrix(ax: Axes, matrix: ndarray) -> AxesImage:
    n = len(matrix)
    image = ax.imshow(matrix, colormaps["PuOr_r"].resampled(21), vmin=-1.05, vmax=1.05)
    ax.set(xticks=[], yticks=[], xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))
    ax.spines[["top", "right"]].set_visible(True)
    return image


def _hits(matrix: ndarray, true: ndarray) -> int:
    """True edges among the pairs of largest positive weight, as many as there are true edges."""
    weight, wanted = pairs(matrix), pairs(true)
    first = np.argsort(-weight, kind="stable")[: int(wanted.sum())]
    return int((wanted[first] & (weight[first] > 0)).sum())


def network(graph: ndarray, names: Sequence[str], groups: Sequence[int], truth: ndarray, stamp: str) -> Drawing:
    """Fig. 4: the pruned graph, its tasks on a circle, group after group; true edges solid, others dashed.

    Args:
        graph: (n, n) weights, 0 where there is no edge; prune it first.
        names: of the n tasks.  groups: of each; a group of one is a white circle.
        truth: (n, n) bool, which edges are in the generating graph.
        stamp: what the runs were.

    Raises:
        ValueError: a matrix that is not (n, n) and finite, or not one group for each name.
    """
    n = len(names)
    graph, true = checked(graph, "graph", n), checked(truth, "truth", n).astype(bool)
    if len(groups) != n:
        raise ValueError(f"network: one group for each of {n} names, got {len(groups)}")
    alone = ~(graph > 0).any(1)
    figure = new(10.5, 10)
    ax = figure.subplots()
    at = angles(groups)
    ring(ax, graph, at, true, groups, 12)
    names_around(ax, names, at, 12, alone)
    ax.set(xlim=(-1.55, 1.55), ylim=(-1.55, 1.55))
    figure.suptitle("same colour and shape: same group; white: a group of one", fontsize=13)
    there, wanted = pairs(graph) > 0, pairs(true)
    right, edges = int((there & wanted).sum()), int(there.sum())
    lines, texts = marks(f"in the generating graph ({right})", f"not in it ({edges - right})")
    figure.legend(lines, texts, loc="outside lower center", ncols=2, handlelength=3.5, fontsize=13)
    lonely = [name.replace("_", " ") for name, lone in zip(names, alone, strict=True) if lone]
    share = f"{100 * right / edges:.0f} %" if edges else "none"
    return Drawing(
        "attribute-network",
        figure,
        {"edges": there.astype(int)},
        f"A circle of {n} named tasks, in {len(set(groups))} groups told apart by colour and shape, relatives side by "
        f"side, with {edges} edges through it, the thicker the stronger. Solid blue edges are in the generating graph, "
        "dashed red ones are not; tasks without an edge have grey names.",
        f"{stamp}: {right} of {edges} edges ({share}) are edges of the generating graph, which has "
        f"{int(wanted.sum())}; of edges at random {100 * wanted.mean():.0f} % would be. "
        f"Without any edge: {_few(lonely)}.",
        trained={"edges": 0.3},
    )


def _few(names: Sequence[str], most: int = 6) -> str:
    if len(names) <= most:
        return ", ".join(names) or "none"
    return f"{len(names)} of them"


def recovery(
    found: Mapping[str, Mapping[str, Values]], stamp: str, baselines: Sequence[str] = (), lead: str | None = None
) -> Drawing:
    """How well each score tells related pairs from others: the area under the ROC curve, a panel for each truth.

    Args:
        found: {score: {truth: [area of every seed, None or NaN where missing]}}; all scores have the same truths.
        stamp: what the runs were.
        baselines: scores that need no predictors; drawn in grey squares.
        lead: a score to compare with the best baseline in the finding; the default is the first that is none.

    Raises:
        ValueError: no score, or scores whose truths differ.
    """
    truths = list(next(iter(found.values()), {}))
    if not truths or any(list(by) != truths for by in found.values()):
        raise ValueError(f"recovery: scores with the same truths, got { {s: list(by) for s, by in found.items()} }")
    values = {(score, truth): known(found[score][truth]) for score in found for truth in truths}
    figure = new(4.0 * len(truths) + 3.2, 2.0 + 0.5 * len(found))
    axes = figure.subplots(1, len(truths), sharey=True, squeeze=False)[0]
    ends = limits(values.values(), CHANCE)
    for ax, truth in zip(axes, truths, strict=True):
        ax.set_xlim(max(ends[0], -0.02), min(ends[1], 1.02))
        line = ax.axvline(CHANCE, color=BLACK, lw=1.5, ls="--")
        for y, score in enumerate(found):
            spread(ax, y, values[score, truth], *((GREY, "s") if score in baselines else (BLUE, "o")))
        ax.set(title=f"{truth}, {counted(values[score, truth] for score in found)}", ylim=(len(found) - 0.4, -0.6))
        ax.set_xlabel("area under the ROC curve")
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(found)), list(found))
    first = {"chance": line}
    if baselines:
        first["no predictors needed"] = axes[0].plot([], [], "s", color=GREY, ms=9, mec=BLACK, mew=1.2)[0]
    key(figure, first)
    means = {at: sum(each) / len(each) for at, each in values.items() if each}
    lead = lead or next((score for score in found if score not in baselines), next(iter(found)))
    told = [_compared(truth, lead, baselines, values, means) for truth in truths]
    return Drawing(
        "recovery",
        figure,
        {"means": list(means.values())},
        f"Panels {', '.join(truths)}, a row for each of {', '.join(found)}: the area under the ROC curve with which "
        "a score tells related pairs from others; small marks are seeds, large ones means, bars 95 % intervals. The "
        "dashed line at 0.5 is chance.",
        f"{stamp}: {'; '.join(told)}.",
        trained={"means": 0.15},
    )


def _compared(
    truth: str,
    lead: str,
    baselines: Sequence[str],
    values: Mapping[tuple[str, str], Sequence[float]],
    means: Mapping[tuple[str, str], float],
) -> str:
    if (lead, truth) not in means:
        return f"{truth}: {lead} was not run"
    above, below = beyond([values[lead, truth]], CHANCE)
    verdict = "above chance" if above else "below chance" if below else "not clearly off chance"
    text = f"{truth}: {lead} {means[lead, truth]:.2f}, {verdict}"
    rivals = [score for score in baselines if (score, truth) in means]
    if rivals:
        best = max(rivals, key=lambda score: means[score, truth])
        text += f" (best without predictors: {best}, {means[best, truth]:.2f})"
    return text

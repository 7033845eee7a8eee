"""What moves a prediction: attributes that are set on drawn faces, the logits that follow, and what maps say of it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from numpy import ndarray

from mtlib.figures import BLACK, BLUE, GREY, RED, Drawing, new
from mtlib.figures.dots import Values, known, limits, spread

MOST = 2.0  # standard deviations, where the colours end
MOVES = 0.5  # what effects may move between machines, on average
NAMED = 2  # movers that a panel or a finding names


def effects(effect: ndarray, names: Sequence[str], order: Sequence[int], movers: ndarray, stamp: str) -> Drawing:
    """Which logits move when an attribute is set: a row for what is set, a column for each logit.

    A cell has a dot where its row moves the column's logit more than any other attribute and more than the logit's own,
    if that has pixels.

    Args:
        effect: (n, n) of row i on logit j, in standard deviations of j.  names: of the n attributes.
        order: of them, relatives side by side.
        movers: (n,) bool, attributes with pixels of their own, which may be blamed.
        stamp: what the runs were.

    Raises:
        ValueError: arrays that do not fit or are not finite, or an order that is none of n attributes.
    """
    n, effect = len(names), np.asarray(effect, float)
    if effect.shape != (n, n) or not np.isfinite(effect).all() or np.shape(movers) != (n,):
        raise ValueError(f"effects: ({n}, {n}) and finite, ({n},) movers; got {effect.shape}, {np.shape(movers)}")
    if sorted(order) != list(range(n)):
        raise ValueError(f"effects: order holds each of 0 to {n - 1} once, got {list(order)}")
    shown, may = effect[np.ix_(order, order)], np.asarray(movers, bool)[list(order)]
    plain = [names[k].replace("_", " ") for k in order]
    size = np.where(may[:, None] & ~np.eye(n, dtype=bool), np.abs(shown), -1)
    strongest = size.argmax(0)  # of every column, another attribute's row
    short = [j for j in np.flatnonzero(may) if size[strongest[j], j] > abs(shown[j, j])]
    figure = new(12.5, 10.2)
    ax = figure.subplots()
    image = ax.imshow(shown, colormaps["PuOr_r"].resampled(21), vmin=-1.05 * MOST, vmax=1.05 * MOST)
    ax.plot(strongest[short] * 0 + short, strongest[short], "o", ms=6, color=BLACK, mec="white", mew=0.8)
    for k in range(n):
        ax.add_patch(_square(k))
    ax.set_yticks(range(n), plain, fontsize=10)
    ax.set_xticks(range(n), plain, rotation=90, fontsize=10)
    ax.set(xlabel="logit that moves", ylabel="attribute that is set", xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))
    ax.set_title("framed: its own logit     dot: moves this logit most, and more than the logit's own attribute does")
    figure.colorbar(image, ax=ax, shrink=0.6, aspect=30, extend="both",
                    label="change of the logit, in its standard deviations")  # fmt: skip
    top = sorted(short, key=lambda j: -size[strongest[j], j])[:NAMED]
    told = "; ".join(f"{plain[strongest[j]]} moves {plain[j]} by {shown[strongest[j], j]:+.1f}" for j in top)
    return Drawing(
        "do-effects",
        figure,
        {"effect": shown},
        f"A square of {n} by {n} cells, relatives side by side: how each logit (column) changes as an attribute (row) "
        "is set. Orange-brown: up, violet: down. The diagonal is framed; dots mark the strongest shortcut of a logit.",
        f"{stamp}: of the {may.sum()} logits whose attribute has pixels of its own, "
        f"{len(short)} are moved more by another's"
        f"{f': {told}' if told else ''} (standard deviations; mean over networks).",
        trained={"effect": MOVES},
    )


def _square(k: int) -> object:
    from matplotlib.patches import Rectangle

    return Rectangle((k - 0.5, k - 0.5), 1, 1, fill=False, ec=BLACK, lw=1.4)


def suggested(
    share: ndarray,
    effect: ndarray,
    names: Sequence[str],
    chosen: Sequence[str],
    movers: ndarray,
    agreement: Mapping[str, Values],
    stamp: str,
) -> Drawing:
    """Does the map of a logit say which other attributes move it? Evidence against effects; and what mere area says.

    Args:
        share: (n, n) evidence of the map of logit j on the pixels of attribute i, over their area: 1 is chance; NaN
            where there is none.
        effect: (n, n) of row i on logit j, in standard deviations of j.
        names: of the n attributes.  chosen: logits with a panel of their own.
        movers: (n,) bool, attributes with pixels of their own.
        agreement: {what knows: [rank correlation with the size of effects, of every seed]}; the last panel.
        stamp: what the runs were.

    Raises:
        ValueError: arrays that do not fit, a chosen name that there is not, or nothing to compare.
    """
    n = len(names)
    share, effect = np.asarray(share, float), np.asarray(effect, float)
    if share.shape != (n, n) or effect.shape != (n, n) or np.shape(movers) != (n,):
        raise ValueError(f"suggested: share and effect ({n}, {n}), movers ({n},); got {share.shape}, {effect.shape}")
    wrong = [name for name in chosen if name not in names]
    if wrong or not chosen or not all(map(known, agreement.values())):
        raise ValueError(f"suggested: chosen logits of {list(names)} and rank correlations; got {list(chosen)}")
    figure = new(3.4 * len(chosen) + 4.2, 4.9)
    axes = figure.subplots(1, len(chosen) + 1, width_ratios=[1] * len(chosen) + [1.1])
    columns = [list(names).index(name) for name in chosen]
    for ax, j in zip(axes, columns, strict=False):
        _panel(ax, share[:, j], np.abs(effect[:, j]), names, j, movers)
    axes[0].set_ylabel("size of its effect (standard deviations)")
    last = axes[-1]
    last.set_xlim(limits(agreement.values(), 0))
    for y, values in enumerate(agreement.values()):
        spread(last, y, values, *((GREY, "s") if y else (BLUE, "o")))
    last.axvline(0, color=BLACK, lw=1.2)
    last.set_yticks(range(len(agreement)), [what.replace(" ", "\n", 1) for what in agreement])
    last.set(ylim=(len(agreement) - 0.4, -0.7), xlabel="rank correlation with\nthe size of effects")
    last.set_title("all logits")
    means = {what: float(np.mean(known(values))) for what, values in agreement.items()}
    told = ", ".join(f"{mean:.2f} for the {what}" for what, mean in means.items())
    return Drawing(
        "map-or-effect",
        figure,
        {"means": list(means.values())},
        f"A panel for each of the logits {', '.join(chosen)}: a dot per other attribute, to the right the more of the "
        "map's evidence lies on its pixels, upwards the more setting it moves the logit; the strongest are named. "
        "The last panel has rank correlations with the size of effects, means over all logits.",
        f"{stamp}: mean rank correlation with the size of effects {told}.",
        trained={"means": 0.3},
    )


def _panel(ax: Axes, density: ndarray, size: ndarray, names: Sequence[str], j: int, movers: ndarray) -> None:
    others = [i for i in np.flatnonzero(movers) if i != j and np.isfinite(density[i])]
    ax.axvline(1, color=GREY, ls=":", lw=2)
    ax.plot(density[others], size[others], "o", color=BLUE, mec="white", mew=0.6, ms=7)
    for i in sorted(others, key=lambda i: -size[i])[:NAMED]:
        right = density[i] > 0.6 * max(density[others])
        ax.annotate(names[i].replace("_", " "), (density[i], size[i]), (-7 if right else 7, 2),
                    textcoords="offset points", ha="right" if right else "left", fontsize=10)  # fmt: skip
    if np.isfinite(density[j]) and movers[j]:
        ax.plot(density[j], size[j], "D", color=RED, mec=BLACK, ms=9, zorder=3)
        ax.annotate("itself", (density[j], size[j]), (7, -12), textcoords="offset points", color=RED)
    ax.set(ylim=(-0.06, 1.12 * max(size[others].max(), size[j] if movers[j] else 0, 0.1)))
    ax.set_xlim(-0.05 * max(density[others]), None)
    ax.set_title(f"logit of {names[j].replace('_', ' ')}")
    ax.set_xlabel("evidence on the attribute's\npixels, over chance")
    ax.grid(alpha=0.3)

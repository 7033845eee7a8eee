"""Who hurts whom: the map of all pairs, and what label correlation says of it."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from numpy import ndarray

from mtlib.figures import BLACK, BLUE, GREY, Drawing, new

MOVES = 0.3  # points that entries of a map may move between machines, on average


def plain(name: str) -> str:
    """An attribute as a figure calls it."""
    return name.replace("_", " ")


def transfer(gain: ndarray, marked: ndarray, names: Sequence[str], stamp: str) -> Drawing:
    """What each partner (column) gives or takes from each attribute (row), rows and columns ordered by their means.

    Args:
        gain: (M, M) points, NaN on the diagonal.  marked: (M, M) bool, findings after control of false discoveries.
        names: of the M attributes.  stamp: how large the evidence is.

    Raises:
        ValueError: arrays that do not fit, or a missing value beside the diagonal.
    """
    n, gain, marked = len(names), np.asarray(gain, float), np.asarray(marked, bool)
    off = ~np.eye(n, dtype=bool)
    if gain.shape != (n, n) or marked.shape != (n, n) or n < 2 or not np.isfinite(gain[off]).all():
        raise ValueError(f"transfer: ({n}, {n}) numbers and marks for {n} names; got {gain.shape}, {marked.shape}")
    rows, columns = np.nanmean(gain, 1).argsort(), np.nanmean(gain, 0).argsort()
    shown, dots = gain[np.ix_(rows, columns)], marked[np.ix_(rows, columns)]
    most = max(np.nanpercentile(np.abs(shown), 99), 1e-3)
    figure = new(12.5, 10.6)
    ax = figure.subplots()
    ax.set_facecolor("#DDDDDD")
    image = ax.imshow(np.ma.masked_invalid(shown), colormaps["PuOr_r"].resampled(21), vmin=-most, vmax=most)
    at = np.argwhere(dots)
    ax.plot(at[:, 1], at[:, 0], "o", ms=4.5, color=BLACK, mec="white", mew=0.6)
    size = 10 if n > 20 else 12
    ax.set_yticks(range(n), [plain(names[k]) for k in rows], fontsize=size)
    ax.set_xticks(range(n), [plain(names[k]) for k in columns], rotation=90, fontsize=size)
    ax.set(xlabel="partner (most harmful on the left)", ylabel="attribute (most harmed at the top)")
    ax.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))
    ax.set_title("dot: differs from 0, false discoveries below 5 %     grey: itself")
    label = "accuracy with the partner less without (points, test)"
    figure.colorbar(image, ax=ax, shrink=0.6, aspect=30, extend="both", label=label)
    harmed, helped = (int((marked & off & sign).sum()) for sign in (gain < 0, gain > 0))
    told = f"of {off.sum()} ordered pairs {harmed} are shown to hurt and {helped} to help"
    return Drawing(
        "pair-map",
        figure,
        {"gain": np.where(off, gain, 0.0)},
        f"A square of {n} by {n} cells: how many points of accuracy each attribute (row) gains (orange-brown) or loses "
        "(violet) by a partner (column); dots where the loss or gain differs from zero.",
        f"{stamp}: {told}; the mean over all pairs is {np.nanmean(gain):+.2f} points, the worst entry "
        f"{np.nanmin(gain):+.2f}, the best {np.nanmax(gain):+.2f}.",
        trained={"gain": MOVES},
    )


def correlation(labels: ndarray, change: ndarray, per_seed: Sequence[float], stamp: str, printed: float) -> Drawing:
    """Fig. 3: does the correlation of two labels foretell what sharing does?

    Args:
        labels: (M, M) correlations.  change: (M, M) relative changes of accuracy in per cent, NaN on the diagonal.
        per_seed: Pearson's correlation of the two, one per seed.  printed: the paper's.

    Raises:
        ValueError: arrays that do not fit.
    """
    labels, change = np.asarray(labels, float), np.asarray(change, float)
    if labels.shape != change.shape or labels.ndim != 2:
        raise ValueError(f"correlation: two (M, M) arrays, got {labels.shape} and {change.shape}")
    off = np.isfinite(change) & np.isfinite(labels)
    x, y = labels[off], change[off]
    figure = new(9, 5)
    ax = figure.subplots()
    ax.plot(x, y, "o", ms=4, color=BLUE, alpha=0.45, mew=0)
    slope, start = np.polyfit(x, y, 1)
    ends = np.array([x.min(), x.max()])
    ax.plot(ends, start + slope * ends, "-", color=BLACK, lw=2, label="straight line fitted")
    ax.axhline(0, color=GREY, lw=1)
    ax.axvline(0, color=GREY, lw=1)
    ax.set(xlabel="correlation of the two labels", ylabel="relative change of accuracy (%)")
    ax.legend()
    mean = float(np.mean(per_seed))
    return Drawing(
        "pair-correlation",
        figure,
        {"per seed": list(per_seed)},
        f"{off.sum()} dots, one per ordered pair: label correlation to the right, relative change of accuracy by "
        "sharing upwards, with a fitted line.",
        f"{stamp}: the correlation between the two is {mean:+.2f} on average over seeds; the paper prints {printed:g} "
        "for photographs.",
        trained={"per seed": 0.2},
    )

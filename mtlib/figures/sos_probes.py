"""What the spaces of SOS know of forty tasks: a linear probe of every task on every space."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.image import AxesImage
from numpy import ndarray

from mtlib.figures import BLACK, BLUE, GREEN, RED, Drawing, new
from mtlib.figures.sos_maps import UNKNOWN, stagger

MOVES = 0.3  # what an area under the curve may move between machines, on average
CHANCE = 0.5
MARKS = {"common": (GREEN, "s"), "own": (RED, "o"), "others": (BLUE, "^")}
TEXTS = {"common": "common space", "own": "specific space, its own task", "others": "specific space, other tasks"}


def summary(matrix: ndarray) -> dict[str, float]:
    """Mean area under the curve of the common space, of specific spaces for their own task, and for the others.

    Args:
        matrix: (1 + n, n): the common space's row first, then those of the n specific spaces; columns are tasks. NaN
            where a task has one label only; such cells do not count.
    """
    matrix = np.asarray(matrix, float)
    common, specific = matrix[0], matrix[1:]
    own = np.eye(len(specific), dtype=bool)
    return {
        "common": float(np.nanmean(common)),
        "own": float(np.nanmean(specific[own])),
        "others": float(np.nanmean(specific[~own])),
    }


def probes(matrices: Mapping[str, ndarray], names: Sequence[str], order: Sequence[int], stamp: str) -> Drawing:
    """The matrix of every arm, the common space above the specific ones, and the three means below.

    Args:
        matrices: {arm: (1 + n, n) areas under the curve, as ``summary`` takes them}.
        names: of the n tasks.  order: of them, relatives side by side.
        stamp: what the runs were.

    Raises:
        ValueError: a matrix that is not (1 + n, n).
    """
    for arm, matrix in matrices.items():
        if np.shape(matrix) != (len(names) + 1, len(names)):
            raise ValueError(f"probes: {arm} is ({len(names) + 1}, {len(names)}), got {np.shape(matrix)}")
    arms = list(matrices)
    figure = new(3.9 * len(arms) + 4.3, 5.9 + 0.62 * len(arms))
    panels = figure.subplot_mosaic(
        [[f"common/{arm}" for arm in arms], [f"specific/{arm}" for arm in arms], ["means"] * len(arms)],
        height_ratios=(0.3, 4.4, 0.62 * len(arms)),
    )
    colours = colormaps["Blues"].resampled(10)  # steps of 0.05: few colours, which the file keeps exactly
    named = [names[k] for k in order]
    for k, arm in enumerate(arms):
        matrix = np.asarray(matrices[arm], float)[[0, *(1 + i for i in order)]][:, list(order)]
        image = _cells(panels[f"common/{arm}"], matrix[:1], colours)
        panels[f"common/{arm}"].set_title(arm, loc="center")
        _cells(panels[f"specific/{arm}"], matrix[1:], colours)
        _beside_the_diagonal(panels[f"specific/{arm}"], len(named))
        panels[f"specific/{arm}"].set_xlabel("task, in the same order", fontsize=11)
        if k == 0:
            panels[f"common/{arm}"].set_yticks([0], ["common space"])
            stagger(panels[f"specific/{arm}"], named, title="specific space of")
    where = [panels[f"{row}/{arm}"] for row in ("common", "specific") for arm in arms]
    figure.colorbar(image, ax=where, label="area under the ROC curve", aspect=30)
    means = {arm: summary(matrix) for arm, matrix in matrices.items()}
    _means(panels["means"], means)
    texts = [
        f"{arm}: own task {found['own']:.2f}, other tasks {found['others']:.2f}, common space {found['common']:.2f}"
        for arm, found in means.items()
    ]
    return Drawing(
        "probes-of-forty-tasks",
        figure,
        {arm: np.nan_to_num(np.asarray(matrix, float), nan=CHANCE) for arm, matrix in matrices.items()},
        f"For each of {', '.join(arms)} a map of what a linear probe reads off a space (rows: the common space on top, "
        f"then {len(named)} specific spaces) about a task (columns): the darker, the more. Between the two dashed "
        "lines along the diagonal, a space meets its own task. Below, the mean of the common row, of the diagonal, and "
        "of all else.",
        f"{stamp}: mean area under the curve of a probe (0.5 is chance) on the specific spaces and the common one, "
        f"{'; '.join(texts)}.",
        trained=dict.fromkeys(arms, MOVES),
    )


def _cells(ax: Axes, matrix: ndarray, colours: Colormap) -> AxesImage:
    ax.set_facecolor(UNKNOWN)
    image = ax.imshow(np.ma.masked_invalid(matrix), colours, vmin=CHANCE, vmax=1, aspect="auto")
    ax.set(xticks=[], yticks=[])
    ax.spines[["top", "right"]].set_visible(True)
    return image


def _beside_the_diagonal(ax: Axes, n: int) -> None:
    for shift in (-1.3, 1.3):
        start, end = max(-0.5, -0.5 - shift), min(n - 0.5, n - 0.5 - shift)
        ax.plot([start, end], [start + shift, end + shift], "--", color=RED, lw=1.4)


def _means(ax: Axes, means: Mapping[str, Mapping[str, float]]) -> None:
    for y, found in enumerate(means.values()):
        if y:
            ax.axhline(y - 0.5, color="#DDDDDD", lw=1, zorder=0)
        for lane, (which, (colour, marker)) in enumerate(MARKS.items()):
            at = (found[which], y + 0.28 * (lane - 1))
            ax.plot(*at, marker, color=colour, ms=9, mec=BLACK)
            ax.annotate(f"{found[which]:.2f}", at, (9, 0), textcoords="offset points", va="center", fontsize=10)
    ax.axvline(CHANCE, color=BLACK, lw=1.2)
    low = min([CHANCE, *(value for found in means.values() for value in found.values())])
    ax.set(xlim=(low - 0.01, 1.01), ylim=(len(means) - 0.5, -0.5), xlabel="mean area under the ROC curve (0.5: chance)")
    ax.set_yticks(range(len(means)), list(means))
    handles = [ax.plot([], [], marker, color=colour, ms=10, mec=BLACK)[0] for colour, marker in MARKS.values()]
    ax.figure.legend(handles, [TEXTS[which] for which in MARKS], loc="outside lower center", ncols=3)

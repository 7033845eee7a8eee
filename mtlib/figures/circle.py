"""A graph of tasks on a circle: relatives side by side, edges as curves through it, names around it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy import ndarray

from mtlib.figures import BLACK, BLUE, GREEN, ORANGE, PINK, RED, SKY

# Colour and marker of the groups with two tasks or more, in turn; a task on its own is a white circle.
GROUPS = ((SKY, "o"), (ORANGE, "s"), (GREEN, "^"), (PINK, "D"), (BLACK, "v"), ("#F0E442", "P"))
RIGHT, WRONG = (BLUE, "-"), (RED, (0, (3.5, 1.8)))  # colour and line of edges that are meant to be there, and others
GAP = 0.6  # between two groups, in distances of neighbours
THICK, THIN = 4.0, 0.7  # points, of the largest edge and the smallest
MANY = 60  # edges from which on all get thinner


def relatives(z: ndarray) -> list[int]:
    """An order in which tasks of small distance stand side by side: the leaves of average linkage.

    Args:
        z: (n, n) distances, symmetric and 0 on the diagonal.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(z) < 3:
        return list(range(len(z)))
    return leaves_list(linkage(squareform(z, checks=False), "average", optimal_ordering=True)).tolist()


def angles(groups: Sequence[int], order: Sequence[int] | None = None) -> ndarray:
    """Where each task stands, (n,) in radians: clockwise from the top, group after group.

    Args:
        groups: of every task.  order: of the tasks within each group; the default is theirs.
    """
    order = list(range(len(groups))) if order is None else list(order)
    sequence = sorted(order, key=lambda k: groups[k])  # a stable sort keeps the order within a group
    steps = [1 + GAP * (groups[a] != groups[b]) for a, b in zip(sequence, [*sequence[1:], sequence[0]], strict=True)]
    at = np.cumsum([0.0, *steps[:-1]]) / sum(steps)
    found = np.empty(len(groups))
    found[sequence] = np.pi / 2 - 2 * np.pi * at
    return found


def ring(ax: Axes, graph: ndarray, at: ndarray, right: ndarray, groups: Sequence[int], size: float = 9) -> None:
    """Draw tasks and edges on the unit circle.

    Args:
        graph: (n, n) weights; every pair above 0 is drawn, the larger the thicker.
        at: (n,) from ``angles``.
        right: (n, n) bool, edges that are drawn solid; others are dashed.
        groups: of every task, for colour and marker.  size: of a marker, in points.
    """
    points = np.stack([np.cos(at), np.sin(at)], 1)  # n 2
    i, j = np.nonzero(np.triu(graph, 1))
    weight = graph[i, j] / graph.max() if len(i) else np.zeros(0)
    thick = max(THIN, THICK * min(1.0, (MANY / max(len(i), 1)) ** 0.5))
    for kind, (colour, line) in ((False, WRONG), (True, RIGHT)):
        mine = right[i, j] == kind
        curves = [_curve(points[a], points[b]) for a, b in zip(i[mine], j[mine], strict=True)]
        widths = THIN + (thick - THIN) * weight[mine]
        drawn = LineCollection(curves, colors=colour, linestyles=[line], linewidths=widths, alpha=0.85, zorder=1)
        ax.add_collection(drawn)
    alone = {group for group in groups if list(groups).count(group) == 1}
    shared = [group for group in sorted(set(groups)) if group not in alone]
    for k, (x, y) in enumerate(points):
        colour, marker = ("white", "o") if groups[k] in alone else GROUPS[shared.index(groups[k]) % len(GROUPS)]
        ax.plot(x, y, marker, color=colour, mec=BLACK, mew=0.9, ms=size, zorder=3)
    ax.set(xlim=(-1.12, 1.12), ylim=(-1.12, 1.12), aspect="equal")
    ax.set_axis_off()


def _curve(a: ndarray, b: ndarray, steps: int = 20) -> ndarray:
    """From a to b, bent towards the middle, so that neighbours' edges do not run through the tasks between."""
    t = np.linspace(0, 1, steps)[:, None]
    middle = 0.3 * (a + b)
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * middle + t**2 * b


def names_around(ax: Axes, names: Sequence[str], at: ndarray, size: float = 10, faint: Sequence[bool] = ()) -> None:
    """A name outside the circle for every task, as if on spokes; ``faint`` ones in grey."""
    for k, (name, angle) in enumerate(zip(names, at, strict=True)):
        degrees = np.degrees(angle) % 360
        left = 90 < degrees < 270
        ax.text(
            1.07 * np.cos(angle),
            1.07 * np.sin(angle),
            name.replace("_", " "),
            rotation=degrees - 180 if left else degrees,
            rotation_mode="anchor",
            ha="right" if left else "left",
            va="center",
            fontsize=size,
            color="#5A5A5A" if len(faint) and faint[k] else BLACK,
        )


def marks(right: str, wrong: str) -> tuple[list[Line2D], list[str]]:
    """Handles and texts for a legend of both kinds of edges."""
    lines = [Line2D([], [], color=colour, ls=line, lw=2.5) for colour, line in (RIGHT, WRONG)]
    return lines, [right, wrong]


def pairs(matrix: ndarray) -> ndarray:
    """The entries above the diagonal, (n (n - 1) / 2,)."""
    return matrix[np.triu_indices(len(matrix), 1)]


def checked(matrix: object, name: str, n: int | None = None) -> ndarray:
    """A square array; as numbers if it is not of truth values.

    Raises:
        ValueError: not square, of another size than ``n``, or not finite.
    """
    found = np.asarray(matrix)
    wanted = f"({n}, {n})" if n else "(n, n)"
    if found.ndim != 2 or found.shape[0] != found.shape[1] or (n and len(found) != n):
        raise ValueError(f"{name} must be {wanted}, got {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite, it has {int((~np.isfinite(found)).sum())} entries that are not")
    return found if found.dtype == bool else found.astype(float)

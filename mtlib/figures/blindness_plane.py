"""What a linear adversary can see: features of two numbers, the means of both groups, and who tells them apart."""

from collections.abc import Mapping

import numpy as np
from matplotlib.lines import Line2D
from numpy import ndarray

from mtlib.figures import BLACK, BLUE, GREY, ORANGE, Drawing, new

WITHOUT, WITH = "without the partner", "with it"
LOOKS = {WITHOUT: (BLUE, "o"), WITH: (ORANGE, "s")}
SHOWN = 250  # points of a group
POINTS = 3.0  # that a probe may move between machines


def planes(panels: Mapping[str, tuple[ndarray, ndarray]], read: Mapping[str, Mapping[str, float]]) -> Drawing:
    """A panel of points per set of features, with the means of both groups joined, and what probes read of them.

    Args:
        panels: {title: (features (N, 2), labels (N,) 0/1)}.
        read: {title: {probe: balanced accuracy, per cent}}.

    Raises:
        ValueError: no panel, other shapes, a group that is empty, or a title without probes.
    """
    _check(panels, read)
    figure = new(12, 5.6)
    for ax, (title, (h, b)) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for value, name in enumerate(LOOKS):
            colour, marker = LOOKS[name]
            own = h[b == value]
            ax.plot(*own[:SHOWN].T, marker, color=colour, ms=4, alpha=0.5, mew=0)
        means = np.stack([h[b == value].mean(0) for value in (0, 1)])
        ax.plot(*means.T, "-", color=BLACK, lw=3, zorder=3)
        for mean, (colour, marker) in zip(means, LOOKS.values(), strict=True):
            ax.plot(*mean, marker, color=colour, ms=13, mec=BLACK, mew=2, zorder=4)
        ax.set_title(f"{title}\n" + "\n".join(f"{probe} {value:.0f} %" for probe, value in read[title].items()))
        ax.set(aspect="equal", xlabel="feature 1")
        ax.grid(alpha=0.3)
    figure.axes[0].set_ylabel("feature 2")
    marks = {name: Line2D([], [], color=c, marker=m, ls="none", ms=9) for name, (c, m) in LOOKS.items()}
    marks["their means"] = Line2D([], [], color=BLACK, lw=3, marker="o", ms=10, mfc=GREY, mec=BLACK)
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=3)
    apart = {title: float(np.linalg.norm(h[b == 1].mean(0) - h[b == 0].mean(0))) for title, (h, b) in panels.items()}
    probes = list(next(iter(read.values())))
    told = "; ".join(
        f"{title}: means {apart[title]:.1f} apart, " + ", ".join(f"{p} {v:.0f} %" for p, v in read[title].items())
        for title in panels
    )
    return Drawing(
        "blindness-plane",
        figure,
        {"means apart": list(apart.values())} | {probe: [read[title][probe] for title in panels] for probe in probes},
        f"{len(panels)} panels of points in two colours, with and without the partner: {', '.join(panels)}. Big marks "
        "joined by a line are the means of both groups; titles say what probes read.",
        f"{told}. A linear adversary pulls the means together and can see nothing else.",
        trained=dict.fromkeys(probes, POINTS),
    )


def _check(panels: Mapping[str, tuple[ndarray, ndarray]], read: Mapping[str, Mapping[str, float]]) -> None:
    if not panels:
        raise ValueError("planes: there is nothing to draw")
    for title, (h, b) in panels.items():
        if h.ndim != 2 or h.shape[1] != 2 or b.shape != h.shape[:1] or set(np.unique(b)) != {0, 1}:
            raise ValueError(
                f"planes: {title} needs features (N, 2) and labels (N,) of 0 and 1, got {h.shape}, {b.shape}"
            )
        if not read.get(title):
            raise ValueError(f"planes: {title} has no probes")

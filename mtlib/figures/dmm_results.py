"""The figures of notebook 03's results: seven variants, forty attributes, and what happened in training."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from mtlib.figures import BLACK, BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, Drawing, dots, new

POINTS = 3.0  # that a mean of few short runs may move between machines
LOSS = 0.1
LOOKS = ((BLUE, "o"), (RED, "s"), (GREEN, "^"), (ORANGE, "D"), (PINK, "v"), (SKY, "P"), (BLACK, "X"), (GREY, "*"))
GROUPS = {"objective": (BLUE, "o"), "subjective": (RED, "s")}

Samples = Mapping[str, Sequence[float]]  # {row: points, one per seed}


def spoken(name: str) -> str:
    """An attribute as people write it."""
    return name.replace("_", " ")


def variants(ours: Samples, printed: Mapping[str, float], base: str = "Baseline", stamp: str = "") -> Drawing:
    """Gains over the baseline, ours and the printed ones in panels of their own.

    Args:
        ours: {variant: points, one per seed}.  printed: {variant: points on CelebA, one run}; some are not printed.
        stamp: how large the evidence is.

    Raises:
        ValueError: no variant.
    """
    if not ours:
        raise ValueError("there is no variant to draw")
    figure = new(11, 1.8 + 0.55 * len(ours))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    left.set_xlim(*dots.limits(ours.values(), 0.0))
    for at, values in enumerate(ours.values()):
        dots.spread(left, at, values, BLUE)
    for at, name in enumerate(ours):
        if name in printed:
            right.plot([printed[name]], [at], "D", color=ORANGE, ms=9, mec=BLACK)
        else:
            right.text(0, at, " not printed", va="center", color=GREY)
    right.set_xlim(*dots.limits([[value] for value in printed.values()], 0.0))
    ours_are = f"{stamp}: drawn faces" if stamp else "drawn faces"
    for ax, title in ((left, ours_are), (right, "CelebA as printed, without spread")):
        ax.axvline(0, color=BLACK, lw=1)
        ax.set(title=title, xlabel=f"gain over {base} (points)")
        ax.grid(axis="x", alpha=0.3)
    left.set_yticks(range(len(ours)), list(ours))
    left.set_ylim(len(ours) - 0.4, -0.6)
    left.tick_params(axis="y", length=0)
    right.tick_params(axis="y", length=0)
    dots.key(figure, colour=BLUE)
    means = {name: float(np.mean(values)) for name, values in ours.items()}
    more, less = dots.beyond(ours.values())
    best = max(means, key=means.get)
    return Drawing(
        "variants",
        figure,
        {"means": list(means.values()), "printed": [printed[name] for name in ours if name in printed]},
        f"A row per variant: {', '.join(ours)}. Left: gain over {base} on drawn faces, a dot per seed, mean and 95 % "
        "interval, with a line at zero. Right, on an axis of its own: the printed gain on CelebA where there is one.",
        f"{f'{stamp}: ' if stamp else ''}of {len(ours)} variants {more} are clearly better than {base} and {less} "
        f"clearly worse (95 % intervals); the best here is {best}, {means[best]:+.1f} points.",
        trained={"means": POINTS},
    )


def by_attribute(gains: Samples, groups: Mapping[str, Sequence[str]], between: str, stamp: str = "") -> Drawing:
    """Figs. 3 and 4: one network over another, attribute by attribute, the two groups in panels of their own.

    Args:
        gains: {attribute: points, one per seed}.  groups: {"objective", "subjective": attributes}.
        between: which network minus which, for the axis.  stamp: how large the evidence is.
    """
    most = max(len(members) for members in groups.values())
    figure = new(12, 1.6 + 0.33 * most)
    panels = figure.subplots(1, len(groups))
    ends = dots.limits(gains.values(), 0.0)
    for ax, (group, members) in zip(panels, groups.items(), strict=True):
        order = sorted(members, key=lambda name: -float(np.mean(gains[name])))
        ax.set(xlim=ends, ylim=(most - 0.4, -0.8), title=f"{group}, {len(order)} attributes")
        ax.set_xlabel(f"{between} (points)")
        ax.axvline(0, color=BLACK, lw=1)
        for at, name in enumerate(order):
            dots.spread(ax, at, gains[name], *GROUPS.get(group, LOOKS[2]))
        ax.set_yticks(range(len(order)), [spoken(name) for name in order])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", alpha=0.3)
    dots.key(figure, colour=GREY)
    told = []
    for group, members in groups.items():
        more, less = dots.beyond(gains[name] for name in members)
        told.append(f"of {len(members)} {group} attributes {more} clearly gain and {less} clearly lose")
    return Drawing(
        "by-attribute",
        figure,
        {"means": [float(np.mean(gains[name])) for members in groups.values() for name in members]},
        f"A row per attribute, in a panel per group, sorted: {between} in points, a dot per seed, mean and 95 % "
        "interval, with a line at zero.",
        f"{f'{stamp}: ' if stamp else ''}{'; '.join(told)} (95 % intervals, each by itself).",
        trained={"means": 2 * POINTS},
    )


Run = Mapping[str, Mapping[str, Sequence[float]]]  # {"loss", "weight", "threshold": {name: [one per validation]}}


def curves(steps: Sequence[int], runs: Mapping[str, Run], dynamic: str = "dynamic weights", stamp: str = "") -> Drawing:
    """Figs. 5 to 7: validation losses with two kinds of weights, the dynamic weights, the thresholds.

    Args:
        steps: updates before each validation.  runs: {kind of weights: its curves}; losses of the same names.
        dynamic: the run whose weights and thresholds are shown.
    """
    figure = new(13, 5)
    first, second, third = figure.subplots(1, 3)
    own = runs[dynamic]
    look = dict(zip(own["loss"], LOOKS, strict=False))
    for kind, run in runs.items():
        for name, values in run["loss"].items():
            style = "-" if kind == dynamic else "--"
            first.plot(steps, values, style, color=look[name][0], marker=look[name][1], markevery=(3, 8), ms=6)
    first.set(title="validation loss; dashed: equal weights", ylabel="squared error")
    for name, values in own["weight"].items():
        colour, marker = look[name]
        second.plot(steps, values, color=colour, marker=marker, markevery=(3, 8), ms=6, label=spoken(name))
    second.set(title="dynamic weights, Eq. (4)", yscale="log", ylabel="weight (logarithmic)")
    for (name, values), (colour, marker) in zip(own["threshold"].items(), _looks(), strict=False):
        third.plot(steps, values, color=colour, marker=marker, markevery=(3, 8), ms=5, label=spoken(name))
    third.set(title="thresholds, Eq. (6)", ylabel="threshold")
    third.legend(fontsize=9, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.16))
    _named(first, look)
    for ax in (first, second, third):
        ax.set_xlabel("updates")
        ax.grid(alpha=0.3)
    ends = {kind: run["loss"]["mean"][-1] for kind, run in runs.items()}
    lower = min(ends, key=ends.get)
    return Drawing(
        "curves",
        figure,
        {"mean losses": [list(run["loss"]["mean"]) for run in runs.values()]},
        f"Three panels over updates. Validation losses of {', '.join(map(spoken, look))}, dynamic weights solid, equal "
        f"ones dashed; dynamic weights of {' and '.join(map(spoken, own['weight']))} on a logarithmic axis; the "
        f"thresholds of {len(own['threshold'])} attributes.",
        f"{f'{stamp}: ' if stamp else ''}the mean validation loss ends at "
        + " and ".join(f"{value:.3f} with {kind}" for kind, value in ends.items())
        + f", lower with {lower}.",
        trained={"mean losses": LOSS},
    )


def _looks() -> list[tuple[str, str]]:
    """Colours with markers, none twice, for up to 16 lines."""
    colours, markers = zip(*LOOKS, strict=True)
    turned = [*markers[4:], *markers[:4]]
    return [*LOOKS, *zip(colours, turned, strict=True)]


def _named(ax: Axes, look: Mapping[str, tuple[str, str]]) -> None:
    marks = [ax.plot([], [], color=colour, marker=marker, ms=6)[0] for colour, marker in look.values()]
    ax.legend(marks, [spoken(name) for name in look], fontsize=10, loc="upper left", bbox_to_anchor=(0, -0.16))

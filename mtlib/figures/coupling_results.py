"""What coupling brings: gains over no coupling, other readings, unequal numbers of images; ``surface`` beside them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlib.figures import BLACK, BLUE, GREEN, GREY, ORANGE, PINK, RED, Drawing, dots, new
from mtlib.figures.coupling_surface import OVER, POINTS, Samples, checked, means, stamped, surface, title
from mtlib.metrics.intervals import interval

__all__ = ["gains", "readings", "sizes", "surface"]

# Colour and marker of a row, by how its name begins.
LOOKS = {"ST": (BLACK, "s"), "S-T": (GREY, "D"), "NC": (RED, "X"), "co-annotation": (GREEN, "^"),
         "matching": (ORANGE, "v"), "C": (BLUE, "o")}  # fmt: skip
STYLES = {"ST": ":", "NC": "--", "C": "-"}


def look(name: str) -> tuple[str, str]:
    """Colour and marker of a row."""
    return LOOKS.get(name.split()[0], (PINK, "P"))


def clear(samples: Samples) -> tuple[list[str], list[str]]:
    """The rows whose 95 % interval lies wholly above 0, and those where it lies wholly below."""
    signs = {name: dots.beyond([values]) for name, values in samples.items()}
    return [name for name, (more, _) in signs.items() if more], [name for name, (_, less) in signs.items() if less]


def listed(names: Iterable[str]) -> str:
    """Names with commas, in quotes where a name has a comma itself, or "none"."""
    names = list(names)
    mark = '"' if any("," in name for name in names) else ""
    return ", ".join(f"{mark}{name}{mark}" for name in names) or "none"


# ------------------------------------------------------------------ rows of Tables 2 and 3, readings


def gains(
    ours: Mapping[str, Samples], printed: Mapping[str, Mapping[str, Sequence[float]]], stamp: str = ""
) -> Drawing:
    """Gains over no coupling, ours and the printed ones in panels of their own, a row of panels per task.

    Args:
        ours: {"expression", "units": {arm: points, one per seed}}.
        printed: {the same tasks: {arm: points, one per network of the paper}}; some arms are not printed.
        stamp: how large the evidence is.

    Raises:
        ValueError: no task, no arm, or values that are missing.
    """
    if not ours:
        raise ValueError("gains: there is no task to draw")
    for task, own in ours.items():
        checked(own, f"gains of {title(task)}")
    for task, own in printed.items():
        checked(own or {"": [0.0]}, f"printed gains of {title(task)}")
    rows = {task: list(dict.fromkeys([*own, *printed.get(task, ())])) for task, own in ours.items()}
    figure = new(13, 1.9 + sum(0.8 + 0.36 * len(own) for own in rows.values()))
    heights = [len(own) + 1 for own in rows.values()]
    grid = figure.subplots(len(rows), 2, squeeze=False, sharey="row", width_ratios=(3, 2), height_ratios=heights)
    for (left, right), (task, names) in zip(grid, rows.items(), strict=True):
        theirs = printed.get(task, {})
        left.set_xlim(*dots.limits(ours[task].values(), 0.0))
        right.set_xlim(*dots.limits([[value] for values in theirs.values() for value in values], 0.0))
        for at, name in enumerate(names):
            dots.spread(left, at, ours[task].get(name, ()), *look(name))
            _single_runs(right, at, theirs.get(name, ()))
            if name not in ours[task]:
                left.text(0, at, " not trained", va="center", color=GREY)
        left.set_yticks(range(len(names)), names)
        left.set_ylim(len(names) - 0.5, -0.6)
        _panel(left, f"{title(task)}, {stamp or 'drawn faces'}")
        _panel(right, f"{title(task)}, photographs as printed")
    _key(figure, {"one network, a single run": right.plot([], [], "D", color=ORANGE, ms=7, mec=BLACK)[0]})
    told = "; ".join(_compared(task, ours[task], printed.get(task, {})) for task in ours)
    arrays = {f"{title(task)}, means": means(own.values()) for task, own in ours.items()}
    both = {f"{title(task)}, printed": [v for own in rows.values() for v in own] for task, rows in printed.items()}
    return Drawing(
        "coupling-gains",
        figure,
        arrays | {name: values for name, values in both.items() if values},
        f"A row of panels for each of {listed(map(title, ours))}. Left: gain over no coupling on drawn faces of "
        f"{listed(next(iter(rows.values())))}: a dot per seed, mean and 95 % interval, with a line at zero. Right, on "
        "axes of their own: printed gains on photographs, a dot per network, single runs without an interval.",
        stamped(stamp, f"gains over no coupling (95 % intervals, each by itself): {told}."),
        trained=dict.fromkeys(arrays, POINTS),
    )


def _single_runs(ax: Axes, at: int, values: Sequence[float]) -> None:
    if len(values):
        ax.plot(values, [at] * len(values), "D", color=ORANGE, ms=7, mec=BLACK, ls="none", zorder=3)
    else:
        ax.text(0, at, " not printed", va="center", color=GREY)


def _panel(ax: Axes, name: str) -> None:
    ax.axvline(0, color=BLACK, lw=1)
    ax.set(title=name, xlabel=OVER)
    ax.grid(axis="x", alpha=0.3)
    ax.tick_params(axis="y", length=0)


def _key(figure: Figure, more: Mapping[str, object] | None = None) -> None:
    dots.key(figure, colour=GREY)
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    marks = dict(zip(texts, legend.legend_handles, strict=True)) | dict(more or {})
    legend.remove()
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=len(marks))


def _compared(task: str, ours: Samples, printed: Samples) -> str:
    more, less = clear(ours)
    text = f"{title(task)}, clearly better: {listed(more)}, clearly worse: {listed(less)}"
    if not printed:
        return f"{text}, nothing printed"
    best = max(printed, key=lambda name: float(np.mean(printed[name])))
    ends = sorted({f"{min(printed[best]):+.1f}", f"{max(printed[best]):+.1f}"}, key=float)
    return f"{text}, printed at best {' to '.join(ends)} ({best}, single runs)"


def readings(gains: Mapping[str, Samples], stamp: str = "") -> Drawing:
    """The same method read otherwise: gain over no coupling, two tasks side by side.

    Args:
        gains: {"expression", "units": {reading: points, one per seed}}.  stamp: how large the evidence is.

    Raises:
        ValueError: no task, no reading, or values that are missing.
    """
    if not gains:
        raise ValueError("readings: there is no task to draw")
    names = list(
        dict.fromkeys(name for task, own in gains.items() for name in checked(own, f"readings, {title(task)}"))
    )
    figure = new(13, 1.8 + 0.4 * len(names))
    panels = figure.subplots(1, len(gains), sharey=True, squeeze=False)[0]
    for ax, (task, own) in zip(panels, gains.items(), strict=True):
        ax.set_xlim(*dots.limits(own.values(), 0.0))
        worse = clear(own)[1]
        for at, name in enumerate(names):
            dots.spread(ax, at, own.get(name, ()), *((RED, "s") if name in worse else (BLUE, "o")))
        _panel(ax, title(task))
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.5, -0.6)
    _key(figure, {"clearly worse": panels[0].plot([], [], "s", color=RED, ms=9, mec=BLACK)[0]})
    told = "; ".join(f"{title(task)}: {listed(clear(own)[1])}" for task, own in gains.items())
    both = [name for name in names if all(name in clear(own)[0] for own in gains.values())]
    arrays = {f"{title(task)}, means": means(own.values()) for task, own in gains.items()}
    return Drawing(
        "coupling-readings",
        figure,
        arrays,
        f"A panel for each of {listed(map(title, gains))}, a row per reading: {listed(names)}. Gain over no coupling, "
        "a dot per seed, mean and 95 % interval, with a line at zero; squares are clearly worse.",
        stamped(
            stamp,
            f"clearly worse than no coupling (95 % intervals, each by itself) are, {told}; "
            f"clearly better on {'both' if len(gains) == 2 else 'every task'}: {listed(both)}.",
        ),
        trained=dict.fromkeys(arrays, POINTS),
    )


# ------------------------------------------------------------------ numbers of images


def sizes(
    scores: Mapping[str, Mapping[str, Mapping[object, Sequence[float]]]], short: str = "one task", stamp: str = "",
    *, id: str = "coupling-sizes",
) -> Drawing:  # fmt: skip
    """Scores of both tasks over the labelled images of that which has fewer.

    Args:
        scores: {"expression", "units": {row: {images, as a number or its text: per cent, one per seed}}}.
        short: which task has fewer images.  stamp: how large the evidence is.  id: of the figure.

    Raises:
        ValueError: no task or row, a number of images that is not above 0, or values that are missing.
    """
    if not scores or not all(scores.values()):
        raise ValueError("sizes: there is nothing to draw")
    figure = new(13, 5.2)
    panels = figure.subplots(1, len(scores), squeeze=False)[0]
    shown: dict[str, list[float]] = {}
    for ax, (task, rows) in zip(panels, scores.items(), strict=True):
        for place, (name, own) in enumerate(rows.items()):
            shown[f"{title(task)}, {name}"] = _line(ax, name, own, 1 + 0.05 * (place - (len(rows) - 1) / 2))
        images = sorted({float(count) for own in rows.values() for count in own})
        ax.set(xscale="log", title=title(task), ylabel="test score (%)")
        ax.set_xlabel(f"labelled images of {short} (logarithmic)")
        ax.set_xticks(images, [f"{count:g}" for count in images])
        ax.set_xticks([], minor=True)
        ax.grid(alpha=0.3)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), handlelength=3.5)
    told = "; ".join(f"{title(task)} {_fewest(rows)}" for task, rows in scores.items())
    return Drawing(
        id,
        figure,
        shown,
        f"A panel for each of {listed(map(title, scores))}: test score over the number of labelled images of {short}, "
        f"a line with 95 % intervals for each of {listed(names)}.",
        stamped(stamp, f"mean scores with few and with many images of {short}: {told}."),
        trained=dict.fromkeys(shown, POINTS),
    )


def _line(ax: Axes, name: str, own: Mapping[object, Sequence[float]], aside: float) -> list[float]:
    checked({str(count): values for count, values in own.items()}, f"sizes of {name}")
    by_size = sorted((float(count), values) for count, values in own.items())
    if by_size[0][0] <= 0:
        raise ValueError(f"sizes: numbers of images are above 0, got {by_size[0][0]:g}")
    colour, marker = look(name)
    x, mean = [aside * count for count, _ in by_size], means(values for _, values in by_size)
    ax.plot(
        x, mean, STYLES.get(name.split()[0], "-."), marker=marker, color=colour, lw=2.4, ms=9, mec=BLACK, label=name
    )
    for at, (_, values) in zip(x, by_size, strict=True):
        if len(values) > 1:
            found = interval(values)
            ax.plot([at, at], [found.low, found.high], color=colour, lw=2)
    return mean


def _fewest(rows: Mapping[str, Mapping[object, Sequence[float]]]) -> str:
    ends = sorted({count for own in rows.values() for count in own}, key=float)
    parts = []
    for count in dict.fromkeys((ends[0], ends[-1])):
        own = ", ".join(f"{name} {float(np.mean(each[count])):.1f}" for name, each in rows.items() if count in each)
        parts.append(f"at {count}: {own}")
    return " and ".join(parts)

"""A row of a dot plot: every seed, their mean and its 95 % interval; few seeds, and missing ones, are drawn as such."""

import math
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlib.claims import Interval, interval
from mtlib.figures import BLACK, BLUE, ORANGE, PINK, RED, SKY

# Colour and marker of each model of the paper, as in notebook 01; another model takes one of OTHERS.
MODEL = {"CNN8-MT": (BLUE, "s"), "MT": (BLUE, "s"), "SOS": (RED, "o"), "SOS-SE": (ORANGE, "D")}
OTHERS = ((SKY, "^"), (PINK, "v"), (BLACK, "P"))
CUT = "cut"  # marks the arrows of intervals that are not drawn to their end
ROOM = 0.75  # how far beyond the dots an axis goes for an interval, in widths of the dots' range

Values = Sequence[float | None]


def look(model: str, models: Iterable[str]) -> tuple[str, str]:
    """Colour and marker of a model; those that have none of their own get them by their place among ``models``."""
    unknown = [name for name in models if name not in MODEL]
    return MODEL[model] if model in MODEL else OTHERS[unknown.index(model) % len(OTHERS)]


def known(values: Values) -> list[float]:
    """The values that are there: not None, not NaN, not infinite."""
    return [float(value) for value in values if value is not None and math.isfinite(value)]


def counted(groups: Iterable[Values]) -> str:
    """The number of seeds: "n = 3", or "n = 2 to 3" where groups differ."""
    sizes = sorted({len(known(values)) for values in groups})
    if not sizes:
        return "n = 0"
    return f"n = {sizes[0]}" if len(sizes) == 1 else f"n = {sizes[0]} to {sizes[-1]}"


def beyond(groups: Iterable[Values], at: float = 0.0) -> tuple[int, int]:
    """How many groups have a 95 % interval wholly above ``at``, and how many wholly below."""
    found = [interval(values) for values in map(known, groups) if len(values) > 1]
    return sum(one.low > at for one in found), sum(one.high < at for one in found)


def limits(groups: Iterable[Values], *include: float) -> tuple[float, float]:
    """Ends of an axis: all dots and ``include``, and intervals as far as ``ROOM`` allows.

    The interval of two seeds is thirteen times as long as their distance: drawn whole, it would make points of all
    others. ``spread`` lets it end in an arrow.
    """
    lists = [values for values in map(known, groups) if values]
    dots = [*include, *(value for values in lists for value in values)] or [0.0]
    low, high = min(dots), max(dots)
    room = ROOM * (high - low or 1)
    ends = [interval(values) for values in lists if len(values) > 1]
    least = max(low - room, min((one.low for one in ends), default=low))
    most = min(high + room, max((one.high for one in ends), default=high))
    low, high = min(low, least), max(high, most)
    margin = 0.05 * (high - low or 1)
    return low - margin, high + margin


def spread(
    ax: Axes, at: float, values: Values, colour: str, marker: str = "o", *, upright: bool = False, aside: float = 0.25
) -> Interval | None:
    """Draw the seeds of one row; set the axis by ``limits`` first.

    Args:
        at: where the row stands.  values: of its seeds; missing ones are left out.
        upright: values go up, not to the right.  aside: how far from the bar the seeds' dots stand.

    Returns:
        The mean with its interval; None for fewer than two values: then there is no bar, only the mark.
    """
    values = known(values)
    if not values:
        return None

    def plot(x: Sequence[float], y: Sequence[float], *arguments: object, **options: object) -> None:
        ax.plot(*((y, x) if upright else (x, y)), *arguments, **options)

    found = interval(values) if len(values) > 1 else None
    if found:
        low, high = ax.get_ylim() if upright else ax.get_xlim()
        ends = max(found.low, low), min(found.high, high)
        plot(ends, [at, at], color=colour, lw=3, solid_capstyle="butt", zorder=1.8)
        for end, arrow in ((low, "v<"), (high, "^>")):
            if not found.low <= end <= found.high:
                continue
            plot([end], [at], arrow[not upright], color=colour, ms=9, mec=BLACK, mew=0.4, clip_on=False, gid=CUT)
        plot(values, [at - aside] * len(values), marker, color=colour, ms=4.5, ls="none")
    mean = found.mean if found else values[0]
    plot([mean], [at], marker, color=colour, ms=9, mec=BLACK, mew=1.2, zorder=3)
    return found


def key(figure: Figure, first: Mapping[str, Artist] | None = None, colour: str = BLUE, each: str = "one seed") -> None:
    """A legend below the figure: ``first`` (name: mark), then what small marks (``each``), large ones and bars are."""
    ax = figure.axes[0]
    cut = any(line.get_gid() == CUT for panel in figure.axes for line in panel.lines)
    seed = ax.plot([], [], "o", color=colour, ms=4.5, ls="none")[0]
    mean = ax.plot([], [], "o-", color=colour, ms=9, lw=3, mec=BLACK, mew=1.2)[0]
    name = "mean, 95 % interval" + (" (arrow: it goes on)" if cut else "")
    marks = {**(first or {}), each: seed, name: mean}
    figure.legend(list(marks.values()), list(marks), loc="outside lower center", ncols=len(marks))


def millions(ax: Axes, sizes: Iterable[float], room: float = 1.8) -> None:
    """A logarithmic axis of sizes in millions: ``room`` times further than they go, at least a factor of ten wide."""
    sizes = list(sizes) or [1.0]
    low, high = min(sizes) / room, max(sizes) * room
    wider = max(1.0, math.sqrt(10 * low / high))
    ax.set_xscale("log")
    ax.set_xlim(low / wider, high * wider)
    ticks = [base * 10**power for power in range(-3, 5) for base in (1, 2, 5)]
    shown = [tick for tick in ticks if low / wider <= tick <= high * wider]
    ax.set_xticks(shown, [f"{tick:g}" for tick in shown])
    ax.set_xticks([], minor=True)

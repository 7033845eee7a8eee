"""The linear playground: how much of the pupils' scores each method explains, over splits that overlap."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from mtlib.claims import Interval, interval
from mtlib.experiments.school_table import OVERLAP
from mtlib.figures import BLACK, BLUE, GREY, Drawing, new
from mtlib.figures.dots import known

BASE = "alone"


def explained(found: Mapping[str, Sequence[float]], name: str, stamp: str) -> Drawing:
    """Explained variance of the test scores: every split and the mean; and the difference to schools on their own.

    The intervals are widened because splits of the same pupils share most of what they learn from.

    Args:
        found: {method: [per cent of the test scores' variance, of every split]}, splits in one order.
        name: of the data.  stamp: what was done.

    Raises:
        ValueError: no base, methods with different splits, or a value that is missing.
    """
    splits = {len(values) for values in found.values()}
    if BASE not in found or len(splits) != 1 or any(len(known(v)) != len(v) for v in found.values()):
        told = {method: len(values) for method, values in found.items()}
        raise ValueError(f"explained: {BASE!r} and others, all with a number for every split; got {told}")
    count = splits.pop()
    gains = {m: [a - b for a, b in zip(v, found[BASE], strict=True)] for m, v in found.items() if m != BASE}
    intervals = {m: interval(v, overlap=OVERLAP) for m, v in gains.items()} if count > 1 else {}
    figure = new(12.5, 2.0 + 0.5 * len(found))
    left, right = figure.subplots(1, 2, sharey=True)
    for y, (method, values) in enumerate(found.items()):
        colour = GREY if method == BASE else BLUE
        mean, split = _row(left, y, values, colour)
        if method != BASE:
            _row(right, y, gains[method], colour, intervals.get(method))
    right.text(0, list(found).index(BASE), " compared with", color="#5A5A5A", va="center", style="italic")
    right.axvline(0, color=BLACK, lw=1.2)
    left.set_yticks(range(len(found)), list(found))
    left.set(xlabel="variance of the test scores explained (%)", ylim=(len(found) - 0.4, -0.6))
    left.set_title(f"{name}, {count} splits")
    right.set(xlabel=f"difference to {BASE}, same split (points)", title="bars: 95 %, widened as splits overlap")
    for ax in (left, right):
        ax.grid(axis="x", alpha=0.3)
        ax.margins(x=0.08)
    bar = right.plot([], [], color=BLUE, lw=3)[0]
    texts = ["one split", "mean", "95 % interval of a difference"]
    figure.legend([split, mean, bar], texts, loc="outside lower center", ncols=3)
    means = {method: sum(values) / count for method, values in found.items()}
    return Drawing(
        "school-explained",
        figure,
        {"means": list(means.values())},
        f"A row for each of {', '.join(found)}. Left: per cent of the variance of the test scores that is explained, "
        f"small dots for {count} splits, a large one for their mean. Right: the difference to {BASE} on the same "
        "split, with a 95 % interval that is widened because splits overlap; the line at zero is no difference.",
        f"{stamp}, {name}: {_told(means, intervals)}. The {count} splits overlap and are no independent samples.",
        trained={"means": 1.0},
    )


def _row(ax: Axes, y: float, values: Sequence[float], colour: str, bar: Interval | None = None) -> tuple:
    """Small dots, the mean, and an interval if there is one; returns the marks of mean and split."""
    if bar:
        ax.plot([bar.low, bar.high], [y, y], color=colour, lw=3, solid_capstyle="butt", zorder=1.8)
    small = ax.plot(values, [y - 0.25] * len(values), "o", color=colour, ms=4.5, ls="none")[0]
    mean = ax.plot(sum(values) / len(values), y, "o", color=colour, ms=9, mec=BLACK, mew=1.2, ls="none", zorder=3)[0]
    return mean, small


def _told(means: Mapping[str, float], intervals: Mapping[str, Interval]) -> str:
    best = max(means, key=means.get)
    text = f"{best} explains most, {means[best]:.1f} %, {BASE} {means[BASE]:.1f} %"
    if not intervals:
        return text
    better = [method for method, one in intervals.items() if one.low > 0]
    worse = [method for method, one in intervals.items() if one.high < 0]
    text += f"; clearly above {BASE}: {', '.join(better) or 'none'}"
    return text + (f"; clearly below: {', '.join(worse)}" if worse else "")

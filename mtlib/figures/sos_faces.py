"""Figures of SOS on faces: Table II, and what the fake heads' weight does under two optimisers.

Printed numbers are CelebA's and stand in panels of their own: they share no axis with those of drawn faces.
"""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from mtlib.figures import BLACK, BLUE, GREY, RED, Drawing, new
from mtlib.figures.dots import Values, beyond, counted, key, known, limits, spread

POINTS = 3.0  # points that a mean of few short runs may move between machines
PRINTED = "CelebA, as printed, one run"
MEANING = {  # of the rows of Table II, which add one term after the other
    "SOS(512, 32)": "SOS(512, 32), no extra term",
    "+ (4)": "+ (4) common–specific",
    "+ (4) (5)": "+ (5) specific–specific",
    "+ (6)": "+ (6) semantic",
    "+ (7): all": "+ (7) fake heads learn: all terms",
}


def ablation(
    differences: Mapping[str, Values], printed: Mapping[str, float], stamp: str, data: str = "drawn faces"
) -> Drawing:
    """Table II: every row minus the baseline, as printed and as measured.

    Args:
        differences: {arm: [accuracy minus the baseline's of the same seed, in points; None or NaN where missing]}.
        printed: {arm: points above the printed baseline}. An arm may be missing in either.
        stamp: what the runs were.  data: what they were on.
    """
    rows = list(dict.fromkeys([*printed, *differences]))
    ours = {arm: known(differences.get(arm, ())) for arm in rows}
    ran = {arm: values for arm, values in ours.items() if values}
    figure = new(12, 1.9 + 0.5 * len(rows))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.2))
    left.set_xlim(limits([list(printed.values())], 0))
    right.set_xlim(limits(ran.values(), 0))
    for y, arm in enumerate(rows):
        if arm in printed:
            left.plot(printed[arm], y, "x", color=BLACK, ms=9, mew=2.5)
            left.annotate(f"{printed[arm]:+.2f}", (printed[arm], y), (9, -4), textcoords="offset points", fontsize=11)
        else:
            _absent(left, y, "not printed")
        if arm in ran:
            spread(right, y, ran[arm], RED if arm == "+ (7): all" else BLUE)
        else:
            _absent(right, y, "not run")
    start = _sizes(rows)
    for ax, title in ((left, PRINTED), (right, f"{data}, ours, {counted(ran.values())}")):
        ax.axvline(0, color=BLACK, lw=1.2)
        if 0 < start < len(rows):
            ax.axhline(start - 0.5, color=GREY, lw=1, ls=":")
        ax.set(title=title, xlabel="points above the baseline", ylim=(len(rows) - 0.4, -0.6))
        ax.grid(axis="x", alpha=0.3)
    names = [f"{arm}, all terms" if k >= start else MEANING.get(arm, arm) for k, arm in enumerate(rows)]
    left.set_yticks(range(len(rows)), names)
    key(figure, {"printed": left.plot([], [], "x", color=BLACK, ms=9, mew=2.5)[0]})
    means = {arm: sum(values) / len(values) for arm, values in ran.items()}
    return Drawing(
        "table-two",
        figure,
        {"printed": list(printed.values()), "means": list(means.values())},
        f"Two panels with one row for each of {len(rows)} settings of SOS. Left, crosses: points above the baseline as "
        f"printed for CelebA. Right, ours on {data}: small dots are seeds, large ones means, bars 95 % intervals. "
        "Vertical lines at zero are the baseline, each its own. The scales differ.",
        f"{stamp}: {_verdict(ran, means)}.",
        trained={"means": POINTS},
    )


def _verdict(ran: Mapping[str, Sequence[float]], means: Mapping[str, float]) -> str:
    if not ran:
        return "no setting was run"
    above, below = beyond(ran.values())
    best, worst = max(means, key=means.get), min(means, key=means.get)
    return (
        f"with their 95 % interval, {above} of {len(ran)} settings lie above the baseline and {below} below (each by "
        f"itself, uncorrected); the means go from {means[worst]:+.2f} points, {MEANING.get(worst, worst)}, to "
        f"{means[best]:+.2f}, {MEANING.get(best, best)}"
    )


def _sizes(rows: Sequence[str]) -> int:
    """Where the rows end that add terms, and other sizes begin."""
    added = [k for k, arm in enumerate(rows) if arm.startswith("+")]
    return added[-1] + 1 if added else len(rows)


def _absent(ax: Axes, y: float, text: str) -> None:
    ax.text(0.99, y, text, transform=ax.get_yaxis_transform(), color="#666666", ha="right", va="center", style="italic")


LINES = (("o", "-", BLUE), ("s", "--", RED), ("^", ":", BLACK))


def rates(
    found: Mapping[str, Mapping[float, Values]], stamp: str, baseline: tuple[str, float] | None = None
) -> Drawing:
    """Accuracy by the weight of Equation (7), one panel for each optimiser: where does training become unstable?

    Args:
        found: {optimiser: {weight: [accuracy (per cent) of every seed, None or NaN where it diverged]}}; a weight may
            be a string, as in a record.
        stamp: what the runs were.
        baseline: what a horizontal line stands for, and its accuracy.

    Raises:
        ValueError: no optimiser has runs.
    """
    found = {name: {float(weight): values for weight, values in by.items()} for name, by in found.items() if by}
    if not found:
        raise ValueError("rates: no optimiser has any runs")
    figure = new(5.6 * len(found) + 0.6, 4.8)
    axes = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    groups = [values for by in found.values() for values in by.values()]
    dots = [*([baseline[1]] if baseline else []), *(value for values in groups for value in known(values))]
    low, high = min(dots, default=0.0), max(dots, default=1.0)
    lost = sum(len(values) - len(known(values)) for values in groups)
    floor = low - 0.15 * (high - low or 1)  # where diverged runs are marked
    at = _places([weight for by in found.values() for weight in by])
    texts, means = [], []
    for k, (ax, (optimiser, by)) in enumerate(zip(axes, found.items(), strict=True)):
        marker, style, colour = LINES[k % len(LINES)]
        if baseline:
            ax.axhline(baseline[1], color=GREY, lw=2, ls="-.")
        mine = _by_weight(ax, by, at, floor, {"marker": marker, "ls": style, "color": colour})
        ax.set_xticks(list(at.values()), [f"{weight:g}" for weight in at])
        ax.set_xlim(min(at.values()) - 0.3, max(at.values()) + 0.5)
        ax.set_xlabel("weight of (7), the fake heads' loss (log)")
        ax.set_title(f"{optimiser}, {counted([0.0] * len(values) for values in by.values())}")
        ax.grid(axis="y", alpha=0.3)
        texts.append(f"under {optimiser} {_range(mine)}, {_gone(by.values())}")
        means += mine
    axes[0].set_ylabel("accuracy (%)")
    _legend(axes[0], bool(lost), baseline and baseline[0])
    return Drawing(
        "fake-heads-weight",
        figure,
        {"means": means},
        f"Accuracy against the weight of Equation (7) on a logarithmic axis, one panel for each of {', '.join(found)}: "
        "small marks are seeds, large ones means, joined by a line"
        + ("; hollow where runs diverged, which crosses at the bottom count." if lost else "; no run diverged."),
        f"{stamp}: {'; '.join(texts)}.",
        trained={"means": 10.0},  # what is unstable differs most between machines
    )


def _legend(ax: Axes, lost: bool, baseline: str | None) -> None:
    marks = {"one seed": ("o", 4.5, GREY), "mean": ("o-", 10, GREY)}
    if lost:
        marks |= {"mean of those left": ("o", 10, "white"), "diverged": ("X", 11, BLACK)}
    handles = [ax.plot([], [], m, color=GREY, mfc=fill, mec=BLACK, ms=size)[0] for m, size, fill in marks.values()]
    names = [*marks]
    if baseline:
        handles += ax.plot([], [], "-.", color=GREY, lw=2)
        names.append(baseline)
    ax.figure.legend(handles, names, loc="outside lower center", ncols=len(names))


def _by_weight(
    ax: Axes, by: Mapping[float, Values], at: Mapping[float, float], floor: float, look: Mapping[str, str]
) -> list[float]:
    """One optimiser's runs; returns the mean at every weight at which a run ended."""
    line = []
    for weight, values in sorted(by.items()):
        left = known(values)
        gone = len(values) - len(left)
        if left:
            x, mean = at[weight], sum(left) / len(left)
            ax.plot([x - 0.09] * len(left), left, **look | {"ls": ""}, ms=4.5)
            fill = {"mfc": "white"} if gone else {}
            ax.plot(x, mean, **look, ms=10, mec=BLACK, mew=1.2, zorder=3, **fill)
            line.append((x, mean))
        if gone:
            ax.plot(at[weight], floor, "X", color=BLACK, ms=11)
            ax.annotate(f"{gone} of {len(values)}", (at[weight], floor), (9, -4), textcoords="offset points")
    if line:
        ax.plot(*zip(*line, strict=True), color=look["color"], ls=look["ls"], lw=1.5, zorder=1.5)
    return [mean for _, mean in line]


def _places(weights: Sequence[float]) -> dict[float, float]:
    """Each weight's place on a logarithmic axis; 0 stands left of the smallest."""
    positive = sorted({weight for weight in weights if weight > 0})
    zero = {0.0: math.log10(positive[0]) - 0.7 if positive else 0.0} if 0 in weights else {}
    return zero | {weight: math.log10(weight) for weight in positive}


def _range(means: Sequence[float]) -> str:
    if not means:
        return "no run ended"
    if len(means) == 1:
        return f"the mean is {means[0]:.1f} %"
    return f"the means of {len(means)} weights lie between {min(means):.1f} and {max(means):.1f} %"


def _gone(groups: Sequence[Values]) -> str:
    groups = list(groups)
    total = sum(map(len, groups))
    return f"{total - sum(len(known(values)) for values in groups)} of {total} runs diverged"
